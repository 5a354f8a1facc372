//! The course of a session: what only later lines tell of its lines. A message is written again under
//! its id, turns are taken back, an answer stands on several lines.
//!
//! Lines go by one after another, each once; what is not as its own line says becomes an
//! [`Exception`]. The state that this needs is small (ids as hashes, what was said, answers), and is
//! kept as notes, so that it goes on where it ended: with an import of a grown file, or an append. What
//! a course makes of lines depends on the lines alone, and not on how many came at a time.
//!
//! Where last records are replaced, what they told is cut off again ([`CourseChanges::of_cut`]).

#[cfg(test)]
mod acts;
mod chain;
mod changes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::codec::course_row::Note;
use crate::model::exception::{Exception, ExceptionKind};
use crate::model::links::{Act, Answer, Links, Place};
use crate::model::message::Usage;

pub(crate) use self::changes::{CourseChanges, SMALL_BLOCK_BYTES, StoredCourse, copied, moved_of};

/// How far apart two lines may be that are the same message, typed while the agent worked.
const TYPED_NEAR: u64 = 64;

/// How far apart the first and the last line of one message may be: what shows it reads all between.
pub(crate) const PARTS_NEAR: u64 = 256;

/// A record with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    sequence: u64,
    /// The message that it is, or that it hangs on by way of other lines.
    above: Option<u64>,
    /// Where the lines begin that lead to it from that message.
    begin: u64,
}

/// A message of the main talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    sequence: u64,
    /// The answer that it belongs to; 0 if it is none of the model's.
    answer: u64,
    is_asked: bool,
}

/// When a line was written and which model wrote it: for the sums of what answers took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent<'a> {
    /// In days since 1970.
    pub day: Option<i32>,
    /// The model.
    pub model: &'a str,
}

/// What a line changed in the numbers of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Messages of the line itself that are shown elsewhere.
    pub hidden: u32,
    /// Earlier records whose messages are shown elsewhere from now on, and how many they are.
    pub earlier: Vec<(u64, u32)>,
}

/// The course of a session so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    ids: HashMap<u64, Spot>,
    said: Vec<Said>,
    /// The message that each message hangs on, where that is known.
    above: HashMap<u64, u64>,
    /// Where each answer counts, and what it wrote.
    answers: HashMap<u64, (u64, u64)>,
    typed: Vec<(u64, u64)>,
    lists: BTreeMap<u64, u32>,
    /// The turn that goes on; 0 before the first.
    turn: u64,
    /// The sum of all tokens, and where it was told.
    total: Option<(u64, u64)>,
    exceptions: BTreeMap<(u8, u64), Exception>,
    /// What has been noted since it was last taken.
    notes: Vec<(u64, Note)>,
    changed: BTreeSet<(u8, u64)>,
}

impl Course {
    /// The course that notes and exceptions tell, which are stored.
    pub(crate) fn of(
        notes: impl IntoIterator<Item = (u64, Note)>,
        exceptions: impl IntoIterator<Item = Exception>,
    ) -> Self {
        let mut course = Self::default();
        for (sequence, note) in notes {
            course.replay(sequence, &note);
        }
        course.exceptions = exceptions
            .into_iter()
            .map(|exception| ((exception.kind.code(), exception.first), exception))
            .collect();
        course
    }

    /// Takes the next line, of so many messages.
    pub(crate) fn take(
        &mut self,
        sequence: u64,
        messages: u32,
        links: &Links,
        spent: Spent<'_>,
    ) -> Effect {
        let mut effect = Effect::default();
        if messages > 1 {
            self.note(sequence, Note::List { messages });
        }
        match &links.act {
            Act::None | Act::Again | Act::Part | Act::Total | Act::Sums { .. } | Act::Summed => {}
            Act::Turn(turn) if *turn == self.turn => {}
            Act::Turn(turn) => self.note(sequence, Note::Turn { turn: *turn }),
            Act::RewindTo(id) => {
                let first = self.ids.get(id).map_or(0, |spot| spot.sequence);
                self.take_back(first, sequence.saturating_sub(1), sequence);
            }
            Act::RewindBehind(id) => {
                if let Some(kept) = self.ids.get(id).map(|spot| spot.sequence) {
                    self.take_back(kept + 1, sequence.saturating_sub(1), sequence);
                }
            }
            Act::TakeBack(turns) => self.take_back_turns(*turns, sequence),
            Act::TakeBackLines(lines) => {
                let first = sequence.saturating_sub(*lines);
                self.take_back(first, sequence.saturating_sub(1), sequence);
            }
            Act::Reverted { from, is_kept } => self.revert(*from, *is_kept, sequence),
            Act::All(ids) => effect.earlier = self.restate(ids, sequence),
            Act::Typed(text) => self.note(sequence, Note::Typed { text: *text }),
            Act::Absorbed(text) => {
                let near = |typed: &&(u64, u64)| {
                    typed.0 == *text && sequence.saturating_sub(typed.1) <= TYPED_NEAR
                };
                let mut typed = self.typed.iter().filter(near).map(|typed| typed.1);
                // The same text may have been typed twice: each of them is taken in once.
                let is_free = |first: &u64| {
                    let key = (ExceptionKind::Replaced.code(), *first);
                    !self.exceptions.contains_key(&key)
                };
                if let Some(first) = typed.find(is_free) {
                    effect.hidden = self.replace(first, sequence, messages);
                }
            }
        }
        // What stands at the place of an earlier line was said there.
        let mut is_moved = false;
        if let Some(id) = links.id {
            let first = self.ids.get(&id).map(|spot| spot.sequence);
            match first.filter(|first| self.is_live(*first)) {
                Some(first) if links.act == Act::Again || goes_on(links, first, sequence) => {
                    effect.hidden = self.replace(first, sequence, messages);
                    is_moved = true;
                }
                // Of two lines of one id that do not replace each other the first has it.
                Some(_) if !matches!(links.act, Act::All(_) | Act::Part) => {}
                _ => self.place(id, sequence, links),
            }
        }
        match links.answer {
            Some(answer) if links.act == Act::Total => self.sum(sequence, answer, spent),
            Some(answer) if matches!(links.act, Act::Sums { .. }) => {
                self.sum_up(
                    sequence,
                    answer,
                    spent,
                    links.act == Act::Sums { of_all: true },
                );
            }
            Some(answer) if links.act == Act::Summed => {
                self.count_unless_summed(sequence, answer, spent);
            }
            // Its last state is shown, with what that took.
            Some(answer) if links.act == Act::Again => self.spend(sequence, answer, spent),
            Some(answer) => self.count(sequence, answer, spent),
            None => {}
        }
        match links.place {
            _ if is_moved => {}
            Place::Root => self.begin_anew(sequence),
            Place::Asked | Place::Answered => self.say(sequence, links),
            Place::Joint => self.note_said(sequence, 0, false),
            Place::Apart | Place::Way => {}
        }
        effect
    }

    /// The sequence number of the message of an id, hashed.
    pub(crate) fn place_of(&self, id: u64) -> Option<u64> {
        self.ids.get(&id).map(|spot| spot.sequence)
    }

    /// Every exception, by kind and place.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.values()
    }

    fn is_live(&self, sequence: u64) -> bool {
        self.taken_back_at(sequence).is_none()
    }

    /// Shows the message of a record at the place of an earlier one.
    fn replace(&mut self, first: u64, sequence: u64, messages: u32) -> u32 {
        self.put(Exception {
            kind: ExceptionKind::Replaced,
            first,
            last: first,
            by: Some(sequence),
            messages: 0,
        });
        self.put(Exception {
            kind: ExceptionKind::Moved,
            first: sequence,
            last: sequence,
            by: Some(first),
            messages,
        });
        messages
    }

    /// A line that has all messages from now on: those of before that it has are shown there, the
    /// others were taken back.
    fn restate(&mut self, ids: &[u64], sequence: u64) -> Vec<(u64, u32)> {
        let kept: BTreeSet<u64> = ids
            .iter()
            .filter_map(|id| self.ids.get(id))
            .map(|spot| spot.sequence)
            // One of several messages cannot be shown elsewhere without the others.
            .filter(|at| self.is_live(*at) && !self.lists.contains_key(at))
            .collect();
        let mut earlier = Vec::new();
        for at in &kept {
            earlier.push((*at, 1));
            self.put(Exception {
                kind: ExceptionKind::Moved,
                first: *at,
                last: *at,
                by: Some(sequence),
                messages: 1,
            });
            self.remove(ExceptionKind::Replaced, *at);
        }
        let others = self.ids.values().map(|spot| spot.sequence);
        // What is kept may lie in this run; it is shown here now, so that nothing of it is taken
        // back.
        if let Some(first) = others.filter(|at| !kept.contains(at)).min() {
            self.take_back(first, sequence.saturating_sub(1), sequence);
        }
        for id in ids {
            self.note_id(*id, sequence, Some(sequence), sequence);
        }
        earlier
    }

    fn revert(&mut self, from: Option<u64>, is_kept: bool, sequence: u64) {
        let first = from
            .and_then(|id| self.ids.get(&id))
            .map(|spot| spot.sequence);
        let taken: Vec<u64> = self.taken_back().map(|exception| exception.first).collect();
        for at in taken {
            self.remove(ExceptionKind::TakenBack, at);
        }
        if let Some(first) = first {
            let first = first + u64::from(is_kept);
            self.take_back(first, sequence.saturating_sub(1), sequence);
        }
    }

    /// An answer that is told by the sum of all so far. Answers of the same turn with the same sum are the
    /// same one, also in a session that begins with a copy of another.
    fn sum(&mut self, sequence: u64, answer: Answer, spent: Spent<'_>) {
        let Answer { key: total, usage } = answer;
        match self.total {
            Some((before, at)) if before == total => self.put(Exception {
                kind: ExceptionKind::Counted,
                first: sequence,
                last: sequence,
                by: Some(at),
                messages: 0,
            }),
            _ => {
                self.note(sequence, Note::Total { total });
                let key = total ^ self.turn.rotate_left(32);
                self.count(sequence, Answer { key, usage }, spent);
            }
        }
    }

    /// An answer that is the sum of earlier ones.
    fn sum_up(&mut self, sequence: u64, sum: Answer, spent: Spent<'_>, of_all: bool) {
        let from = match self.total {
            Some((_, last)) if !of_all => last + 1,
            _ => 0,
        };
        let answers = self.answers.iter();
        let mut summed: Vec<(u64, u64)> = answers
            .filter(|(key, (at, output))| **key != sum.key && *at >= from && *output > 0)
            .map(|(key, (at, _))| (*at, *key))
            .collect();
        summed.sort_unstable();
        for (at, key) in summed {
            self.put(Exception {
                kind: ExceptionKind::Counted,
                first: at,
                last: at,
                by: Some(sequence),
                messages: 0,
            });
            // Noted anew with nothing: sums by day take the last note of an answer.
            let usage = Usage::default();
            self.spend(sequence, Answer { key, usage }, spent);
        }
        self.note(sequence, Note::Total { total: sum.key });
        self.spend(sequence, sum, spent);
    }

    /// An answer that may be the last sum.
    fn count_unless_summed(&mut self, sequence: u64, answer: Answer, spent: Spent<'_>) {
        let sum = self.total.and_then(|(key, at)| {
            let (_, output) = self.answers.get(&key)?;
            (*output == answer.usage.output_tokens).then_some(at)
        });
        match sum {
            Some(at) => self.put(Exception {
                kind: ExceptionKind::Counted,
                first: sequence,
                last: sequence,
                by: Some(at),
                messages: 0,
            }),
            None => self.count(sequence, answer, spent),
        }
    }

    /// An answer counts once: where it has written most, and of equal lines at the first.
    fn count(&mut self, sequence: u64, answer: Answer, spent: Spent<'_>) {
        let Answer { key, usage } = answer;
        let before = self.answers.get(&key).copied();
        let elsewhere = |first, by| Exception {
            kind: ExceptionKind::Counted,
            first,
            last: first,
            by: Some(by),
            messages: 0,
        };
        match before {
            Some((best, output)) if output >= usage.output_tokens => {
                self.put(elsewhere(sequence, best));
                return;
            }
            Some((best, _)) => self.put(elsewhere(best, sequence)),
            None => {}
        }
        self.spend(sequence, answer, spent);
    }

    /// An answer counts here.
    fn spend(&mut self, sequence: u64, answer: Answer, spent: Spent<'_>) {
        let note = Note::Counted {
            answer: answer.key,
            usage: answer.usage,
            day: spent.day,
            model: spent.model.to_owned(),
        };
        self.note(sequence, note);
    }

    fn note_id(&mut self, id: u64, sequence: u64, above: Option<u64>, begin: u64) {
        self.note(sequence, Note::Id { id, above, begin });
    }

    fn note_said(&mut self, sequence: u64, answer: u64, is_asked: bool) {
        self.note(sequence, Note::Said { answer, is_asked });
    }

    fn note(&mut self, sequence: u64, note: Note) {
        self.replay(sequence, &note);
        self.notes.push((sequence, note));
    }

    fn replay(&mut self, sequence: u64, note: &Note) {
        match note {
            Note::Id { id, above, begin } => {
                let spot = Spot {
                    sequence,
                    above: *above,
                    begin: *begin,
                };
                self.ids.insert(*id, spot);
                // Of a message `begin` is the one that it hangs on, see `place`.
                if *above == Some(sequence) && *begin < sequence {
                    self.above.insert(sequence, *begin);
                }
            }
            Note::Said { answer, is_asked } => self.said.push(Said {
                sequence,
                answer: *answer,
                is_asked: *is_asked,
            }),
            Note::Counted { answer, usage, .. } => {
                let at = (sequence, usage.output_tokens);
                self.answers.insert(*answer, at);
            }
            Note::Typed { text } => {
                // Farther ones are never looked for: they would be kept as long as the session.
                self.typed
                    .retain(|(_, at)| sequence.saturating_sub(*at) <= TYPED_NEAR);
                self.typed.push((*text, sequence));
            }
            Note::List { messages } => {
                self.lists.insert(sequence, *messages);
            }
            Note::Turn { turn } => self.turn = *turn,
            Note::Total { total } => self.total = Some((*total, sequence)),
        }
    }
}

/// Whether a line goes on with the message of its id, which began at `first`.
fn goes_on(links: &Links, first: u64, sequence: u64) -> bool {
    links.act == Act::Part && sequence.saturating_sub(first) <= PARTS_NEAR
}
