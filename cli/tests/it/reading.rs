//! What people do to read: one message of a session, the newest of a folder, orders of lists, what a pager gets.

use serde_json::Value;

use crate::cli::{CLAUDE, GGCODE, import_samples};
use crate::harness::Home;

fn with_samples() -> Home {
    let home = Home::new();
    import_samples(&home);
    home
}

/// A session of generic lines: an output of 50 lines, a picture, and text around them.
fn with_output() -> Home {
    let home = Home::new();
    let output = "line\\n".repeat(50);
    let image =
        r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw=="}}"#;
    let said =
        |role: &str, content: &str| format!("{{\"role\":\"{role}\",\"content\":{content}}}\n");
    let result =
        format!(r#"[{{"type":"tool_result","tool_use_id":"t","content":"{output}"}},{image}]"#);
    let lines = [
        said("user", "\"one\""),
        said(
            "assistant",
            r#"[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"cat x"}}]"#,
        ),
        said("user", &result),
        said("assistant", "\"four\""),
    ];
    home.write("in/talk.jsonl", lines.concat());
    home.ok(&["import", "in"]);
    home
}

#[test]
fn one_record_is_shown_whole_with_what_is_around_it() {
    let home = with_output();
    let all = home.ok(&["show", "talk"]);
    assert!(all.contains("│ 30 more: show talk#2\n"), "{all}");
    let count = |arguments: &[&str]| home.ok(arguments).matches("│ line").count();
    assert_eq!(count(&["show", "talk"]), 20);
    assert_eq!(count(&["show", "talk", "--whole"]), 50);
    assert_eq!(count(&["show", "talk#2"]), 50);
    let one = home.ok(&["show", "talk#2"]);
    assert!(
        one.starts_with("\n#2  user") && !one.contains("one") && !one.contains("four"),
        "{one}"
    );
    let around = home.ok(&["show", "talk#2", "-C", "1"]);
    assert!(
        around.contains("$ cat x") && around.contains("four") && !around.contains("one"),
        "{around}"
    );
    let wide = home.ok(&["show", "talk#2", "-C", "9"]);
    assert!(wide.contains("#0  user") && wide.contains("four"), "{wide}");
    let rows = home.ok(&["show", "talk#2", "--json", "-C", "1"]);
    let numbers: Vec<u64> = rows
        .lines()
        .map(|row| {
            serde_json::from_str::<Value>(row).unwrap()["sequence"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(home.ok(&["show", "talk#3", "--raw"]).lines().count(), 1);
    for (arguments, code) in [
        (&["show", "talk#9"][..], 1),
        (&["show", "talk#x"], 1),
        (&["show", "talk#1", "-n", "2"], 2),
        (&["show", "talk", "-C", "2"], 2),
    ] {
        assert_eq!(
            home.run(arguments).status.code(),
            Some(code),
            "{arguments:?}"
        );
    }
    let missing = String::from_utf8(home.run(&["show", "talk#9"]).stderr).unwrap();
    assert!(missing.contains("has no record 9"), "{missing}");
}

#[test]
fn pictures_are_saved_and_replace_nothing() {
    let home = with_output();
    let saved = home.ok(&["show", "talk#2", "--save", "pictures"]);
    assert!(saved.contains("2-1.png"), "{saved}");
    let file = home.path().join("pictures/2-1.png");
    assert_eq!(std::fs::read(&file).unwrap(), b"\x89PNG");
    // The same again is no harm; another content of that name is left alone.
    home.ok(&["show", "talk", "--save", "pictures"]);
    std::fs::write(&file, "mine").unwrap();
    let refused = home.run(&["show", "talk", "--save", "pictures"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn without_an_id_it_is_the_newest_session_of_this_project() {
    let home = Home::new();
    let here = home.path().canonicalize().unwrap();
    for (name, folder, day) in [
        ("aaaa", "shop", 1),
        ("bbbb", "shop", 2),
        ("cccc", "other", 3),
    ] {
        let cwd = here.join(folder);
        std::fs::create_dir_all(cwd.join("src")).unwrap();
        let line = serde_json::json!({
            "type": "user", "uuid": name, "sessionId": name, "cwd": cwd,
            "timestamp": format!("2026-05-0{day}T10:00:00Z"),
            "message": {"role": "user", "content": format!("said in {name}")},
        });
        home.write(
            &format!("in/.claude/projects/-w/{name}.jsonl"),
            format!("{line}\n"),
        );
    }
    std::fs::create_dir_all(here.join("shop/.git")).unwrap();
    home.ok(&["import", "in"]);
    let show = |folder: &str| {
        let output = home
            .command()
            .arg("show")
            .current_dir(here.join(folder))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(show("shop").contains("said in bbbb"));
    // Below the repository, where no session worked, it is the repository's.
    assert!(show("shop/src").contains("said in bbbb"));
    assert!(show("other").contains("said in cccc"));
    std::fs::create_dir_all(here.join("none")).unwrap();
    let none = home
        .command()
        .arg("show")
        .current_dir(here.join("none"))
        .output()
        .unwrap();
    assert_eq!(none.status.code(), Some(1));
}

fn ids(home: &Home, arguments: &[&str]) -> Vec<String> {
    let rows = home.ok(&[&["list", "--json"], arguments].concat());
    let id = |row: &str| {
        let row: Value = serde_json::from_str(row).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    rows.lines().map(id).collect()
}

#[test]
fn lists_are_sorted_and_sifted_as_asked() {
    let home = with_samples();
    home.write(
        "in/zzz.jsonl",
        "{\"role\":\"user\",\"content\":\"A first\"}\n",
    );
    home.ok(&["import", "in"]);
    let by = |sort: &str| ids(&home, &["--sort", sort]);
    assert_eq!(by("messages"), [GGCODE, CLAUDE, "zzz"]);
    assert_eq!(by("title"), ["zzz", GGCODE, CLAUDE]);
    assert_eq!(by("agent"), [CLAUDE, GGCODE, "zzz"]);
    assert_eq!(by("project").first().map(String::as_str), Some(CLAUDE));
    assert_eq!(by("size").last().map(String::as_str), Some("zzz"));
    assert_eq!(ids(&home, &["--sort", "messages", "-n", "1"]), [GGCODE]);
    assert_eq!(ids(&home, &["-n", "0"]).len(), 3);
    assert_eq!(ids(&home, &["--model", "GLM"]), [GGCODE]);
    assert_eq!(ids(&home, &["--branch", "main"]), [CLAUDE]);
    assert_eq!(ids(&home, &["--branch", "mai"]), [""; 0]);
    assert_eq!(
        ids(&home, &["--since", "2026-05-01", "--before", "today"]),
        [CLAUDE]
    );
    assert_eq!(home.ok(&["ls"]), home.ok(&["list"]));
    home.ok(&["rm", "zzz"]);
    assert_eq!(ids(&home, &[]).len(), 2);
}

#[test]
fn errors_are_json_where_all_else_is() {
    let home = with_samples();
    for (arguments, code) in [
        (&["show", "none", "--json"][..], 1),
        (&["list", "--json", "--no-such"], 2),
        (&["show", "aaaa", "-C", "1", "--json"], 2),
        (&["--store", "none", "list", "--json"], 1),
    ] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(code));
        let text = String::from_utf8(output.stderr).unwrap();
        let row: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(row["code"], code, "{text}");
        assert!(!row["error"].as_str().unwrap().is_empty(), "{text}");
    }
}

#[test]
fn shells_and_manuals_get_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.ok(&["completions", shell]);
        assert!(
            script.contains("completions") && script.contains("no-pager"),
            "{shell}"
        );
    }
    assert!(home.ok(&["man"]).contains(".TH scrollback 1"));
    let pages = home.ok(&["man", "--to", "man1"]);
    assert!(
        pages.contains("scrollback-show.1") && pages.lines().count() >= 26,
        "{pages}"
    );
    let page = std::fs::read_to_string(home.path().join("man1/scrollback-list.1")).unwrap();
    assert!(page.contains("\\-\\-sort"), "{page}");
}

/// Runs the tool on a terminal, with a pager; `None` if there is no `script`.
fn paged(home: &Home, arguments: &str, pager: &str) -> Option<String> {
    let mut script = home.on_terminal(arguments);
    let output = script.env("PAGER", pager).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.replace("\r\n", "\n"))
}

#[test]
fn a_pager_gets_lists_and_transcripts_and_what_is_told_comes_behind_it() {
    let home = with_samples();
    let pager = "sed 's/^/[paged] /'";
    let Some(list) = paged(&home, "list -n 1", pager) else {
        return;
    };
    assert!(list.starts_with("[paged] ID"), "{list}");
    let notice = list.lines().last().unwrap();
    assert!(notice.starts_with("the newest 1 are shown"), "{list}");
    assert!(
        paged(&home, "show aaaa", pager)
            .unwrap()
            .starts_with("[paged] The port")
    );
    assert!(
        paged(&home, "search port", pager)
            .unwrap()
            .starts_with("[paged] ")
    );
    for arguments in ["list --no-pager", "list --json", "stats", "show aaaa --raw"] {
        assert!(
            !paged(&home, arguments, pager).unwrap().contains("[paged]"),
            "{arguments}"
        );
    }
    // A pager that reads nothing, or is not there, ends nothing badly.
    for pager in ["true", "no-such-pager"] {
        let text = paged(&home, "list; echo ended $?", pager).unwrap();
        assert!(text.contains("ended 0"), "{pager}: {text}");
    }
}
