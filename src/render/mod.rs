//! Sessions as text for people: from the model alone.

pub(crate) mod call;
pub(crate) mod colours;
#[cfg(feature = "html")]
pub(crate) mod html;
pub(crate) mod image;
mod inert;
pub(crate) mod markdown;
pub(crate) mod number;
