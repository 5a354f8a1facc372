//! Truncation and the summarise flow: a window is bounded by a place in the session and not by a
//! count of what is there at the time, so nothing that arrives meanwhile is lost.

use serde::Serialize;

use super::store_sessions::{Heard, StoreSessions, or_default, read_from};
use crate::facade::picoclaw::tool_pairs::{self, Turn};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::Message;
use crate::model::properties::PropertiesChange;

/// The visible history of a session at one moment, for summarising it while it goes on.
///
/// Made by [`StoreSessions::snapshot`]; used by [`StoreSessions::summarize`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct History {
    key: SessionKey,
    /// The visible messages, oldest first.
    pub messages: Vec<Message>,
    /// The sequence number that the next record gets: what arrives later stands at it or after it.
    pub next_sequence: u64,
    turns: Vec<Turn>,
}

/// What a truncation or a summary left visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Kept {
    /// Messages that are visible now.
    pub visible: u64,
    /// Messages that are stored but hidden.
    pub hidden: u64,
    /// Messages that are visible beyond those asked for, so that no tool's result is there without
    /// its call.
    pub kept_for_pairs: u64,
    /// Tool results that are visible and whose call is nowhere.
    pub orphan_results: u64,
}

impl StoreSessions {
    /// The visible history now; empty if there is no such session.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn snapshot(&self, key: &str) -> Result<History> {
        let key = self.resolve(key)?;
        let Some(summary) = self.summary_of(&key)? else {
            return Ok(History {
                key,
                messages: Vec::new(),
                next_sequence: 0,
                turns: Vec::new(),
            });
        };
        let next_sequence = summary.next_sequence;
        let mut heard = or_default(read_from(self.store.as_ref(), &key, Some(summary.mark)))?;
        // What came between the look at the row and the reading is not in this window.
        heard.retain(|heard| heard.sequence < next_sequence);
        Ok(History {
            key,
            next_sequence,
            turns: heard.iter().map(turn).collect(),
            messages: heard.into_iter().map(|heard| heard.message).collect(),
        })
    }

    /// Sets the summary of what was seen, and hides all of that but the last `keep_last` messages.
    /// What arrived since the snapshot stays visible, and so does the call of a result that does.
    ///
    /// The summary is written first: a stop in between leaves more visible than was asked for,
    /// never less.
    ///
    /// # Durability
    ///
    /// On disk when this returns `Ok`; after an error the summary may be.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if all that was seen has been hidden since, by another history or another
    /// summary: then nothing was changed. Else what the store says.
    pub fn summarize(&self, seen: &History, summary: &str, keep_last: usize) -> Result<Kept> {
        let key = &seen.key;
        let now = self.summary_of(key)?;
        let (mark, next) = now.map_or((0, 0), |now| (now.mark, now.next_sequence));
        let is_gone = next < seen.next_sequence;
        // Somebody else has hidden all of it: a new history, or another summary of the same.
        let is_replaced = mark >= seen.next_sequence && !seen.turns.is_empty();
        if is_gone || is_replaced {
            return Err(Error::Conflict {
                key: key.clone(),
                expected: seen.next_sequence,
                actual: next,
            });
        }
        let change = PropertiesChange {
            summary: Some(summary.to_owned()),
            ..PropertiesChange::default()
        };
        self.change(key, &change)?;
        let later = read_from(self.store.as_ref(), key, Some(seen.next_sequence))?;
        let mut turns = seen.turns.clone();
        turns.extend(later.iter().map(turn));
        let wanted = seen.turns.len().saturating_sub(keep_last);
        self.hide(key, &turns, wanted, seen.next_sequence)
    }

    /// Hides all but the last `keep_last` messages, as
    /// [`truncate_history`](crate::picoclaw::SessionStore::truncate_history) does, and tells what is left.
    ///
    /// # Durability
    ///
    /// As [`Store::hide_before`](crate::Store::hide_before).
    ///
    /// # Errors
    ///
    /// What the store says. That there is no such session is none.
    pub fn truncate(&self, key: &str, keep_last: i64) -> Result<Kept> {
        let key = self.resolve(key)?;
        let Some(summary) = self.summary_of(&key)? else {
            return Ok(Kept::default());
        };
        let keep_last = u64::try_from(keep_last).unwrap_or(0);
        let visible = summary.message_count.saturating_sub(summary.hidden_count);
        if keep_last >= visible {
            return Ok(Kept {
                visible,
                hidden: summary.hidden_count,
                ..Kept::default()
            });
        }
        let next = summary.next_sequence;
        // For hiding all nothing has to be read.
        if keep_last == 0 {
            return self.hide(&key, &[], 0, next);
        }
        let mut heard = read_from(self.store.as_ref(), &key, Some(summary.mark))?;
        // What came between the look at the row and the reading stays visible.
        heard.retain(|heard| heard.sequence < next);
        let turns: Vec<Turn> = heard.iter().map(turn).collect();
        let keep_last = usize::try_from(keep_last).unwrap_or(usize::MAX);
        let wanted = turns.len().saturating_sub(keep_last);
        self.hide(&key, &turns, wanted, next)
    }

    /// Hides what stands before `wanted`, or before the call of a result that is not hidden. `end`
    /// is where the window begins that has nothing in it.
    fn hide(&self, key: &SessionKey, turns: &[Turn], wanted: usize, end: u64) -> Result<Kept> {
        let window = tool_pairs::window(turns, wanted);
        let first = turns.get(window.start).map_or(end, |turn| turn.sequence);
        let truncated = self.store.hide_before(key, first)?;
        Ok(Kept {
            visible: truncated.visible,
            hidden: truncated.hidden,
            kept_for_pairs: wanted.saturating_sub(window.start) as u64,
            orphan_results: window.orphans as u64,
        })
    }
}

fn turn(heard: &Heard) -> Turn {
    Turn::of(heard.sequence, &heard.message)
}
