//! The order in which the records of a session are read, where that is not the order of their
//! numbers: its agent has rewritten its file since.

use crate::codec::file_order::{FileOrder, Run};

/// The records of a session in their order, as runs of sequence numbers. Every record that the
/// session has or had is in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    runs: Vec<Run>,
    /// The place of the first record of the file: what the agent dropped from it stands before.
    file: u64,
}

impl Order {
    /// That of a session with `next` records, whose file is in this order.
    pub(crate) fn of(order: &FileOrder, next: u64) -> Self {
        let file = order.dropped().iter().map(|run| run.length()).sum();
        Self {
            runs: order.reading_order(next),
            file,
        }
    }

    /// How many records of a session stand before one. What is still to come stands behind all.
    pub(crate) fn place(&self, sequence: u64) -> u64 {
        let mut before = 0_u64;
        for run in &self.runs {
            if run.contains(sequence) {
                return before + (sequence - run.first);
            }
            before += run.length();
        }
        before.max(sequence)
    }

    /// The record at a place.
    pub(crate) fn at(&self, place: u64) -> Option<u64> {
        let mut left = place;
        for run in &self.runs {
            if left < run.length() {
                return Some(run.first + left);
            }
            left -= run.length();
        }
        None
    }

    /// The first record of the file; `None` if there is none behind what was dropped.
    pub(crate) fn file_start(&self) -> Option<u64> {
        self.at(self.file)
    }

    /// Where a walk through all records from a number on begins. From 0 on is from the first one on, which need
    /// not be record 0.
    pub(crate) fn first_from(&self, from: u64) -> Option<u64> {
        if from == 0 { self.at(0) } else { Some(from) }
    }

    /// Where a walk through the records of the file begins: likewise, without what the agent dropped from it.
    pub(crate) fn file_from(&self, from: u64) -> Option<u64> {
        if from == 0 {
            self.file_start()
        } else {
            Some(from)
        }
    }

    /// The runs from a record on.
    pub(crate) fn runs_from(&self, sequence: Option<u64>) -> Vec<Run> {
        let Some(sequence) = sequence else {
            return self.runs.clone();
        };
        let start = self.runs.iter().position(|run| run.contains(sequence));
        let Some(start) = start else {
            return Vec::new();
        };
        let mut runs = self.runs.get(start..).unwrap_or_default().to_vec();
        if let Some(first) = runs.first_mut() {
            first.first = sequence;
        }
        runs
    }

    /// The runs up to a record, the last one first.
    pub(crate) fn runs_back_from(&self, sequence: Option<u64>) -> Vec<Run> {
        let end = match sequence {
            Some(sequence) => self.runs.iter().position(|run| run.contains(sequence)),
            None => None,
        };
        // What is still to come stands behind all.
        let Some(end) = end else {
            return self.runs.iter().rev().copied().collect();
        };
        let mut runs: Vec<Run> = self.runs.get(..=end).unwrap_or_default().to_vec();
        if let (Some(last), Some(sequence)) = (runs.last_mut(), sequence) {
            last.last = sequence;
        }
        runs.reverse();
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, last: u64) -> Run {
        Run { first, last }
    }

    /// Records 0 and 6 were dropped; 9 is the header now, 7 and 8 were appended here, 10 and 11 since.
    fn order() -> Order {
        let file = FileOrder {
            runs: vec![run(9, 9), run(1, 5)],
            here: vec![run(7, 8)],
            next: 10,
            ..FileOrder::none()
        };
        Order::of(&file, 12)
    }

    #[test]
    fn places_and_records_lead_to_each_other() {
        let order = order();
        let read = [0, 6, 9, 1, 2, 3, 4, 5, 7, 8, 10, 11];
        for (place, sequence) in (0..).zip(read) {
            assert_eq!(
                (order.at(place), order.place(sequence)),
                (Some(sequence), place)
            );
        }
        assert_eq!(
            (order.at(12), order.place(12), order.place(40)),
            (None, 12, 40)
        );
        assert_eq!(order.file_start(), Some(9));
        assert_eq!(
            [0, 3].map(|from| order.first_from(from)),
            [Some(0), Some(3)]
        );
        assert_eq!([0, 3].map(|from| order.file_from(from)), [Some(9), Some(3)]);
    }

    #[test]
    fn a_walk_begins_at_a_record_and_goes_both_ways() {
        let order = order();
        assert_eq!(order.runs_from(None).len(), 6);
        assert_eq!(
            order.runs_from(Some(3)),
            [run(3, 5), run(7, 8), run(10, 11)]
        );
        assert_eq!(order.runs_from(Some(12)), []);
        let back = [run(1, 2), run(9, 9), run(6, 6), run(0, 0)];
        assert_eq!(order.runs_back_from(Some(2)), back);
        assert_eq!(order.runs_back_from(None).first(), Some(&run(10, 11)));
        assert_eq!(order.runs_back_from(Some(40)).len(), 6);
    }
}
