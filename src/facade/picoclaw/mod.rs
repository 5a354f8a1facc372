//! picoclaw's way: a chat's history under its key, for a loop that does not wait for errors.

mod aliases;
mod session_store;
mod store_sessions;
mod summaries;
mod tool_pairs;

pub use self::aliases::opaque_key;
pub use self::session_store::SessionStore;
pub use self::store_sessions::StoreSessions;
pub use self::summaries::{History, Kept};
