//! What agents keep in their default places: imported without a path, and compared by `status`.

use std::fs;

use serde_json::Value;

use crate::harness::Home;

const A: &str = "0a000000-0000-4000-8000-00000000000a";
const B: &str = "0b000000-0000-4000-8000-00000000000b";

fn said(text: &str) -> String {
    format!(
        r#"{{"sessionId":"s","type":"user","uuid":"{text}","cwd":"/w/shop","timestamp":"2026-05-20T10:00:00.000Z","message":{{"role":"user","content":"{text}"}}}}"#
    ) + "\n"
}

fn claude(home: &Home, id: &str, texts: &[&str]) {
    let lines: String = texts.iter().map(|text| said(text)).collect();
    home.write(&format!(".claude/projects/-w-shop/{id}.jsonl"), lines);
}

fn codex(home: &Home) {
    let line = r#"{"timestamp":"2026-05-20T10:00:00.000Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#;
    let name = format!(".codex/archived_sessions/rollout-2026-05-20T10-00-00-{B}.jsonl");
    home.write(&name, format!("{line}\n"));
}

/// The exit code of `status`, and of an agent the numbers there, kept, new, changed and only here.
fn status(home: &Home, agent: &str) -> (i32, [u64; 5]) {
    let output = home.run(&["status", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap());
    let row = rows
        .into_iter()
        .find(|row| row["agent"] == agent)
        .expect(agent);
    let number = |field: &str| row[field].as_u64().unwrap();
    let fields = ["sessions_there", "kept", "new", "changed", "only_here"];
    (output.status.code().unwrap(), fields.map(number))
}

#[test]
fn status_tells_what_is_new_what_changed_and_what_is_only_here() {
    let home = Home::new();
    claude(&home, A, &["one"]);
    claude(&home, B, &["two"]);
    codex(&home);
    assert_eq!(status(&home, "claude-code"), (5, [2, 0, 2, 0, 0]));
    assert!(!home.store_path().exists(), "a look makes no store");
    home.ok(&["import"]);
    assert_eq!(status(&home, "claude-code"), (0, [2, 2, 0, 0, 0]));
    assert_eq!(status(&home, "codex"), (0, [1, 1, 0, 0, 0]));
    assert_eq!(status(&home, "gemini"), (0, [0, 0, 0, 0, 0]));
    claude(&home, A, &["one", "more"]);
    assert_eq!(status(&home, "claude-code"), (5, [2, 2, 0, 1, 0]));
    fs::remove_file(
        home.path()
            .join(format!(".claude/projects/-w-shop/{B}.jsonl")),
    )
    .unwrap();
    home.ok(&["import"]);
    assert_eq!(status(&home, "claude-code"), (0, [1, 2, 0, 0, 1]));
    let text = home.ok(&["status", "--agent", "claude"]);
    assert!(
        text.contains("~/.claude/projects") && !text.contains("codex"),
        "{text}"
    );
    claude(&home, A, &["one", "more", "torn"]);
    home.write(".claude/projects/-w-shop/bad.jsonl", "no json\n");
    assert_eq!(status(&home, "claude-code").0, 1);
}

#[test]
fn an_import_without_a_path_takes_the_default_places_and_says_which() {
    let home = Home::new();
    let output = home.run(&["import"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("~/.claude/projects") && error.contains("Name a path"),
        "{error}"
    );
    assert!(!home.store_path().exists());

    claude(&home, A, &["one"]);
    home.write(".claude/other/notes.jsonl", said("none of the sessions"));
    codex(&home);
    let output = home.run(&["import", "--json", "--agent", "claude"]);
    assert!(output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "found claude-code: ~/.claude/projects\n");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (
            &report["sessions"],
            report["places"].as_array().unwrap().len()
        ),
        (&1.into(), 1)
    );
    let report: Value = serde_json::from_str(&home.ok(&["import", "--json"])).unwrap();
    assert_eq!(report["sessions"], 1);
    assert_eq!(report["places"][1]["agent"], "codex");

    // Where a variable says so, the place is another one.
    let elsewhere = home.path().join("elsewhere");
    fs::rename(home.path().join(".codex"), &elsewhere).unwrap();
    let mut command = home.command();
    command
        .env("CODEX_HOME", &elsewhere)
        .args(["import", "--json", "--agent", "codex"]);
    let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(
        report["places"][0]["path"].as_str(),
        elsewhere.join("archived_sessions").to_str()
    );
}

#[test]
fn an_unknown_agent_is_answered_with_the_known_ones() {
    let home = Home::new();
    claude(&home, A, &["one"]);
    home.ok(&["import"]);
    for arguments in [
        ["list", "--agent"],
        ["status", "--agent"],
        ["import", "--agent"],
    ] {
        let output = home.run(&[&arguments[..], &["nobody"]].concat());
        assert!(!output.status.success());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("claude-code") && error.contains("opencode"),
            "{error}"
        );
    }
    assert!(home.ok(&["list", "--agent", "claude"]).contains("one"));
    // A known one of which nothing is kept is no error.
    assert_eq!(home.ok(&["list", "--agent", "codex"]), "");
}
