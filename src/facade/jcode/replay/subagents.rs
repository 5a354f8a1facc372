//! Which entries are the session's own, and which are those of its subagents.

use std::collections::{HashMap, HashSet};

use super::options::{Compatibility, ReplayOptions};
use super::pairs::Repair;
use crate::agents::jcode::{Entry, EntryKind};

/// The entries that a replay looks at.
pub(super) fn of_the_session<'e>(
    entries: &'e [Entry],
    options: ReplayOptions,
    repairs: &mut Vec<Repair>,
) -> Vec<&'e Entry> {
    match options.compatibility {
        _ if options.with_subagents => entries.iter().collect(),
        Compatibility::Exact => by_depth(entries),
        Compatibility::Repaired => by_results(entries, repairs),
    }
}

/// jcode's rule: a start goes down, a result up, and what is below is the subagent's.
fn by_depth(entries: &[Entry]) -> Vec<&Entry> {
    let mut depth = 0_usize;
    let own = |entry: &&Entry| {
        match entry.kind {
            EntryKind::SubagentStart { .. } => depth += 1,
            EntryKind::SubagentResult { .. } => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    entries.iter().filter(own).collect()
}

/// The same, but a start without a result of its own hides less; see
/// [`Repair::SubagentCrashed`].
fn by_results<'e>(entries: &'e [Entry], repairs: &mut Vec<Repair>) -> Vec<&'e Entry> {
    let paired = paired(entries);
    let mut depth = 0_usize;
    // The depth at which the subagent started that has no result.
    let mut crashed: Option<usize> = None;
    let mut open: HashSet<&str> = HashSet::new();
    let mut own = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        match &entry.kind {
            EntryKind::SubagentStart { .. } if paired.contains(&place) => depth += 1,
            EntryKind::SubagentStart { name, .. } => {
                crashed = crashed.or(Some(depth));
                let name = name.clone();
                repairs.push(Repair::SubagentCrashed { name });
            }
            EntryKind::SubagentResult { .. } if paired.contains(&place) => {
                depth = depth.saturating_sub(1);
                crashed = crashed.filter(|started| *started <= depth);
            }
            EntryKind::SubagentResult { .. } => {}
            kind => {
                let ends = match kind {
                    EntryKind::User { .. } => true,
                    EntryKind::ToolResult { id, .. } => depth == 0 && open.contains(id.as_str()),
                    _ => false,
                };
                crashed = crashed.filter(|_| !ends);
                if depth == 0 && crashed.is_none() {
                    note_call(kind, &mut open);
                    own.push(entry);
                }
            }
        }
    }
    own
}

/// Keeps track of the session's own calls that have no result yet.
fn note_call<'e>(kind: &'e EntryKind, open: &mut HashSet<&'e str>) {
    match kind {
        EntryKind::ToolCall { id, .. } if !id.is_empty() => {
            open.insert(id);
        }
        EntryKind::ToolResult { id, .. } => {
            open.remove(id.as_str());
        }
        _ => {}
    }
}

/// The places of starts and results that belong together: a result ends the latest subagent of
/// its name.
fn paired(entries: &[Entry]) -> HashSet<usize> {
    let mut started: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut paired = HashSet::new();
    for (place, entry) in entries.iter().enumerate() {
        match &entry.kind {
            EntryKind::SubagentStart { name, .. } => {
                started.entry(name).or_default().push(place);
            }
            EntryKind::SubagentResult { name, .. } => {
                if let Some(start) = started.get_mut(name.as_str()).and_then(Vec::pop) {
                    paired.extend([start, place]);
                }
            }
            _ => {}
        }
    }
    paired
}
