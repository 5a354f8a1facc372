//! Finds out how a file that was imported before has changed: not at all, by growing, or otherwise.
//!
//! A file has grown if its start still has the hash that it had, its last line without a
//! terminator (if it had one) still begins with the bytes that are stored of it, and nobody else
//! has added to its session. Of anything else the lines are compared (`identify`).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use xxhash_rust::xxh3::Xxh3;

use super::homes;
use super::identity::Head;
use crate::agents;
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{IngestStore, ReplacedTail, SessionBuilder, Source};
use crate::transfer::files::paths;

/// How a file that was imported before has changed.
pub(super) enum Resume {
    /// Only its time has.
    Touched {
        /// Its state, with the size that it still has.
        source: Box<Source>,
        /// Its session.
        key: SessionKey,
    },
    /// It has got longer, or was not imported to its end.
    Grown(Box<Grown>),
    /// Neither: what it is has to be found out line by line.
    Other,
}

/// A file to go on with.
pub(super) struct Grown {
    /// Its state: `lines` counts those before `tail_offset`, where reading goes on.
    pub source: Source,
    /// Its session.
    pub key: SessionKey,
    /// Its session's builder.
    pub builder: SessionBuilder,
    /// The hash of the bytes before `tail_offset`.
    pub hasher: Box<Xxh3>,
    /// What the session holds now.
    pub stored: Counts,
    /// The file as it was, and whether records of the session were removed here.
    pub order: (FileOrder, bool),
}

/// How much a session holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Records.
    pub records: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes of lines.
    pub bytes: u64,
}

impl Counts {
    /// How much the session of a builder holds.
    pub(super) fn of(builder: &SessionBuilder) -> Self {
        Self::of_row(builder.row())
    }

    /// How much a session holds.
    pub(super) fn of_row(row: &SessionRow) -> Self {
        Self {
            records: row.records,
            messages: row.messages,
            bytes: row.bytes,
        }
    }
}

/// Compares a file with what is stored of it. If it has grown, the file's position is where its
/// new lines start.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; else the store's errors.
pub(super) fn find_out(
    store: &dyn IngestStore,
    previous: &Source,
    file: &mut File,
    mtime_ns: i64,
) -> Result<Resume> {
    let (sources, state) = (store.sources(), &previous.row);
    if state.kind != SourceKind::Lines {
        return Ok(Resume::Other);
    }
    let Some(row) = sources.row(state.session)? else {
        return Ok(Resume::Other);
    };
    let dialect = agents::of_agent(&state.agent);
    let head = Head::read(sources, state.session, row, dialect.habits())?;
    // Of several contents another one may have more of the file.
    let is_it = head.is_plain()
        && head.row.contents == 1
        && head.row.next == state.next_sequence
        && state.revision == head.order.revision
        && state.tail_offset + u64::from(head.order.open) <= state.offset;
    if !is_it {
        return Ok(Resume::Other);
    }
    let Head { row, order, .. } = head;
    let key = homes::plain_key(&row)?;
    let changed = || Resume::Other;
    let has_tail = state.tail_offset < state.offset;
    let tail = if has_tail {
        sources.last_record(state.session)?
    } else {
        None
    };
    // Something stands behind the open line, so its record cannot give way to what it has become.
    if has_tail
        && tail
            .as_ref()
            .is_none_or(|tail| tail.sequence + 1 != row.next)
    {
        return Ok(changed());
    }
    let stored_tail = tail.as_ref().map_or(&[][..], |tail| &tail.line);
    let compared = compare(previous, stored_tail, file).map_err(|source| Error::Io {
        action: "read",
        path: paths::from_bytes(&previous.path),
        source,
    })?;
    let hasher = match compared {
        Compared::Different => return Ok(changed()),
        Compared::Same => {
            let mut source = previous.clone();
            source.row.size = source.row.offset;
            let source = Box::new(source);
            return Ok(Resume::Touched { source, key });
        }
        Compared::Longer(hasher) => hasher,
    };
    let mut source = previous.clone();
    // The open line is read again, and counted again.
    source.row.lines -= u64::from(has_tail);
    let order = (order, row.records < row.next);
    let stored = Counts::of_row(&row);
    let replaced = tail.map(|tail| ReplacedTail {
        sequence: tail.sequence,
        records: vec![(tail.header, tail.line.len() as u64)],
    });
    let course = sources.course(state.session)?;
    let builder = SessionBuilder::resume(row, course, dialect, replaced, mtime_ns.div_euclid(1000));
    Ok(Resume::Grown(Box::new(Grown {
        source,
        key,
        builder,
        hasher,
        stored,
        order,
    })))
}

/// How a file compares with what is stored of it.
enum Compared {
    Same,
    Longer(Box<Xxh3>),
    Different,
}

fn compare(previous: &Source, stored_tail: &[u8], file: &mut File) -> io::Result<Compared> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Box::new(Xxh3::new());
    let mut buffer = vec![0; 256 * 1024];
    let mut left = previous.row.tail_offset;
    while left > 0 {
        let want = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = read_some(file, &mut buffer, want)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(Compared::Different);
        };
        hasher.update(bytes);
        left -= bytes.len() as u64;
    }
    if hasher.digest128() != previous.row.hash {
        return Ok(Compared::Different);
    }
    // The hash ends where whole lines end; the open one is compared with the bytes of its record.
    let mut tail = stored_tail;
    while !tail.is_empty() {
        let read = read_some(file, &mut buffer, tail.len())?;
        let bytes = buffer.get(..read).unwrap_or_default();
        match tail.strip_prefix(bytes) {
            Some(rest) if read > 0 => tail = rest,
            _ => return Ok(Compared::Different),
        }
    }
    if read_some(file, &mut buffer, 1)? == 0 {
        return Ok(Compared::Same);
    }
    // Back to the start of the open line, which is read as a whole again.
    file.seek(SeekFrom::Start(previous.row.tail_offset))?;
    Ok(Compared::Longer(hasher))
}

/// Reads at most `want` bytes into the start of the buffer; 0 at the end of the file.
fn read_some(file: &mut File, buffer: &mut [u8], want: usize) -> io::Result<usize> {
    let want = want.min(buffer.len());
    let Some(into) = buffer.get_mut(..want) else {
        return Ok(0);
    };
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
