//! A tool call by what it does: a command, a file that is read, an edit, a search. Told by the names of
//! its arguments, which agents share far more than names of tools.
//!
//! Nothing here knows an agent.

use serde::Serialize;

use super::diff::DiffLine;
use crate::render::number::counted;

/// What a tool was called to do, as far as its arguments tell.
///
/// ```
/// use scrollback::{Call, RawJson};
///
/// let input = RawJson::parse(r#"{"command":"cargo test"}"#)?;
/// let call = Call::of(Some(&input));
/// assert_eq!(call.headline("Bash"), "$ cargo test");
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Call {
    /// A command of the shell.
    Run {
        /// The command, of one line or more.
        command: String,
    },
    /// A file is read.
    Read {
        /// The file.
        path: String,
        /// The first line, where not all are read.
        first: Option<u64>,
        /// The last line, where that is said.
        last: Option<u64>,
    },
    /// A file is changed, or several.
    Edit {
        /// The file; empty where the patch names it.
        path: String,
        /// What changes.
        lines: Vec<DiffLine>,
    },
    /// A file is written whole.
    Write {
        /// The file.
        path: String,
        /// What it holds then.
        content: String,
    },
    /// Something is looked for, in files or elsewhere.
    Search {
        /// What.
        pattern: String,
        /// Where, or in which files.
        place: Option<String>,
    },
    /// A page is read.
    Fetch {
        /// Its address.
        url: String,
    },
    /// Work is given to somebody else, a sub-agent mostly.
    Task {
        /// What it is called.
        title: String,
        /// What is asked for.
        prompt: String,
    },
    /// A plan is made or goes on.
    Plan {
        /// Its steps.
        steps: Vec<PlanStep>,
    },
    /// Anything else: the arguments, by name.
    Other {
        /// Each argument; text as it is, all else as JSON.
        arguments: Vec<(String, String)>,
    },
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanStep {
    /// What is to be done.
    pub text: String,
    /// Its state, in the agent's own word.
    pub state: String,
}

impl PlanStep {
    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "complete" | "done")
    }

    /// What stands before it where steps are listed: `[x] `, `[>] ` while it is being done, or `[ ] `.
    pub fn sign(&self) -> &'static str {
        match (self.is_done(), self.is_begun()) {
            (true, _) => "[x] ",
            (_, true) => "[>] ",
            _ => "[ ] ",
        }
    }

    /// Whether it is being done.
    pub fn is_begun(&self) -> bool {
        matches!(
            self.state.as_str(),
            "in_progress" | "in-progress" | "active"
        )
    }
}

impl Call {
    /// The call on one line: `$ cargo test`, `read src/lib.rs:10-49`. `tool` is the name that the agent gives
    /// the tool; it is told where nothing better is known. Text of the call may have any characters but line
    /// feeds.
    pub fn headline(&self, tool: &str) -> String {
        let line = match self {
            Self::Run { command } => {
                let mut lines = command.trim().lines();
                let first = lines.next().unwrap_or_default();
                match lines.count() {
                    0 => format!("$ {first}"),
                    more => format!("$ {first} (+{})", counted(more as u64, "line")),
                }
            }
            Self::Read { path, first, last } => match (first, last) {
                (None, None) => format!("read {path}"),
                (Some(first), None) => format!("read {path}:{first}-"),
                (first, Some(last)) => format!("read {path}:{}-{last}", first.unwrap_or(1)),
            },
            Self::Edit { path, lines } => {
                let added = lines
                    .iter()
                    .filter(|line| matches!(line, DiffLine::Added(_)));
                let gone = lines
                    .iter()
                    .filter(|line| matches!(line, DiffLine::Removed(_)));
                let path = if path.is_empty() { "files" } else { path };
                format!("edit {path} (+{} -{})", added.count(), gone.count())
            }
            Self::Write { path, content } => {
                let count = content.lines().count() as u64;
                format!("write {path} ({})", counted(count, "line"))
            }
            Self::Search { pattern, place } => match place {
                Some(place) => format!("search {pattern} in {place}"),
                None => format!("search {pattern}"),
            },
            Self::Fetch { url } => format!("fetch {url}"),
            Self::Task { title, .. } => format!("{tool}: {title}"),
            Self::Plan { steps } => {
                let done = steps.iter().filter(|step| step.is_done()).count();
                format!("plan ({done} of {} done)", steps.len())
            }
            Self::Other { arguments } => {
                let told = arguments
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"));
                format!("{tool} {}", told.collect::<Vec<_>>().join(", "))
            }
        };
        line.replace(['\n', '\r'], " ").trim_end().to_owned()
    }
}
