//! Records what happens in an agent, event by event, as jcode's recorder does.

mod events;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::session_id::validate_session_id;
use crate::agents::jcode::{self, AGENT, Entry, EntryKind};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Expect, NewRecord, Stamps, Store};

/// Records the events of one session in jcode's format.
///
/// - Nothing is in the store before the first record; that one brings the session's header.
/// - A session that is there already is gone on with: no second header, nothing cut off.
/// - After [`close`](Self::close) every record is refused with [`Error::Closed`].
/// - Outputs of tools are kept whole, however long: there is no overflow file.
///
/// Every `record_*` method returns whether its record is on disk. Whoever wants to go on whatever
/// happens ignores the result, and may ask for [`last_error`](Self::last_error).
///
/// # Durability
///
/// A record is on disk when its method returns `Ok`. After
/// [`CommitUnknown`](Error::CommitUnknown) it may be; after any other error it is not. Records of
/// one recorder are stored in the order of its calls.
///
/// # Errors
///
/// Besides [`Error::Closed`], every `record_*` method has those of [`Store::append`].
///
/// ```
/// use std::sync::Arc;
/// use scrollback::MemoryStore;
/// use scrollback::jcode::{Recorder, Recordings};
///
/// let store = Arc::new(MemoryStore::default());
/// let recorder = Recorder::new(store.clone(), "/home/dev/shop", "zhipu", "glm-5.2");
/// assert!(!recorder.has_recording());
/// recorder.record_user("Fix the login timeout")?;
/// recorder.record_assistant("Raised it to 30 s.")?;
/// recorder.close();
///
/// let sessions = Recordings::new(store).list_sessions("/home/dev/shop")?;
/// assert_eq!(sessions[0].title, "Fix the login timeout");
/// # Ok::<(), scrollback::Error>(())
/// ```
pub struct Recorder {
    store: Arc<dyn Store>,
    stamps: Stamps,
    started: DateTime<Utc>,
    project: String,
    provider: String,
    model: String,
    state: Mutex<State>,
}

/// What changes while a recorder lives.
struct State {
    id: String,
    phase: Phase,
    last_error: Option<String>,
}

/// How far a recorder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was recorded under the present id.
    Waiting,
    /// The session is in the store.
    Recording,
    /// No record is taken any more.
    Closed,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Recorder")
            .field("id", &state.id)
            .field("phase", &state.phase)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder of a new session under a random id (uuid version 4). Writes nothing.
    pub fn new(
        store: Arc<dyn Store>,
        project: impl Into<String>,
        provider: impl Into<String>,
        model: impl Into<String>,
    ) -> Self {
        let stamps = Stamps::default().with_ids(Uuid::new_v4);
        Self {
            started: (stamps.clock)(),
            state: Mutex::new(State {
                id: (stamps.ids)().to_string(),
                phase: Phase::Waiting,
                last_error: None,
            }),
            store,
            stamps,
            project: project.into(),
            provider: provider.into(),
            model: model.into(),
        }
    }

    /// A recorder of a teammate's transcript: the session `leader/agent_id`, whose parent is the
    /// leader's. One that is there already is gone on with.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the leader's id or the agent's cannot be the name of a file.
    pub fn teammate(
        store: Arc<dyn Store>,
        leader: &str,
        agent_id: &str,
        model: impl Into<String>,
    ) -> Result<Self> {
        validate_session_id(leader)?;
        validate_session_id(agent_id)?;
        let recorder = Self::new(store, agent_id, jcode::TEAMMATE, model);
        recorder.state().id = format!("{leader}/{agent_id}");
        Ok(recorder)
    }

    /// The recorder with the clock and, but for a teammate's, an id of these stamps, as if it
    /// was made now.
    #[must_use]
    pub fn with_stamps(mut self, stamps: Stamps) -> Self {
        self.started = (stamps.clock)();
        let mut state = self.state();
        if jcode::leader_of(&state.id).is_none() {
            state.id = (stamps.ids)().to_string();
        }
        drop(state);
        self.stamps = stamps;
        self
    }

    /// The session's id.
    pub fn uuid(&self) -> String {
        self.state().id.clone()
    }

    /// The session's name in the store.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the id is longer than a key can be.
    pub fn key(&self) -> Result<SessionKey> {
        SessionKey::new(AGENT, self.uuid())
    }

    /// Whether anything was recorded under the present id, and the recorder is open.
    pub fn has_recording(&self) -> bool {
        self.state().phase == Phase::Recording
    }

    /// Goes on under another id: a session of that id is resumed, and otherwise made by the next
    /// record. May be called any number of times.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for an id that [`validate_session_id`] refuses, [`Error::Closed`]
    /// after [`close`](Self::close). The id stays as it was then.
    pub fn set_uuid(&self, id: &str) -> Result<()> {
        validate_session_id(id)?;
        let mut state = self.state();
        if state.phase == Phase::Closed {
            let key = SessionKey::new(AGENT, state.id.as_str())?;
            return Err(Error::Closed { key });
        }
        id.clone_into(&mut state.id);
        state.phase = Phase::Waiting;
        Ok(())
    }

    /// Ends the recording. A further call does nothing.
    pub fn close(&self) {
        self.state().phase = Phase::Closed;
    }

    /// What the last record that failed failed of, with its causes.
    pub fn last_error(&self) -> Option<String> {
        self.state().last_error.clone()
    }

    /// Records an entry of any kind; one without a timestamp gets the present time.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record(&self, entry: impl Into<Entry>) -> Result<()> {
        self.record_all(vec![entry.into()])
    }

    /// Records entries, all or none of them.
    ///
    /// # Errors
    ///
    /// As every record: see [`Recorder`].
    pub fn record_all(&self, entries: Vec<Entry>) -> Result<()> {
        let mut state = self.state();
        let recorded = self.append(&mut state, entries);
        if let Err(error) = &recorded {
            let text = with_causes(error);
            tracing::warn!(session = %state.id, error = %text, "an entry was not recorded");
            state.last_error = Some(text);
        }
        recorded
    }

    /// Appends entries, with the header before them if the session is not there yet.
    fn append(&self, state: &mut State, entries: Vec<Entry>) -> Result<()> {
        let key = SessionKey::new(AGENT, state.id.as_str())?;
        if state.phase == Phase::Closed {
            return Err(Error::Closed { key });
        }
        if entries.is_empty() {
            return Ok(());
        }
        // The time is taken behind the lock, so that times ascend as the records do.
        let now = jcode::timestamp((self.stamps.clock)());
        let mut records = Vec::with_capacity(entries.len() + 1);
        records.push(NewRecord::line(self.header(&state.id).line()));
        for mut entry in entries {
            if entry.timestamp.is_empty() {
                entry.timestamp.clone_from(&now);
            }
            records.push(NewRecord::line(entry.line()));
        }
        if state.phase == Phase::Waiting {
            match self.store.append(&key, Expect::Sequence(0), None, &records) {
                // The session is there: it is gone on with.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    state.phase = Phase::Recording;
                    return Ok(());
                }
            }
        }
        let without_header = records.get(1..).unwrap_or_default();
        self.store.append(&key, Expect::Any, None, without_header)?;
        state.phase = Phase::Recording;
        Ok(())
    }

    /// The header of the session, of the time at which the recorder was made.
    fn header(&self, id: &str) -> Entry {
        let kind = EntryKind::SessionStart {
            uuid: id.to_owned(),
            project: self.project.clone(),
            provider: self.provider.clone(),
            model: self.model.clone(),
        };
        Entry::new(kind, jcode::timestamp(self.started))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error in one line, its causes behind it.
fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
