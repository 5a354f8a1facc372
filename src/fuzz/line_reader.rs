//! The reader of lines: any bytes, read in any pieces, with any limit, resumed anywhere.

use std::io::{self, ErrorKind, Read};

use super::input::Input;
use crate::jsonl::LineReader;

/// Hands out its bytes in pieces of the given lengths; a length of 0 is an interruption, and one
/// of 1 an error before the piece.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    at: usize,
    failed: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self
            .lengths
            .get(self.at % self.lengths.len().max(1))
            .copied();
        self.at += 1;
        let length = match length.unwrap_or(255) {
            // Not each time: a source that is always interrupted never ends.
            0 if self.at.is_multiple_of(2) => return Err(ErrorKind::Interrupted.into()),
            // Once: the reader has to go on with the same piece when it is asked again.
            1 if !self.failed => {
                self.failed = true;
                return Err(ErrorKind::TimedOut.into());
            }
            length => usize::from(length).max(1),
        };
        self.failed = false;
        let length = length.min(room.len()).min(self.bytes.len());
        let (taken, rest) = self.bytes.split_at(length);
        room[..length].copy_from_slice(taken);
        self.bytes = rest;
        Ok(length)
    }
}

/// A line, owned: bytes, offset, number, terminated, continues, continued.
type Owned = (Vec<u8>, u64, u64, bool, bool, bool);

fn read(mut reader: LineReader<impl Read>) -> Vec<Owned> {
    let mut lines = Vec::new();
    loop {
        match reader.next_line() {
            Ok(Some(line)) => lines.push((
                line.bytes.to_vec(),
                line.offset,
                line.number,
                line.terminated,
                line.continues,
                line.continued,
            )),
            Ok(None) => return lines,
            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
        }
    }
}

/// The lines are the source, whatever the pieces; a reader that starts behind any line gives the
/// same further ones.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = match input.byte() {
        0 => usize::MAX / 2,
        limit => usize::from(limit),
    };
    let count = usize::from(input.byte() % 8);
    let lengths = input.bytes(count);
    let source = input.rest();

    let whole = read(LineReader::with_limit(source, 0, 0, limit));
    let pieces = Pieces {
        bytes: source,
        lengths,
        at: 0,
        failed: false,
    };
    assert_eq!(read(LineReader::with_limit(pieces, 0, 0, limit)), whole);

    let joined: Vec<u8> = whole
        .iter()
        .flat_map(|line| line.0.iter().copied())
        .collect();
    assert!(joined == source, "the lines are not the source");
    let (mut offset, mut number, mut continued) = (0, 1, false);
    for (at, line) in whole.iter().enumerate() {
        assert_eq!((line.1, line.2, line.5), (offset, number, continued));
        assert!(!line.0.is_empty() && line.0.len() <= limit);
        assert_eq!(line.3, line.0.ends_with(b"\n"));
        assert_eq!(
            memchr::memchr_iter(b'\n', &line.0).count(),
            usize::from(line.3)
        );
        // Only the last line may lack its end, unless the line goes on.
        assert!(line.3 || line.4 || at + 1 == whole.len());
        offset += line.0.len() as u64;
        number += u64::from(!line.4);
        continued = line.4;
    }
    let Some(at) = whole
        .len()
        .checked_sub(1)
        .map(|last| source.len() % (last + 1))
    else {
        return;
    };
    // Only behind the end of a line: a piece of a line tells nothing of how long it is already.
    if !whole[at].4 {
        let offset = whole[at].1 + whole[at].0.len() as u64;
        let rest = &source[usize::try_from(offset).unwrap()..];
        let resumed = read(LineReader::with_limit(rest, offset, whole[at].2, limit));
        assert_eq!(resumed, whole[at + 1..]);
    }
}
