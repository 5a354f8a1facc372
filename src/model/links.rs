//! What a line says of other lines of its session, in a form that a store can keep: ids as hashes.

use xxhash_rust::xxh3::xxh3_64;

use super::message::Usage;

/// The hash of an id, or of another text by which lines know each other.
pub(crate) fn id_hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// Where a line stands in the talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not in the main talk, or in a format that does not say what hangs on what.
    #[default]
    Apart,
    /// On the way: what hangs on it hangs on the message above it. Events, tools' answers, notes, what
    /// was typed while the agent worked. It takes nothing back.
    Way,
    /// A person's message.
    Asked,
    /// A person's message that hangs on nothing, where the agent lets a talk begin anew: all that was said
    /// before is left behind.
    Root,
    /// The model's message.
    Answered,
    /// Where the talk goes on although nothing hangs on what was before: a compaction. It takes nothing
    /// back.
    Joint,
}

/// What a line does to those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing, or what its place says.
    #[default]
    None,
    /// Its message replaces the one of its id, if there is one.
    Again,
    /// Its message goes on with the one of its id, if there is one nearby: both are one message.
    Part,
    /// It takes back the message of that id and all behind it; everything, if there is none.
    RewindTo(u64),
    /// It takes back all behind the line of that id, which stays; nothing, if there is none.
    RewindBehind(u64),
    /// It takes back the last turns: so many.
    TakeBack(u64),
    /// It takes back the lines right before it: so many.
    TakeBackLines(u64),
    /// What is taken back now: the message of that id (unless `is_kept`) and all behind it, or nothing.
    Reverted {
        /// The message.
        from: Option<u64>,
        /// Whether the message itself stays.
        is_kept: bool,
    },
    /// Its messages, of these ids, are all that there is from now on.
    All(Vec<u64>),
    /// A turn of this id begins, hashed.
    Turn(u64),
    /// Its answer is told by the sum of all so far: the same sum again tells nothing new.
    Total,
    /// Its answer is the sum of earlier ones, which do not count any more: of all, or of those behind the
    /// last line that was such a sum.
    Sums {
        /// Whether of all.
        of_all: bool,
    },
    /// Its answer may be the one that the last such sum has told: then it counts there.
    Summed,
    /// It is what was typed while the agent worked: a message of that text, unless a line of the same
    /// text follows.
    Typed(u64),
    /// It is what was typed while the agent worked: a line of the same text may stand before it.
    Absorbed(u64),
}

/// An answer of the provider, which may stand on several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What tells it from others, hashed.
    pub key: u64,
    /// What it took, as far as this line knows.
    pub usage: Usage,
}

/// What a line says of other lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// Its id.
    pub id: Option<u64>,
    /// The line that it hangs on.
    pub parent: Option<u64>,
    /// Where it stands.
    pub place: Place,
    /// The answer that it belongs to.
    pub answer: Option<Answer>,
    /// What it does to earlier lines.
    pub act: Act,
}

impl Links {
    /// Whether it says nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.id.is_none()
            && self.answer.is_none()
            && self.place == Place::Apart
            && self.act == Act::None
    }
}
