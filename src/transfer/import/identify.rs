//! Finds out what session a file is: looks up what is stored under its id, reads the file once, and
//! compares.
//!
//! - A file whose bytes begin with those that were read at its path has grown there, and is read on
//!   ([`resume`](super::resume)): no line is compared.
//! - A file that begins with the lines of the only content of its id, of which nothing else is stored,
//!   has grown too, wherever it lies.
//! - For any other the stored lines are read, and compared one by one ([`identity`]).

use std::fs::File;
use std::io;
use std::path::Path;

use super::homes::{beginning_of, home_of, plain_key};
use super::identity::shape::{Beginning, first_lines, mark_of};
use super::identity::{self, Change, Choice, Content, FileShape, Head, Outcome, Shaper, choose};
use super::session_names::plain_of;
use super::unpacked::lines_from;
use crate::agents::Agent;
use crate::codec::chain::digest_of;
use crate::codec::file_order::RUNS_MAX;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::jsonl::LineReader;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{IngestStore, Source, Sources};

/// A file whose session is looked for.
pub(super) struct Comer<'a> {
    /// Its path.
    pub path: &'a Path,
    /// The agent.
    pub agent: &'static dyn Agent,
    /// The id that it has by itself.
    pub wanted: &'a SessionKey,
    /// What was imported from its path before, if the session of that is there.
    pub previous: Option<&'a Source>,
    /// Its time of last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// How many of its lines its agent says to be hidden.
    pub skip: Option<u64>,
    /// Whether its lines are compressed.
    pub packed: bool,
}

/// What is read of the file.
pub(super) struct Input<'f> {
    /// The file.
    pub file: &'f mut File,
    /// All bytes of it, if they were read when it was opened.
    pub whole: Option<&'f [u8]>,
    /// A buffer, for this file and the next one.
    pub buffer: &'f mut Vec<u8>,
}

/// What a file is.
pub(super) enum Identified {
    /// A session that is not there yet, or another content of one.
    New {
        /// The plain id, and how many contents it has; `None` if it is not there.
        of: Option<(SessionKey, usize)>,
    },
    /// A content as it is stored. Its file lies here too.
    Same {
        /// The content.
        head: Box<Head>,
        /// The file.
        shape: Box<FileShape>,
        /// Whether the file was seen here whole, as it is now.
        seen: bool,
        /// What is to be told of it.
        told: Option<&'static str>,
    },
    /// A content that has grown by what stands behind its lines.
    Grown {
        /// The content.
        head: Box<Head>,
        /// Where the new lines begin.
        behind: Box<identity::shape::Behind>,
    },
    /// A content that has another state now.
    Changed {
        /// The content.
        head: Box<Head>,
        /// The file.
        shape: Box<FileShape>,
        /// What becomes of it.
        change: Change,
    },
}

/// The plain id under which a file would be stored, if that is known by its place and name alone.
pub(super) fn known_key(sources: &dyn Sources, comer: &Comer<'_>) -> Result<Option<SessionKey>> {
    if let Some(previous) = comer.previous
        && let Some(row) = sources.row(previous.row.session)?
        && row.agent == comer.wanted.agent()
    {
        return plain_key(&row).map(Some);
    }
    // Not by its place then: the file may have been moved, or copied to another machine's folder.
    if comer.agent.has_unique_ids() {
        // A file that is called `ID~2` may be a content of `ID`, as an export names it.
        return plain_of(sources, comer.wanted).map(Some);
    }
    let id = sources.at_home(comer.wanted, &home_of(comer.path))?;
    id.map(|id| SessionKey::new(comer.wanted.agent(), id))
        .transpose()
}

/// The contents of a plain id, the newest first.
fn heads(sources: &dyn Sources, key: &SessionKey, agent: &dyn Agent) -> Result<(Vec<Head>, usize)> {
    let (filed, count) = sources.filed(key)?;
    let mut heads = Vec::with_capacity(count);
    for filed in filed {
        // What was made here from a document stands in no file of lines, so none can be compared
        // with it.
        if !is_derived(&filed.sources) {
            heads.push(Head::of(sources, filed, agent.habits())?);
        }
    }
    heads.sort_by_key(|head| {
        let row = &head.row;
        std::cmp::Reverse((row.is_listed(), row.updated_us, row.content))
    });
    Ok((heads, count))
}

/// Whether the records of a session were made from a document: no file of lines is that.
fn is_derived(of_session: &[Source]) -> bool {
    let made =
        |source: &Source| source.row.kind == SourceKind::Attachment && source.row.next_sequence > 0;
    of_session.iter().any(made)
}

/// Finds out what session a file is. The file's position is at its start, or anywhere, afterwards.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; else the store's errors.
pub(super) fn identify(
    store: &dyn IngestStore,
    comer: &Comer<'_>,
    input: &mut Input<'_>,
) -> Result<Identified> {
    let sources = store.sources();
    let known = known_key(sources, comer)?;
    // Whoever is found by first lines alone has to fit better: two chats may begin alike.
    let is_weak = known.is_none();
    let key = match known {
        Some(key) => key,
        None => match joined(sources, comer, input)? {
            Some(key) => key,
            None => return Ok(Identified::New { of: None }),
        },
    };
    let (heads, count) = heads(sources, &key, comer.agent)?;
    if heads.is_empty() {
        // The id is there, but all of it was made from documents: with those no line can be
        // compared.
        let of = (count > 0).then_some((key, count));
        return Ok(Identified::New { of });
    }
    let beginnings = heads
        .iter()
        .map(|head| head.beginning(sources))
        .collect::<Result<Vec<Beginning>>>()?;
    let shape = shape(comer, &beginnings, input)?;
    if is_weak && !weakly_fits(sources, comer, &heads, &shape)? {
        return Ok(Identified::New { of: None });
    }
    decide(sources, comer, (key, heads, count), (shape, &beginnings))
}

fn decide(
    sources: &dyn Sources,
    comer: &Comer<'_>,
    (key, mut heads, count): (SessionKey, Vec<Head>, usize),
    (mut shape, beginnings): (FileShape, &[Beginning]),
) -> Result<Identified> {
    let another = Ok(Identified::New {
        of: Some((key, count)),
    });
    // Nothing but its time is another one, so nothing changes: neither does a header that is no longer the
    // newest become that, nor does a line come back that was removed here.
    let as_read = comer
        .previous
        .filter(|source| is_what_was_read(source, &shape));
    let is_touched = |(head, beginning): (&Head, &Beginning)| {
        as_read.is_some_and(|source| is_state_of(head, &source.row))
            && has_its_end(&shape, beginning)
    };
    if let Some(at) = heads.iter().zip(beginnings).position(is_touched) {
        return Ok(same(heads.swap_remove(at), shape, true));
    }
    // Of an open line the length alone is known.
    let as_read = as_read.filter(|_| !shape.is_open);
    // The usual file: one content, nothing appended here, no header that is written anew. The chain
    // tells all, and no stored line is read.
    if let [head] = heads.as_slice()
        && head.is_plain()
        && !shape.has_frames
        && let Some(Some(behind)) = shape.begins.first_mut().map(Option::take)
    {
        let head = heads.remove(0);
        // An open line is taken from elsewhere only with more behind it, or with the comparisons below.
        if !head.order.open && !shape.is_open && shape.compared == head.order.lines {
            return Ok(same(head, shape, true));
        }
        // Whether the first line behind is the stored open line with more in it. Else a record
        // would be replaced by a line that has nothing to do with it.
        let completes = shape.tails.first().copied().flatten();
        let at = usize::try_from(behind.lines).ok();
        if shape.compared > head.order.lines && (!head.order.open || completes == at) {
            return Ok(Identified::Grown {
                head: Box::new(head),
                behind: Box::new(behind),
            });
        }
        // Put back: the comparison line by line asks for it too.
        if let Some(begins) = shape.begins.first_mut() {
            *begins = Some(behind);
        }
        heads.push(head);
    }
    if shape.lines.is_none() {
        // Too many lines to be compared one by one.
        return as_read_before(as_read, heads.into_iter(), shape).map_or(another, Ok);
    }
    let habits = comer.agent.habits();
    let mut contents = heads
        .into_iter()
        .map(|head| Content::read(sources, head, habits))
        .collect::<Result<Vec<Content>>>()?;
    match choose(&shape, &contents, comer.path, habits) {
        Choice::Another => {
            let heads = contents.into_iter().map(|content| content.head);
            as_read_before(as_read, heads, shape).map_or(another, Ok)
        }
        Choice::Stored {
            index,
            fit,
            in_place,
        } => {
            let content = contents.swap_remove(index);
            let number = content.head.number;
            let was_read = as_read.is_some_and(|source| source.row.session == number);
            stored(content, (&fit, in_place), shape, was_read).map_or(another, Ok)
        }
    }
}

/// What a file is that was found to be a content; `was_read` says that this content has read just its bytes
/// before. `None` if its order were in too many runs.
fn stored(
    content: Content,
    (fit, in_place): (&identity::fit::Fit, bool),
    shape: FileShape,
    was_read: bool,
) -> Option<Identified> {
    let told = match fit {
        identity::fit::Fit::Shorter { in_place: true } => {
            Some("is shorter than it was; what it no longer has is kept")
        }
        _ => None,
    };
    let outcome = match identity::outcome(&shape, &content, fit, in_place) {
        // A header that is not known any more was removed here, and does not come back.
        Outcome::Changed(change) if change.keeps_order && was_read => Outcome::Same { seen: false },
        outcome => outcome,
    };
    if let Outcome::Changed(change) = &outcome {
        // Tried before a line is stored: an order in too many runs would be larger than what it
        // orders.
        let next = content.head.row.next;
        let then = next + shape.line_count;
        let order = change.order((&content.head.order, next), &shape, (then, false));
        if order.runs.len() + order.here.len() > RUNS_MAX {
            return None;
        }
    }
    let (head, shape) = (Box::new(content.head), Box::new(shape));
    Some(match outcome {
        Outcome::Same { seen } => Identified::Same {
            head,
            shape,
            seen,
            told,
        },
        Outcome::Changed(change) => Identified::Changed {
            head,
            shape,
            change,
        },
    })
}

/// Whether not a byte of a file is another one since it was last read at its place, but for those of an open
/// line: of that the length is the same.
fn is_what_was_read(source: &Source, shape: &FileShape) -> bool {
    let row = &source.row;
    row.kind == SourceKind::Lines
        && shape.bytes > 0
        && (row.offset, row.tail_offset) == (shape.bytes, shape.whole.0)
        && row.hash == shape.whole.1
}

/// Whether a content's file is as it was when a place of it was read.
fn is_state_of(head: &Head, row: &SourceRow) -> bool {
    row.complete && row.session == head.number && row.revision == head.order.revision
}

/// Whether the open line of a file, if it has one, is that of a content. One that was removed here, or ended,
/// tells nothing of its bytes.
fn has_its_end(shape: &FileShape, beginning: &Beginning) -> bool {
    if !shape.is_open {
        return true;
    }
    let last = shape.lines.as_ref().and_then(|lines| lines.last());
    last.is_some_and(|last| {
        let tail = beginning.tail.as_ref();
        tail.is_none_or(|tail| last.mark == mark_of(&digest_of(tail)))
    })
}

/// A file that is no other one than it was, of a session whose lines do not tell it any more: a compaction here
/// may have removed all that it has.
fn as_read_before(
    previous: Option<&Source>,
    mut heads: impl Iterator<Item = Head>,
    shape: FileShape,
) -> Option<Identified> {
    let number = previous?.row.session;
    let head = heads.find(|head| head.number == number)?;
    Some(same(head, shape, false))
}

/// A content as it is stored.
fn same(head: Head, shape: FileShape, seen: bool) -> Identified {
    Identified::Same {
        head: Box::new(head),
        shape: Box::new(shape),
        seen,
        told: None,
    }
}

/// Reads a file for what its lines look like.
fn shape(comer: &Comer<'_>, beginnings: &[Beginning], input: &mut Input<'_>) -> Result<FileShape> {
    let mut shaper = Shaper::new(
        comer.agent.habits(),
        beginnings,
        (comer.mtime_ns, comer.skip),
    );
    // One pass for all contents: the file may be large, and compressed.
    let read = |input: &mut Input<'_>, shaper: &mut Shaper<'_>| -> io::Result<()> {
        let source = match input.whole {
            Some(bytes) => Box::new(bytes),
            None => lines_from(input.file, comer.packed, 0)?,
        };
        let mut reader = LineReader::new(source).with_buffer(std::mem::take(input.buffer));
        while let Some(line) = reader.next_line()? {
            shaper.take(&line);
        }
        *input.buffer = reader.into_buffer();
        Ok(())
    };
    read(input, &mut shaper).map_err(|source| Error::Io {
        action: "read",
        path: comer.path.to_owned(),
        source,
    })?;
    Ok(shaper.finish())
}

/// The session that a file of another home may be, by its id and its first lines; or the one that was
/// made here under its id and has no home yet.
fn joined(
    sources: &dyn Sources,
    comer: &Comer<'_>,
    input: &mut Input<'_>,
) -> Result<Option<SessionKey>> {
    let agent = comer.wanted.agent();
    // Made here, or by a file beside its lines: it takes the home of the first file that begins as
    // it does.
    if let Some(number) = sources.number_of(comer.wanted)?
        && let Some(row) = sources.row(number)?
        && (row.next == 0 || sources.of_session(number)?.is_empty())
    {
        return Ok(Some(comer.wanted.clone()));
    }
    let shape = shape(comer, &[], input)?;
    let Some(first) = first_lines(&shape) else {
        return Ok(None);
    };
    let id = sources.at_home(comer.wanted, &beginning_of(&first))?;
    id.map(|id| SessionKey::new(agent, id)).transpose()
}

/// Whether a file of another home is the session that was found: it begins with its file, or brings
/// nothing new, each with enough in common; or it begins with what was made here, or is a beginning
/// of that.
fn weakly_fits(
    sources: &dyn Sources,
    comer: &Comer<'_>,
    heads: &[Head],
    shape: &FileShape,
) -> Result<bool> {
    let core = shape.core();
    let is_enough = |lines: usize, bytes: u64| {
        lines >= identity::COMMON_LINES && bytes >= identity::COMMON_BYTES
    };
    for (head, begins) in heads.iter().zip(&shape.begins) {
        if head.row.next == 0 {
            // A file beside it has made it: its lines come now.
            return Ok(true);
        }
        // Made here through the API: a file can only be what an export of it wrote.
        if !head.had_file() && head.sources.is_empty() {
            let content = Content::read(sources, head.clone(), comer.agent.habits())?;
            let here = content.exported();
            let length = here.len().min(core.len());
            let marks = |lines: &[identity::shape::Shape]| -> Vec<_> {
                lines.iter().take(length).map(|line| line.mark).collect()
            };
            if length > 0 && marks(&here) == marks(&core) {
                return Ok(true);
            }
            continue;
        }
        let lines = usize::try_from(head.order.lines).unwrap_or(usize::MAX);
        let bytes = core.iter().take(lines).map(|line| line.bytes).sum();
        if begins.is_some() && is_enough(lines, bytes) {
            return Ok(true);
        }
        let all = core.iter().map(|line| line.bytes).sum();
        if is_enough(core.len(), all) {
            let content = Content::read(sources, head.clone(), comer.agent.habits())?;
            if identity::fit::are_known(&core, &content) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
