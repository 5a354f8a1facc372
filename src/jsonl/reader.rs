//! Splitting a source into lines, holding one line at a time.
//!
//! - A line ends at `0x0A` and nowhere else; the terminator belongs to it, and the unterminated
//!   rest of a source is a line too.
//! - The bytes of all lines, one after the other, are the source.
//! - Memory is bounded by the limit: a longer line comes in pieces.
//! - Every byte is looked at once, however the source hands them out.

use std::io::{self, ErrorKind, Read};

use memchr::memchr;

use crate::model::limits::LINE_BYTES_MAX;

/// Bytes asked of the source at a time, at least. Larger reads gain nothing; smaller ones cost
/// system calls.
const READ_BYTES: usize = 256 * 1024;

/// A buffer that one long line has grown beyond this is given back after that line.
const BUFFER_KEPT_BYTES: usize = 8 * 1024 * 1024;

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
    source: R,
    buffer: Vec<u8>,
    /// Where the next line starts in the buffer.
    start: usize,
    /// How far the buffer is looked through for a terminator; never before `start`.
    searched: usize,
    /// How far the buffer is filled.
    end: usize,
    /// Where the next line starts in the source.
    offset: u64,
    /// Whole lines given so far.
    lines: u64,
    /// Whether the next line goes on from the piece before.
    continued: bool,
    /// Whether the source has said that it is at its end.
    ended: bool,
    limit: usize,
}

impl<R: Read> LineReader<R> {
    /// Reads from the start of a source.
    pub(crate) fn new(source: R) -> Self {
        Self::resume(source, 0, 0)
    }

    /// Reads from the middle of a source: `offset` bytes and `lines` lines lie before it.
    pub(crate) fn resume(source: R, offset: u64, lines: u64) -> Self {
        Self::with_limit(source, offset, lines, LINE_BYTES_MAX)
    }

    /// As [`resume`](Self::resume), with another longest line: for tests.
    pub(crate) fn with_limit(source: R, offset: u64, lines: u64, limit: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            end: 0,
            offset,
            lines,
            continued: false,
            ended: false,
            limit: limit.max(1),
        }
    }

    /// With a buffer that another reader has used.
    pub(crate) fn with_buffer(self, buffer: Vec<u8>) -> Self {
        Self { buffer, ..self }
    }

    /// The buffer, for another reader; none that a long line has grown.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() <= BUFFER_KEPT_BYTES {
            self.buffer
        } else {
            Vec::new()
        }
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    ///
    /// What the source says, except `Interrupted`: that is tried again. No byte is lost by an
    /// error; a further call goes on where this one stopped.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.next_line_after(&mut || ())
    }

    /// As [`next_line`](Self::next_line). Before more than [`BUFFER_KEPT_BYTES`] are held for a
    /// line, `wait` is called: it may wait until there is memory for it.
    pub(crate) fn next_line_after(
        &mut self,
        wait: &mut dyn FnMut(),
    ) -> io::Result<Option<Line<'_>>> {
        loop {
            let piece_end = self.end.min(self.start.saturating_add(self.limit));
            // Only what was not looked through yet: a long line that comes in many reads is
            // searched once.
            let window = self
                .buffer
                .get(self.searched..piece_end)
                .unwrap_or_default();
            if let Some(found) = memchr(b'\n', window) {
                let line_end = self.searched + found + 1;
                return Ok(Some(self.take(line_end, true, false)));
            }
            self.searched = piece_end;
            // Longer than a line may be: it is given in pieces.
            if self.end > piece_end {
                return Ok(Some(self.take(piece_end, false, true)));
            }
            // The rest without a terminator is a line too.
            if self.ended {
                let rest = self.start < self.end;
                return Ok(rest.then(|| self.take(piece_end, false, false)));
            }
            self.fill(wait)?;
        }
    }

    /// Whether more is held than is kept after a long line.
    pub(crate) fn holds_much(&self) -> bool {
        self.buffer.len() > BUFFER_KEPT_BYTES
    }

    /// Gives the bytes up to `line_end` and moves on behind them.
    fn take(&mut self, line_end: usize, terminated: bool, continues: bool) -> Line<'_> {
        let bytes = self.buffer.get(self.start..line_end).unwrap_or_default();
        let line = Line {
            bytes,
            offset: self.offset,
            number: self.lines + 1,
            terminated,
            continues,
            continued: self.continued,
        };
        self.offset += bytes.len() as u64;
        self.lines += u64::from(!continues);
        self.continued = continues;
        self.start = line_end;
        self.searched = line_end;
        line
    }

    /// Reads once, after making room.
    fn fill(&mut self, wait: &mut dyn FnMut()) -> io::Result<()> {
        if self.start > 0 {
            // What is left is the start of one line: short, or about to be the whole buffer.
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
            if self.holds_much() && self.end < READ_BYTES {
                self.buffer.truncate(2 * READ_BYTES);
                self.buffer.shrink_to_fit();
            }
        }
        if self.buffer.len() - self.end < READ_BYTES {
            // Doubled, so that a long line is copied a few times and not with every read; never
            // beyond what the longest takes.
            let doubled = self.buffer.len().saturating_mul(2).max(2 * READ_BYTES);
            let enough = self.limit.saturating_add(2 * READ_BYTES);
            if doubled > BUFFER_KEPT_BYTES {
                wait();
            }
            self.buffer.resize(doubled.min(enough), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        // A source that claims more than there was room for is not believed.
        self.end += read.min(room.len());
        self.ended = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands out its bytes in pieces of the given lengths, with an interruption before each.
    struct Chunks<'a> {
        bytes: &'a [u8],
        lengths: std::iter::Cycle<std::vec::IntoIter<usize>>,
        interrupted: bool,
    }

    impl<'a> Chunks<'a> {
        fn new(bytes: &'a [u8], lengths: Vec<usize>) -> Self {
            Self {
                bytes,
                lengths: lengths.into_iter().cycle(),
                interrupted: false,
            }
        }
    }

    impl Read for Chunks<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(ErrorKind::Interrupted.into());
            }
            let length = self.lengths.next().unwrap_or(1).min(room.len());
            self.bytes.by_ref().take(length as u64).read(room)
        }
    }

    type Owned = (Vec<u8>, u64, u64, bool, bool, bool);

    fn lines(mut reader: LineReader<impl Read>) -> Vec<Owned> {
        let mut all = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            all.push((
                line.bytes.to_vec(),
                line.offset,
                line.number,
                line.terminated,
                line.continues,
                line.continued,
            ));
        }
        assert!(
            reader.next_line().unwrap().is_none(),
            "the end is not the end"
        );
        all
    }

    #[test]
    fn an_empty_source_has_no_line() {
        assert_eq!(lines(LineReader::new(&b""[..])), []);
    }

    #[test]
    fn lines_end_at_line_feeds_and_nowhere_else() {
        let source = "a\r\n\n\u{2028}\u{85}\rb".as_bytes();
        assert_eq!(
            lines(LineReader::new(source)),
            [
                (b"a\r\n".to_vec(), 0, 1, true, false, false),
                (b"\n".to_vec(), 3, 2, true, false, false),
                (
                    "\u{2028}\u{85}\rb".as_bytes().to_vec(),
                    4,
                    3,
                    false,
                    false,
                    false
                ),
            ]
        );
    }

    #[test]
    fn a_line_past_the_limit_comes_in_pieces_of_one_number() {
        let reader = LineReader::with_limit(&b"abcdefg\nabc\nabcd"[..], 0, 0, 4);
        assert_eq!(
            lines(reader),
            [
                (b"abcd".to_vec(), 0, 1, false, true, false),
                (b"efg\n".to_vec(), 4, 1, true, false, true),
                (b"abc\n".to_vec(), 8, 2, true, false, false),
                (b"abcd".to_vec(), 12, 3, false, false, false),
            ]
        );
    }

    #[test]
    fn a_terminator_just_past_the_limit_is_a_piece_of_its_own() {
        let reader = LineReader::with_limit(&b"abcd\nx"[..], 0, 0, 4);
        assert_eq!(
            lines(reader),
            [
                (b"abcd".to_vec(), 0, 1, false, true, false),
                (b"\n".to_vec(), 4, 1, true, false, true),
                (b"x".to_vec(), 5, 2, false, false, false),
            ]
        );
    }

    #[test]
    fn a_resumed_reader_counts_on() {
        let mut reader = LineReader::resume(&b"b\nc"[..], 7, 3);
        let line = reader.next_line().unwrap().unwrap();
        assert_eq!((line.offset, line.number), (7, 4));
        let line = reader.next_line().unwrap().unwrap();
        assert_eq!((line.offset, line.number, line.terminated), (9, 5, false));
        assert_eq!(reader.next_line().unwrap(), None);
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_whole_and_the_buffer_is_given_back() {
        let mut source = vec![0; BUFFER_KEPT_BYTES + 5];
        source.push(b'\n');
        source.resize(4 * BUFFER_KEPT_BYTES, b' ');
        for at in (BUFFER_KEPT_BYTES + 6..source.len()).step_by(1000) {
            source[at] = b'\n';
        }
        let mut reader = LineReader::new(&source[..]);
        assert_eq!(
            reader.next_line().unwrap().unwrap().bytes.len(),
            BUFFER_KEPT_BYTES + 6
        );
        while reader.next_line().unwrap().is_some() {}
        assert!(
            reader.buffer.capacity() <= BUFFER_KEPT_BYTES,
            "{}",
            reader.buffer.capacity()
        );
    }

    #[test]
    fn memory_is_bounded_by_the_limit() {
        let source = vec![b'x'; 40 * READ_BYTES];
        let mut reader = LineReader::with_limit(&source[..], 0, 0, READ_BYTES);
        while reader.next_line().unwrap().is_some() {}
        assert!(
            reader.buffer.capacity() <= 4 * READ_BYTES,
            "{}",
            reader.buffer.capacity()
        );
    }

    #[test]
    fn an_error_loses_nothing() {
        struct Fails(usize);
        impl Read for Fails {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => (&b"ab"[..]).read(room),
                    2 => Err(ErrorKind::TimedOut.into()),
                    3 => (&b"c\n"[..]).read(room),
                    _ => Ok(0),
                }
            }
        }
        let mut reader = LineReader::new(Fails(0));
        assert_eq!(reader.next_line().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"abc\n");
        assert!(reader.next_line().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn the_lines_are_the_source(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(0), any::<u8>()], 0..400),
            lengths in proptest::collection::vec(1_usize..50, 1..8),
            limit in 1_usize..40,
        ) {
            let all = lines(LineReader::with_limit(Chunks::new(&bytes, lengths), 0, 0, limit));
            let joined: Vec<u8> = all.iter().flat_map(|line| line.0.clone()).collect();
            prop_assert_eq!(&joined, &bytes);
            let mut offset = 0;
            let mut number = 1;
            let mut continued = false;
            for (index, line) in all.iter().enumerate() {
                prop_assert!(!line.0.is_empty() && line.0.len() <= limit);
                prop_assert_eq!((line.1, line.2, line.5), (offset, number, continued));
                prop_assert_eq!(line.3, line.0.ends_with(b"\n"));
                prop_assert!(!line.0[..line.0.len() - 1].contains(&b'\n'));
                prop_assert!(!(line.4 && line.3), "a terminated line goes on");
                prop_assert!(line.3 || line.4 || index + 1 == all.len());
                prop_assert!(!line.4 || line.0.len() == limit);
                prop_assert!(!line.4 || index + 1 < all.len());
                offset += line.0.len() as u64;
                number += u64::from(!line.4);
                continued = line.4;
            }
        }
    }
}
