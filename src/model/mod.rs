//! What a session, a record and a message are. No I/O, no format.

pub(crate) mod error;
pub(crate) mod exception;
pub(crate) mod key;
pub mod limits;
pub(crate) mod links;
pub(crate) mod message;
pub(crate) mod naming;
pub(crate) mod properties;
pub(crate) mod raw_json;
pub(crate) mod record;
pub(crate) mod session;
pub(crate) mod text;
pub(crate) mod with;
