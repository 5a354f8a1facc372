//! What a power cut makes of writes that were not flushed: lost, kept, or torn at sectors, each on
//! its own, so that a later one may be there and an earlier one not.

use super::disk::Operation;

/// What a disk writes at once: a write is torn only between two of them.
const SECTOR: usize = 512;

/// What becomes of writes that were not flushed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Lost,
    Kept,
    /// Each is lost, kept or torn, by a sequence that starts here.
    Torn(u64),
}

/// The next number of a sequence that looks like chance, and is the same with every run.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// What is on the disk after a cut.
pub(crate) fn after_cut(durable: &[u8], pending: &[Operation], fate: Fate) -> Vec<u8> {
    let mut content = durable.to_vec();
    let mut chance = match fate {
        Fate::Lost => return content,
        Fate::Kept => {
            for one in pending {
                one.apply(&mut content);
            }
            return content;
        }
        Fate::Torn(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
    };
    for operation in pending {
        if next(&mut chance).is_multiple_of(3) {
            continue;
        }
        let whole = next(&mut chance).is_multiple_of(2);
        match operation {
            Operation::Write(offset, bytes) if !whole => {
                for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                    if next(&mut chance).is_multiple_of(2) {
                        let at = offset + number * SECTOR;
                        Operation::Write(at, sector.to_vec()).apply(&mut content);
                    }
                }
            }
            operation => operation.apply(&mut content),
        }
    }
    content
}

/// The images of a disk along a log of what was done to it: calls `visit` after each operation, and
/// before the first, with what was flushed and what was not.
pub(crate) fn along(
    start: &[u8],
    log: &[Operation],
    mut visit: impl FnMut(usize, &[u8], &[Operation]),
) {
    let (mut durable, mut pending) = (start.to_vec(), Vec::new());
    visit(0, &durable, &pending);
    for (number, operation) in log.iter().enumerate() {
        if matches!(operation, Operation::Flush) {
            for one in pending.drain(..) {
                Operation::apply(&one, &mut durable);
            }
        } else {
            pending.push(operation.clone());
        }
        visit(number + 1, &durable, &pending);
    }
}
