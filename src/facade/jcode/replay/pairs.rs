//! Calls of tools and their results, paired: the APIs of models refuse one without the other.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::Serialize;

use crate::model::message::{Block, Message, Role};

/// The result of a call that has none.
const NO_RESULT: &str = "no result was recorded: the tool may not have run";

/// Something that a replay mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "repair", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repair {
    /// A result without a call was left out.
    ResultDropped {
        /// The id that it names.
        id: Option<String>,
        /// Its tool.
        name: Option<String>,
    },
    /// A call without a result got an error for one.
    ResultAdded {
        /// The id of the call in the messages.
        id: String,
        /// Its tool.
        name: String,
    },
    /// A result that came later was put behind its call.
    ResultMoved {
        /// The id of the call in the messages.
        id: String,
    },
    /// A call without an id, or with one that an earlier call has, got a new one; its result too.
    CallRenamed {
        /// The id that it had.
        from: Option<String>,
        /// The id of the call in the messages.
        to: String,
    },
    /// A compaction came while calls had no results yet: they stay beside the summary.
    OpenCallsKept,
    /// A subagent started and has no result. What follows is taken for its own up to the user's
    /// next message, or to the result of a call that was made before it started.
    SubagentCrashed {
        /// Its name.
        name: String,
    },
}

/// A message that is no result, with the results of its calls.
struct Turn {
    message: Message,
    /// The id and the tool of each call.
    calls: Vec<(String, String)>,
    /// Results in the order in which they came, each with the place of its call.
    results: Vec<(usize, Message)>,
}

/// Gives every call its result and leaves out every other result.
pub(super) fn repair(messages: Vec<Message>, repairs: &mut Vec<Repair>) -> Vec<Message> {
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    let mut open = OpenCalls::default();
    let mut ids = Ids::default();
    for message in messages {
        if message.role == Role::Tool {
            answer(&mut turns, &mut open, message, repairs);
        } else {
            let turn = turn_of(message, turns.len(), &mut open, &mut ids, repairs);
            turns.push(turn);
        }
    }
    turns
        .into_iter()
        .flat_map(|turn| messages_of(turn, repairs))
        .collect()
}

/// A message with its calls noted as open, under ids that no other call has.
fn turn_of(
    mut message: Message,
    place: usize,
    open: &mut OpenCalls,
    ids: &mut Ids,
    repairs: &mut Vec<Repair>,
) -> Turn {
    let mut calls = Vec::new();
    for block in &mut message.content {
        if let Block::ToolUse { id, name, .. } = block {
            // Under the id that it came with: its results have that one.
            open.add(id.as_deref(), name, place, calls.len());
            let unique = ids.unique(id.as_deref());
            if id.as_ref() != Some(&unique) {
                let from = id.replace(unique.clone());
                let to = unique.clone();
                repairs.push(Repair::CallRenamed { from, to });
            }
            calls.push((unique, name.clone()));
        }
    }
    Turn {
        message,
        calls,
        results: Vec::new(),
    }
}

/// Puts a result behind its call, if there is one.
fn answer(
    turns: &mut [Turn],
    open: &mut OpenCalls,
    mut message: Message,
    repairs: &mut Vec<Repair>,
) {
    let last = turns.len().saturating_sub(1);
    for block in &mut message.content {
        let Block::ToolResult { id, name, .. } = block else {
            continue;
        };
        let found = open.take(id.as_deref(), name.as_deref().unwrap_or_default());
        let call = found.and_then(|(turn, call)| Some((turn, call, turns.get_mut(turn)?)));
        let Some((place, call, turn)) = call else {
            let (id, name) = (id.clone(), name.clone());
            repairs.push(Repair::ResultDropped { id, name });
            return;
        };
        let unique = turn.calls.get(call).map(|(id, _)| id.clone());
        // Models' APIs take a result only right behind its call.
        if place != last {
            let id = unique.clone().unwrap_or_default();
            repairs.push(Repair::ResultMoved { id });
        }
        *id = unique;
        turn.results.push((call, message));
        return;
    }
}

/// The message of a turn with a result for each of its calls.
fn messages_of(turn: Turn, repairs: &mut Vec<Repair>) -> Vec<Message> {
    let answered: HashSet<usize> = turn.results.iter().map(|(call, _)| *call).collect();
    let time = turn.message.time;
    let mut messages = vec![turn.message];
    messages.extend(turn.results.into_iter().map(|(_, result)| result));
    for (place, (id, name)) in turn.calls.into_iter().enumerate() {
        if answered.contains(&place) {
            continue;
        }
        let mut message = Message::new(Role::Tool);
        message.time = time;
        message.content.push(Block::ToolResult {
            id: Some(id.clone()),
            name: Some(name.clone()).filter(|name| !name.is_empty()),
            output: NO_RESULT.to_owned(),
            is_error: true,
            images: Vec::new(),
        });
        messages.push(message);
        repairs.push(Repair::ResultAdded { id, name });
    }
    messages
}

/// Calls that have no result yet: of one id those of the latest message go first, and among
/// those the first. Calls without ids are told apart by their tools.
#[derive(Default)]
struct OpenCalls(HashMap<(bool, String), Vec<OpenTurn>>);

/// The open calls of one id in one message.
struct OpenTurn {
    turn: usize,
    calls: VecDeque<usize>,
}

impl OpenCalls {
    fn key(id: Option<&str>, name: &str) -> (bool, String) {
        (id.is_some(), id.unwrap_or(name).to_owned())
    }

    fn add(&mut self, id: Option<&str>, name: &str, turn: usize, call: usize) {
        let turns = self.0.entry(Self::key(id, name)).or_default();
        match turns.last_mut() {
            Some(last) if last.turn == turn => last.calls.push_back(call),
            _ => {
                let calls = VecDeque::from([call]);
                turns.push(OpenTurn { turn, calls });
            }
        }
    }

    fn take(&mut self, id: Option<&str>, name: &str) -> Option<(usize, usize)> {
        let turns = self.0.get_mut(&Self::key(id, name))?;
        let last = turns.last_mut()?;
        let found = last.calls.pop_front().map(|call| (last.turn, call));
        if last.calls.is_empty() {
            turns.pop();
        }
        found
    }
}

/// Ids that calls have already.
#[derive(Default)]
struct Ids {
    used: HashSet<String>,
    copies: HashMap<String, u64>,
}

impl Ids {
    /// The id itself if no call has it yet, or else one made of it.
    fn unique(&mut self, id: Option<&str>) -> String {
        let wanted = id.unwrap_or("call");
        if id.is_some() && self.used.insert(wanted.to_owned()) {
            return wanted.to_owned();
        }
        let copies = self.copies.entry(wanted.to_owned()).or_insert(1);
        loop {
            *copies += 1;
            let numbered = match id {
                Some(_) => format!("{wanted}-{copies}"),
                None => format!("{wanted}-{}", *copies - 1),
            };
            if self.used.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}
