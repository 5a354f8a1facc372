//! Where other agents keep their sessions, and how to read them where they lie.

#[cfg(feature = "opencode")]
pub(crate) mod opencode;
