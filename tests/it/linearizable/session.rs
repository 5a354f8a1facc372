//! A session of messages, as one who calls a store sees it.

use super::checker::Model;

/// What a session is, or that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Session(Option<Stored>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Stored {
    /// Its messages, each with a number that is only its own, in a record each.
    messages: Vec<u64>,
    /// The first record that is shown.
    mark: u64,
}

/// What is asked of a store about one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A message, perhaps at a place, and perhaps under an id by which it is written once.
    Append {
        message: u64,
        expects: Option<u64>,
        has_id: bool,
    },
    /// Its summary row.
    Head,
    /// All of its records.
    Scan,
    /// What is shown.
    Load,
    /// Shows so many messages.
    Truncate { keep: u64 },
    /// Deletes it, or only if its next record is that one.
    Delete { expects: Option<u64> },
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Appended { place: u64, replayed: bool },
    Conflict { actual: u64 },
    NotFound,
    Head { next: u64, mark: u64 },
    Messages(Vec<u64>),
    Truncated { mark: u64 },
    Deleted,
}

fn length(messages: &[u64]) -> u64 {
    messages.len() as u64
}

impl Session {
    /// What a call is answered, and what the session is then.
    fn answered(&self, call: &Call) -> (Answer, Self) {
        let same = self.clone();
        let next = self.0.as_ref().map_or(0, |stored| length(&stored.messages));
        let conflict = |expects: &Option<u64>| expects.is_some_and(|expected| expected != next);
        if let Call::Append {
            message,
            expects,
            has_id,
        } = call
        {
            let mut stored = self.0.clone().unwrap_or_default();
            let is_it = |known: &u64| known == message;
            if let Some(place) = stored.messages.iter().position(is_it).filter(|_| *has_id) {
                let place = place as u64;
                let replayed = true;
                return (Answer::Appended { place, replayed }, same);
            }
            if conflict(expects) {
                return (Answer::Conflict { actual: next }, same);
            }
            stored.messages.push(*message);
            let (place, replayed) = (next, false);
            return (Answer::Appended { place, replayed }, Self(Some(stored)));
        }
        let Some(stored) = &self.0 else {
            return (Answer::NotFound, same);
        };
        let mark = stored.mark;
        match call {
            Call::Append { .. } | Call::Head => (Answer::Head { next, mark }, same),
            Call::Scan => (Answer::Messages(stored.messages.clone()), same),
            Call::Load => {
                let shown = stored.messages.iter().skip(usize::try_from(mark).unwrap());
                (Answer::Messages(shown.copied().collect()), same)
            }
            Call::Truncate { keep } => {
                let mut stored = stored.clone();
                stored.mark = next.saturating_sub(*keep);
                (Answer::Truncated { mark: stored.mark }, Self(Some(stored)))
            }
            Call::Delete { expects } if conflict(expects) => {
                (Answer::Conflict { actual: next }, same)
            }
            Call::Delete { .. } => (Answer::Deleted, Self(None)),
        }
    }
}

impl Model for Session {
    type Call = Call;
    type Answer = Answer;

    fn after(&self, call: &Call, answer: Option<&Answer>) -> Option<Self> {
        let (given, after) = self.answered(call);
        answer
            .is_none_or(|answer| *answer == given)
            .then_some(after)
    }
}
