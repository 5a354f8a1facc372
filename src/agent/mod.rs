//! What an agent programmer holds: facades over a [`Store`](crate::Store), one for each way of
//! thinking about sessions.

mod session_store;
mod store_sessions;
mod tool_pairs;

pub use self::session_store::SessionStore;
pub use self::store_sessions::{History, Kept, StoreSessions, opaque_key};
