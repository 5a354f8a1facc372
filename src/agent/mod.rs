//! What an agent programmer holds: facades over a [`Store`](crate::Store), one for each way of
//! thinking about sessions.

mod ggcode_session;
mod git_root;
mod project;

pub use self::ggcode_session::ggcode_session;
pub use self::project::{LogEntry, Project};
mod recorder;
mod recordings;
mod replay;
mod session_id;

pub use self::recorder::Recorder;
pub use self::recordings::Recordings;
pub use self::replay::{
    Compatibility, Goal, PlanSnapshot, RecordedState, Repair, ReplayOptions, Replayed,
    last_environment, reconstruct_history, reconstruct_state,
};
pub use self::session_id::validate_session_id;
mod session_store;
mod store_sessions;
mod tool_pairs;

pub use self::session_store::SessionStore;
pub use self::store_sessions::{History, Kept, StoreSessions, opaque_key};
