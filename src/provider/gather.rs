//! What the lines of a session tell of it, gathered line by line into a provider's summary.
//!
//! The rules are those of the store's summary rows: the first project and parent hold, the last
//! branch, and of titles the one of the highest rank.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::DateTime;

use super::ProviderSummary;
use crate::agents::parts::paths::is_uuid;
use crate::agents::{Described, Facts, TitleOffer};
use crate::model::record::RecordFlags;
use crate::model::text::cut;

/// Bytes of a first prompt in a summary.
const PROMPT_BYTES: usize = 200;

/// The rank of the user's first message among titles; what ranks higher is a title that somebody
/// gave.
const FIRST_MESSAGE: u8 = 10;

/// The rank of the last prompt among them; what ranks lower than both is no first one.
const LAST_PROMPT: u8 = 5;

/// Most titles that wait for the record that they are about.
const WAITING_MAX: usize = 64;

/// What is known of a session so far.
#[derive(Debug, Default)]
pub(super) struct Gather {
    id: String,
    project: Option<String>,
    parent: Option<String>,
    branch: Option<String>,
    created_us: Option<i64>,
    first_us: Option<i64>,
    last_us: Option<i64>,
    prompt: Option<(u8, String)>,
    titles: BTreeMap<u8, String>,
    waiting: Vec<(String, u8, String)>,
    last_record: String,
    messages: u64,
    unread: u64,
}

impl Gather {
    /// Nothing yet of the session of that id.
    pub(super) fn of(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, described: &Described<'_>) {
        let header = &described.header;
        self.messages += u64::from(header.messages);
        self.unread += u64::from(header.flags.contains(RecordFlags::DAMAGED));
        let nothing = Facts::default();
        let is_begun = self.created_us.is_some() || self.project.is_some();
        // Behind its own header a session may repeat that of the one that it comes from.
        let is_others = |id: &Cow<'_, str>| is_begun && **id != *self.id;
        let facts = match &described.facts.session {
            Some(id) if is_others(id) => &nothing,
            _ => &described.facts,
        };
        for time in [header.time_us, facts.created_us, facts.updated_us] {
            self.first_us = self.first_us.into_iter().chain(time).min();
            self.last_us = self.last_us.max(time);
        }
        self.created_us = self.created_us.or(facts.created_us);
        self.add_facts(facts);
    }

    fn add_facts(&mut self, facts: &Facts<'_>) {
        let owned = |fact: &Option<Cow<'_, str>>| fact.as_deref().map(str::to_owned);
        if self.project.is_none() || facts.moved {
            self.project = owned(&facts.project).or(self.project.take());
        }
        let is_own = |id: &Cow<'_, str>| **id == *self.id;
        // A record of a sub-agent states the parent of that one, in whichever file it stands.
        if self.parent.is_none() && facts.child.as_ref().is_none_or(is_own) {
            self.parent = owned(&facts.parent).filter(|parent| *parent != self.id);
        }
        if facts.branch.is_some() && facts.branch.as_deref() != self.branch.as_deref() {
            self.branch = owned(&facts.branch);
        }
        if let Some(id) = &facts.record_id {
            (**id).clone_into(&mut self.last_record);
            while let Some(at) = self.waiting.iter().position(|(about, ..)| about == id) {
                let (_, rank, text) = self.waiting.swap_remove(at);
                self.take_title(rank, text);
            }
        }
        if let Some(offer) = &facts.title {
            self.offer(offer);
        }
    }

    fn offer(&mut self, offer: &TitleOffer<'_>) {
        // What ranks so low was said, and is no title: the best of it is the first prompt.
        if offer.rank <= FIRST_MESSAGE {
            let best = self.prompt.as_ref().map_or(LAST_PROMPT, |(rank, _)| *rank);
            if offer.rank > best {
                self.prompt = Some((offer.rank, prompt(&offer.text)));
            }
            return;
        }
        let is_others = |session: &Cow<'_, str>| is_uuid(&self.id) && **session != *self.id;
        if offer.session.as_ref().is_some_and(is_others) {
            return;
        }
        match &offer.about {
            Some(about) if **about != *self.last_record => {
                if self.waiting.len() < WAITING_MAX {
                    let text = offer.text.clone().into_owned();
                    self.waiting
                        .push((about.clone().into_owned(), offer.rank, text));
                }
            }
            _ => self.take_title(offer.rank, offer.text.clone().into_owned()),
        }
    }

    fn take_title(&mut self, rank: u8, text: String) {
        if text.trim().is_empty() {
            self.titles.remove(&rank);
        } else {
            self.titles.insert(rank, text);
        }
    }

    /// Counts something that cannot be read.
    pub(super) fn add_unread(&mut self) {
        self.unread += 1;
    }

    /// The project, if a line has told it.
    pub(super) fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// Lines so far that could not be read, or not in whole.
    pub(super) fn unread_lines(&self) -> u64 {
        self.unread
    }

    /// What is known.
    pub(super) fn summary(mut self, agent: &str) -> ProviderSummary {
        ProviderSummary {
            agent: agent.to_owned(),
            id: self.id,
            parent: self.parent,
            project: self.project,
            message_count: self.messages,
            unread_lines: self.unread,
            created_at: self
                .created_us
                .or(self.first_us)
                .and_then(DateTime::from_timestamp_micros),
            updated_at: self.last_us.and_then(DateTime::from_timestamp_micros),
            branch: self.branch,
            first_prompt: self.prompt.map(|(_, prompt)| prompt),
            summary: self.titles.pop_last().map(|(_, title)| title),
        }
    }
}

/// A prompt of bounded length, cut at a character.
pub(super) fn prompt(text: &str) -> String {
    let text = text.trim();
    let short = cut(text, PROMPT_BYTES);
    if short.len() == text.len() {
        return text.to_owned();
    }
    format!("{short}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_6_8_9_a_prompt_is_never_cut_inside_a_character() {
        assert_eq!(prompt(" short "), "short");
        assert_eq!(prompt(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(prompt(&"é".repeat(101)), "é".repeat(100) + "...");
        let odd = format!("a{}", "é".repeat(100));
        assert_eq!(prompt(&odd), format!("a{}...", "é".repeat(99)));
    }
}
