//! The one list of agents (`src/agents/mod.rs`): the README's table says the same, and no other
//! code of the library names an agent.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use scrollback::KnownAgent;
use scrollback::provider::Places;

use crate::modules;
use crate::source::{self, File};

/// The file with the one list.
const LIST: &str = "src/agents/mod.rs";

/// Agents of no other program: `native` is a word of the public API, `jsonl` one of the format.
const OWN: [&str; 2] = ["native", "fallback"];

/// Who may name agents beside their own folders: the list; the fallback, which reads words of other
/// agents' lines; what facades are called for everybody; the tool, whose help has examples.
const MAY_NAME: [&str; 5] = [
    LIST,
    "src/agents/fallback/",
    "src/facade/mod.rs",
    "src/lib.rs",
    "src/cli/",
];

/// Agents that were made from another one, or write what it writes: the folder stands on that one's. Cline was
/// called Claude Dev first, which its folders still say, and lies in those of VS Code.
const STANDS_ON: [(&str, &str); 6] = [
    ("cline", "claude_code"),
    ("cline", "vscode"),
    ("kilo", "opencode"),
    ("kilo", "cline"),
    ("openclaw", "pi"),
    ("roo", "cline"),
];

#[test]
fn the_readme_lists_every_agent() {
    let readme = source::read("README.md");
    let head = "| agent | where it is found | `--agent` |\n|---|---|---|\n";
    let (_, table) = readme.split_once(head).expect("the table of agents");
    let rows: BTreeSet<&str> = table
        .lines()
        .take_while(|row| row.starts_with('|'))
        .collect();
    let agents: Vec<String> = KnownAgent::all()
        .map(|agent| {
            let names = [&[agent.name], agent.aliases].concat().join("`, `");
            format!("| {} | {} | `{names}` |", agent.title, agent.found)
        })
        .collect();
    let expected: BTreeSet<&str> = agents.iter().map(String::as_str).collect();
    assert_eq!(rows, expected);
}

/// What docs/agents.md has to say of every agent.
const SAID: [&str; 6] = [
    "- **Places:** ",
    "- **Read:** ",
    "- **Kept:** ",
    "- **Tokens:** ",
    "- **Checked against:** ",
    "- **Not known:** ",
];

#[test]
fn a_page_says_of_every_agent_what_is_known_of_it() {
    let page = source::read("docs/agents.md");
    let sections: BTreeMap<&str, &str> = page
        .split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .collect();
    let agents: BTreeSet<&str> = KnownAgent::all().map(|agent| agent.title).collect();
    assert_eq!(sections.keys().copied().collect::<BTreeSet<_>>(), agents);
    let places = Places::under("/home").candidates();
    for agent in KnownAgent::all() {
        let section = sections[agent.title];
        for said in SAID {
            let lines = section.lines().filter(|line| line.starts_with(said));
            assert_eq!(lines.count(), 1, "{}: {said}", agent.title);
        }
        let (_, said) = section.split_once(SAID[0]).unwrap();
        let (said, _) = said.split_once(SAID[1]).unwrap();
        let own = places.iter().filter(|(name, _)| *name == agent.name);
        let own: Vec<_> = own.collect();
        for (_, path) in &own {
            let path = path.to_str().unwrap().replacen("/home/", "~/", 1);
            assert!(
                said.contains(&format!("`{path}`")),
                "{}: {path}",
                agent.title
            );
        }
        assert_eq!(
            own.is_empty(),
            said.contains("none by default"),
            "{}",
            agent.title
        );
    }
}

/// The agents of other programs in the list: the folder, and the names that it goes by.
fn listed(list: &str) -> Vec<(String, Vec<String>)> {
    let (_, list) = list
        .split_once("\nagents! {\n")
        .expect("the list of agents");
    let (list, _) = list.split_once("\n}\n").expect("its end");
    let entries = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once("::"));
    entries
        .filter(|(folder, _)| !OWN.contains(folder))
        .map(|(folder, agent)| {
            let first = folder.split('_').next().unwrap_or(folder);
            let names = [
                first.to_owned(),
                folder.replace('_', ""),
                agent.to_lowercase(),
            ];
            (folder.to_owned(), names.to_vec())
        })
        .collect()
}

/// The words of the code that is compiled into the library, and those of the texts in it, each with
/// its line. Comments and attributes are none.
fn words(tokens: TokenStream, words: &mut Vec<(usize, String)>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut skipped = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                tokens.next_if(
                    |next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == '!'),
                );
                if let Some(TokenTree::Group(group)) = tokens.peek() {
                    let attribute = group.stream().to_string();
                    skipped |= attribute.starts_with("cfg") && attribute.contains("test");
                    tokens.next();
                }
            }
            // What stands behind `#[cfg(test)]`, up to its end.
            TokenTree::Group(group) if skipped => skipped = group.delimiter() != Delimiter::Brace,
            TokenTree::Punct(sign) if skipped => skipped = sign.as_char() != ';',
            _ if skipped => {}
            TokenTree::Group(group) => self::words(group.stream(), words),
            TokenTree::Ident(name) => words.push((name.span().start().line, name.to_string())),
            TokenTree::Literal(text) => {
                let line = text.span().start().line;
                let text = text.to_string();
                words.extend(text.split_whitespace().map(|word| (line, word.to_owned())));
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// The parts of a word in small letters: `ClaudeHome`, `claude_home` and `.claude/home` have two.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for letter in word.chars() {
        let is_new = before.is_lowercase() && letter.is_uppercase();
        if !letter.is_alphanumeric() || is_new {
            parts.push(String::new());
        }
        if letter.is_alphanumeric() {
            let part = parts.last_mut().expect("a part");
            part.extend(letter.to_lowercase());
        }
        before = letter;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether a word names an agent: a part of it, or two parts together (`OpenCode`).
fn names(word: &str, agent: &str) -> bool {
    let parts = parts(word);
    parts.iter().any(|part| part == agent) || parts.windows(2).any(|two| two.concat() == agent)
}

/// No agent's name in code or text outside of the agent's folder. What is compiled for tests alone
/// may take any agent for an example.
fn named_agents(files: &[File], list: &str) -> Vec<String> {
    let agents = listed(list);
    let tests = modules::for_tests(files);
    let library = files
        .iter()
        .filter(|file| file.path.starts_with("src/") && !tests.contains(&file.path))
        .filter(|file| !MAY_NAME.iter().any(|path| file.path.starts_with(path)));
    let mut complaints = Vec::new();
    for file in library {
        let mut found = Vec::new();
        words(file.text.parse().expect("Rust"), &mut found);
        for (line, word) in found {
            let stranger = agents.iter().find(|(folder, agent)| {
                let may = STANDS_ON.iter().any(|(above, below)| {
                    below == folder && file.path.starts_with(&format!("src/agents/{above}/"))
                });
                let own = [
                    format!("src/agents/{folder}/"),
                    format!("src/facade/{folder}"),
                ];
                !may && agent.iter().any(|agent| names(&word, agent))
                    && !own.iter().any(|own| file.path.starts_with(own))
            });
            if let Some((folder, _)) = stranger {
                complaints.push(format!("{}:{line} names {folder}: `{word}`", file.path));
            }
        }
    }
    complaints
}

#[test]
fn no_agent_is_named_outside_its_folder() {
    let complaints = named_agents(&source::rust_files(), &source::read(LIST));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_named_agent_is_found() {
    let list = "\nagents! {\n    native::Native,\n    claude_code::ClaudeCode,\n    opencode::OpenCode,\n    codex::Codex,\n}\n";
    assert_eq!(listed(list).len(), 3);
    let found = |path: &str, text: &str| named_agents(&[File::new(path, text)], list).len();
    for text in [
        "use crate::agents::codex;",
        "fn f() { crate::agents::claude_code::f() }",
        "const A: &str = \"claude-code\";",
        "const A: &str = \"/h/.codex/sessions\";",
        "struct OpenCodeProvider;",
        "const OPENCODE_DB: u8 = 0;",
        "fn of_claude() {}",
        "fn f() { assert!(agent == \"codex\") }",
    ] {
        assert_eq!(found("src/transfer/a.rs", text), 1, "{text}");
    }
    for text in [
        "// codex\n/// codex\nfn f() {}",
        "#[cfg(feature = \"opencode\")] fn f() {}",
        "#[cfg(test)] mod tests { fn f() { codex() } }",
        "const A: &str = \"native jsonl, open code\"; struct Decoder;",
    ] {
        assert_eq!(found("src/transfer/a.rs", text), 0, "{text}");
    }
    let stands = |path: &str| {
        let list = "\nagents! {\n    openclaw::OpenClaw,\n    pi::Pi,\n}\n";
        named_agents(&[File::new(path, "use super::pi::Pi;")], list).len()
    };
    assert_eq!(stands("src/agents/openclaw/mod.rs"), 0);
    assert_eq!(stands("src/agents/codex/mod.rs"), 2);
    let text = "const AGENT: &str = \"codex\";";
    assert_eq!(found("src/agents/codex/layout.rs", text), 0);
    assert_eq!(found("src/facade/codex/a.rs", text), 0);
    assert_eq!(found("src/agents/opencode/mod.rs", text), 1);
    assert_eq!(found(LIST, text), 0);
}
