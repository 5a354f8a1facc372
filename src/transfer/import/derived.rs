//! Records that are made from a document or a row of a database: which of them are new, and how
//! they become a part of a session.

use xxhash_rust::xxh3::Xxh3;

use super::found::FoundFile;
use super::keep::{Failure, Keeper};
use super::session_names;
use crate::agents::{Agent, Dialect, DocumentLines, Placed};
use crate::codec::session_row::SessionRow;
use crate::jsonl::LineReader;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::Role;
use crate::store::{ReplacedTail, SessionBuilder, SessionChunk, Sources, Totals};

/// A session that is there.
pub(super) struct Stored {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub key: SessionKey,
    /// Its row.
    pub row: SessionRow,
}

/// Where a content goes.
pub(super) enum Way {
    /// To the session of the content before, which goes on so.
    Grown(Box<Stored>, Continuation),
    /// To a session of its own, and not to the one that is named.
    New(Option<SessionKey>),
}

/// The lines of a document, or of one session of a database.
pub(super) struct Content<'c> {
    /// Whose they are.
    pub agent: &'static dyn Agent,
    /// The lines.
    pub lines: &'c DocumentLines,
    /// What the place that they lie in tells.
    pub placed: &'c Placed,
    /// When the file was changed.
    pub mtime_us: i64,
}

/// The session that a content went to.
pub(super) struct Taken {
    /// Its number; 0 if a dry run would have made it.
    pub number: u64,
    /// Its name.
    pub key: SessionKey,
    /// Whether it was made.
    pub is_new: bool,
    /// The sequence number that its next record gets.
    pub next: u64,
    /// What is wrong with the lines.
    pub problems: Vec<String>,
}

/// Stores what is new of a content, under the name that is `wanted` if it has a session of its own,
/// and counts it for the file. In a dry run it only counts.
pub(super) fn store(
    keeper: &mut Keeper<'_, '_>,
    (wanted, file): (&SessionKey, &FoundFile),
    content: &Content<'_>,
    way: Way,
) -> std::result::Result<Taken, Failure> {
    let (agent, mtime_us) = (content.agent, content.mtime_us);
    let (builder, stored, goes_on, there, replaces) = match way {
        Way::Grown(there, goes_on) => {
            let Stored { number, key, row } = *there;
            let tail = goes_on.replaced(content.lines, keeper.store.sources(), (number, &row))?;
            // Before the builder takes out what is replaced: a message that changed is not counted
            // as new.
            let stored = Totals::of(&row);
            let course = keeper.store.sources().course(number)?;
            let builder = SessionBuilder::resume(row, course, agent, tail, mtime_us);
            (builder, stored, goes_on, Some((number, key)), None)
        }
        Way::New(replaces) => {
            let builder = SessionBuilder::new(wanted, agent, mtime_us);
            (
                builder,
                Totals::default(),
                Continuation::ANEW,
                None,
                replaces,
            )
        }
    };
    let lines = goes_on.lines(content.lines);
    let (chunk, added, problems) = build(builder, stored, lines, content.placed);
    let is_new = there.is_none();
    let (number, key) = match &mut keeper.transactions {
        None => there.unwrap_or_else(|| (0, wanted.clone())),
        Some(transactions) => {
            let bulk = transactions.bulk()?;
            let (number, key) = match there {
                Some(there) => there,
                None => session_names::create_beside(bulk, wanted, &file.path)?,
            };
            bulk.write_chunk(number, &chunk, None)?;
            // An older content of an export never becomes the newest.
            if !file.is_older {
                bulk.settle(wanted)?;
            }
            (number, key)
        }
    };
    let report = &mut *keeper.report;
    report.sessions += u64::from(is_new && replaces.is_none());
    // Some changes add no record: a title, or a trailer that was there.
    report.sessions_grown += u64::from(!is_new && added.records > 0);
    report.add(added);
    if let Some(replaced) = &replaces {
        let key = (number != 0).then_some(&key);
        report.add_generation(file.name_path(), key, replaced);
    }
    Ok(Taken {
        number,
        key,
        is_new,
        next: chunk.row.next,
        problems,
    })
}

/// Makes lines into a part of a session, of which a part may be stored already. Gives it with what it
/// adds, and with what is wrong with its lines.
fn build<'l>(
    mut builder: SessionBuilder,
    stored: Totals,
    lines: impl Iterator<Item = &'l [u8]>,
    placed: &Placed,
) -> (SessionChunk, Totals, Vec<String>) {
    let before = Totals::of(builder.row());
    let mut problems = Vec::new();
    for line in lines {
        // What a dialect gives as one line is cut again: a record never holds more than one.
        let mut reader = LineReader::new(line);
        while let Ok(Some(line)) = reader.next_line() {
            problems.extend(builder.push(&line));
        }
    }
    builder.offer_placed(placed);
    let now = Totals::of(builder.row());
    let mut added = now.since(before);
    // A message that has changed is no new one.
    added.messages = now.messages.saturating_sub(stored.messages);
    (builder.take_chunk(), added, problems)
}

/// What is stored of an earlier content.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How many of its lines will not change any more. They are those of the new content.
    pub settled: usize,
    /// The lines behind those.
    pub open: Vec<Vec<u8>>,
    /// The last line.
    pub trailer: Option<Vec<u8>>,
}

/// How a content goes on from an earlier one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Continuation {
    /// How many of its lines are stored as they are.
    pub kept: usize,
    /// Whether there is more than those.
    pub has_news: bool,
}

impl Known {
    /// What is stored of a content whose settled lines the new one begins with; `None` if it does
    /// not.
    pub(super) fn of(old: &DocumentLines, new: &DocumentLines) -> Option<Self> {
        let settled = old.lines.len().saturating_sub(old.open);
        let (lines, open) = old.lines.split_at_checked(settled)?;
        new.lines.starts_with(lines).then(|| Self {
            settled,
            open: open.to_vec(),
            trailer: old.trailer.clone(),
        })
    }

    /// How a content goes on: each message that is stored and was still open is in it, perhaps
    /// with more in it. `None` if one is not.
    pub(super) fn continued(
        &self,
        new: &DocumentLines,
        dialect: &dyn Dialect,
    ) -> Option<Continuation> {
        // A content that lost one of these lines took something back, and is no continuation.
        let now = new.lines.get(self.settled..)?.get(..self.open.len())?;
        let is_there =
            |(old, new): (&Vec<u8>, &Vec<u8>)| old == new || is_same_message(dialect, old, new);
        if !self.open.iter().zip(now).all(is_there) {
            return None;
        }
        let changed = self.open.iter().zip(now).position(|(old, new)| old != new);
        // All records from the first line that changed on are made anew: none can be put between
        // two numbers.
        let kept = self.settled + changed.unwrap_or(self.open.len());
        // Not among the lines: it comes anew behind each new message, so it moves with every
        // continuation.
        let has_trailer = new.trailer.is_none() || new.trailer == self.trailer;
        Some(Continuation {
            kept,
            has_news: kept < new.lines.len() || !has_trailer,
        })
    }
}

impl Continuation {
    /// All of a content is new.
    pub(super) const ANEW: Self = Self {
        kept: 0,
        has_news: true,
    };

    /// The lines of a content that are to be stored behind those that stay.
    pub(super) fn lines(self, new: &DocumentLines) -> impl Iterator<Item = &[u8]> {
        let rest = new.lines.get(self.kept..).unwrap_or_default();
        let all = rest.iter().chain(&new.trailer).map(Vec::as_slice);
        all.filter(move |_| self.has_news)
    }

    /// The records of a session in whose place those lines come.
    pub(super) fn replaced(
        self,
        new: &DocumentLines,
        sources: &dyn Sources,
        (number, row): (u64, &SessionRow),
    ) -> Result<Option<ReplacedTail>> {
        let kept = new.lines.get(..self.kept).unwrap_or_default();
        let sequence = records_of(kept);
        if !self.has_news || sequence >= row.next {
            return Ok(None);
        }
        let records = sources.records(number, sequence, row.next)?;
        let records = records
            .iter()
            .map(|record| (record.header, record.line.len() as u64))
            .collect();
        Ok(Some(ReplacedTail { sequence, records }))
    }
}

/// Whether a line is an earlier one with more in it. An agent notes this and that with what the
/// user said, but other words are another message.
fn is_same_message(dialect: &dyn Dialect, old: &[u8], new: &[u8]) -> bool {
    let (before, now) = (dialect.describe(old), dialect.describe(new));
    let has_id = before.facts.record_id.is_some();
    let said = |line| {
        let messages = dialect.messages(line).into_iter();
        messages.map(|message| message.content).collect::<Vec<_>>()
    };
    has_id
        && before.facts.record_id == now.facts.record_id
        && before.header.role == now.header.role
        && (before.header.role != Some(Role::User) || said(old) == said(new))
}

/// How many records lines become.
pub(super) fn records_of(lines: &[Vec<u8>]) -> u64 {
    let pieces = |line: &Vec<u8>| {
        let (mut pieces, mut reader) = (0, LineReader::new(line.as_slice()));
        while let Ok(Some(_)) = reader.next_line() {
            pieces += 1;
        }
        pieces
    };
    lines.iter().map(pieces).sum()
}

/// The hash of lines, one after the other.
pub(super) fn hash_of(lines: &[Vec<u8>]) -> u128 {
    let mut hasher = Xxh3::new();
    for line in lines {
        // Without its length, a line could begin where another one ends.
        hasher.update(&(line.len() as u64).to_le_bytes());
        hasher.update(line);
    }
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents;

    fn content(lines: &[&str], open: usize, trailer: Option<&str>) -> DocumentLines {
        DocumentLines {
            lines: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
            open,
            trailer: trailer.map(|line| line.as_bytes().to_vec()),
        }
    }

    /// What is stored in place of the records from a line on.
    fn news(old: &DocumentLines, new: &DocumentLines) -> Option<(usize, String)> {
        let dialect = agents::of_agent("opencode");
        let continued = Known::of(old, new)?.continued(new, dialect)?;
        let lines = continued.lines(new).map(<[u8]>::to_vec);
        let lines = String::from_utf8(lines.collect::<Vec<_>>().concat()).unwrap();
        Some((continued.kept, lines))
    }

    #[test]
    fn only_what_is_new_is_added_and_the_trailer_if_anything_changed() {
        let old = content(&["a\n", "b\n"], 0, Some("t1\n"));
        let added = |lines: &[&str], trailer| news(&old, &content(lines, 0, trailer));
        let nothing = Some((2, String::new()));
        assert_eq!(added(&["a\n", "b\n"], Some("t1\n")), nothing);
        assert_eq!(added(&["a\n", "b\n"], None), nothing);
        let grown = added(&["a\n", "b\n", "c\n"], Some("t1\n"));
        assert_eq!(grown, Some((2, "c\nt1\n".to_owned())));
        let later = added(&["a\n", "b\n"], Some("t2\n"));
        assert_eq!(later, Some((2, "t2\n".to_owned())));
        assert_eq!(added(&["a\n"], Some("t2\n")), None);
        assert_eq!(added(&["a\n", "x\n", "c\n"], None), None);
    }

    #[test]
    fn an_open_message_may_change_where_it_stands_and_no_other() {
        let said = |id: &str, text: &str| {
            format!(
                "{{\"info\":{{\"id\":\"{id}\",\"role\":\"assistant\"}},\"parts\":[\"{text}\"]}}\n"
            )
        };
        let (one, two, more) = (said("1", "a"), said("2", "b"), said("2", "b and c"));
        let old = content(&["h\n", &one, &two], 1, Some("t\n"));
        let added = |lines: &[&str]| news(&old, &content(lines, 1, Some("t\n")));
        assert_eq!(
            added(&["h\n", &one, &more]),
            Some((2, format!("{more}t\n")))
        );
        let three = said("3", "d");
        assert_eq!(
            added(&["h\n", &one, &more, &three]),
            Some((2, format!("{more}{three}t\n")))
        );
        assert_eq!(added(&["h\n", &said("1", "x"), &two]), None);
        assert_eq!(added(&["h\n", &one, &three]), None);
        assert_eq!(added(&["h\n", &one]), None);
    }

    #[test]
    fn what_the_user_said_does_not_change_but_what_is_noted_with_it() {
        let said = |note: &str, text: &str| {
            format!(
                "{{\"info\":{{\"id\":\"1\",\"role\":\"user\",\"note\":{note}}},\
                 \"parts\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}\n"
            )
        };
        let old = content(&["h\n", &said("1", "a")], 1, None);
        let noted = said("2", "a");
        let added = |line: &str| news(&old, &content(&["h\n", line], 1, None));
        assert_eq!(added(&noted), Some((1, noted.clone())));
        assert_eq!(added(&said("1", "b")), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_several_records() {
        let long = vec![b'x'; crate::model::limits::LINE_BYTES_MAX + 1];
        assert_eq!(records_of(&[b"a\n".to_vec(), long]), 3);
    }

    #[test]
    fn lines_have_another_hash_where_they_are_cut_elsewhere() {
        let lines = |text: &[&str]| content(text, 0, None).lines;
        assert_ne!(hash_of(&lines(&["ab", "c"])), hash_of(&lines(&["a", "bc"])));
    }
}
