//! Sessions by project, as celeste keeps them: a project is the git work tree that a program runs
//! in, and each session of it an ordered log of entries.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::Serialize;

use super::git_root::git_root;
use crate::agents::celeste;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::FACT_BYTES_MAX;
use crate::model::properties::PropertiesChange;
use crate::model::session::{Session, Summary};
use crate::store::{Expect, ListQuery, NewRecord, Stamps, Store};

/// The part of an id, in nanoseconds, that is random.
const ID_TICK_NS: i64 = 1_000_000;

/// The last id that this process made.
static LAST_ID: AtomicI64 = AtomicI64::new(0);

/// One entry of a session: a turn, a tool's call or result, or any type of one's own.
///
/// ```
/// use scrollback::celeste::LogEntry;
///
/// let call = LogEntry::new("tool_call", "{\"cmd\":\"ss -ltn\"}").of_tool("bash", "call_1");
/// assert_eq!(call.tool_id, "call_1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// What it is: `user`, `assistant`, `system`, `tool_call`, `tool_result`, or another word.
    pub kind: String,
    /// What is said; arguments and results of tools as text.
    pub content: String,
    /// The tool; empty if it is about none.
    pub tool_name: String,
    /// The id that ties a call to its result; empty if there is none.
    pub tool_id: String,
    /// When; the time of logging if it is `None`.
    pub time: Option<DateTime<Utc>>,
}

impl LogEntry {
    /// An entry of this type.
    pub fn new(kind: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            content: content.into(),
            ..Self::default()
        }
    }

    /// The entry, said at this time.
    #[must_use]
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.time = Some(time);
        self
    }

    /// The entry, about a tool's call.
    #[must_use]
    pub fn of_tool(mut self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.tool_name = name.into();
        self.tool_id = id.into();
        self
    }
}

/// The sessions of one project, and the one that is written now: celeste's `Manager`.
///
/// It can be shared between threads; entries are stored in the order of the calls. Any number of
/// processes can write the same session: their entries alternate, each whole.
///
/// ```
/// use std::sync::Arc;
/// use scrollback::MemoryStore;
/// use scrollback::celeste::Project;
///
/// let folder = tempfile::tempdir()?;
/// let project = Project::open(Arc::new(MemoryStore::default()), folder.path());
/// let id = project.start();
/// project.log_turn("user", "Which port does the API use?")?;
/// assert_eq!(project.list()?[0].title, "Which port does the API use?");
/// assert_eq!(project.resume(&id)?.messages.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Project {
    store: Arc<dyn Store>,
    stamps: Stamps,
    root: PathBuf,
    id: String,
    /// What its sessions state as their project.
    stated: String,
    current: Mutex<Current>,
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("root", &self.root)
            .field("id", &self.id)
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// The session that is written now.
#[derive(Debug)]
enum Current {
    /// None was started or resumed.
    None,
    /// One was started under this id; nothing of it is stored.
    Started(String),
    /// It is stored, but not yet under the project's path.
    Unplaced(SessionKey),
    /// It is stored.
    Stored(SessionKey),
    /// It was closed.
    Closed(SessionKey),
}

impl Project {
    /// The project that the folder `cwd` lies in: that of its git work tree, or else the folder
    /// itself, by its name as it is given. Creates nothing.
    pub fn open(store: Arc<dyn Store>, cwd: impl AsRef<Path>) -> Self {
        let cwd = cwd.as_ref();
        let root = git_root(cwd).unwrap_or_else(|| cwd.to_owned());
        let id = celeste::project_id(root.as_os_str().as_encoded_bytes());
        let stated = root.to_str().filter(|root| is_kept(root)).unwrap_or(&id);
        let stated = stated.to_owned();
        Self {
            store,
            stamps: Stamps::default(),
            root,
            id,
            stated,
            current: Mutex::new(Current::None),
        }
    }

    /// The project with another clock than the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.stamps = self.stamps.with_clock(clock);
        self
    }

    /// The project's id, as celeste computes it: 16 hex digits of the SHA-256 of its root.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The root of the project's git work tree, or the folder that was given.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The id of the session that was started or resumed last; it stays after
    /// [`close`](Self::close).
    pub fn session_id(&self) -> Option<String> {
        match &*self.current() {
            Current::None => None,
            Current::Started(id) => Some(id.clone()),
            Current::Unplaced(key) | Current::Stored(key) | Current::Closed(key) => {
                Some(key.id().to_owned())
            }
        }
    }

    /// Starts a session under a new id, and returns that: the time in nanoseconds since 1970, in
    /// decimal, of which the last six digits are random. Nothing is stored before the first entry.
    pub fn start(&self) -> String {
        let id = self.new_id();
        *self.current() = Current::Started(id.clone());
        id
    }

    /// Stores what somebody said: `user`, `assistant` or `system`.
    ///
    /// # Durability
    ///
    /// As [`log_entry`](Self::log_entry).
    ///
    /// # Errors
    ///
    /// Those of [`log_entry`](Self::log_entry).
    pub fn log_turn(&self, role: &str, content: &str) -> Result<()> {
        self.log_entry(&LogEntry::new(role, content))
    }

    /// Stores an entry. The types `progress`, `typing` and `ping` are not stored, which is no
    /// error; they are read where a file has them.
    ///
    /// # Durability
    ///
    /// The entry is on disk when this returns `Ok`. After
    /// [`CommitUnknown`](Error::CommitUnknown) it may be; after any other error it is not. A stop
    /// within the first call of a session can leave that without an entry:
    /// [`recent`](Self::recent) passes over it, and
    /// [`delete_empty`](crate::StoreExt::delete_empty) removes it.
    ///
    /// # Errors
    ///
    /// [`NoSession`](Error::NoSession) if no session was started or resumed,
    /// [`Closed`](Error::Closed) after [`close`](Self::close), and those of [`Store::append`].
    pub fn log_entry(&self, entry: &LogEntry) -> Result<()> {
        let mut current = self.current();
        match &*current {
            Current::None => return Err(Error::NoSession),
            Current::Closed(key) => return Err(Error::Closed { key: key.clone() }),
            _ if celeste::EPHEMERAL.contains(&entry.kind.as_str()) => return Ok(()),
            _ => {}
        }
        let key = self.ready(&mut current)?;
        let time = entry.time.unwrap_or_else(|| self.now());
        let (kind, content) = (&entry.kind, &entry.content);
        let tool = [entry.tool_name.as_str(), &entry.tool_id];
        let line = celeste::entry_line(kind, content, tool, Some(time));
        let line = NewRecord::line(line);
        self.store.append(&key, Expect::Any, None, &[line])?;
        Ok(())
    }

    /// Goes on with a session of this project: what is logged from now on is added to it. Returns
    /// what there is of it. An id is a name and no path.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Error::NotFound) if the project has no such session: then the session that was
    /// written before stays the one that is written.
    pub fn resume(&self, id: &str) -> Result<Session> {
        let key = SessionKey::new(celeste::AGENT, id)?;
        let summary = self.store.summary(&key)?;
        let stated = summary.project.as_deref();
        if stated.is_some_and(|project| project != self.stated && project != self.id) {
            return Err(Error::NotFound {
                wanted: key.to_string(),
            });
        }
        let session = self.store.load(&key)?;
        *self.current() = if stated == Some(self.stated.as_str()) {
            Current::Stored(key)
        } else {
            // An import knew the hash of the folder, at most; the next entry tells the folder.
            Current::Unplaced(key)
        };
        Ok(session)
    }

    /// The session that was updated last, if that is at most `max_age` ago; `None` for an age
    /// of 0. Its time is that of its entries, whatever became of files; a session without an
    /// entry has none, and does not count.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    pub fn recent(&self, max_age: Duration) -> Result<Option<Summary>> {
        if max_age.is_zero() {
            return Ok(None);
        }
        let now = self.now();
        let since = TimeDelta::from_std(max_age)
            .ok()
            .and_then(|age| now.checked_sub_signed(age));
        let mut found = self.listed(since, 1, |summary| summary.record_count > 0)?;
        Ok(if found.is_empty() {
            None
        } else {
            Some(found.swap_remove(0))
        })
    }

    /// The project's sessions, newest first, ties in the order of the store's numbers: those made
    /// here, and those imported from celeste's own folder. Reads no entry.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    pub fn list(&self) -> Result<Vec<Summary>> {
        self.listed(None, usize::MAX, |_| true)
    }

    /// Ends the session that is written: logging is an error until another is started or resumed.
    pub fn close(&self) {
        let mut current = self.current();
        match &*current {
            Current::Unplaced(key) | Current::Stored(key) => {
                *current = Current::Closed(key.clone());
            }
            Current::Started(_) => *current = Current::None,
            Current::None | Current::Closed(_) => {}
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // What a panic elsewhere interrupted is the store's to keep whole, not this value's.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, to the microsecond, as the store has times.
    fn now(&self) -> DateTime<Utc> {
        let now = (self.stamps.clock)();
        now.duration_trunc(TimeDelta::microseconds(1))
            .unwrap_or(now)
    }

    /// An id that this process has not made in this tick of the clock. Other processes hardly
    /// have: what starts in one tick differs by chance.
    fn new_id(&self) -> String {
        let now = (self.stamps.clock)();
        let tick = now.timestamp_nanos_opt().unwrap_or(0) / ID_TICK_NS;
        let random = (self.stamps.ids)().as_u128() % u128::from(ID_TICK_NS.unsigned_abs());
        let wanted = tick * ID_TICK_NS + i64::try_from(random).unwrap_or(0);
        let after = |last: i64| match last.checked_sub(wanted) {
            Some(0..ID_TICK_NS) => last.saturating_add(1),
            _ => wanted,
        };
        let next = |last| Some(after(last));
        let last = LAST_ID.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        after(last.unwrap_or_else(|last| last)).to_string()
    }

    /// The session to append to, in the store and with its project.
    ///
    /// The entry comes after both, so that an error always means that it is not stored.
    fn ready(&self, current: &mut Current) -> Result<SessionKey> {
        let key = match &*current {
            Current::None => return Err(Error::NoSession),
            Current::Closed(key) => return Err(Error::Closed { key: key.clone() }),
            Current::Stored(key) => return Ok(key.clone()),
            Current::Unplaced(key) => key.clone(),
            Current::Started(id) => self.create(id)?,
        };
        // Before the project is put: if that fails, the next call goes on here and makes no second
        // session.
        *current = Current::Unplaced(key.clone());
        let change = PropertiesChange {
            project: Some(Some(self.stated.clone())),
            ..PropertiesChange::default()
        };
        self.store.update_properties(&key, &change)?;
        *current = Current::Stored(key.clone());
        Ok(key)
    }

    /// Puts a session into the store, under another id should somebody have taken this one.
    fn create(&self, id: &str) -> Result<SessionKey> {
        let mut session = Session::new(SessionKey::new(celeste::AGENT, id)?);
        session.project = Some(self.stated.clone());
        while !self.store.ensure_meta(&session)? {
            session.key = SessionKey::new(celeste::AGENT, self.new_id())?;
        }
        Ok(session.key)
    }

    /// The newest `limit` sessions, updated at `since` or later, that `keep` holds for.
    fn listed(
        &self,
        since: Option<DateTime<Utc>>,
        limit: usize,
        keep: fn(&Summary) -> bool,
    ) -> Result<Vec<Summary>> {
        let mut found: Vec<Summary> = Vec::new();
        // Imported sessions are stored under the project's id.
        let other = (self.stated != self.id).then_some(&self.id);
        for name in [Some(&self.stated), other].into_iter().flatten() {
            let mut left = limit;
            let mut query = ListQuery {
                agent: Some(celeste::AGENT.to_owned()),
                project: Some(name.clone()),
                since,
                ..ListQuery::default()
            };
            loop {
                let page = self.store.list(&query)?;
                let same =
                    |summary: &Summary| summary.project.as_ref() == Some(name) && keep(summary);
                let before = found.len();
                // A name that is no path fits folders of that name too.
                found.extend(page.sessions.into_iter().filter(same).take(left));
                left -= found.len() - before;
                query.after = page.next;
                if left == 0 || query.after.is_none() {
                    break;
                }
            }
        }
        found.sort_by_key(|summary| std::cmp::Reverse((summary.updated_at, summary.number)));
        found.truncate(limit);
        Ok(found)
    }
}

/// Whether a store keeps this path of a project as it is.
fn is_kept(root: &str) -> bool {
    !root.trim().is_empty() && !root.ends_with(['/', '\\']) && root.len() <= FACT_BYTES_MAX
}
