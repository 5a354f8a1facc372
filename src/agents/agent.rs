//! What an agent is: the one thing that a line of the list stands for.
//!
//! - [`Format`](super::parts::lines::Format) reads one JSON object of a line.
//! - [`Dialect`] knows the agent's files of sessions: recognises, describes, reads and writes them.
//! - [`Companions`] knows what lies beside them.
//! - [`Agent`] adds what the agent is called and where it keeps its sessions.
//!
//! Everything but names and recognition has a default, so that a small agent is a small file.
//! Nothing here is called for a line, and only [`databases`](Agent::databases) for a file.

use std::path::Path;

use super::companions::Companions;
use super::database::Databases;
use super::default_home::DefaultHome;
use super::dialect::Dialect;
use super::home::Found;
use crate::model::session::Summary;

/// One agent whose sessions are known.
pub(crate) trait Agent: Dialect + Companions {
    /// Other names that `--agent` takes for it; [`agent`](Dialect::agent) is its own.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// What people call it.
    fn title(&self) -> &'static str;

    /// Where its sessions are found, in the words of the README's table.
    fn found(&self) -> &'static str;

    /// Where its home is by default: the first of these that the environment tells. A home is the
    /// folder of all that it keeps, or its database. Empty for a format without a program.
    fn homes(&self) -> &'static [DefaultHome] {
        &[]
    }

    /// Further folders that it keeps sessions in, or did, by the names on the way to them. Below
    /// these and its [`homes`](Self::homes) its own rules decide alone what is a session, what is
    /// kept beside one, and what is neither.
    fn more_homes(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    /// What in its home holds sessions and what is kept with them: all of it by default. An import
    /// of the default places takes these and nothing else of the home.
    fn folders(&self) -> &'static [&'static str] {
        &[""]
    }

    /// Where it keeps sessions besides its home, or did. In the last name a `*` stands for anything.
    fn more_places(&self) -> &'static [DefaultHome] {
        &[]
    }

    /// Finds the file of every session in a home, for reading them where they lie; `None` if
    /// nobody needs that of this agent. Walks the home, and reads what tells ids and projects.
    fn search(&self) -> Option<fn(&Path) -> Found> {
        None
    }

    /// Whether its input tokens have those among them that were read from a cache or written to one.
    fn counts_cache_as_input(&self) -> bool {
        false
    }

    /// The command that goes on with a session, word by word; `None` where there is no such command.
    fn resume_command(&self, _id: &str) -> Option<Vec<String>> {
        None
    }

    /// Where below its home the agent looks for the file of a session that is put back, name by name. `was` is where the
    /// file lay below a home, if that is known; by default it goes there again. May look at what is in the home.
    fn place_in_home(
        &self,
        _home: &Path,
        _summary: &Summary,
        was: Option<&[String]>,
    ) -> Option<Vec<String>> {
        was.map(<[String]>::to_vec)
    }

    /// What somebody who has put a session back should know, in a sentence.
    fn put_back_note(&self) -> Option<&'static str> {
        None
    }

    /// The databases that it keeps sessions in, if it does. Asked of every file that is not lines.
    fn databases(&self) -> Option<&'static Databases> {
        None
    }

    /// What tests and fuzzers try on every agent.
    #[cfg(any(test, fuzzing))]
    fn samples(&self) -> Samples;
}

/// What tests and fuzzers try on every agent.
#[cfg(any(test, fuzzing))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Samples {
    /// Lines by which alone the agent is recognised, whatever the file is called. The first is a
    /// message that says `hi`. Empty for a format that needs more than lines to be recognised.
    pub lines: &'static [&'static str],
    /// Absolute paths of its files, sidecars among them, as they would lie in the home folder `/h`.
    pub paths: &'static [&'static str],
}
