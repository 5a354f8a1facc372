//! Sessions as text for people: from the model alone.

pub(crate) mod call;
pub(crate) mod image;
mod inert;
pub(crate) mod markdown;
pub(crate) mod number;
