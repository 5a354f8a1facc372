//! What an agent programmer holds: facades over a [`Store`](crate::Store), one for each way of
//! thinking about sessions, in a folder of the agent that it comes from.

mod celeste;
mod ggcode;
mod jcode;
mod picoclaw;

pub use self::celeste::{LogEntry, Project};
pub use self::ggcode::ggcode_session;
pub use self::jcode::{
    Compatibility, Entry, EntryImage, EntryKind, Goal, PlanSnapshot, RecordedState, Recorder,
    Recordings, Repair, ReplayOptions, Replayed, TodoItem, last_environment, reconstruct_history,
    reconstruct_state, validate_session_id,
};
pub use self::picoclaw::{History, Kept, SessionStore, StoreSessions, opaque_key};
