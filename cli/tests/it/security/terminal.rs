//! The real tool on a real terminal, which `script` lends: nothing that comes from a session, a
//! file's name or the command line reaches it as a command. Every command in every form runs in
//! `cli/src/hostile_text.rs`, over streams that say that they are terminals.

use std::io::Write as _;
use std::process::Stdio;

use crate::harness::Home;

/// Text that commands a terminal, hides, or turns around.
const EVIL: &str = "a\x1b]0;x\x07\x1b[2J\r\u{9b}31mb\u{202e}c\u{200b}\u{2028}\x08\x7fd";

/// Runs the tool on a terminal where somebody types a line; `None` if there is no `script`.
fn answered(home: &Home, arguments: &str, answer: &str) -> Option<String> {
    let mut script = home
        .on_terminal(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut typed = script.stdin.take().unwrap();
    typed.write_all(format!("{answer}\n").as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    drop(typed);
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Runs the tool on a terminal; `None` if there is no `script`.
fn on_terminal(home: &Home, arguments: &str) -> Option<String> {
    let mut script = home.on_terminal(arguments);
    let output = script.env("EVIL", EVIL).output().ok()?;
    Some(String::from_utf8(output.stdout).unwrap())
}

fn assert_inert(arguments: &str, shown: &str) {
    // The terminal itself ends lines so, and echoes the end of its input; a progress bar, which
    // shows numbers alone, is drawn anew so.
    let text = shown
        .replace("\r\n", "\n")
        .replace("^D\u{8}\u{8}", "")
        .replace("\r\u{1b}[2K", "");
    let bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(bad), "{arguments}: {shown:?}");
    assert!(!text.is_empty(), "{arguments} shows nothing");
}

#[test]
fn a_terminal_is_never_commanded() {
    let home = Home::new();
    let text = serde_json::Value::from(EVIL);
    let line = format!("{{\"role\":\"user\",\"content\":{text}}}\n");
    let name: String = EVIL.chars().filter(|c| *c != '/').collect();
    home.write(&format!("in/{name}.jsonl"), line);
    home.write(&format!("in/bad{name}.jsonl"), "{\"role\":\"user\"\n");
    home.ok(&["import", "in"]);
    let mut runs = 0;
    let mut escaped = 0;
    for arguments in [
        "list",
        "list --json",
        "list --title \"$EVIL\"",
        "show a",
        "show a --raw",
        "show a --json",
        "export a",
        "export a --format markdown",
        "stats",
        "verify",
        "show \"$EVIL$EVIL\"",
        "alias a \"$EVIL\"",
        "cleanup --older-than 1d --dry-run",
        "\"$EVIL\"",
        "list --since \"$EVIL\"",
        "list \"--$EVIL\"",
        "--store \"$EVIL\" list",
        "import \"$EVIL\" ; true",
        "rename a \"$EVIL\"",
        "truncate a --keep 0",
        "delete a",
    ] {
        let Some(shown) = on_terminal(&home, arguments) else {
            return;
        };
        assert_inert(arguments, &shown);
        runs += 1;
        escaped += usize::from(shown.contains("\\x1b") || shown.contains("\\u001b"));
    }
    assert!(runs == 21 && escaped >= 10, "{runs} {escaped}");
}

#[test]
fn delete_asks_on_a_terminal_and_deletes_nothing_without_a_yes() {
    let home = Home::new();
    home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hi\"}\n");
    home.ok(&["import", "in"]);
    let is_there = || !home.ok(&["list", "--json"]).is_empty();
    for (answer, stays) in [("n", true), ("", true), ("y", false)] {
        let Some(shown) = answered(&home, "delete a", answer) else {
            return;
        };
        assert!(shown.contains("delete 1 session with 1 record"), "{shown}");
        assert_eq!(shown.contains("nothing was deleted"), stays, "{shown}");
        assert_eq!(is_there(), stays, "{answer}");
    }
    home.ok(&["import", "--again", "in"]);
    let shown = answered(&home, "delete --yes a", "").unwrap();
    assert!(!shown.contains("[y/N]") && !is_there(), "{shown}");
}
