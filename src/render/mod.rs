//! Sessions as text for people: from the model alone.

pub(crate) mod call;
pub(crate) mod colours;
pub(crate) mod hidden;
#[cfg(feature = "html")]
pub(crate) mod html;
pub(crate) mod image;
mod inert;
pub(crate) mod markdown;
pub(crate) mod number;
pub(crate) mod shell_word;
mod speaker;
