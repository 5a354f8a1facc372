//! jcode's way: what happens is recorded, and a session is what a replay of it says.

mod recorder;
mod recordings;
mod replay;
mod session_id;

pub use crate::agents::jcode::{Entry, EntryImage, EntryKind, TodoItem};

pub use self::recorder::Recorder;
pub use self::recordings::Recordings;
pub use self::replay::{
    Compatibility, Goal, PlanSnapshot, RecordedState, Repair, ReplayOptions, Replayed,
    last_environment, reconstruct_history, reconstruct_state,
};
pub use self::session_id::validate_session_id;
