//! The file of a session as its agent last had it: which records it holds, in which order.
//!
//! Records are never changed or moved for it: the order lies beside them, as runs of sequence numbers.

use bincode::{Decode, Encode};

use super::chain::{Chain, Digest};
use super::row::{self, RowError, RowFormat};

const VERSION: u8 = 1;

/// Most bytes of such a row: some ten thousand runs.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Most runs that an order has. A file that would need more is another content.
pub(crate) const RUNS_MAX: usize = 4096;

/// Consecutive sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Run {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl Run {
    /// How many sequence numbers it has.
    pub(crate) fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether it has a sequence number.
    pub(crate) fn contains(self, sequence: u64) -> bool {
        (self.first..=self.last).contains(&sequence)
    }
}

/// All sequence numbers before one.
fn all_up_to(next: u64) -> Run {
    Run {
        first: 0,
        last: next.saturating_sub(1),
    }
}

/// Puts a sequence number behind runs.
pub(crate) fn push(runs: &mut Vec<Run>, sequence: u64) {
    push_run(
        runs,
        Run {
            first: sequence,
            last: sequence,
        },
    );
}

/// Puts a run behind others, joined to the last one if it goes on there.
pub(crate) fn push_run(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.last.checked_add(1) == Some(run.first) => last.last = run.last,
        _ => runs.push(run),
    }
}

/// The file order of a session: the row of table `file_orders`. The session's number is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileOrder {
    /// How often its lines changed otherwise than in their header. A place where the file was seen
    /// at an earlier time is no place of its any more.
    pub revision: u32,
    /// The records of the file, in its order. Records that a compaction here has removed keep their
    /// numbers.
    pub runs: Vec<Run>,
    /// Lines that are compared: not the headers that its agent rewrites, nor an unterminated one.
    pub lines: u64,
    /// The digest chain over these.
    pub digest: Digest,
    /// The session's next sequence number when the file was last read: what came later was appended
    /// here.
    pub next: u64,
    /// What was appended here before, and is not in the file.
    pub here: Vec<Run>,
    /// The source that it was last read from: hash of the path, and generation.
    pub place: Option<SourceId>,
    /// The newest time of last change that the file was seen with, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Whether its last record lacks its terminator.
    pub open: bool,
    /// How many lines its agent said to be hidden, where its agent counts them.
    pub skip: u64,
    /// What it was before its agent took lines away: compared lines, and the chain over them.
    pub earlier: Vec<(u64, Digest)>,
}

/// A source, without its path: xxh3-64 of that, and the generation.
pub(crate) type SourceId = (u64, u32);

/// The id of a source.
pub(crate) fn source_id(path: &[u8], generation: u32) -> SourceId {
    (xxhash_rust::xxh3::xxh3_64(path), generation)
}

/// The stored form, version 1: short for a file whose records are all in order, as in nearly every one.
#[derive(Encode, Decode)]
struct Stored {
    revision: u32,
    next: u64,
    lines: u64,
    digest: Digest,
    place: Option<SourceId>,
    mtime_ns: i64,
    open: bool,
    /// The runs; `None` if they are all records up to `next`.
    runs: Option<Vec<Run>>,
    rest: Option<Rest>,
}

/// What few files have.
#[derive(Encode, Decode)]
struct Rest {
    here: Vec<Run>,
    skip: u64,
    earlier: Vec<(u64, Digest)>,
}

impl FileOrder {
    fn stored(&self) -> Stored {
        // Of a session without records there is no run that could be left out.
        let is_whole = self.next > 0 && self.runs == [all_up_to(self.next)];
        let is_plain = self.here.is_empty() && self.skip == 0 && self.earlier.is_empty();
        Stored {
            revision: self.revision,
            next: self.next,
            lines: self.lines,
            digest: self.digest,
            place: self.place,
            mtime_ns: self.mtime_ns,
            open: self.open,
            runs: (!is_whole).then(|| self.runs.clone()),
            rest: (!is_plain).then(|| Rest {
                here: self.here.clone(),
                skip: self.skip,
                earlier: self.earlier.clone(),
            }),
        }
    }

    /// That of a session whose file is not known: all of its records were appended here.
    pub(crate) fn none() -> Self {
        Self {
            revision: 0,
            runs: Vec::new(),
            lines: 0,
            digest: Chain::starting_at(0).digest,
            next: 0,
            here: Vec::new(),
            place: None,
            // Every time of a file is later.
            mtime_ns: i64::MIN,
            open: false,
            skip: 0,
            earlier: Vec::new(),
        }
    }

    /// All records of a session that has `next` of them, in the order in which they are read: first
    /// those that the agent dropped from its file, then the file, then what was appended here.
    pub(crate) fn reading_order(&self, next: u64) -> Vec<Run> {
        let mut order = self.dropped();
        for run in self.runs.iter().chain(&self.here) {
            push_run(&mut order, *run);
        }
        if self.next < next {
            push_run(
                &mut order,
                Run {
                    first: self.next,
                    last: next - 1,
                },
            );
        }
        order
    }

    /// What was appended here, in a session with `next` records, and is not in the file.
    pub(crate) fn here_before(&self, next: u64) -> Vec<Run> {
        let mut here = self.here.clone();
        if let Some(last) = next.checked_sub(1).filter(|last| self.next <= *last) {
            let first = self.next;
            push_run(&mut here, Run { first, last });
        }
        here
    }

    /// What stood in the file once, and was neither appended here nor is there now.
    pub(crate) fn dropped(&self) -> Vec<Run> {
        let mut known: Vec<Run> = self.runs.iter().chain(&self.here).copied().collect();
        known.sort_unstable_by_key(|run| run.first);
        let (mut dropped, mut reached) = (Vec::new(), 0);
        for run in known {
            if reached < run.first {
                dropped.push(Run {
                    first: reached,
                    last: run.first - 1,
                });
            }
            reached = reached.max(run.last.saturating_add(1));
        }
        if reached < self.next {
            dropped.push(Run {
                first: reached,
                last: self.next - 1,
            });
        }
        dropped
    }

    /// Whether the records of a session with `next` of them are read in another order than that of
    /// their numbers, or not all of them are of the file or appended here.
    pub(crate) fn is_reordered(&self, next: u64) -> bool {
        let whole = Run {
            first: 0,
            last: next.saturating_sub(1),
        };
        !self.dropped().is_empty() || (next > 0 && self.reading_order(next) != [whole])
    }

    /// The stored bytes under a session's number.
    pub(crate) fn encode(&self, session: u64) -> Result<Vec<u8>, RowError> {
        let key = session.to_be_bytes();
        let stored = self.stored();
        row::encode_short::<BODY_BYTES_MAX, _>(RowFormat::FileOrder, VERSION, &key, &stored)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(session: u64, bytes: &[u8]) -> Result<Self, RowError> {
        let key = session.to_be_bytes();
        let stored: Stored =
            row::decode_short::<BODY_BYTES_MAX, _>(RowFormat::FileOrder, VERSION, &key, bytes)?;
        let rest = stored.rest.unwrap_or(Rest {
            here: Vec::new(),
            skip: 0,
            earlier: Vec::new(),
        });
        let order = Self {
            revision: stored.revision,
            runs: match stored.runs {
                Some(runs) => runs,
                None if stored.next == 0 => Vec::new(),
                None => vec![all_up_to(stored.next)],
            },
            lines: stored.lines,
            digest: stored.digest,
            next: stored.next,
            here: rest.here,
            place: stored.place,
            mtime_ns: stored.mtime_ns,
            open: stored.open,
            skip: rest.skip,
            earlier: rest.earlier,
        };
        let mut all: Vec<Run> = order.runs.iter().chain(&order.here).copied().collect();
        all.sort_unstable_by_key(|run| run.first);
        // Whoever reads by the order counts on it: lengths of runs are subtracted, and a record in
        // two of them would be shown twice.
        let is_sound = all
            .iter()
            .all(|run| run.first <= run.last && run.last < order.next)
            && all
                .iter()
                .zip(all.iter().skip(1))
                .all(|(one, two)| one.last < two.first);
        if is_sound {
            Ok(order)
        } else {
            Err(RowError(
                "a record stands in it twice, or is none".to_owned(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, last: u64) -> Run {
        Run { first, last }
    }

    fn order() -> FileOrder {
        FileOrder {
            revision: 2,
            runs: vec![run(9, 9), run(2, 5)],
            lines: 4,
            digest: [7; 32],
            next: 10,
            here: vec![run(7, 8)],
            place: Some(source_id(b"/x/a.jsonl", 1)),
            mtime_ns: -1,
            open: true,
            skip: 3,
            earlier: vec![(2, [9; 32])],
        }
    }

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let bytes = order().encode(7).unwrap();
        assert_eq!(FileOrder::decode(7, &bytes).as_ref(), Ok(&order()));
        assert!(FileOrder::decode(8, &bytes).is_err());
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        assert_eq!(
            hash, GOLDEN,
            "the layout of a released version never changes: {hash:#x}"
        );
    }

    const GOLDEN: u64 = 0x3b3e_9449_d3fe_b533;

    #[test]
    fn a_file_that_only_grew_takes_some_dozen_bytes() {
        let plain = FileOrder {
            runs: vec![run(0, 9)],
            here: Vec::new(),
            skip: 0,
            earlier: Vec::new(),
            ..order()
        };
        let bytes = plain.encode(7).unwrap();
        assert_eq!(bytes.len(), 60);
        assert_eq!(FileOrder::decode(7, &bytes).unwrap(), plain);
    }

    #[test]
    fn what_was_dropped_is_read_first_and_what_was_appended_here_last() {
        assert_eq!(order().dropped(), [run(0, 1), run(6, 6)]);
        let read = [run(0, 1), run(6, 6), run(9, 9), run(2, 5), run(7, 8)];
        assert_eq!(order().reading_order(10), read);
        let more = [
            run(0, 1),
            run(6, 6),
            run(9, 9),
            run(2, 5),
            run(7, 8),
            run(10, 11),
        ];
        assert_eq!(order().reading_order(12), more);
        assert!(order().is_reordered(10));
        let plain = FileOrder {
            runs: vec![run(0, 6)],
            ..order()
        };
        assert_eq!(plain.dropped(), [run(9, 9)]);
        let plain = FileOrder { next: 9, ..plain };
        assert!(!plain.is_reordered(12));
        assert_eq!(plain.reading_order(12), [run(0, 11)]);
        assert!(!FileOrder::none().is_reordered(0) && !FileOrder::none().is_reordered(3));
    }

    #[test]
    fn an_order_that_has_a_record_twice_is_damage() {
        for runs in [
            vec![run(0, 3), run(3, 4)],
            vec![run(4, 3)],
            vec![run(0, 10)],
        ] {
            let bad = FileOrder {
                runs,
                here: Vec::new(),
                ..order()
            };
            assert!(FileOrder::decode(7, &bad.encode(7).unwrap()).is_err());
        }
    }
}
