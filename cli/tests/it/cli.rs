//! The tool as a whole process: what it prints, where, and how it exits.

use std::process::{Output, Stdio};

use crate::harness::Home;
use scrollback::{Mode, Options, RedbStore};

/// Id of the sample session of Claude Code.
pub(crate) const CLAUDE: &str = "aaaa1111-0000-4000-8000-000000000001";
/// Id of the sample session of ggcode.
pub(crate) const GGCODE: &str = "20260403-094500-4ef5ec8110305427";

/// A session of Claude Code with every kind of block, and with text that commands a terminal.
fn claude_lines() -> String {
    let envelope = |kind: &str, number: u32, message: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"uuid\":\"u{number}\",\"parentUuid\":null,\
             \"sessionId\":\"{CLAUDE}\",\"cwd\":\"/srv/api\",\"gitBranch\":\"main\",\
             \"version\":\"2.1.0\",\"timestamp\":\"2026-05-0{number}T10:00:00.000Z\",\
             \"message\":{message}}}\n"
        )
    };
    let image =
        r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAECAw=="}}"#;
    let said = r#"{"role":"user","content":"Which port?\u001b]52;c;eA==\u0007\rNone."}"#;
    let answered = r#"{"id":"m1","role":"assistant","model":"model-1","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Looking."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ss -l"}},{"type":"surprise","a":1}],"usage":{"input_tokens":3,"output_tokens":5}}"#;
    let result = format!(
        r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{{"type":"text","text":"8080"}},{image}]}},{image}]}}"#
    );
    let summary = "{\"type\":\"summary\",\"summary\":\"The port\",\"leafUuid\":\"u2\"}\n";
    [
        summary.to_owned(),
        envelope("user", 1, said),
        envelope("assistant", 2, answered),
        envelope("user", 3, &result),
    ]
    .concat()
}

/// A session of ggcode with six messages.
fn ggcode_lines() -> String {
    let meta = format!(
        "{{\"type\":\"meta\",\"session_id\":\"{GGCODE}\",\"title\":\"Explain the loop\",\
         \"model\":\"glm-5\",\"created_at\":\"2026-04-03T11:45:00+02:00\",\
         \"updated_at\":\"2026-04-03T11:52:00+02:00\"}}\n"
    );
    let messages = (1..=6).map(|number| {
        let role = if number % 2 == 1 { "user" } else { "assistant" };
        format!(
            "{{\"type\":\"message\",\"session_id\":\"{GGCODE}\",\
             \"created_at\":\"0001-01-01T00:00:00Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\
             \"message\":{{\"role\":\"{role}\",\"content\":[{{\"type\":\"text\",\
             \"text\":\"message number {number}\"}}]}}}}\n"
        )
    });
    std::iter::once(meta).chain(messages).collect()
}

/// Imports one session of each of two agents.
pub(crate) fn import_samples(home: &Home) {
    home.write(
        &format!("in/.claude/projects/-srv-api/{CLAUDE}.jsonl"),
        claude_lines(),
    );
    home.write(
        &format!("in/.ggcode/sessions/{GGCODE}.jsonl"),
        ggcode_lines(),
    );
    home.ok(&["import", "in"]);
}

fn with_samples() -> Home {
    let home = Home::new();
    import_samples(&home);
    home
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, says: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.starts_with("error: "), "{text}");
    for said in says {
        assert!(text.contains(said), "`{said}` is not in: {text}");
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let home = Home::new();
    let all = home.ok(&["--help"]);
    let (_, listed) = all.split_once("Commands:\n").unwrap();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(
        commands.contains(&"import") && commands.len() >= 24,
        "{all}"
    );
    for command in commands {
        let help = home.ok(&[command, "--help"]);
        assert!(help.contains("EXAMPLE"), "{command}: {help}");
        assert!(help.contains(&format!("  scrollback {command}")), "{help}");
        // Longer lines would be broken where no terminal is, at 100.
        let longest = help.lines().map(str::len).max();
        assert!(longest <= Some(100), "{command}: {longest:?}");
        let after = help.split_once("EXAMPLES").map_or("", |(_, after)| after);
        let prose = after.lines().filter(|line| !line.starts_with("  "));
        let lines: Vec<&str> = prose.collect();
        // A word alone on a line between two others is what such a break leaves.
        let is_torn =
            |lines: &[&str]| lines.iter().all(|line| !line.is_empty()) && !lines[1].contains(' ');
        assert!(!lines.windows(3).any(is_torn), "{command}: {after}");
    }
    assert!(all.contains("Exit codes:"), "{all}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    let home = Home::new();
    for (arguments, says) in [
        (&["unknown"][..], "unrecognized subcommand"),
        (&["import", ".", "--agent", "nobody"], "claude-code"),
        (&["list", "--since", "someday"], "2026-01-01"),
        (&["list", "--after", "here"], "cursor"),
        (&["cleanup"], "--older-than"),
        (&["truncate", "x"], "--keep"),
        (&["rename", "x"], "TITLE"),
        (&["rename", "x", "y", "--clear"], "cannot be used with"),
        (&["alias", "x", "--remove"], "NAME"),
        (&["pin"], "ID"),
        (&["list", "--archived", "--all"], "cannot be used with"),
        (&["export"], "--all"),
        (&["export", "a", "--all"], "cannot be used with"),
        (&["export", "a", "b"], "--to DIR"),
        (&["export", "--all"], "--to DIR"),
        (&["compact"], "--jsonl"),
        (&["compact", "--all", "--jsonl", "x"], "cannot be used with"),
    ] {
        assert_fails(&home.run(arguments), 2, &[says]);
    }
    let bad_clock = home
        .command()
        .env("SCROLLBACK_NOW", "noon")
        .arg("list")
        .output();
    assert_fails(&bad_clock.unwrap(), 2, &["SCROLLBACK_NOW"]);
}

#[test]
fn a_store_that_is_not_there_is_told_and_not_made() {
    let home = Home::new();
    for arguments in [
        &["list"][..],
        &["show", "x"],
        &["export", "x"],
        &["stats"],
        &["verify"],
        &["truncate", "x", "--keep", "1"],
        &["compact", "--all"],
        &["cleanup", "--older-than", "1d"],
        &["cleanup", "--older-than", "1d", "--dry-run"],
        &["delete", "x"],
    ] {
        let says = [
            "caused by: ",
            "\n\nhint: ",
            "scrollback import",
            "scrollback.redb",
        ];
        assert_fails(&home.run(arguments), 1, &says);
    }
    home.write("in/x.jsonl", "{}\n");
    home.ok(&["import", "in", "--dry-run"]);
    assert!(!home.store_path().exists());
}

#[test]
fn the_store_is_the_argument_or_the_environment_or_in_the_data_folder() {
    let home = with_samples();
    let other = home.path().join("other.redb");
    home.ok(&["import", "in", "--store", other.to_str().unwrap()]);
    assert!(other.exists() && home.store_path().exists());
    let mut command = home.command();
    command
        .env_remove("SCROLLBACK_STORE")
        .args(["import", "in"]);
    assert!(command.output().unwrap().status.success());
    if cfg!(target_os = "linux") {
        assert!(
            home.path()
                .join(".local/share/scrollback/scrollback.redb")
                .exists()
        );
    }
}

#[test]
fn an_import_ends_with_the_list_and_goes_on_after_a_path_that_is_not_there() {
    let home = Home::new();
    home.write(
        &format!("in/.ggcode/sessions/{GGCODE}.jsonl"),
        ggcode_lines(),
    );
    let output = home.run(&["import", "nowhere", "in"]);
    assert_fails(&output, 1, &["nowhere"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let list = home.ok(&["list"]);
    assert!(text.ends_with(&format!("\n\n{list}")), "{text}");
    assert!(
        list.contains("Explain the loop") && list.contains("8 weeks ago"),
        "{list}"
    );
    let first: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    assert!(
        first
            .iter()
            .any(|line| line.starts_with("sessions ") && line.ends_with(" 1")),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_taken_is_told_and_gives_exit_code_1() {
    let home = Home::new();
    let good = home.write(
        &format!("in/.ggcode/sessions/{GGCODE}.jsonl"),
        ggcode_lines(),
    );
    std::os::unix::fs::symlink("nowhere", good.with_file_name("gone.jsonl")).unwrap();
    let output = home.run(&["import", "in"]);
    assert_fails(&output, 1, &["1 file could not be imported"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("gone.jsonl"));
    assert!(home.ok(&["list"]).contains("Explain the loop"));
}

#[test]
fn a_rehearsed_import_reports_and_stores_nothing() {
    let home = with_samples();
    let path = format!(
        "in/.claude/projects/-srv-api/{}.jsonl",
        CLAUDE.replace("aaaa", "bbbb")
    );
    home.write(&path, claude_lines());
    let before = std::fs::read(home.store_path()).unwrap();
    let report = home.ok(&["import", "in", "--dry-run", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["dry_run"], true);
    assert_eq!(report["sessions"], 1);
    assert_eq!(std::fs::read(home.store_path()).unwrap(), before);
}

#[test]
fn a_list_is_filtered_and_paged() {
    let home = with_samples();
    let ids = |arguments: &[&str]| -> Vec<String> {
        let lines = home.ok(&[&["list", "--json"], arguments].concat());
        let rows = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&[]), [CLAUDE, GGCODE]);
    assert_eq!(ids(&["--agent", "ggcode"]), [GGCODE]);
    assert_eq!(ids(&["--title", "explain the LOOP"]), [GGCODE]);
    assert_eq!(ids(&["--project", "/srv/api"]), [CLAUDE]);
    assert_eq!(ids(&["--since", "30d"]), [CLAUDE]);
    assert_eq!(ids(&["--before", "2026-05-01"]), [GGCODE]);
    assert_eq!(ids(&["--since", "2030-01-01"]), [""; 0]);
    let output = home.run(&["list", "--limit", "1"]);
    let hint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    let cursor = hint
        .split('`')
        .nth(1)
        .unwrap()
        .strip_prefix("--after ")
        .unwrap();
    assert_eq!(ids(&["--after", cursor]), [GGCODE]);
}

#[test]
fn a_list_reads_no_record() {
    let home = with_samples();
    let output = home.run(&["-v", "list"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("rows read: 2 of summaries, "), "{told}");
    assert!(
        told.contains(" 0 of records; ") && told.ends_with(" ms\n"),
        "{told}"
    );
}

#[test]
fn a_pipe_gets_the_bytes_as_they_are() {
    let home = with_samples();
    let transcript = home.ok(&["show", "aaaa"]);
    assert!(
        transcript.contains("  Which port?\x1b]52;c;eA==\x07\rNone.\n"),
        "{transcript:?}"
    );
    assert!(transcript.contains("    $ ss -l\n"), "{transcript}");
    assert!(
        transcript.contains("  | hm\n") && transcript.contains("  │ 8080\n"),
        "{transcript}"
    );
    assert_eq!(home.ok(&["show", "aaaa", "--raw"]), claude_lines());
    assert_eq!(home.ok(&["export", "claude-code:aaaa"]), claude_lines());
    let markdown = home.ok(&["export", "aaaa", "--format", "markdown"]);
    assert!(
        markdown.contains("\n## User\n\nWhich port?\x1b]52"),
        "{markdown}"
    );
    assert!(
        markdown.contains("**Image:** image/png, 4 bytes\n"),
        "{markdown}"
    );
}

#[test]
fn an_id_is_any_unique_start() {
    let home = with_samples();
    home.write(
        &format!("in/.ggcode/sessions/{}.jsonl", GGCODE.replace("4ef", "5ef")),
        ggcode_lines().replace("4ef", "5ef"),
    );
    home.ok(&["import", "in"]);
    let says = ["fits more than one session", "hint: ", GGCODE];
    assert_fails(&home.run(&["show", "2026"]), 1, &says);
    assert_fails(
        &home.run(&["show", "zzz"]),
        1,
        &["no session `zzz`", "scrollback list"],
    );
    assert_fails(&home.run(&["delete", GGCODE, "2026"]), 1, &says);
    assert!(home.ok(&["list"]).contains(GGCODE), "nothing is deleted");
    assert_eq!(
        home.ok(&["delete", GGCODE, GGCODE, "--json"])
            .matches("\"sessions\":1")
            .count(),
        1
    );
    assert!(!home.ok(&["list"]).contains(GGCODE));
}

#[test]
fn a_tail_can_begin_in_the_middle_of_a_line() {
    let home = Home::new();
    let says = |text: &str| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}");
    let fused = [says("one"), says("two"), says("three")].concat();
    home.write("in/fused.jsonl", fused + "\n" + &says("four") + "\n");
    home.ok(&["import", "in"]);
    let text = home.ok(&["show", "fused", "--tail", "2"]);
    let shown = ["one", "two", "three", "four"].map(|word| text.contains(&format!("  {word}\n")));
    assert_eq!(shown, [false, false, true, true], "{text}");
}

#[test]
fn truncation_hides_and_compaction_removes_after_archiving() {
    let home = with_samples();
    let count = |arguments: &[&str]| {
        let text = home.ok(&[&["show", GGCODE], arguments].concat());
        (
            text.matches("message number").count(),
            text.contains("4 earlier messages"),
        )
    };
    assert_eq!(count(&[]), (6, false));
    home.ok(&["truncate", GGCODE, "--keep", "2"]);
    assert_eq!(count(&[]), (2, true));
    assert_eq!(count(&["--hidden"]), (6, false));
    // The old name goes on working.
    assert_eq!(count(&["--full"]), (6, false));
    assert_eq!(count(&["--hidden", "--tail", "3"]), (3, false));
    assert_eq!(count(&["--tail", "1"]), (1, true));
    assert_eq!(count(&["--tail", "0"]), (0, true));
    let tail = home.ok(&["show", GGCODE, "--tail", "1"]);
    assert!(tail.contains("message number 6"), "{tail}");
    let text = home.ok(&["compact", "--all", "--archive", "old"]);
    assert!(text.starts_with("removed 4 records, "), "{text}");
    let lines = ggcode_lines();
    let archived = std::fs::read_to_string(home.path().join(format!("old/ggcode/{GGCODE}.jsonl")));
    let removed: Vec<&str> = lines.lines().skip(1).take(4).collect();
    assert_eq!(archived.unwrap().lines().collect::<Vec<_>>(), removed);
    let kept: Vec<&str> = lines.lines().take(1).chain(lines.lines().skip(5)).collect();
    assert_eq!(
        home.ok(&["export", GGCODE]).lines().collect::<Vec<_>>(),
        kept
    );
    assert_eq!(count(&["--hidden"]), (2, false));
    home.ok(&["verify"]);
}

#[test]
fn a_cleanup_can_be_rehearsed() {
    let home = with_samples();
    let dry_run = home.ok(&["cleanup", "--older-than", "2026-05-01", "--dry-run"]);
    assert!(
        dry_run.contains(GGCODE) && !dry_run.contains(CLAUDE),
        "{dry_run}"
    );
    assert!(
        dry_run.contains("would delete 1 session with 7 records"),
        "{dry_run}"
    );
    assert!(home.ok(&["list"]).contains(GGCODE));
    let done = home.ok(&["cleanup", "--older-than", "2026-05-01"]);
    assert!(
        done.starts_with("deleted 1 session with 7 records"),
        "{done}"
    );
    assert!(!home.ok(&["list"]).contains(GGCODE));
    let strictly = ["cleanup", "--older-than", "2026-05-03T10:00:00Z", "--json"];
    assert!(
        home.ok(&strictly).contains("\"sessions\":0"),
        "updated just then"
    );
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let home = with_samples();
    for arguments in [
        &["list"][..],
        &["show", "aaaa", "--raw"],
        &["export", "aaaa"],
        &["stats"],
    ] {
        let mut command = home.command();
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_store_that_another_process_keeps_for_itself_is_locked() {
    let home = with_samples();
    let mode = Mode::Exclusive;
    let holder = RedbStore::open(home.store_path(), Options::default().with_mode(mode)).unwrap();
    let own = format!("process {} has had it open", std::process::id());
    for arguments in [
        &["--wait", "0", "delete", GGCODE][..],
        &["--wait", "0", "list"],
    ] {
        assert_fails(&home.run(arguments), 4, &[&own, "hint: "]);
    }
    drop(holder);
    home.ok(&["delete", GGCODE]);
}

#[test]
fn a_file_that_is_no_store_is_told() {
    let home = Home::new();
    let path = home.write("notes.txt", "Not a store at all.\n".repeat(1000));
    let path = path.to_str().unwrap();
    for arguments in [&["list"][..], &["import", "."]] {
        let output = home.run(&[arguments, &["--store", path]].concat());
        assert_fails(&output, 1, &["notes.txt", "hint: "]);
    }
}
