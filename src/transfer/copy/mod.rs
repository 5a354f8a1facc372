//! One store copied into another, of whatever kind.
//!
//! - `plan`: what becomes of one session in the other store
//! - `write`: sessions written in one transaction, and read back
//! - `beside`: what belongs to no session
//! - `report`: what was done

mod beside;
mod plan;
mod report;
mod write;

pub use self::report::{CopyRefusal, CopyReport};

use self::plan::{Group, Planned};
use crate::model::error::{Error, Result};
use crate::store::{Ingest, IngestStore, Progress, RestoredMark, Step as Doing, Watcher};

/// Sessions that are looked at together.
const PAGE: usize = 128;

/// Packed bytes of sessions that are written in one transaction, and one session more.
const BATCH_BYTES: u64 = 16 * 1024 * 1024;

/// How often a write that others were in the way of is planned and tried again.
const ATTEMPTS: usize = 8;

/// Copies everything from one store into another: sessions with their lines under the same sequence numbers,
/// digest chains, marks, properties, aliases, all contents of an id, what they were imported from, files that
/// are kept with them and with their folders, and the marks of what was deleted. The stores may be of any
/// kind: a file, a server, memory.
///
/// What is there already is compared and not written again, so a second call copies what is new, and one after
/// a stop goes on. Where both have a session and this store's has gone on, the other one gets what it lacks; of
/// properties, marks and the like it gets what this one says. A session that has other lines there, or
/// more of them, is left as it is and [refused](CopyReport::refused). What is not in this store stays there,
/// and what was deleted there comes back.
///
/// Bodies are copied as they are packed. All lines of what is copied are compared with their digest chain before,
/// and what was written is read back: a session that was counted has the same lines there.
///
/// Costs a read of every summary row and of what is kept beside lines; of what is copied, a read of it
/// in both stores. Each session is in memory whole, packed, and so is each file.
///
/// # Durability
///
/// Sessions are written whole, some together in one transaction, as durable as the other store says. After an error
/// or a stop whole sessions are there.
///
/// # Errors
///
/// Those of the stores; [`Corrupt`](crate::Error::Corrupt) if something reads otherwise than it was written;
/// [`Busy`](crate::Error::Busy) if others write to the same sessions all the time;
/// [`Cancelled`](crate::Error::Cancelled).
///
/// ```
/// use scrollback::{MemoryStore, Message, Role, Session, Store, StoreExt, copy_store, unwatched};
///
/// let (from, to) = (MemoryStore::default(), MemoryStore::default());
/// let mut session = Session::native("chat-1")?;
/// session.messages.push(Message::text(Role::User, "hi"));
/// from.save(&mut session)?;
/// let report = copy_store(&from, &to, &mut unwatched)?;
/// assert_eq!((report.sessions, report.records), (1, 2));
/// assert_eq!(to.load(&session.key)?.messages.len(), 1);
/// assert_eq!(copy_store(&from, &to, &mut unwatched)?.unchanged, 1);
/// # Ok::<(), scrollback::Error>(())
/// ```
pub fn copy_store(
    from: &dyn Ingest,
    to: &dyn Ingest,
    progress: &mut Watcher<'_>,
) -> Result<CopyReport> {
    let (from, to) = (from.ingest().0, to.ingest().0);
    let mut run = Run {
        from,
        to,
        // First of all, so that a restore of the other store that comes in between is noticed.
        mark: to.restored_mark()?,
        report: CopyReport::default(),
    };
    run.sessions(progress)?;
    beside::folder_files((from, to), &run.mark, &mut run.report)?;
    beside::homes((from, to), &run.mark)?;
    beside::marks((from, to), &run.mark, &mut run.report)?;
    Ok(run.report)
}

/// A copy while it runs.
struct Run<'s> {
    from: &'s dyn IngestStore,
    to: &'s dyn IngestStore,
    mark: RestoredMark,
    report: CopyReport,
}

impl Run<'_> {
    fn sessions(&mut self, progress: &mut Watcher<'_>) -> Result<()> {
        // All numbers before the first session, so that the share that is told is one of a known
        // whole.
        let mut numbers = Vec::new();
        loop {
            let after = numbers.last().copied().unwrap_or_default();
            let more = self.from.sources().session_numbers(after, PAGE)?;
            if more.is_empty() {
                break;
            }
            numbers.extend(more);
        }
        let total = numbers.len() as u64;
        let mut done = 0;
        let mut tell = |now: u64| {
            done += now;
            Progress::at(Doing::Copying, done, total).tell(progress)
        };
        tell(0)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for page in numbers.chunks(PAGE) {
            for head in self.lacking(page)? {
                let Some(group) = self.plan(head)? else {
                    continue;
                };
                bytes += group.bytes();
                batch.push(group);
                if bytes >= BATCH_BYTES || batch.len() >= PAGE {
                    self.write(std::mem::take(&mut batch))?;
                    bytes = 0;
                }
            }
            tell(page.len() as u64)?;
        }
        self.write(batch)
    }

    /// Those of some sessions that are not there as they are; counts the others. Contents that have no plain id
    /// come with the one that has it.
    fn lacking(&mut self, page: &[u64]) -> Result<Vec<u64>> {
        let here = self.from.sources().beside(page)?;
        let mut single = Vec::new();
        let mut left = Vec::new();
        for (number, beside) in here {
            match beside.row.contents {
                // Without the plain id: it comes with the one that has it.
                0 => {}
                1 => {
                    let other = self.to.sources().number_of(&beside.key()?)?;
                    match other {
                        Some(other) => single.push((number, beside, other)),
                        None => left.push(number),
                    }
                }
                _ => left.push(number),
            }
        }
        let others: Vec<u64> = single.iter().map(|(.., other)| *other).collect();
        let there = self.to.sources().beside(&others)?;
        for (number, beside, other) in single {
            let same = there
                .iter()
                .any(|(found, stored)| *found == other && stored.is_as(&beside));
            if same {
                self.report.unchanged += 1;
            } else {
                left.push(number);
            }
        }
        // In the order of their numbers, which lists go by where times are equal.
        left.sort_unstable();
        Ok(left)
    }

    /// What is to be done with a session; `None` if nothing is.
    fn plan(&mut self, head: u64) -> Result<Option<Group>> {
        match plan::group((self.from, self.to), head)? {
            Planned::Group(group) => {
                self.report.unchanged += group.unchanged();
                Ok((!group.is_there()).then_some(group))
            }
            Planned::Refused(key, reason) => {
                self.report.refuse_session(&key, reason);
                Ok(None)
            }
            Planned::Gone => Ok(None),
        }
    }

    /// Writes groups, and reads them back. Where others were faster, they are planned again.
    fn write(&mut self, mut batch: Vec<Group>) -> Result<()> {
        let mut attempt = 0;
        while !batch.is_empty() {
            let counted = batch.iter().map(|group| (group.head, group.unchanged()));
            let heads: Vec<(u64, u64)> = counted.collect();
            let stores = (self.from, self.to);
            match write::groups(stores, &self.mark, batch, &mut self.report) {
                Ok(written) => return write::check(self.to, &written, &mut self.report),
                Err(Error::Busy { .. } | Error::CommitUnknown { .. }) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
            attempt += 1;
            batch = Vec::new();
            for (head, counted) in heads {
                // They were counted when they were planned the first time. A commit that nobody knew of may
                // have been one: what is there by now counts as any other that is.
                let before = self.report.unchanged;
                batch.extend(self.plan(head)?);
                let there = self.report.unchanged.saturating_sub(before);
                self.report.unchanged = before + there.saturating_sub(counted);
            }
        }
        Ok(())
    }
}
