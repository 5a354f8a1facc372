//! From the entries of a jcode session back to what its agent held: the messages for the model,
//! the plan, the tasks, the mode, the environment.
//!
//! Pure functions over entries. [`Compatibility::Exact`] gives what jcode gives;
//! [`Compatibility::Repaired`] gives what an API of a model accepts, and says what it mended.

mod history;
mod options;
mod pairs;
mod state;
mod subagents;

pub use self::options::{Compatibility, ReplayOptions, Replayed};
pub use self::pairs::Repair;
pub use self::state::{Goal, PlanSnapshot, RecordedState};
use crate::agents::jcode::Entry;

/// The messages of a session.
///
/// An exact replay gives the whole conversation, whatever was compacted; a repaired one gives the
/// messages of [`reconstruct_state`].
///
/// ```
/// use scrollback::jcode::{Entry, Repair, ReplayOptions, reconstruct_history};
///
/// let entries = Entry::read_line(br#"{"type":"tool_call","name":"read","args":"{}","tool_call_id":"t1"}"#);
/// assert_eq!(reconstruct_history(&entries, ReplayOptions::exact()).messages.len(), 1);
/// let repaired = reconstruct_history(&entries, ReplayOptions::default());
/// assert_eq!(repaired.messages.len(), 2);
/// assert!(matches!(repaired.repairs[0], Repair::ResultAdded { .. }));
/// ```
pub fn reconstruct_history(entries: &[Entry], options: ReplayOptions) -> Replayed {
    let mut repairs = Vec::new();
    let mut history = history::History::new(options.compatibility);
    for entry in subagents::of_the_session(entries, options, &mut repairs) {
        history.add(entry, options.compatibility == Compatibility::Repaired);
    }
    history.finish(repairs)
}

/// The messages of a session from its last compaction on, and the rest of its state.
///
/// ```
/// use scrollback::jcode::{Entry, ReplayOptions, reconstruct_state};
///
/// let entries = Entry::read_line(br#"{"type":"mode_change","mode":"planning"}"#);
/// assert_eq!(reconstruct_state(&entries, ReplayOptions::default()).mode, "planning");
/// ```
pub fn reconstruct_state(entries: &[Entry], options: ReplayOptions) -> RecordedState {
    let mut repairs = Vec::new();
    let mut history = history::History::new(options.compatibility);
    let mut state = state::Following::default();
    for entry in subagents::of_the_session(entries, options, &mut repairs) {
        history.add(entry, true);
        state.add(entry);
    }
    state.finish(history.finish(repairs))
}

/// The environment that the session was in at last, `local` if it never went elsewhere. What
/// subagents did counts too.
///
/// ```
/// assert_eq!(scrollback::jcode::last_environment(&[]), "local");
/// ```
pub fn last_environment(entries: &[Entry]) -> String {
    let mut environment = state::Environment::default();
    for entry in entries {
        environment.add(entry);
    }
    environment.current
}
