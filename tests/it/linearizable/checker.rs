//! Whether a history can be told as a sequence: the search of Wing and Gong, with the memory of what was tried that
//! Lowe added. Exact; it costs as much as calls overlap.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

/// What one thing is, and what calls do to it.
pub(crate) trait Model: Clone + Eq + Hash {
    /// What it is asked.
    type Call: Debug;
    /// What it answers.
    type Answer: Debug;

    /// What it is after a call, if it may be answered so; without an answer, after a call of which
    /// nobody knows what it was answered.
    fn after(&self, call: &Self::Call, answer: Option<&Self::Answer>) -> Option<Self>;
}

/// A call of a history.
#[derive(Clone, Debug)]
pub(crate) struct Event<C, A> {
    pub(crate) call: C,
    /// When it was called.
    pub(crate) called: u64,
    /// When it was answered, and what; `None` where that is open: it may be done at any time from then on, or never.
    pub(crate) answered: Option<(u64, A)>,
}

/// The beginnings and ends of calls, in the order of time, of which some are taken out.
struct Ends {
    /// The event of each, and whether it is its beginning.
    each: Vec<(usize, bool)>,
    /// Where the beginning and the end of each event are.
    places: Vec<(usize, usize)>,
    next: Vec<usize>,
    before: Vec<usize>,
}

impl Ends {
    fn of<C, A>(events: &[Event<C, A>]) -> Self {
        let mut times = Vec::new();
        for (number, event) in events.iter().enumerate() {
            let end = event.answered.as_ref().map_or(u64::MAX, |(time, _)| *time);
            // What begins at the moment of an end is beside it.
            times.push((event.called, false, number));
            times.push((end, true, number));
        }
        times.sort_unstable();
        let mut places = vec![(0, 0); events.len()];
        for (place, (_, ends, number)) in times.iter().enumerate() {
            if *ends {
                places[*number].1 = place;
            } else {
                places[*number].0 = place;
            }
        }
        let count = times.len();
        Self {
            each: times
                .into_iter()
                .map(|(_, ends, number)| (number, !ends))
                .collect(),
            places,
            // The last place is that before the first one, and after the last.
            next: (1..=count).chain([0]).collect(),
            before: [count].into_iter().chain(0..count).collect(),
        }
    }

    fn first(&self) -> usize {
        self.next[self.each.len()]
    }

    fn take_out(&mut self, event: usize) {
        for place in [self.places[event].0, self.places[event].1] {
            let (before, next) = (self.before[place], self.next[place]);
            (self.next[before], self.before[next]) = (next, before);
        }
    }

    /// Puts back what was taken out last.
    fn put_back(&mut self, event: usize) {
        for place in [self.places[event].1, self.places[event].0] {
            let (before, next) = (self.before[place], self.next[place]);
            (self.next[before], self.before[next]) = (place, place);
        }
    }
}

/// Whether the events of a history, in any order, can be told as a sequence that begins with `model`; if not,
/// as far as any sequence came, and the answers that none of them could give next.
pub(crate) fn check<M: Model>(
    model: &M,
    events: &[Event<M::Call, M::Answer>],
) -> Result<(), String> {
    let mut ends = Ends::of(events);
    let mut state = model.clone();
    let mut told = vec![0_u64; events.len().div_ceil(64)];
    let mut open = events
        .iter()
        .filter(|event| event.answered.is_some())
        .count();
    let mut tried: HashSet<(Vec<u64>, M)> = HashSet::new();
    let mut sequence: Vec<(usize, M)> = Vec::new();
    let mut longest: Vec<usize> = Vec::new();
    let mut place = ends.first();
    while open > 0 {
        let (number, begins) = ends.each[place];
        let event = &events[number];
        if begins {
            let answer = event.answered.as_ref().map(|(_, answer)| answer);
            let (word, bit) = (number / 64, 1 << (number % 64));
            if let Some(after) = state.after(&event.call, answer) {
                told[word] |= bit;
                if tried.insert((told.clone(), after.clone())) {
                    sequence.push((number, std::mem::replace(&mut state, after)));
                    open -= usize::from(answer.is_some());
                    ends.take_out(number);
                    place = ends.first();
                    continue;
                }
                told[word] &= !bit;
            }
            place = ends.next[place];
            continue;
        }
        // Before this answer something else has to come, and nothing can.
        if sequence.len() >= longest.len() {
            longest = sequence.iter().map(|(number, _)| *number).collect();
        }
        let Some((last, was)) = sequence.pop() else {
            return Err(explained(events, &longest));
        };
        state = was;
        told[last / 64] &= !(1 << (last % 64));
        open += usize::from(events[last].answered.is_some());
        ends.put_back(last);
        place = ends.next[ends.places[last].0];
    }
    Ok(())
}

/// The end of the longest sequence, and the calls that were under way behind it.
fn explained<C: Debug, A: Debug>(events: &[Event<C, A>], longest: &[usize]) -> String {
    let end = |event: &Event<C, A>| event.answered.as_ref().map_or(u64::MAX, |(time, _)| *time);
    let left = (0..events.len()).filter(|number| !longest.contains(number));
    let left: Vec<&Event<C, A>> = left.map(|number| &events[number]).collect();
    let first = left
        .iter()
        .map(|event| end(event))
        .min()
        .unwrap_or(u64::MAX);
    let lines = |numbers: &mut dyn Iterator<Item = &Event<C, A>>| {
        let lines: Vec<String> = numbers.map(|event| format!("  {event:?}")).collect();
        lines.join("\n")
    };
    let last = longest.iter().skip(longest.len().saturating_sub(8));
    let under_way = left.into_iter().filter(|event| event.called < first);
    format!(
        "{} of {} calls told; the last ones:\n{}\nand none of these comes next:\n{}",
        longest.len(),
        events.len(),
        lines(&mut last.map(|number| &events[*number])),
        lines(&mut { under_way })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    type Asked = (Option<u8>, Option<u8>);

    /// A number that is written, read, and written if it is another.
    impl Model for u8 {
        /// Reads, writes, or writes the second if it is the first.
        type Call = Asked;
        /// What it was.
        type Answer = u8;

        fn after(&self, (wanted, new): &Self::Call, answer: Option<&u8>) -> Option<Self> {
            if answer.is_some_and(|answer| answer != self) {
                return None;
            }
            let is_wanted = wanted.is_none_or(|wanted| wanted == *self);
            Some(new.filter(|_| is_wanted).unwrap_or(*self))
        }
    }

    const READ: Asked = (None, None);

    fn write(new: u8) -> Asked {
        (None, Some(new))
    }

    type Row = (Asked, u64, Option<(u64, u8)>);

    fn holds(rows: &[Row]) -> bool {
        let event = |(call, called, answered): &Row| Event {
            call: *call,
            called: *called,
            answered: *answered,
        };
        let events: Vec<_> = rows.iter().map(event).collect();
        let checked = check(&0_u8, &events);
        if let Err(text) = &checked {
            assert!(text.contains("none of these comes next"), "{text}");
        }
        checked.is_ok()
    }

    #[test]
    fn a_history_holds_if_its_calls_can_come_one_after_the_other() {
        assert!(holds(&[]));
        // At the same time: either may be first.
        assert!(holds(&[
            (write(1), 0, Some((9, 0))),
            (READ, 1, Some((2, 0)))
        ]));
        assert!(holds(&[
            (write(1), 0, Some((9, 0))),
            (READ, 1, Some((2, 1)))
        ]));
        // Three at once, of which one order alone fits.
        assert!(holds(&[
            (write(1), 0, Some((9, 2))),
            (write(2), 1, Some((9, 3))),
            (write(3), 2, Some((9, 0))),
            (READ, 10, Some((11, 1))),
        ]));
        // Of which nobody knows: done late, or never.
        assert!(holds(&[
            (write(1), 0, None),
            (READ, 1, Some((2, 0))),
            (READ, 3, Some((4, 1)))
        ]));
        assert!(holds(&[(write(1), 0, None), (READ, 1, Some((2, 0)))]));
    }

    #[test]
    fn a_history_that_cannot_be_told_is_found() {
        // A read of what was before an answered write.
        assert!(!holds(&[
            (write(1), 0, Some((1, 0))),
            (READ, 2, Some((3, 0)))
        ]));
        // Of what nobody had written yet.
        assert!(!holds(&[
            (READ, 0, Some((1, 1))),
            (write(1), 2, Some((3, 0)))
        ]));
        // Seen, and then not any more.
        assert!(!holds(&[
            (write(1), 0, Some((9, 0))),
            (READ, 1, Some((2, 1))),
            (READ, 3, Some((4, 0))),
        ]));
        // Two who both found what only one can have found.
        assert!(!holds(&[
            ((Some(0), Some(1)), 0, Some((9, 0))),
            ((Some(0), Some(2)), 1, Some((9, 0))),
        ]));
        // Of which nobody knows, done twice.
        assert!(!holds(&[
            (write(1), 0, None),
            (READ, 1, Some((2, 1))),
            (write(2), 3, Some((4, 1))),
            (READ, 5, Some((6, 1))),
        ]));
    }

    /// Every order of three calls, tried one by one, says the same.
    #[test]
    fn it_says_what_trying_all_orders_says() {
        let mut state = 1_u64;
        let mut random = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let mut held = 0;
        for _ in 0..3000 {
            let events: Vec<Event<_, u8>> = (0..4)
                .map(|_| {
                    let called = random(8);
                    let small = |number| u8::try_from(number).unwrap();
                    let new = (random(2) == 0).then(|| small(random(3)));
                    let answer = small(random(3));
                    Event {
                        call: (None, new),
                        called,
                        answered: (random(6) > 0).then(|| (called + 1 + random(5), answer)),
                    }
                })
                .collect();
            let holds = check(&0_u8, &events).is_ok();
            assert_eq!(holds, tried(0, &events, &mut Vec::new()), "{events:?}");
            held += usize::from(holds);
        }
        assert!((100..2900).contains(&held), "{held} of 3000 hold");
    }

    fn tried(state: u8, events: &[Event<Asked, u8>], told: &mut Vec<usize>) -> bool {
        let left: Vec<usize> = (0..events.len())
            .filter(|number| !told.contains(number))
            .collect();
        let end = |number: &usize| events[*number].answered.map_or(u64::MAX, |(time, _)| time);
        if left.iter().all(|number| events[*number].answered.is_none()) {
            return true;
        }
        let first = left.iter().map(end).min().unwrap();
        left.iter().any(|number| {
            let event = &events[*number];
            let answer = event.answered.as_ref().map(|(_, answer)| answer);
            // What is answered at the moment of a call was before it, or at the same time.
            let Some(after) = state
                .after(&event.call, answer)
                .filter(|_| event.called <= first)
            else {
                return false;
            };
            told.push(*number);
            let holds = tried(after, events, told);
            told.pop();
            holds
        })
    }
}
