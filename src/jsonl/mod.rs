//! Bytes to lines and back. Knows no format: a line ends at `0x0A` and nowhere else.

mod reader;

pub(crate) use reader::{Line, LineReader};
