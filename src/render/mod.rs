//! Sessions as text for people: from the model alone.

pub(crate) mod markdown;
