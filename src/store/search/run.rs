//! A search: sessions in their order, several at a time, until there is enough.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::evaluate::{Found, Searched, Wanted};
use super::hit::{Hit, SearchCounts, SearchPage, UnreadSession};
use super::query::{SearchQuery, Sort};
use super::reads::{Guide, Reads};
use super::walk::{self, Walk};
use crate::model::error::{Error, Result};
use crate::model::limits::SEARCH_BEST_OF;
use crate::model::session::Summary;
use crate::search::Needles;
use crate::store::progress::{Progress, Step, Watcher};

/// Sessions of the first round: the newest ones often have all that is wanted.
const FIRST_ROUND: usize = 4;
/// Sessions of a round, at most.
const ROUND_MAX: usize = 256;
/// Most threads that search.
const THREADS_MAX: usize = 8;
/// How often whoever watches is told.
const TELLING: Duration = Duration::from_millis(50);

/// A page of hits.
pub(crate) fn page(
    reads: &(impl Reads + ?Sized),
    guide: &dyn Guide,
    query: &SearchQuery,
    watcher: &mut Watcher<'_>,
) -> Result<SearchPage> {
    let limit = if query.limit == 0 { 100 } else { query.limit };
    let taken_max = match query.sort {
        Sort::Newest => limit,
        Sort::Best => SEARCH_BEST_OF.max(limit),
    };
    let mut page = SearchPage::default();
    let mut hits: Vec<(Hit, u64)> = Vec::new();
    let mut is_more = false;
    // One more than wanted, to know whether there is one.
    let how = How {
        hits_max: taken_max.saturating_add(1),
        only_counts: false,
    };
    let search = Search {
        reads,
        guide,
        query,
        needles: query.pattern.needles(),
    };
    let mut known = Known::default();
    search.run(how, watcher, (&mut page.unread, &mut known), &mut |found| {
        let room = taken_max.saturating_sub(hits.len());
        is_more = found.hits.len() > room;
        hits.extend(found.hits.into_iter().take(room));
        !is_more
    })?;
    if query.sort == Sort::Best {
        // A sort that keeps the newer of two first.
        hits.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
        hits.truncate(limit);
    } else if is_more {
        page.next = hits.last().map(|(hit, _)| hit.cursor);
    }
    page.at_least = known.hits;
    page.sessions_max = known.sessions_max;
    page.hits = hits.into_iter().map(|(hit, _)| hit).collect();
    Ok(page)
}

/// How many messages fit, and in how many sessions.
pub(crate) fn counts(
    reads: &(impl Reads + ?Sized),
    guide: &dyn Guide,
    query: &SearchQuery,
    watcher: &mut Watcher<'_>,
) -> Result<SearchCounts> {
    let mut counts = SearchCounts::default();
    let mut unread = Vec::new();
    let how = How {
        hits_max: usize::MAX,
        only_counts: true,
    };
    let search = Search {
        reads,
        guide,
        query,
        needles: query.pattern.needles(),
    };
    let known = &mut Known::default();
    search.run(how, watcher, (&mut unread, known), &mut |found| {
        counts.messages += found.messages;
        counts.sessions += u64::from(found.messages > 0);
        true
    })?;
    counts.unread = unread;
    Ok(counts)
}

/// What is wanted of each session.
#[derive(Clone, Copy)]
struct How {
    hits_max: usize,
    only_counts: bool,
}

/// What is known of all that fits when a search has enough.
#[derive(Default)]
struct Known {
    /// Hits that were found, also behind those that are given.
    hits: u64,
    sessions_max: Option<u64>,
}

/// A search over a store.
struct Search<'s, R: ?Sized> {
    reads: &'s R,
    guide: &'s dyn Guide,
    query: &'s SearchQuery,
    needles: Option<Needles>,
}

impl<R: Reads + ?Sized> Search<'_, R> {
    /// Gives what each session has, in their order, until `take` has enough.
    fn run(
        &self,
        how: How,
        watcher: &mut Watcher<'_>,
        (unread, known): (&mut Vec<UnreadSession>, &mut Known),
        take: &mut dyn FnMut(Found) -> bool,
    ) -> Result<()> {
        let mut walk = Walk::new(self.reads, self.guide, self.query)?;
        known.sessions_max = walk.sessions_max();
        let mut round = FIRST_ROUND;
        let mut done = 0;
        loop {
            let sessions = walk.next(round)?;
            if sessions.is_empty() {
                return Ok(());
            }
            round = (round * 2).min(ROUND_MAX);
            let all = self.round(&sessions, how, watcher, done)?;
            // Those behind the page as well: they were found anyway, and are told as a least
            // number.
            let hits = all.iter().map(|(found, _)| found.hits.len() as u64);
            known.hits += hits.sum::<u64>();
            for (session, (found, ended)) in sessions.iter().zip(all) {
                done += session.bytes;
                match ended {
                    Err(error) if walk::is_gone(&error) => {}
                    // Named, and not the end of the search: what was read of it before counts.
                    Err(error) if error.is_corruption() => unread.push(UnreadSession {
                        session: session.key.clone(),
                        detail: error.to_string(),
                    }),
                    ended => ended?,
                }
                if !take(found) {
                    return Ok(());
                }
            }
        }
    }

    /// Searches some sessions, each in one thread.
    fn round(
        &self,
        sessions: &[Summary],
        how: How,
        watcher: &mut Watcher<'_>,
        done: u64,
    ) -> Result<Vec<(Found, Result<()>)>> {
        let stop = AtomicBool::new(false);
        let next = AtomicUsize::new(0);
        let work = |sending: &Sender<(usize, (Found, Result<()>))>| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(session) = sessions.get(at) else {
                    return;
                };
                let found = self.one(session, how, &stop);
                if sending.send((at, found)).is_err() {
                    return;
                }
            }
        };
        let mut all: Vec<Option<(Found, Result<()>)>> = Vec::new();
        all.resize_with(sessions.len(), || None);
        thread::scope(|scope| {
            let (sending, found) = channel();
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let mut started = 0;
            for _ in 0..threads.min(THREADS_MAX).min(sessions.len()) {
                let (sending, work) = (sending.clone(), &work);
                let builder = thread::Builder::new().name("search".to_owned());
                started += usize::from(builder.spawn_scoped(scope, move || work(&sending)).is_ok());
            }
            if started == 0 {
                // Where no thread can be had, this one searches.
                work(&sending);
            }
            // The threads have the other senders: with the last of them the receiving ends.
            drop(sending);
            let mut bytes = done;
            loop {
                match found.recv_timeout(TELLING) {
                    Ok((at, one)) => {
                        bytes += sessions.get(at).map_or(0, |session| session.bytes);
                        if let Some(slot) = all.get_mut(at) {
                            *slot = Some(one);
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        let told = Progress::at(Step::Matching, bytes, 0).tell(watcher);
                        if told.is_err() {
                            stop.store(true, Ordering::Relaxed);
                            return told;
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        })?;
        // A round is short: whoever stops a search of many is heard between two as well.
        Progress::at(Step::Matching, done, 0).tell(watcher)?;
        let lost = || {
            let error = Error::Storage {
                action: "search a session",
                source: "the thread that searched it has ended".into(),
            };
            (Found::default(), Err(error))
        };
        Ok(all
            .into_iter()
            .map(|one| one.unwrap_or_else(lost))
            .collect())
    }

    fn one(&self, session: &Summary, how: How, stop: &AtomicBool) -> (Found, Result<()>) {
        let wanted = Wanted {
            query: self.query,
            needles: self.needles.as_ref(),
            hits_max: how.hits_max,
            only_counts: how.only_counts,
            stop,
        };
        match self.guide.look(session) {
            Ok(places) => Searched::new(self.reads, session, wanted).search(&places),
            Err(error) => (Found::default(), Err(error)),
        }
    }
}
