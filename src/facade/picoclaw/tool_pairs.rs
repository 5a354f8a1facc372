//! Where a window on a history may begin: never between a tool's call and its result.

use std::collections::HashMap;

use crate::model::message::{Block, Message};

/// What matters of a message for where a window may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The sequence number of its record.
    pub sequence: u64,
    /// The ids of the calls in it.
    calls: Vec<Option<String>>,
    /// The ids of the calls that it answers.
    answers: Vec<Option<String>>,
}

impl Turn {
    /// What matters of the message of a record.
    pub(crate) fn of(sequence: u64, message: &Message) -> Self {
        let (mut calls, mut answers) = (Vec::new(), Vec::new());
        for block in &message.content {
            match block {
                Block::ToolUse { id, .. } => calls.push(id.clone()),
                Block::ToolResult { id, .. } => answers.push(id.clone()),
                _ => {}
            }
        }
        Self {
            sequence,
            calls,
            answers,
        }
    }
}

/// Where a window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The place of its first message.
    pub start: usize,
    /// Results in it whose call is nowhere.
    pub orphans: usize,
}

/// Where a window on `turns` begins that has at least what stands from `wanted` on: a call stays
/// with its results, and so does the last call while it waits for some. Linear.
pub(crate) fn window(turns: &[Turn], wanted: usize) -> Window {
    let mut last_call: HashMap<&str, usize> = HashMap::new();
    // The last message with calls, and how many of them wait, while only results follow it.
    let mut open: Option<(usize, usize)> = None;
    let mut first_calls = Vec::with_capacity(turns.len());
    let mut orphans = Vec::with_capacity(turns.len());
    for (at, turn) in turns.iter().enumerate() {
        let call_of = |id: &Option<String>| match id {
            Some(id) => last_call.get(id.as_str()).copied(),
            None => open.map(|(call, _)| call),
        };
        let found: Vec<Option<usize>> = turn.answers.iter().map(call_of).collect();
        orphans.push(found.iter().filter(|call| call.is_none()).count());
        first_calls.push(found.into_iter().flatten().min());
        for id in turn.calls.iter().flatten() {
            last_call.insert(id, at);
        }
        open = match open {
            _ if !turn.calls.is_empty() => Some((at, turn.calls.len())),
            Some((call, waiting)) if !turn.answers.is_empty() => {
                Some((call, waiting.saturating_sub(turn.answers.len())))
            }
            _ => None,
        };
    }
    let mut start = wanted.min(turns.len());
    if let Some((call, 1..)) = open {
        start = start.min(call);
    }
    for (at, call) in first_calls.iter().enumerate().rev() {
        if at < start {
            break;
        }
        start = call.map_or(start, |call| call.min(start));
    }
    // A damaged line can hold several messages, and is kept whole.
    if let Some(sequence) = turns.get(start).map(|turn| turn.sequence) {
        start = turns.partition_point(|turn| turn.sequence < sequence);
    }
    Window {
        start,
        orphans: orphans.iter().skip(start).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` calls a, `=a` answers it, `?` calls without an id, `=` answers it, `.` is a text.
    fn turns(spelled: &str) -> Vec<Turn> {
        let ids = |text: &str| -> Vec<Option<String>> {
            text.chars()
                .map(|id| Some(id.to_string()).filter(|id| id != "?"))
                .collect()
        };
        spelled
            .split(' ')
            .zip(0..)
            .map(|(turn, sequence)| {
                let (calls, answers) = match turn.strip_prefix('=') {
                    _ if turn == "." => (Vec::new(), Vec::new()),
                    Some("") => (Vec::new(), vec![None]),
                    Some(answered) => (Vec::new(), ids(answered)),
                    None => (ids(turn), Vec::new()),
                };
                Turn {
                    sequence,
                    calls,
                    answers,
                }
            })
            .collect()
    }

    #[track_caller]
    fn check(spelled: &str, wanted: usize, start: usize, orphans: usize) {
        let found = window(&turns(spelled), wanted);
        assert_eq!(found, Window { start, orphans }, "{spelled} from {wanted}");
    }

    #[test]
    fn a_window_begins_at_the_call_of_its_first_result() {
        check(". ab =a =b .", 2, 1, 0);
        check(". ab =a =b .", 3, 1, 0);
        check(". ab =a =b .", 4, 4, 0);
        check(". ab =a =b .", 0, 0, 0);
        check(". ab =a =b .", 9, 5, 0);
        check(". ? = = .", 3, 1, 0);
    }

    #[test]
    fn pairs_that_reach_over_each_other_are_followed_to_the_first() {
        check("a . b =a c =b =c", 6, 0, 0);
        check(". a . =a .", 2, 1, 0);
        check("a =a a =a .", 3, 2, 0);
    }

    #[test]
    fn a_call_that_waits_for_its_result_stays() {
        check(". . ab", 3, 2, 0);
        check(". . ab =a", 4, 2, 0);
        check(". . ab =a =b", 5, 5, 0);
        check(". . a .", 3, 3, 0);
    }

    #[test]
    fn results_without_a_call_are_counted_and_move_nothing() {
        check(". =x . =x", 3, 3, 1);
        check(". = .", 1, 1, 1);
        check(". =x . =y", 0, 0, 2);
    }

    #[test]
    fn messages_of_one_record_stay_together() {
        let mut turns = turns(". . . .");
        turns[1].sequence = 2;
        assert_eq!(window(&turns, 2).start, 1);
    }
}
