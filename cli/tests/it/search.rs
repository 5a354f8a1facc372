//! `search`: what it prints, its codes, and where its pages go on.

use serde_json::Value;

use crate::harness::Home;

/// Two sessions of lines that any program might have written.
fn home() -> Home {
    let home = Home::new();
    let line = |role: &str, second: u32, text: &str| {
        format!(
            "{{\"role\":\"{role}\",\"content\":\"{text}\",\"timestamp\":\"2026-01-01T10:00:{second:02}Z\"}}\n"
        )
    };
    let older = line("user", 1, "Which port has the API?") + &line("assistant", 2, "PORT 8080");
    let newer = line("user", 11, "The port is taken")
        + &line("assistant", 12, "try\\nanother PORT then")
        + &line("user", 13, "thanks");
    home.write("in/older.jsonl", older);
    home.write("in/newer.jsonl", newer);
    home.ok(&["import", "in"]);
    home
}

#[test]
fn hits_stand_below_their_sessions_newest_first() {
    let home = home();
    let lines: Vec<String> = home
        .ok(&["search", "port"])
        .lines()
        .map(str::to_owned)
        .collect();
    let shown: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert!(shown[0].starts_with("newer  jsonl  ") && shown[0].ends_with("The port is taken"));
    assert_eq!(
        shown[1..4],
        [
            "  #1  assistant  2026-01-01 10:00:12 UTC  another PORT then",
            "  #0  user  2026-01-01 10:00:11 UTC  The port is taken",
            "",
        ]
    );
    assert!(shown[4].starts_with("older  jsonl  "));
    assert_eq!(shown.len(), 7);
    let around = home.ok(&["search", "another port", "-C", "1"]);
    let around: Vec<&str> = around.lines().skip(1).collect();
    assert_eq!(
        around,
        [
            "  #0  user  The port is taken",
            "  #1  assistant  2026-01-01 10:00:12 UTC  another PORT then",
            "  #2  user  thanks",
        ]
    );
    let sessions = home.ok(&["search", "port", "--sessions"]);
    assert_eq!(sessions.matches("  2 messages  ").count(), 2, "{sessions}");
}

#[test]
fn pages_go_on_counts_are_exact_and_nothing_is_no_error() {
    let home = home();
    assert_eq!(
        home.ok(&["search", "port", "--count"]),
        "4 messages in 2 sessions\n"
    );
    let mut after: Option<String> = None;
    let mut found = Vec::new();
    loop {
        let mut arguments = vec!["search", "port", "--limit", "1", "--json"];
        if let Some(after) = &after {
            arguments.extend(["--after", after]);
        }
        let line = home.ok(&arguments);
        let Ok(hit) = serde_json::from_str::<Value>(&line) else {
            assert_eq!(line, "");
            break;
        };
        found.push(format!(
            "{}#{}",
            hit["id"].as_str().unwrap(),
            hit["sequence"]
        ));
        after = Some(hit["cursor"].as_str().unwrap().to_owned());
    }
    assert_eq!(found, ["newer#1", "newer#0", "older#1", "older#0"]);
    let nothing = home.run(&["search", "port", "NOT", "port"]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(0), 0));
    assert_eq!(
        String::from_utf8_lossy(&nothing.stderr),
        "no message fits\n"
    );
}

#[test]
fn a_page_that_is_not_all_says_how_much_there_is_at_least() {
    let home = home();
    for (limit, of) in [
        ("1", "4, in up to 2 sessions"),
        ("3", "4, in up to 2 sessions"),
    ] {
        let first = home.run(&["search", "port", "--limit", limit]);
        let said = String::from_utf8_lossy(&first.stderr);
        let start = format!("the newest {limit} are shown, of at least {of}; go on with `--after ");
        assert!(said.starts_with(&start), "{said}");
    }
    let all = home.run(&["search", "port", "--limit", "4"]);
    assert_eq!(String::from_utf8_lossy(&all.stderr), "");
    // Without an index nobody knows where it may be.
    home.ok(&["index", "--drop"]);
    let first = home.run(&["search", "port", "--limit", "1"]);
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(said.contains("shown, of at least 4; go on"), "{said}");
}

#[test]
fn filters_and_the_language_are_those_of_the_documentation() {
    let home = home();
    for (arguments, messages) in [
        (&["port", "--role", "user"][..], 2),
        (&["port", "--role", "user", "--role", "assistant"], 4),
        (&["port", "--session", "old"], 2),
        (&["port", "--agent", "jsonl", "--agent", "codex"], 4),
        (&["port", "--since", "2026-01-01T10:00:11Z"], 2),
        (&["port", "--before", "2026-01-01T10:00:11Z"], 2),
        (&["\"port\"", "NOT", "taken"], 3),
        (&["--regex", "^another P"], 1),
        (&["re:80\\d0", "OR", "thanks"], 2),
        (&["title:taken", "port"], 2),
        (&["--", "-port"], 0),
    ] {
        let all = [&["search", "--count", "--json"], arguments].concat();
        let counts: Value = serde_json::from_str(&home.ok(&all)).unwrap();
        assert_eq!(counts["messages"], messages, "{arguments:?}");
    }
    for (arguments, says) in [
        (&["\"port"][..], "a quote is not closed"),
        (&["--regex", "("], "unclosed group"),
        (&[" "], "nothing to search for"),
        (&["x", "--role", "nobody"], "expected `user`"),
        (&["x", "--sort", "worst"], "expected `newest`"),
    ] {
        let refused = home.run(&[&["search"], arguments].concat());
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
    let unknown = home.run(&["search", "x", "--agent", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
}
