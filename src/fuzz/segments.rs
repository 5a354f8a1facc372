//! Segments: any bytes are read or refused, what was packed comes back, parts add up.

use super::input::Input;
use crate::codec::parts;
use crate::codec::segment::{Packer, Segment};
use crate::model::record::Record;

/// Runs one input.
pub(super) fn run(data: &[u8]) {
    opened(data);
    let mut input = Input::new(data);
    let at = usize::from(input.byte());
    let mut sequence = input.number() / 2;
    let mut packer = Packer::default();
    let mut expected = Vec::new();
    while input.is_left() && expected.len() < 64 {
        sequence += 1 + u64::from(input.byte());
        let header = input.header();
        let line = input
            .text()
            .repeat(1 + usize::from(input.byte() % 8))
            .into_bytes();
        packer.push(sequence, header, &line);
        expected.push(Record {
            sequence,
            header,
            line,
        });
    }
    let Some(sealed) = packer.seal() else { return };
    assert_eq!(sealed.first, expected[0].sequence);
    let segment = Segment::open(&sealed.bytes).unwrap();
    assert_eq!(
        segment.records().map(Segment::owned).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(segment.last_sequence(), sequence);

    let mut damaged = sealed.bytes.clone();
    let place = at % damaged.len();
    // An odd number: the byte is another one in any case.
    damaged[place] = damaged[place].wrapping_add(input.byte() | 1);
    opened(&damaged);
    opened(&sealed.bytes[..place]);

    let (mut rest, mut steps) = (sealed.bytes.len(), 0);
    while rest > 0 {
        let length = parts::next_length(rest, 10);
        assert!(
            length > 0 && length <= rest,
            "a part of {length} bytes of {rest}"
        );
        rest -= length;
        steps += 1;
    }
    // Parts that are too small would be rows without end.
    assert!(steps <= 8 + sealed.bytes.len() / (200 * 1024));
}

/// Bytes that a checksum does not vouch for: no panic, and no record outside of them.
fn opened(bytes: &[u8]) {
    let Ok(segment) = Segment::open(bytes) else {
        return;
    };
    let mut total = 0;
    for (sequence, _, line) in segment.records() {
        assert!(sequence <= segment.last_sequence() || line.len() <= segment.line_bytes());
        total += line.len();
    }
    assert_eq!(total, segment.line_bytes());
}
