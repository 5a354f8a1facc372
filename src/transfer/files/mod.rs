//! Files, whatever is in them: written whole, named by bytes, hashed.

pub(crate) mod atomic;
pub(super) mod hash;
pub(super) mod lock;
pub(super) mod open;
pub(crate) mod paths;
