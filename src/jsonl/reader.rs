//! placeholder
use std::io::{self, Read};
/// One line, or a piece of one that is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The bytes, terminator included.
    pub bytes: &'a [u8],
    /// Where they start in the source, in bytes.
    pub offset: u64,
    /// 1-based number of the line in the source.
    pub number: u64,
    /// Whether the bytes end with `0x0A`. Only the last line may lack it, and a piece.
    pub terminated: bool,
    /// Whether the line goes on in the next piece.
    pub continues: bool,
    /// Whether this is a piece that goes on from the one before.
    pub continued: bool,
}
/// Splits any bytes into lines, holding one line at a time.
#[derive(Debug)]
pub(crate) struct LineReader<R> {
    _source: R,
}
impl<R: Read> LineReader<R> {
    /// Reads from the start of a source.
    pub(crate) fn new(source: R) -> Self {
        Self { _source: source }
    }
    /// Reads from the middle of a source: `offset` bytes and `lines` lines lie before it.
    pub(crate) fn resume(source: R, _offset: u64, _lines: u64) -> Self {
        Self { _source: source }
    }
    /// The next line, or `None` at the end.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        unimplemented!()
    }
}
