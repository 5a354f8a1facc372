//! Sessions as pages of HTML: self-contained, readable without a script, and harmless whatever a session says.
//!
//! - Text is escaped by `maud`; raw HTML in Markdown is text (`prose`), and so are characters that a reader does not
//!   see or that turn the direction of text (`text`).
//! - A page names no other address but in links, whose schemes are listed (`prose`), and its policy allows none:
//!   `default-src 'none'`, with the hashes of the one style and the one script (`shell`).
//! - Images stand in the page, up to a cap (`images`).
//!
//! `message` is one message, `index` the page of many sessions.

mod images;
mod index;
mod message;
mod prose;
mod shell;
mod text;

pub(crate) use self::index::{Listed, write_index};
pub(crate) use self::message::Page;
