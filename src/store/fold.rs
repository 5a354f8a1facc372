//! Folds lines, one after another, into the summary row of their session.
//!
//! Every store and every import goes through here, so a row says the same wherever its lines
//! came from.

use std::borrow::Cow;

use super::course::{Course, CourseChanges, Effect, Spent};
use super::query::Compacted;
use super::row_title;
use crate::agents::parts::paths::is_uuid;
use crate::agents::{Described, Facts, TitleOffer};
use crate::codec::session_row::SessionRow;
use crate::model::limits::{FACT_BYTES_MAX, TITLE_BYTES_MAX};
use crate::model::record::{RecordFlags, RecordHeader, RecordKind};
use crate::model::text::{cut, title_line, without_trailing_separators};

/// Most titles that wait for the record that they are about.
const WAITING_MAX: usize = 64;

/// Microseconds of a day.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What a fold knows beyond the row. All but the course is only of use while lines stream by, and not
/// stored.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    last_record_id: String,
    waiting: Vec<(String, String, u8)>,
    course: Course,
}

impl Fold {
    /// A fold that goes on where the course of a session has come to.
    pub(crate) fn of(course: Course) -> Self {
        Self {
            course,
            ..Self::default()
        }
    }

    /// What is to be written beside the lines that were added since this was last asked.
    pub(crate) fn take_changes(&mut self) -> CourseChanges {
        self.course.take_changes()
    }

    /// The course of the session so far.
    pub(crate) fn into_course(self) -> Course {
        self.course
    }

    /// Adds a described line of `bytes` bytes to a row, as the record with the row's next sequence
    /// number. `flags` are those that only the reader of the file knows.
    pub(crate) fn add(
        &mut self,
        row: &mut SessionRow,
        described: &Described<'_>,
        flags: RecordFlags,
        bytes: usize,
    ) -> RecordHeader {
        let mut header = described.header;
        header.flags = header.flags.with(flags);
        let nothing = Facts::default();
        let facts = if is_of_another(row, &described.facts) {
            &nothing
        } else {
            &described.facts
        };
        if described.facts.replaces && header.kind == RecordKind::Meta {
            row.header_sequence = Some(row.next);
        }
        let sequence = row.next;
        row.next += 1;
        row.records += 1;
        row.bytes += bytes as u64;
        row.messages += u64::from(header.messages);
        row.malformed += u64::from(header.flags.contains(RecordFlags::DAMAGED));
        // Of the last record alone: an append then ends it first, so that no lines fuse.
        row.unterminated = header.flags.contains(RecordFlags::UNTERMINATED);
        add_times(row, header.time_us, facts);
        self.add_facts(row, facts);
        if !described.facts.links.is_nothing() {
            self.follow(row, sequence, &header, &described.facts);
        }
        header
    }

    /// Takes a line into the course of the session.
    fn follow(
        &mut self,
        row: &mut SessionRow,
        sequence: u64,
        header: &RecordHeader,
        facts: &Facts<'_>,
    ) {
        let day = header.time_us.map(|us| us.div_euclid(DAY_US));
        let model = facts.model.as_deref().or(row.model.as_deref());
        let spent = Spent {
            day: day.and_then(|day| i32::try_from(day).ok()),
            model: model.unwrap_or_default(),
        };
        let Effect { hidden, earlier } =
            self.course
                .take(sequence, header.messages, &facts.links, spent);
        row.messages = row.messages.saturating_sub(u64::from(hidden));
        for (at, messages) in earlier {
            row.messages = row.messages.saturating_sub(u64::from(messages));
            // They were counted as hidden there, and are shown with this record.
            if at < row.mark {
                row.hidden = row.hidden.saturating_sub(u64::from(messages));
            }
        }
    }

    /// Lets a row say what a stored header says, which stands at the head of its file now.
    pub(crate) fn take_header(
        &mut self,
        row: &mut SessionRow,
        described: &Described<'_>,
        sequence: u64,
    ) {
        if described.facts.replaces && described.header.kind == RecordKind::Meta {
            row.header_sequence = Some(sequence);
        }
        self.add_facts(row, &described.facts);
    }

    fn add_facts(&mut self, row: &mut SessionRow, facts: &Facts<'_>) {
        let text = |fact: &str| cut(fact, FACT_BYTES_MAX).to_owned();
        if facts.replaces {
            row.project = facts.project.as_deref().map(project_of);
            row.model = facts.model.as_deref().map(text);
            (row.parent, row.subagent) = (None, false);
        }
        if let Some(project) = &facts.project
            && (facts.moved || row.project.is_none())
        {
            row.project = Some(project_of(project));
        }
        // Its id may have been kept with folders before it.
        let is_childs = |child: &Cow<'_, str>| own_id(row).ends_with(&**child);
        let is_own = facts.child.as_ref().is_none_or(is_childs);
        if let Some(parent) = &facts.parent
            && is_own
        {
            offer_parent(row, parent, facts.subagent);
        }
        row.archived_by_agent = facts.archived.unwrap_or(row.archived_by_agent);
        // A sub-agent speaks among the lines of its parent, and its model is not that of the session.
        if is_own {
            replace_with(&mut row.model, facts.model.as_deref());
        }
        replace_with(&mut row.branch, facts.branch.as_deref());
        if let Some(id) = &facts.record_id {
            self.settle(row, id);
        }
        if let Some(offer) = &facts.title {
            self.offer_title(row, offer);
        }
    }

    /// Takes a title now, or keeps it until the record that it is about has come by.
    pub(crate) fn offer_title(&mut self, row: &mut SessionRow, offer: &TitleOffer<'_>) {
        // An agent may note the title of another session in this one's file.
        if let Some(session) = &offer.session
            && is_uuid(own_id(row))
            && **session != *own_id(row)
        {
            return;
        }
        let title = title_line(&offer.text, TITLE_BYTES_MAX);
        if title.is_empty() {
            // An empty title takes back what one of its rank has given.
            if offer.latest_wins {
                row_title::take_back(row, offer.rank);
            }
            return;
        }
        match &offer.about {
            Some(about) if **about != *self.last_record_id => {
                if self.waiting.len() < WAITING_MAX {
                    self.waiting
                        .push((about.clone().into_owned(), title, offer.rank));
                }
            }
            _ => row_title::put(row, offer.rank, title, offer.latest_wins),
        }
    }

    /// A record with an id has come by: titles about it hold.
    fn settle(&mut self, row: &mut SessionRow, id: &str) {
        id.clone_into(&mut self.last_record_id);
        while let Some(at) = self.waiting.iter().position(|(about, ..)| about == id) {
            let (_, title, rank) = self.waiting.swap_remove(at);
            row_title::put(row, rank, title, true);
        }
    }
}

/// The id that the agent gave the session of a row: without the number of a copy.
fn own_id(row: &SessionRow) -> &str {
    match row.id.rsplit_once('~') {
        Some((id, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            id
        }
        _ => &row.id,
    }
}

/// Whether facts stand in the header of another session, which some agents repeat behind that of a
/// session that comes from it.
fn is_of_another(row: &SessionRow, facts: &Facts<'_>) -> bool {
    let is_begun = row.created_stated || row.project.is_some();
    let is_other = |id: &Cow<'_, str>| **id != *own_id(row);
    is_begun && facts.session.as_ref().is_some_and(is_other)
}

/// Gives a session a parent, unless it has one: nobody is the parent of itself.
pub(super) fn offer_parent(row: &mut SessionRow, parent: &str, subagent: bool) {
    row.subagent |= subagent && row.parent.as_deref() == Some(parent);
    if row.parent.is_none() && !parent.is_empty() && parent != own_id(row) {
        row.parent = Some(cut(parent, FACT_BYTES_MAX).to_owned());
        row.subagent = subagent;
    }
}

/// A project's path as the index has it.
pub(crate) fn project_of(path: &str) -> String {
    cut(without_trailing_separators(path), FACT_BYTES_MAX).to_owned()
}

/// Takes a record out of the counts again, as far as it is in them: not its times and its title.
/// `shown` is how many messages it counts for.
pub(crate) fn take_out(row: &mut SessionRow, header: &RecordHeader, shown: u32, bytes: u64) {
    row.records = row.records.saturating_sub(1);
    row.bytes = row.bytes.saturating_sub(bytes);
    row.messages = row.messages.saturating_sub(u64::from(shown));
    row.malformed = row
        .malformed
        .saturating_sub(u64::from(header.flags.contains(RecordFlags::DAMAGED)));
}

fn replace_with(fact: &mut Option<String>, new: Option<&str>) {
    if let Some(new) = new
        && fact.as_deref() != Some(new)
    {
        *fact = Some(cut(new, FACT_BYTES_MAX).to_owned());
    }
}

fn add_times(row: &mut SessionRow, time_us: Option<i64>, facts: &Facts<'_>) {
    let times = [facts.created_us, time_us, facts.updated_us];
    let first = times.iter().flatten().min();
    let last = times.iter().flatten().max();
    let (Some(first), Some(last)) = (first, last) else {
        return;
    };
    // Until a line states one, the row has the time of a call or of a file, which may be later.
    if !row.time_stated {
        row.time_stated = true;
        row.updated_us = *last;
        if !row.created_stated {
            row.created_us = *first;
        }
    }
    row.updated_us = row.updated_us.max(*last);
    match facts.created_us {
        Some(created) if facts.replaces || !row.created_stated => {
            row.created_us = created;
            row.created_stated = true;
        }
        _ if !row.created_stated => row.created_us = row.created_us.min(*first),
        _ => {}
    }
}

/// How far ahead of the clock a time is believed: clocks differ, and so do their zones.
const AHEAD_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Believes no time of update that lies more than a day ahead of the clock: such a session was
/// updated now. What its lines state stays in them.
pub(crate) fn believe(row: &mut SessionRow, now_us: i64) {
    if !is_believed(row.updated_us, now_us) {
        row.updated_us = now_us;
    }
}

/// Whether a time is not too far ahead of the clock.
fn is_believed(time_us: i64, now_us: i64) -> bool {
    time_us <= now_us.saturating_add(AHEAD_US)
}

/// Takes a record that compaction removes out of the row. `shown` is how many messages it counts for.
pub(crate) fn count_out(
    row: &mut SessionRow,
    header: &RecordHeader,
    shown: u32,
    bytes: usize,
    compacted: &mut Compacted,
) {
    take_out(row, header, shown, bytes as u64);
    row.hidden = row.hidden.saturating_sub(u64::from(shown));
    compacted.records += 1;
    compacted.messages += u64::from(shown);
    compacted.bytes += bytes as u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;

    fn described(time_us: Option<i64>, facts: Facts<'_>) -> Described<'_> {
        let header = RecordHeader {
            kind: RecordKind::Message,
            role: None,
            flags: RecordFlags::default(),
            messages: 1,
            time_us,
        };
        Described {
            header,
            facts,
            problem: None,
        }
    }

    fn offer(
        text: &'static str,
        rank: u8,
        latest_wins: bool,
        about: Option<&'static str>,
    ) -> Facts<'static> {
        let title = TitleOffer {
            text: Cow::Borrowed(text),
            rank,
            latest_wins,
            about: about.map(Cow::Borrowed),
            session: None,
        };
        Facts {
            title: Some(title),
            ..Facts::default()
        }
    }

    fn row() -> SessionRow {
        SessionRow::new(&SessionKey::native("s").unwrap(), 500)
    }

    fn add(fold: &mut Fold, row: &mut SessionRow, described: &Described<'_>) {
        fold.add(row, described, RecordFlags::default(), 10);
    }

    #[test]
    fn times_come_from_the_lines_once_one_states_a_time() {
        let (mut fold, mut row) = (Fold::default(), row());
        add(&mut fold, &mut row, &described(None, Facts::default()));
        assert_eq!((row.created_us, row.updated_us), (500, 500));
        add(&mut fold, &mut row, &described(Some(90), Facts::default()));
        add(&mut fold, &mut row, &described(Some(70), Facts::default()));
        assert_eq!((row.created_us, row.updated_us), (70, 90));
        assert_eq!(
            (row.messages, row.records, row.bytes, row.next),
            (3, 3, 30, 3)
        );
    }

    #[test]
    fn a_stated_time_of_creation_holds_and_the_first_of_several_wins() {
        let (mut fold, mut row) = (Fold::default(), row());
        let created = |us| Facts {
            created_us: Some(us),
            ..Facts::default()
        };
        add(&mut fold, &mut row, &described(Some(80), created(75)));
        add(&mut fold, &mut row, &described(Some(10), created(5)));
        assert_eq!((row.created_us, row.updated_us), (75, 80));
    }

    #[test]
    fn the_best_title_wins_and_of_equals_the_first_or_the_last() {
        let (mut fold, mut row) = (Fold::default(), row());
        add(
            &mut fold,
            &mut row,
            &described(None, offer("first words", 10, false, None)),
        );
        add(
            &mut fold,
            &mut row,
            &described(None, offer("second words", 10, false, None)),
        );
        assert_eq!(row.title, "first words");
        add(
            &mut fold,
            &mut row,
            &described(None, offer("named", 40, true, None)),
        );
        add(
            &mut fold,
            &mut row,
            &described(None, offer("named again", 40, true, None)),
        );
        add(
            &mut fold,
            &mut row,
            &described(None, offer("  ", 50, true, None)),
        );
        assert_eq!(row.title, "named again");
    }

    #[test]
    fn a_title_about_another_session_does_not_count() {
        let (mut fold, mut row) = (Fold::default(), row());
        add(
            &mut fold,
            &mut row,
            &described(None, offer("elsewhere", 30, true, Some("x"))),
        );
        assert_eq!(row.title, "");
        add(
            &mut fold,
            &mut row,
            &described(None, offer("here", 30, true, Some("u1"))),
        );
        let named = Facts {
            record_id: Some(Cow::Borrowed("u1")),
            ..Facts::default()
        };
        add(&mut fold, &mut row, &described(None, named));
        assert_eq!(row.title, "here");
    }

    #[test]
    fn a_replacing_header_takes_facts_away() {
        let (mut fold, mut row) = (Fold::default(), row());
        let facts = |project: Option<&'static str>, created_us| Facts {
            project: project.map(Cow::Borrowed),
            created_us,
            replaces: true,
            ..Facts::default()
        };
        let mut header = described(None, facts(Some("/a"), Some(50)));
        header.header.kind = RecordKind::Meta;
        add(&mut fold, &mut row, &header);
        assert_eq!((row.project.as_deref(), row.created_us), (Some("/a"), 50));
        header.facts = facts(None, Some(60));
        add(&mut fold, &mut row, &header);
        assert_eq!(
            (row.project, row.created_us, row.header_sequence),
            (None, 60, Some(1))
        );
    }

    #[test]
    fn as_many_titles_wait_as_promised() {
        for (before, title) in [(WAITING_MAX - 1, "about me"), (WAITING_MAX, "")] {
            let (mut fold, mut row) = (Fold::default(), row());
            for _ in 0..before {
                let elsewhere = offer("elsewhere", 30, true, Some("x"));
                add(&mut fold, &mut row, &described(None, elsewhere));
            }
            let about = offer("about me", 30, true, Some("u1"));
            add(&mut fold, &mut row, &described(None, about));
            let named = Facts {
                record_id: Some(Cow::Borrowed("u1")),
                ..Facts::default()
            };
            add(&mut fold, &mut row, &described(None, named));
            assert_eq!(row.title, title, "{before} wait already");
        }
    }
}
