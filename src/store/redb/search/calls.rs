//! Building the index, and dropping it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use super::gather::{OfSession, gather};
use super::{fill, merge, runs};
use crate::model::error::{Error, Result};
use crate::search::GramSet;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{
    SEARCH_DOCUMENTS, SEARCH_GRAMS, SEARCH_RUNS, SEARCH_TAILS,
};
use crate::store::redb::tables::search;
use crate::store::{Progress, Step, Watcher};

/// Bytes of lines whose documents are written in one transaction.
const ROUND_BYTES: u64 = 128 * 1024 * 1024;

/// Sessions of a round, at most.
const ROUND_SESSIONS: usize = 4096;

/// Most threads that gather.
const THREADS_MAX: usize = 4;

/// What building the index did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Indexed {
    /// Sessions of which records were indexed.
    pub sessions: u64,
    /// Documents written: each is some consecutive records of a session.
    pub documents: u64,
    /// Bytes of the lines that were read.
    pub bytes: u64,
    /// Sessions that are damaged, and are read by each search.
    pub damaged: u64,
}

impl RedbStore {
    /// Indexes what is not indexed yet: a search reads then what may fit, and not all. Without it searches
    /// find the same. What is appended later is read by each search until this is called again; a session
    /// whose last line is not ended is indexed up to it.
    ///
    /// Reads each line that is not indexed once. Holds the pieces of some megabytes of lines at a time.
    ///
    /// # Durability
    ///
    /// Some megabytes of lines at a time, each in a transaction of its own: what was done stays after an
    /// error, and another call goes on from there.
    ///
    /// # Errors
    ///
    /// [`Cancelled`](crate::Error::Cancelled), and those of a write. Damaged sessions are counted, and end
    /// nothing.
    ///
    /// ```
    /// use scrollback::{Expect, Message, NewRecord, Options, RedbStore, Role, SessionKey, Store, unwatched};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let hello = NewRecord::message(Message::text(Role::User, "hello"));
    /// store.append(&SessionKey::native("chat-1")?, Expect::Any, None, &[hello])?;
    /// assert_eq!(store.index(&mut unwatched)?.sessions, 1);
    /// // All is indexed.
    /// assert_eq!(store.index(&mut unwatched)?.sessions, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn index(&self, watcher: &mut Watcher<'_>) -> Result<Indexed> {
        let mut indexed = Indexed::default();
        // Asked in a snapshot first: a store in which all is indexed is not written to.
        if self.read(search::has_new)? {
            self.write(search::spread_tails)?;
        }
        let mut left = self.not_indexed()?;
        let total = left.iter().map(|one| one.bytes).sum();
        while !left.is_empty() {
            Progress::at(Step::Indexing, indexed.bytes.min(total), total).tell(watcher)?;
            let mut bytes = 0;
            let count = left.iter().take(ROUND_SESSIONS).take_while(|one| {
                let is_in = bytes < ROUND_BYTES;
                bytes += one.bytes;
                is_in
            });
            let count = count.count().max(1);
            let round: Vec<NotIndexed> = left.drain(..count).collect();
            let gathered = self.gather_all(&round, &mut indexed)?;
            // A session of which only an open last line is left would cost a commit in every call.
            let is_new = |one: &OfSession| one.through > one.from || one.through >= one.row.next;
            if gathered.iter().any(is_new) {
                indexed.documents += fill::write(self, &gathered)?;
            }
            for session in &gathered {
                indexed.bytes += session.bytes;
                indexed.sessions += u64::from(!session.documents.is_empty());
                // A long session is indexed a part at a time.
                if session.through > session.from && session.through < session.row.next {
                    left.insert(
                        0,
                        NotIndexed {
                            number: session.number,
                            from: session.through,
                            bytes: session.row.bytes / 2,
                        },
                    );
                }
            }
            while merge::merge(self)? {}
        }
        Ok(indexed)
    }

    /// Drops the index, so that searches read all messages. [`index`](Self::index) builds it anew.
    ///
    /// # Durability
    ///
    /// As [`Store::append`](crate::Store::append). The file keeps its size until
    /// [`reclaim`](crate::Store::reclaim).
    ///
    /// # Errors
    ///
    /// Those of a write.
    pub fn drop_index(&self) -> Result<()> {
        let opening = storage("drop the index of messages");
        self.write(|writer| {
            let txn = writer.txn();
            // Made again at once: in a store of this format a table that is missing is damage.
            for table in [SEARCH_DOCUMENTS, SEARCH_GRAMS] {
                txn.delete_table(table).map_err(&opening)?;
                txn.open_table(table).map_err(&opening)?;
            }
            txn.delete_table(SEARCH_RUNS).map_err(&opening)?;
            txn.open_table(SEARCH_RUNS).map_err(&opening)?;
            txn.delete_table(SEARCH_TAILS).map_err(&opening)?;
            txn.open_table(SEARCH_TAILS).map(drop).map_err(&opening)
        })
    }

    /// Bytes of the rows of the index. Costs a read of some rows.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub fn index_bytes(&self) -> Result<u64> {
        self.read(runs::bytes)
    }

    /// The sessions that are not indexed to their end.
    fn not_indexed(&self) -> Result<Vec<NotIndexed>> {
        self.read(|snapshot| {
            let mut all = Vec::new();
            for (number, from) in snapshot.search_tails()? {
                if let Some(row) = snapshot.row(number)? {
                    // What lies behind a record nobody has counted: half is near enough to share
                    // the work out.
                    let bytes = if from == 0 { row.bytes } else { row.bytes / 2 };
                    all.push(NotIndexed {
                        number,
                        from,
                        bytes,
                    });
                }
            }
            Ok(all)
        })
    }

    /// Gathers what sessions say, in several threads; in their order.
    fn gather_all(&self, round: &[NotIndexed], indexed: &mut Indexed) -> Result<Vec<OfSession>> {
        let next = AtomicUsize::new(0);
        let found: Mutex<BTreeMap<usize, Result<Option<OfSession>>>> = Mutex::default();
        let work = || {
            let mut set = GramSet::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(one) = round.get(at) else {
                    return;
                };
                let gathered = gather(self, &mut set, one.number, one.from);
                if gathered.is_err() {
                    // What was added of a session that could not be read is of nobody.
                    set.drain();
                }
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(at, gathered);
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            for _ in 1..threads.min(THREADS_MAX).min(round.len()) {
                let builder = thread::Builder::new().name("index".to_owned());
                // Where no thread can be had, this one does all.
                drop(builder.spawn_scoped(scope, work));
            }
            work();
        });
        let mut gathered = Vec::new();
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        for one in found.into_values() {
            match one {
                Ok(one) => gathered.extend(one),
                Err(Error::Corrupt { .. }) => indexed.damaged += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(gathered)
    }
}

/// A session that is not indexed to its end.
#[derive(Clone, Copy, Debug)]
struct NotIndexed {
    number: u64,
    from: u64,
    /// Bytes of its lines, roughly.
    bytes: u64,
}
