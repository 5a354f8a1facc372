//! What the lines of the writers say: whose they are, of which batch, and how many belong to it.

use scrollback::{NewRecord, SessionKey};

/// Most records in a batch.
pub(super) const PARTS_MAX: usize = 6;

/// The session of one writer alone; nobody truncates it.
pub(super) fn own(slot: usize) -> SessionKey {
    SessionKey::new("jsonl", format!("own-{slot}")).unwrap()
}

/// The two sessions of all writers, which are truncated and compacted meanwhile.
pub(super) fn shared() -> [SessionKey; 2] {
    ["shared-any", "shared-sequence"].map(|id| SessionKey::new("jsonl", id).unwrap())
}

/// A line: record `part` of the `parts` of a writer's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) slot: usize,
    pub(super) batch: u64,
    pub(super) part: usize,
    pub(super) parts: usize,
}

impl Line {
    /// The lines of a batch, whose size follows from its number.
    pub(super) fn batch(slot: usize, batch: u64) -> Vec<Self> {
        let parts = 2 + usize::try_from(batch).unwrap() % (PARTS_MAX - 1);
        (0..parts)
            .map(|part| Self {
                slot,
                batch,
                part,
                parts,
            })
            .collect()
    }

    /// The line as it is appended. Some are long, so that tails are sealed and segments split.
    pub(super) fn record(self) -> NewRecord {
        let Self {
            slot,
            batch,
            part,
            parts,
        } = self;
        let long = if batch % 50 == 7 { 6000 } else { 40 };
        let padding: String = (0..long)
            .map(|place| char::from(b'a' + u8::try_from((batch * 7 + place * 11) % 26).unwrap()))
            .collect();
        NewRecord::line(format!(
            "{{\"role\":\"user\",\"content\":\"{slot} {batch} {part} {parts} {padding}\"}}"
        ))
    }

    /// Reads a line back.
    pub(super) fn read(line: &[u8]) -> Self {
        let text = std::str::from_utf8(line).unwrap();
        let said = text
            .split('"')
            .nth(7)
            .unwrap_or_else(|| panic!("not a line of a writer: {text}"));
        Self::said(said)
    }

    /// Reads the text of a line.
    pub(super) fn said(said: &str) -> Self {
        let mut numbers = said.split(' ').take(4).map(|word| word.parse().unwrap());
        let mut number = || -> u64 { numbers.next().unwrap() };
        let (slot, batch, part, parts) = (number(), number(), number(), number());
        let size = |number| usize::try_from(number).unwrap();
        Self {
            slot: size(slot),
            batch,
            part: size(part),
            parts: size(parts),
        }
    }
}

/// Checks lines in a row, as one snapshot has them: every batch is whole and in one piece. The
/// first one may lack its beginning where a compaction took it.
pub(super) fn check_whole(lines: &[Line], is_compacted: bool) {
    let mut open: Option<Line> = None;
    for (place, line) in lines.iter().enumerate() {
        match open {
            Some(before) => {
                let wanted = Line {
                    part: before.part + 1,
                    ..before
                };
                assert_eq!(*line, wanted, "a batch is torn");
            }
            None => assert!(
                line.part == 0 || (place == 0 && is_compacted),
                "{line:?} without its beginning"
            ),
        }
        open = (line.part + 1 < line.parts).then_some(*line);
    }
    assert_eq!(open, None, "a batch without its end");
}
