//! Lists: a walk backwards through an index, one summary row a session, and no record.

use redb::ReadableTable;

use super::folders;
use crate::model::error::Result;
use crate::store::query::{Cursor, ListQuery, SessionPage};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::families::{self, Families};
use crate::store::redb::tables::ranges::within;
use crate::store::redb::tables::row_counts::ReadCounts;
use crate::store::redb::tables::schema::{BY_PROJECT, BY_UPDATED, SESSIONS};
use crate::store::redb::tables::snapshot::{Snapshot, corrupt_session, row_behind};
use crate::store::select;

/// Sessions that a page has room for from the start.
const ROOM: usize = 100;

/// A page of a list.
pub(crate) fn list(snapshot: &Snapshot<'_>, query: &ListQuery) -> Result<SessionPage> {
    let sessions = snapshot
        .txn()
        .open_table(SESSIONS)
        .map_err(storage("list the sessions"))?;
    let mut lister = Lister {
        snapshot,
        families: Families::of(snapshot)?,
        query,
        sessions: &sessions,
        page: SessionPage {
            sessions: Vec::with_capacity(select::page_length(query).min(ROOM)),
            next: None,
        },
        counts: snapshot.counts(),
        project: None,
        reached: None,
    };
    let (from, to) = bounds(query);
    // The index knows whole paths. The end of one is looked for in every row below.
    let project = select::project_of(query);
    if let Some(parent) = query.parent.as_deref()
        && let Some(mut places) = families::places(snapshot, query.agent.as_deref(), parent)?
    {
        places.retain(|place| (from..=to).contains(place));
        for place in places.into_iter().rev() {
            if !lister.take(place)? {
                break;
            }
        }
        return Ok(lister.page);
    }
    // Not for the sessions of a parent: those of another project are passed over there; in an index
    // of projects they are damage.
    lister.project = project;
    let has_whole_paths = query.folders.iter().all(|folder| folder.starts_with('/'));
    if project.is_none() && has_whole_paths && !query.folders.is_empty() {
        folders::walk(snapshot, query, (from, to), &mut |place| lister.take(place))?;
        return Ok(lister.page);
    }
    if let Some(project) = project {
        let index = snapshot
            .txn()
            .open_table(BY_PROJECT)
            .map_err(storage("list by project"))?;
        let first = (project, from.updated_us, from.number);
        let last = (project, to.updated_us, to.number);
        for entry in within(&index, first..=last, "list the sessions")?.rev() {
            let key = entry?.0;
            let (_, updated_us, number) = key.value();
            if !lister.take(Cursor { updated_us, number })? {
                break;
            }
        }
        // The answer rests on what is not there, too: redb checks no checksum on the way to it.
        let reached = lister.reached.unwrap_or(from);
        let first = (project, reached.updated_us, reached.number);
        snapshot.check(BY_PROJECT, &first, &last)?;
    } else {
        let index = snapshot
            .txn()
            .open_table(BY_UPDATED)
            .map_err(storage("list by time"))?;
        let range = (from.updated_us, from.number)..=(to.updated_us, to.number);
        for entry in within(&index, range, "list the sessions")?.rev() {
            let key = entry?.0;
            let (updated_us, number) = key.value();
            if !lister.take(Cursor { updated_us, number })? {
                break;
            }
        }
        let reached = lister.reached.unwrap_or(from);
        let first = (reached.updated_us, reached.number);
        snapshot.check(BY_UPDATED, &first, &(to.updated_us, to.number))?;
    }
    Ok(lister.page)
}

/// The numbers of the sessions that were updated strictly before a time. Reads the index alone.
pub(crate) fn numbers_before(snapshot: &Snapshot<'_>, before_us: i64) -> Result<Vec<u64>> {
    let index = snapshot
        .txn()
        .open_table(BY_UPDATED)
        .map_err(storage("list by time"))?;
    let mut numbers = Vec::new();
    for entry in within(&index, (i64::MIN, 0)..(before_us, 0), "list the sessions")? {
        numbers.push(entry?.0.value().1);
        snapshot.counts().indexes(1);
    }
    Ok(numbers)
}

/// The first and last place of a list that can be on a page.
fn bounds(query: &ListQuery) -> (Cursor, Cursor) {
    let since = query
        .since
        .map_or(i64::MIN, |since| since.timestamp_micros());
    let from = Cursor {
        updated_us: since,
        number: 0,
    };
    let mut to = Cursor {
        updated_us: i64::MAX,
        number: u64::MAX,
    };
    if let Some(before) = query.before {
        to = to.min(before_place(Cursor {
            updated_us: before.timestamp_micros(),
            number: 0,
        }));
    }
    if let Some(after) = query.after {
        to = to.min(before_place(after));
    }
    // No session has number 0: this range is empty, where one that runs backwards would fail.
    if from > to { (from, from) } else { (from, to) }
}

/// The place before a place.
fn before_place(place: Cursor) -> Cursor {
    match place.number.checked_sub(1) {
        Some(number) => Cursor { number, ..place },
        None => Cursor {
            updated_us: place.updated_us.saturating_sub(1),
            number: u64::MAX,
        },
    }
}

/// Fills a page of a list.
struct Lister<'q, T> {
    snapshot: &'q Snapshot<'q>,
    families: Families,
    query: &'q ListQuery,
    sessions: &'q T,
    page: SessionPage,
    counts: &'q ReadCounts,
    /// The project that all sessions have to show, if the list is of one.
    project: Option<&'q str>,
    /// Where the page ended, if there is more.
    reached: Option<Cursor>,
}

impl<T: ReadableTable<u64, &'static [u8]>> Lister<'_, T> {
    /// Looks at a session; returns whether the page has room for more.
    fn take(&mut self, place: Cursor) -> Result<bool> {
        self.counts.indexes(1);
        // Known only at the next place: a full page may be the last one.
        if self.page.sessions.len() == select::page_length(self.query) {
            self.page.next = self.page.sessions.last().map(Cursor::of);
            self.reached = Some(place);
            return Ok(false);
        }
        let row = row_behind(self.sessions, place.number, self.counts)?;
        if row.updated_us != place.updated_us {
            return Err(corrupt_session(
                place.number,
                "an index has another time of update",
            ));
        }
        if self.project.is_some() && row.shown_project() != self.project {
            return Err(corrupt_session(
                place.number,
                "an index has another project",
            ));
        }
        if select::selects(self.query, &row) {
            let summary = self.families.summary(self.snapshot, (place.number, row))?;
            self.page.sessions.push(summary);
        }
        Ok(true)
    }
}
