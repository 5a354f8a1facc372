//! What hangs on what: which messages a line takes back.
//!
//! A line that hangs on an earlier message than the last one begins another branch, and what was said
//! in between was taken back. Not so where only the rest of that message's own answer lies in between
//! (calls side by side: each has its line, and each result hangs on the line of its call), and not by
//! a line that is only on the way, by one without a parent, or by one whose parent is not there.

use super::{Course, Said};
use crate::model::exception::{Exception, ExceptionKind};
use crate::model::links::{Links, Place};

/// How many messages a way back may have that is followed: no line costs more.
const WAY: usize = 4096;

impl Course {
    /// Gives an id its place, with the message that it hangs on.
    pub(super) fn place(&mut self, id: u64, sequence: u64, links: &Links) {
        // No lines but its own lead to a message: what is noted instead is the message above it.
        let above_it = || {
            let parent = links.parent.and_then(|parent| self.ids.get(&parent));
            parent.and_then(|parent| parent.above).unwrap_or(sequence)
        };
        let own = (Some(sequence), sequence);
        let (above, begin) = match links.place {
            Place::Way => match links.parent.and_then(|parent| self.ids.get(&parent)) {
                Some(parent) if parent.above == Some(parent.sequence) => (parent.above, sequence),
                Some(parent) => (parent.above, parent.begin),
                None => (None, sequence),
            },
            Place::Asked | Place::Answered => (Some(sequence), above_it()),
            Place::Apart | Place::Root | Place::Joint => own,
        };
        self.note_id(id, sequence, above, begin);
    }

    /// A message of the main talk, which may begin another branch.
    pub(super) fn say(&mut self, sequence: u64, links: &Links) {
        let answer = links.answer.map_or(0, |answer| answer.key);
        let is_asked = links.place == Place::Asked;
        if let Some(parent) = links
            .parent
            .and_then(|parent| self.ids.get(&parent))
            .copied()
            && let Some(above) = parent.above
            && let Some(first) = self.left_behind(above, answer)
        {
            // Lines that lead to this one lie behind what is left, and stay.
            let is_behind = parent.sequence > above && parent.begin > first;
            let last = if is_behind { parent.begin } else { sequence };
            let last = last.saturating_sub(1);
            // It hangs on a message that was taken back: the talk goes back to a branch that was
            // left.
            if let Some((live, way)) = self.left_way(above) {
                self.go_back_to(live, &way, last, sequence);
            } else {
                self.go_on_from(above);
                self.take_back(first, last, sequence);
            }
        }
        self.note_said(sequence, answer, is_asked);
    }

    /// A message from which the talk begins anew.
    pub(super) fn begin_anew(&mut self, sequence: u64) {
        if let Some(first) = self.said.first().map(|said| said.sequence) {
            self.take_back(first, sequence.saturating_sub(1), sequence);
        }
        self.note_said(sequence, 0, true);
    }

    /// The first message that is left behind by one that hangs on `above`.
    fn left_behind(&self, above: u64, answer: u64) -> Option<u64> {
        let behind = self.said.partition_point(|said| said.sequence <= above);
        let own = behind
            .checked_sub(1)
            .and_then(|at| self.said.get(at))
            .map_or(0, |said| said.answer);
        let is_of_it =
            |said: &&Said| said.answer != 0 && (said.answer == own || said.answer == answer);
        let mut rest = self.said.get(behind..)?.iter().skip_while(is_of_it);
        rest.next().map(|said| said.sequence)
    }

    /// The messages that lead to one that was taken back, itself the first, up to one that was not, which is
    /// given too; `None` of one that is live, and where it is not known what it hangs on.
    fn left_way(&self, sequence: u64) -> Option<(u64, Vec<u64>)> {
        let (mut at, mut way) = (sequence, Vec::new());
        while self.taken_back_at(at).is_some() {
            way.push(at);
            at = self.above.get(&at).copied().filter(|above| *above < at)?;
            if way.len() > WAY {
                return None;
            }
        }
        (!way.is_empty()).then_some((at, way))
    }

    /// The talk goes on from a message that was taken back: the way to it is live again, and of what
    /// stands behind the last message that always was, nothing else.
    fn go_back_to(&mut self, live: u64, way: &[u64], last: u64, by: u64) {
        if let Some(first) = self.left_behind(live, 0) {
            self.take_back(first, last, by);
        }
        for at in way {
            let next = self.said.partition_point(|said| said.sequence <= *at);
            let end = self.said.get(next).map_or(last, |said| said.sequence - 1);
            self.revive(*at, end.min(last));
        }
    }

    /// Takes a run out of what was taken back.
    fn revive(&mut self, first: u64, last: u64) {
        let Some(taken) = self.taken_back_at(first).copied() else {
            return;
        };
        self.remove(ExceptionKind::TakenBack, taken.first);
        // What stands before it and behind it in the run stays taken back.
        if taken.first < first {
            self.put(Exception {
                last: first - 1,
                ..taken
            });
        }
        if last < taken.last {
            self.put(Exception {
                first: last + 1,
                ..taken
            });
        }
    }

    /// The branch of a message goes on: as far as it, it is live again.
    fn go_on_from(&mut self, sequence: u64) {
        if let Some(taken) = self.taken_back_at(sequence).copied() {
            self.remove(ExceptionKind::TakenBack, taken.first);
            if sequence < taken.last {
                self.put(Exception {
                    first: sequence + 1,
                    ..taken
                });
            }
        }
    }

    /// Takes back the last turns: so many.
    pub(super) fn take_back_turns(&mut self, turns: u64, sequence: u64) {
        let turns = usize::try_from(turns).unwrap_or(usize::MAX);
        let asked = self.said.iter().rev().filter(|said| said.is_asked);
        // A turn that was taken back before is not in the talk that is counted.
        let live = asked.filter(|said| self.is_live(said.sequence)).take(turns);
        if let Some(first) = live.last().map(|said| said.sequence) {
            self.take_back(first, sequence.saturating_sub(1), sequence);
        }
    }

    /// Takes back what stands from one record to another.
    pub(super) fn take_back(&mut self, first: u64, last: u64, by: u64) {
        if first > last {
            return;
        }
        // Runs do not overlap: those that lie in the new one go, and one that reaches into it ends
        // before it.
        let within: Vec<u64> = self
            .taken_back()
            .filter(|taken| taken.first >= first)
            .map(|taken| taken.first)
            .collect();
        for at in within {
            self.remove(ExceptionKind::TakenBack, at);
        }
        if let Some(before) = self.taken_back_at(first).copied() {
            self.put(Exception {
                last: first.saturating_sub(1),
                ..before
            });
        }
        self.put(Exception {
            kind: ExceptionKind::TakenBack,
            first,
            last,
            by: Some(by),
            messages: 0,
        });
    }

    /// The runs that were taken back, none of which lies in another.
    pub(super) fn taken_back(&self) -> impl Iterator<Item = &Exception> {
        let code = ExceptionKind::TakenBack.code();
        let range = (code, 0)..=(code, u64::MAX);
        self.exceptions.range(range).map(|(_, exception)| exception)
    }

    /// The run that was taken back and that a record is in.
    pub(super) fn taken_back_at(&self, sequence: u64) -> Option<&Exception> {
        let code = ExceptionKind::TakenBack.code();
        let mut before = self.exceptions.range((code, 0)..=(code, sequence));
        let (_, taken) = before.next_back()?;
        (taken.last >= sequence).then_some(taken)
    }
}
