//! One session: its messages as they are shown, from the last to the first, each held against the query.
//!
//! - A message that was written again, or stands on several records, is looked at where it was first.
//! - Of ranges, each record is looked at where it is shown, which may lie before the range.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use super::by_lines::ByLines;
use super::hit::Hit;
use super::query::{SearchCursor, SearchQuery, Sort};
use super::rank;
use super::reads::{Reads, Where};
use super::state::{exceptions_of, record_at, state};
use crate::model::error::{Error, Result};
use crate::model::message::{Block, Message};
use crate::model::record::Record;
use crate::model::session::Summary;
use crate::search::{Needles, Pieces, pieces, snippet};
use crate::store::exceptions::Exceptions;
use crate::store::query::{Cursor, Direction, ScanQuery};

/// Records that are read at a time.
const PAGE: usize = 512;

/// What is wanted of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'q> {
    /// What fits.
    pub query: &'q SearchQuery,
    /// What rules lines out before they are parsed.
    pub needles: Option<&'q Needles>,
    /// At most so many hits, and then no further message is looked at.
    pub hits_max: usize,
    /// Whether messages are counted, and no hits are made.
    pub only_counts: bool,
    /// Whether somebody has stopped it.
    pub stop: &'q AtomicBool,
}

/// What was found in a session.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The hits with their scores, in their order.
    pub hits: Vec<(Hit, u64)>,
    /// Messages that fit.
    pub messages: u64,
}

/// One session, while it is searched.
pub(super) struct Searched<'s, R: ?Sized> {
    reads: &'s R,
    session: &'s Summary,
    wanted: Wanted<'s>,
    folded_title: String,
    /// Behind which place to go on.
    after: Option<(u64, u32)>,
    /// Whether ranges are looked at, in the order of their numbers.
    is_in_ranges: bool,
    by_lines: ByLines<'s>,
    /// The names of tools by the ids of their calls, where tools are asked for.
    calls: HashMap<String, String>,
    found: Found,
}

impl<'s, R: Reads + ?Sized> Searched<'s, R> {
    /// A session before anything of it is read.
    pub(super) fn new(reads: &'s R, session: &'s Summary, wanted: Wanted<'s>) -> Self {
        let after = wanted.query.after;
        let after = after.filter(|after| after.session == Cursor::of(session));
        Self {
            reads,
            session,
            wanted,
            folded_title: crate::search::folded(&session.title),
            after: after.and_then(|after| Some((after.sequence, after.part?))),
            is_in_ranges: false,
            by_lines: ByLines::new(session.key.agent(), wanted.needles),
            calls: HashMap::new(),
            found: Found::default(),
        }
    }

    /// Looks at what may fit. What was found until an error ended it is kept.
    pub(super) fn search(mut self, places: &Where) -> (Found, Result<()>) {
        let done = self.search_places(places);
        if self.wanted.query.by_session {
            self.add_title();
        }
        (self.found, done)
    }

    fn search_places(&mut self, places: &Where) -> Result<()> {
        // The whole session is read for it: not where nothing can fit.
        if !self.wanted.query.tools.is_empty() && *places != Where::Within(Vec::new()) {
            self.read_calls()?;
        }
        let is_of_titles = self.wanted.query.by_session && self.wanted.query.pattern.is_of_titles();
        if is_of_titles && self.takes_titles() {
            return Ok(());
        }
        self.is_in_ranges = *places != Where::All;
        match places {
            Where::All => self.search_all(),
            Where::Within(ranges) => self.search_ranges(ranges),
        }
    }

    /// Whether enough was found.
    fn is_full(&self) -> bool {
        !self.wanted.query.by_session && self.found.hits.len() >= self.wanted.hits_max
    }

    fn go_on(&self) -> Result<()> {
        if self.wanted.stop.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    fn search_all(&mut self) -> Result<()> {
        let mut query = ScanQuery {
            from: self.after.map(|after| after.0),
            direction: Direction::Backward,
            records_max: PAGE,
            ..ScanQuery::default()
        };
        loop {
            self.go_on()?;
            let page = self.reads.records(&self.session.key, &query)?;
            let exceptions = self.exceptions(page.records.iter().map(|record| record.sequence))?;
            for record in &page.records {
                self.look_at(record, &exceptions)?;
                if self.is_full() {
                    return Ok(());
                }
            }
            match page.next {
                Some(next) => query.from = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn search_ranges(&mut self, ranges: &[RangeInclusive<u64>]) -> Result<()> {
        // Where records of the ranges that were read are shown, if before them.
        let mut elsewhere = BTreeSet::new();
        for range in ranges.iter().rev() {
            self.search_elsewhere(&mut elsewhere, range.end().saturating_add(1))?;
            if self.is_full() {
                return Ok(());
            }
            let records = self.read_range(range)?;
            let exceptions = self.exceptions(records.keys().copied())?;
            for at in records.keys() {
                let moved = exceptions.moved_to(*at);
                elsewhere.extend(moved.filter(|place| !records.contains_key(place)));
            }
            for record in records.values().rev() {
                elsewhere.remove(&record.sequence);
                self.look_at(record, &exceptions)?;
                if self.is_full() {
                    return Ok(());
                }
            }
        }
        self.search_elsewhere(&mut elsewhere, 0)
    }

    /// Looks at single records, from the last to the first, down to one.
    fn search_elsewhere(&mut self, places: &mut BTreeSet<u64>, down_to: u64) -> Result<()> {
        for at in places.split_off(&down_to).into_iter().rev() {
            if self.is_full() {
                return Ok(());
            }
            if let Some(record) = record_at(self.reads, &self.session.key, at)? {
                let exceptions = self.exceptions(std::iter::once(at))?;
                self.look_at(&record, &exceptions)?;
            }
        }
        Ok(())
    }

    fn read_range(&self, range: &RangeInclusive<u64>) -> Result<BTreeMap<u64, Record>> {
        let mut records = BTreeMap::new();
        let mut query = ScanQuery {
            from: Some(*range.start()),
            records_max: PAGE,
            ..ScanQuery::default()
        };
        loop {
            self.go_on()?;
            let page = self.reads.records(&self.session.key, &query)?;
            for record in page.records {
                if record.sequence > *range.end() {
                    return Ok(records);
                }
                records.insert(record.sequence, record);
            }
            match page.next {
                Some(next) if next <= *range.end() => query.from = Some(next),
                _ => return Ok(records),
            }
        }
    }

    fn exceptions(&self, numbers: impl Iterator<Item = u64> + Clone) -> Result<Exceptions> {
        exceptions_of(self.reads, &self.session.key, numbers)
    }

    /// The messages that are shown at a record.
    fn shown_at(&self, record: &Record, exceptions: &Exceptions) -> Result<Vec<Message>> {
        if record.header.messages == 0 || exceptions.moved_to(record.sequence).is_some() {
            return Ok(Vec::new());
        }
        state(self.reads, &self.session.key, exceptions, record.view())
    }

    fn look_at(&mut self, record: &Record, exceptions: &Exceptions) -> Result<()> {
        let query = self.wanted.query;
        let stated = record.header.time();
        // What its header rules out needs no reading.
        if stated.is_some_and(|time| !is_within(query, time)) {
            return Ok(());
        }
        if query.live && !exceptions.is_live(record.sequence) {
            return Ok(());
        }
        if self.by_lines.rules_out(record, exceptions) {
            return Ok(());
        }
        let messages = self.shown_at(record, exceptions)?;
        for (part, message) in messages.iter().enumerate().rev() {
            let part = u32::try_from(part).unwrap_or(u32::MAX);
            let place = (record.sequence, part);
            if self.was_given(place) {
                continue;
            }
            let time = stated.or(message.time).unwrap_or(self.session.updated_at);
            self.hold_against(message, place, time);
            if self.is_full() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the page before has come as far as here.
    fn was_given(&self, place: (u64, u32)) -> bool {
        let Some(after) = self.after else {
            return false;
        };
        // A session that is read in an order of its own begins where the page before ended.
        (place.0 == after.0 && place.1 >= after.1) || (self.is_in_ranges && place.0 > after.0)
    }

    fn hold_against(&mut self, message: &Message, place: (u64, u32), time: DateTime<Utc>) {
        let query = self.wanted.query;
        let fits = is_within(query, time)
            && (query.roles.is_empty() || query.roles.contains(&message.role))
            && !(query.no_injected && message.injected)
            && !(query.no_subagents && message.agent_id.is_some());
        if !fits {
            return;
        }
        let mut is_called = false;
        let pieces = pieces(message, &mut |block| {
            let takes = query.tools.is_empty() || self.is_of_tools(block);
            is_called |= takes;
            takes
        });
        // A pattern that asks for nothing, or only against something, fits a message without such a
        // block.
        if !query.tools.is_empty() && !is_called {
            return;
        }
        let title = &self.session.title;
        if !query.pattern.fits(&pieces, &self.folded_title, title) {
            return;
        }
        // All are counted, also those that no hit is made of.
        self.found.messages += 1;
        if self.wanted.only_counts || (query.by_session && !self.found.hits.is_empty()) {
            return;
        }
        let hit = Hit {
            key: self.session.key.clone(),
            project: self.session.project.clone(),
            title: title.clone(),
            sequence: Some(place.0),
            role: Some(message.role),
            time,
            live: message.live,
            injected: message.injected,
            snippet: snippet(&pieces, query.pattern.marked()),
            messages: 1,
            cursor: SearchCursor {
                session: Cursor::of(self.session),
                sequence: place.0,
                part: (!query.by_session).then_some(place.1),
            },
        };
        let score = match query.sort {
            Sort::Newest => 0,
            Sort::Best => rank::score(&query.pattern, &pieces, message.role, title),
        };
        self.found.hits.push((hit, score));
    }

    fn is_of_tools(&self, block: &Block) -> bool {
        let name = match block {
            Block::ToolUse { name, .. } => Some(name),
            Block::ToolResult { name, id, .. } => name
                .as_ref()
                .or_else(|| id.as_ref().and_then(|id| self.calls.get(id))),
            _ => None,
        };
        let tools = &self.wanted.query.tools;
        name.is_some_and(|name| tools.iter().any(|tool| tool.eq_ignore_ascii_case(name)))
    }

    /// Reads which tool each call is of: an answer names the call alone, in the formats of most agents.
    fn read_calls(&mut self) -> Result<()> {
        let mut query = ScanQuery {
            records_max: PAGE,
            ..ScanQuery::default()
        };
        loop {
            self.go_on()?;
            let page = self.reads.records(&self.session.key, &query)?;
            for record in &page.records {
                for message in record.messages(self.session.key.agent()) {
                    for block in message.content {
                        if let Block::ToolUse {
                            id: Some(id), name, ..
                        } = block
                        {
                            self.calls.insert(id, name);
                        }
                    }
                }
            }
            match page.next {
                Some(next) => query.from = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Whether a title may be a hit: where nothing is asked of messages beside it.
    fn takes_titles(&self) -> bool {
        let query = self.wanted.query;
        !self.wanted.only_counts
            && query.roles.is_empty()
            && query.tools.is_empty()
            && is_within(query, self.session.updated_at)
    }

    /// In a search by sessions one hit says how many messages fit; where none does, the title may.
    fn add_title(&mut self) {
        let query = self.wanted.query;
        if let Some((hit, _)) = self.found.hits.first_mut() {
            hit.messages = self.found.messages;
            return;
        }
        let title = &self.session.title;
        let pieces = Pieces::of(title);
        let fits = self.takes_titles()
            // Where a message fits, the session is a hit already.
            && self.found.messages == 0
            && !query.pattern.is_empty()
            && query.pattern.fits(&pieces, &self.folded_title, title);
        if !fits {
            return;
        }
        let hit = Hit {
            key: self.session.key.clone(),
            project: self.session.project.clone(),
            title: title.clone(),
            sequence: None,
            role: None,
            time: self.session.updated_at,
            live: true,
            injected: false,
            snippet: snippet(&pieces, query.pattern.marked_in_title()),
            messages: 0,
            cursor: SearchCursor {
                session: Cursor::of(self.session),
                sequence: 0,
                part: None,
            },
        };
        self.found.hits.push((hit, 0));
    }
}

/// Whether a time is asked for.
fn is_within(query: &SearchQuery, time: DateTime<Utc>) -> bool {
    query.since.is_none_or(|since| time >= since) && query.before.is_none_or(|before| time < before)
}
