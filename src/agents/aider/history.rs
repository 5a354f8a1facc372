//! A history as lines. A run begins with a heading that tells when; what the user typed stands behind `#### `,
//! each of its lines; what the program says behind `> `; the rest is the model's. aider ends lines of the first
//! two with two spaces, by which they are told from what the model has quoted; where an editor has cut those off,
//! who said what is a guess. The file itself is what is kept.

use crate::agents::document::DocumentLines;
use crate::agents::parts::compact::{object, string};
use crate::agents::parts::entries::{self, SESSION};

/// The agent's name.
pub(super) const AGENT: &str = "aider";

/// What a run begins with.
const START: &str = "# aider chat started at ";

/// What each line that the user typed begins with.
const TYPED: &str = "####";

/// What each line of the program begins with.
const TOLD: &str = ">";

/// What aider ends such lines with.
const ENDING: &str = "  ";

/// What the user typed.
pub(super) const USER: &str = "user";

/// What the model said.
pub(super) const MODEL: &str = "assistant";

/// What the program said.
pub(super) const PROGRAM: &str = "program";

/// Who says a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    User,
    Model,
    Program,
}

impl Who {
    fn kind(self) -> &'static str {
        match self {
            Self::User => USER,
            Self::Model => MODEL,
            Self::Program => PROGRAM,
        }
    }
}

/// A history's lines. The last piece may still grow.
pub(super) fn lines(bytes: &[u8]) -> DocumentLines {
    let text = String::from_utf8_lossy(bytes);
    let has_endings = |line: &str| line.starts_with(TYPED) && line.ends_with(ENDING);
    let is_cut = !text.lines().any(has_endings);
    let mut lines = Vec::new();
    let (mut who, mut said) = (Who::Model, Vec::<&str>::new());
    let end = |who: Who, said: &mut Vec<&str>, lines: &mut Vec<Vec<u8>>| {
        // White space at the ends of lines is Markdown's, and so are blank lines around a piece.
        let joined = said.join("\n");
        let piece = joined.trim_matches('\n').trim_end();
        if !piece.trim().is_empty() {
            lines.push(entries::line(AGENT, who.kind(), &string(piece)));
        }
        said.clear();
    };
    for line in text.trim_start_matches('\u{feff}').lines() {
        if let Some(started) = line.strip_prefix(START) {
            end(who, &mut said, &mut lines);
            let started = string(started.trim());
            let entry = object([("started", started.as_str())]);
            lines.push(entries::line(AGENT, SESSION, &entry));
            who = Who::Model;
            continue;
        }
        let (speaker, words) = speaker(line, is_cut);
        // A blank line between two of the user's or of the program's goes on with neither.
        if speaker != who {
            end(who, &mut said, &mut lines);
            who = speaker;
        }
        said.push(words);
    }
    end(who, &mut said, &mut lines);
    let open = usize::from(!lines.is_empty());
    DocumentLines {
        lines,
        open,
        ..DocumentLines::default()
    }
}

/// Who says a line, and what.
fn speaker(line: &str, is_cut: bool) -> (Who, &str) {
    // The program ends its own lines so: without that the model quotes one, whatever it begins
    // with.
    if !(is_cut || line.ends_with(ENDING)) {
        return (Who::Model, line.trim_end());
    }
    if let Some(typed) = line.strip_prefix(TYPED)
        && (typed.is_empty() || typed.starts_with(' '))
    {
        return (Who::User, typed.trim());
    }
    if let Some(told) = line.strip_prefix(TOLD)
        && (told.is_empty() || told.starts_with(' '))
    {
        return (Who::Program, told.trim());
    }
    (Who::Model, line.trim_end())
}
