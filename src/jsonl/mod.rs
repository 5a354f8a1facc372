//! Bytes to lines and back, and what is compressed to bytes. Knows no format: a line ends at `0x0A` and nowhere else.

mod reader;
mod unpacked;

pub(crate) use reader::{Line, LineReader};
pub(crate) use unpacked::Unpacked;
