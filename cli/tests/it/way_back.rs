//! `resume` and `put-back`: the line for a shell, and a program that stands in for an agent's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::harness::Home;

const ID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

/// A home with a session in a folder that is there, imported.
fn with_session() -> Home {
    let home = Home::new();
    let project = home.path().canonicalize().unwrap().join("my app");
    fs::create_dir_all(&project).unwrap();
    let line = serde_json::json!({
        "type": "user", "uuid": "u", "sessionId": ID, "cwd": project,
        "timestamp": "2026-05-01T10:00:00Z", "message": {"role": "user", "content": "hi"},
    });
    home.write(&file(&home), format!("{line}\n"));
    home.ok(&["import", ".claude"]);
    home
}

fn file(home: &Home) -> String {
    let project = home.path().canonicalize().unwrap().join("my app");
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let folder: String = project.to_str().unwrap().chars().map(letter).collect();
    format!(".claude/projects/{folder}/{ID}.jsonl")
}

/// Runs the tool with a `claude` that says where it runs and with what.
fn with_agent(home: &Home, arguments: &[&str]) -> Output {
    let program = home.write("bin/claude", "#!/bin/sh\necho \"$PWD: $*\"\nexit 7\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path().join("bin").display());
    home.command()
        .env("PATH", path)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_session_is_resumed_where_it_was_and_put_back_before_that_if_need_be() {
    let home = with_session();
    let project = home.path().canonicalize().unwrap().join("my app");
    let project = project.to_str().unwrap();
    let whole = format!("cd '{project}' && claude --resume {ID}\n");
    assert_eq!(home.ok(&["resume", "0a1b"]), whole);
    let ran = with_agent(&home, &["resume", "0a1b", "--run"]);
    // Its output and its code are the agent's own.
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(said, format!("{project}: --resume {ID}\n"));
    assert_eq!(ran.status.code(), Some(7));

    let kept = fs::read(home.path().join(file(&home))).unwrap();
    fs::remove_dir_all(home.path().join(".claude")).unwrap();
    let line = home.ok(&["resume", "0a1b"]);
    let first = format!("scrollback put-back claude-code:{ID} && cd ");
    assert!(line.starts_with(&first), "{line}");
    let store = home.store_path();
    let named = home.ok(&["--store", store.to_str().unwrap(), "resume", "0a1b"]);
    assert!(named.starts_with("scrollback --store "), "{named}");
    let ran = with_agent(&home, &["resume", "0a1b", "--run"]);
    assert_eq!(ran.status.code(), Some(7), "{ran:?}");
    assert_eq!(fs::read(home.path().join(file(&home))).unwrap(), kept);
    assert_eq!(home.ok(&["resume", "0a1b"]), whole);
}

#[test]
fn what_stands_in_the_way_is_told_and_stays() {
    let home = with_session();
    let path = home.path().join(file(&home));
    fs::write(&path, "the agent went on").unwrap();
    let refused = home.run(&["put-back", "0a1b"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("hint: nothing was written"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "the agent went on");
    let again = ["put-back", "0a1b", "--to", "other"];
    assert!(home.ok(&again).contains("other/projects/"));
    assert!(home.ok(&again).contains("(was there)"));
}

#[test]
fn what_cannot_be_run_says_why() {
    let home = with_session();
    let run = ["resume", "0a1b", "--run"];
    // Nothing of that name in the PATH, then no folder to run it in.
    let missing = home.command().env("PATH", "/nowhere").args(run).output();
    let missing = missing.unwrap();
    assert_eq!(missing.status.code(), Some(1));
    let told = String::from_utf8(missing.stderr).unwrap();
    assert!(told.contains("installed"), "{told}");
    fs::remove_dir(home.path().join("my app")).unwrap();
    assert_eq!(with_agent(&home, &run).status.code(), Some(1));
    home.write("in/x.jsonl", "{\"role\":\"user\",\"content\":\"hi\"}\n");
    home.ok(&["import", "in"]);
    let none = String::from_utf8(home.run(&["resume", "x"]).stderr).unwrap();
    assert!(none.contains("cannot resume a session"), "{none}");
}
