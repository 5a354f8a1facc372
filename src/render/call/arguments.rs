//! The arguments of a tool call, looked up by the names that agents use for the same thing. Nothing fails: what is
//! not made out is [`Call::Other`].

use std::borrow::Cow;

use super::diff::{self, DiffLine};
use super::what::{Call, PlanStep};
use crate::json::{Json, string};
use crate::model::raw_json::RawJson;
use crate::render::shell_word::shell_word;

const COMMAND: &[&str] = &["command", "cmd", "script"];
const PATH: &[&str] = &[
    "file_path",
    "filePath",
    "absolute_path",
    "path",
    "notebook_path",
    "filename",
    "file",
];
const OLD: &[&str] = &["old_string", "oldString", "old_str", "old_text", "oldText"];
const NEW: &[&str] = &[
    "new_string",
    "newString",
    "new_str",
    "new_text",
    "newText",
    "new_source",
];
const EDITS: &[&str] = &["edits", "replacements"];
const PATCH: &[&str] = &["patch", "diff", "patchText", "input"];
const CONTENT: &[&str] = &["content", "file_text", "contents"];
const PATTERN: &[&str] = &["pattern", "query", "regex", "search_term", "q"];
const PLACES: &[&str] = &["path", "dir_path", "dir", "directory", "include", "glob"];
const URL: &[&str] = &["url", "uri"];
const PROMPT: &[&str] = &["prompt", "task", "instructions", "message"];
const TITLE: &[&str] = &["description", "title", "name"];
const STEPS: &[&str] = &["todos", "plan", "steps"];
const STEP: &[&str] = &["content", "step", "text", "title", "description"];
const STATE: &[&str] = &["status", "state"];
const FIRST: &[&str] = &["offset", "start_line", "startLine", "line_start", "start"];
const COUNT: &[&str] = &["limit", "lines", "max_lines"];
const LAST: &[&str] = &["end_line", "endLine", "line_end", "end"];

/// The shells that are called with a command as their last argument.
const SHELLS: [&str; 4] = ["bash", "sh", "zsh", "/bin/bash"];

impl Call {
    /// What a call with these arguments does. Looks at them once, whatever their size.
    pub fn of(input: Option<&RawJson>) -> Self {
        Arguments::of(input.map_or("", RawJson::as_str)).call()
    }
}

/// What a call was given.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    members: Vec<(String, Json<'a>)>,
    /// What is no object.
    bare: Option<Json<'a>>,
}

impl<'a> Arguments<'a> {
    /// Those in a JSON text; none in anything else.
    pub(super) fn of(text: &'a str) -> Self {
        let Ok(json) = Json::parse(text) else {
            return Self {
                members: Vec::new(),
                bare: None,
            };
        };
        Self::within(json)
    }

    fn within(json: Json<'a>) -> Self {
        let members = json.all_members().into_iter();
        Self {
            members: members
                .map(|(key, value)| (key.text().into_owned(), value))
                .collect(),
            bare: (!json.is_object()).then_some(json),
        }
    }

    fn value(&self, names: &[&str]) -> Option<Json<'a>> {
        let of = |name: &&str| {
            let found = self.members.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| *value)
        };
        names.iter().find_map(of)
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.value(names).and_then(text_of)
    }

    fn number(&self, names: &[&str]) -> Option<u64> {
        self.value(names)?.get().parse().ok()
    }

    /// What the call does.
    pub(super) fn call(&self) -> Call {
        let found = self.edit().or_else(|| self.run()).or_else(|| self.plan());
        let found = found
            .or_else(|| self.about_a_file())
            .or_else(|| self.elsewhere());
        found.unwrap_or_else(|| self.other())
    }

    fn run(&self) -> Option<Call> {
        let value = self.value(COMMAND)?;
        let command = text_of(value).or_else(|| command_of(value))?;
        Some(Call::Run { command })
    }

    fn edit(&self) -> Option<Call> {
        let path = || self.text(PATH).unwrap_or_default();
        if let Some(edits) = self.value(EDITS) {
            let each = edits.elements().map(Arguments::within);
            let lines: Vec<DiffLine> = each.filter_map(|edit| edit.change()).flatten().collect();
            return (!lines.is_empty()).then(|| Call::Edit {
                path: path(),
                lines,
            });
        }
        if let Some(lines) = self.change() {
            return Some(Call::Edit {
                path: path(),
                lines,
            });
        }
        let patch = match self.bare {
            Some(bare) => text_of(bare),
            None => self.text(PATCH),
        };
        let patch = patch.or_else(|| self.patch_in_command())?;
        // Arguments of these names may hold anything else: only what begins as a patch does is one.
        let is_patch = ["*** Begin Patch", "--- ", "diff --git "];
        if !is_patch
            .iter()
            .any(|start| patch.trim_start().starts_with(start))
        {
            return None;
        }
        let path = self.text(PATH).unwrap_or_else(|| paths_in(&patch));
        Some(Call::Edit {
            path,
            lines: diff::of_patch(&patch),
        })
    }

    /// A patch that is given to a command of that name.
    fn patch_in_command(&self) -> Option<String> {
        let words: Vec<String> = self
            .value(COMMAND)?
            .elements()
            .filter_map(text_of)
            .collect();
        let [name, patch] = words.as_slice() else {
            return None;
        };
        (name == "apply_patch").then(|| patch.clone())
    }

    fn change(&self) -> Option<Vec<DiffLine>> {
        let (old, new) = (self.text(OLD), self.text(NEW));
        if old.is_none() && new.is_none() {
            return None;
        }
        Some(diff::between(
            &old.unwrap_or_default(),
            &new.unwrap_or_default(),
        ))
    }

    fn plan(&self) -> Option<Call> {
        let steps = self.value(STEPS)?.elements().map(Arguments::within);
        let steps: Vec<PlanStep> = steps
            .map(|step| PlanStep {
                text: step.text(STEP).unwrap_or_default(),
                state: step.text(STATE).unwrap_or_default(),
            })
            .collect();
        (!steps.is_empty()).then_some(Call::Plan { steps })
    }

    fn about_a_file(&self) -> Option<Call> {
        // Before the file: a search names one too, or a folder, as the place where it looks.
        if let Some(pattern) = self.text(PATTERN) {
            let place = self.text(PLACES);
            return Some(Call::Search { pattern, place });
        }
        let path = self.text(PATH)?;
        if let Some(content) = self.text(CONTENT) {
            return Some(Call::Write { path, content });
        }
        let first = self.number(FIRST);
        let by_count = self.number(COUNT);
        let last = by_count.map(|count| first.unwrap_or(1).saturating_add(count).saturating_sub(1));
        Some(Call::Read {
            path,
            first,
            last: self.number(LAST).or(last),
        })
    }

    fn elsewhere(&self) -> Option<Call> {
        if let Some(url) = self.text(URL) {
            return Some(Call::Fetch { url });
        }
        let prompt = self.text(PROMPT)?;
        let title = self.text(TITLE)?;
        Some(Call::Task { title, prompt })
    }

    fn other(&self) -> Call {
        let told = |value: Json<'_>| text_of(value).unwrap_or_else(|| value.get().to_owned());
        let bare = self.bare.map(|value| (String::new(), told(value)));
        let members = self.members.iter();
        let members = members.map(|(name, value)| (name.clone(), told(*value)));
        Call::Other {
            arguments: bare.into_iter().chain(members).collect(),
        }
    }
}

fn text_of(value: Json<'_>) -> Option<String> {
    string::decode(value.get()).map(Cow::into_owned)
}

/// A command in words: what a shell is given, or the words as one would type them.
fn command_of(value: Json<'_>) -> Option<String> {
    let words: Vec<String> = value.elements().filter_map(text_of).collect();
    if let [shell, flag, command] = words.as_slice()
        && SHELLS.contains(&shell.as_str())
        && flag.starts_with('-')
    {
        return Some(command.clone());
    }
    (!words.is_empty()).then(|| {
        words
            .iter()
            .map(|word| shell_word(word))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

/// The files that a patch names, as far as one line holds them.
fn paths_in(patch: &str) -> String {
    const HEADS: [&str; 4] = [
        "*** Update File: ",
        "*** Add File: ",
        "*** Delete File: ",
        "+++ b/",
    ];
    let of = |line: &str| {
        HEADS
            .iter()
            .find_map(|head| line.strip_prefix(head).map(str::to_owned))
    };
    let found: Vec<String> = patch.lines().filter_map(of).collect();
    found.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headline(json: &str) -> String {
        Call::of(RawJson::parse(json).ok().as_ref()).headline("Tool")
    }

    #[test]
    fn calls_are_told_by_what_they_do_whatever_the_agent() {
        for (json, expected) in [
            (
                r#"{"command":"cargo test","description":"Run"}"#,
                "$ cargo test",
            ),
            (r#"{"command":["bash","-lc","ls -l | wc"]}"#, "$ ls -l | wc"),
            (r#"{"command":["git","log","a b"]}"#, "$ git log 'a b'"),
            (r#"{"command":["ls","~/x"]}"#, "$ ls '~/x'"),
            (r#"{"cmd":"one\ntwo\nthree"}"#, "$ one (+2 lines)"),
            (r#"{"file_path":"/w/a.rs"}"#, "read /w/a.rs"),
            (
                r#"{"filePath":"a.rs","offset":10,"limit":40}"#,
                "read a.rs:10-49",
            ),
            (r#"{"absolute_path":"a.rs","offset":3}"#, "read a.rs:3-"),
            (r#"{"path":"a.rs","limit":5}"#, "read a.rs:1-5"),
            (
                r#"{"path":"a.rs","start_line":2,"end_line":4}"#,
                "read a.rs:2-4",
            ),
            (
                r#"{"file_path":"a.rs","old_string":"x\ny","new_string":"x\nz\nw"}"#,
                "edit a.rs (+2 -1)",
            ),
            (
                r#"{"filePath":"a","oldString":"x","newString":""}"#,
                "edit a (+0 -1)",
            ),
            (
                r#"{"file_path":"a","edits":[{"old_string":"x","new_string":"y"},{"old_string":"1","new_string":"2"}]}"#,
                "edit a (+2 -2)",
            ),
            (
                r#"{"input":"*** Begin Patch\n*** Update File: src/a.rs\n-x\n+y\n"}"#,
                "edit src/a.rs (+1 -1)",
            ),
            (
                r#""*** Begin Patch\n*** Add File: b\n+y\n""#,
                "edit b (+1 -0)",
            ),
            (
                r#"{"file_path":"a","content":"1\n2\n"}"#,
                "write a (2 lines)",
            ),
            (
                r#"{"pattern":"fn main","path":"src"}"#,
                "search fn main in src",
            ),
            (r#"{"pattern":"**/*.rs"}"#, "search **/*.rs"),
            (r#"{"query":"redb locks"}"#, "search redb locks"),
            (
                r#"{"url":"https://a.b/c","prompt":"what"}"#,
                "fetch https://a.b/c",
            ),
            (
                r#"{"description":"Look","prompt":"Look at it"}"#,
                "Tool: Look",
            ),
            (
                r#"{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"pending"}]}"#,
                "plan (1 of 2 done)",
            ),
            (
                r#"{"plan":[{"step":"a","status":"in_progress"}]}"#,
                "plan (0 of 1 done)",
            ),
            (
                r#"{"a":"x\ny","b":[1,2],"c":null}"#,
                "Tool a: x y, b: [1,2], c: null",
            ),
            (r"{}", "Tool"),
            ("[1]", "Tool : [1]"),
            ("7", "Tool : 7"),
        ] {
            assert_eq!(headline(json), expected, "{json}");
        }
        assert_eq!(Call::of(None).headline("Tool"), "Tool");
    }

    #[test]
    fn a_plan_has_states() {
        let json = r#"{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"},{"x":1}]}"#;
        let Call::Plan { steps } = Call::of(RawJson::parse(json).ok().as_ref()) else {
            panic!("no plan");
        };
        let states: Vec<_> = steps
            .iter()
            .map(|step| (step.is_done(), step.is_begun()))
            .collect();
        assert_eq!(states, [(true, false), (false, true), (false, false)]);
    }
}
