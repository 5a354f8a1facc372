//! Lists and transcripts as terminals of several widths show them, beside what is kept in `cli/snapshots`. With
//! `SCROLLBACK_SNAPSHOTS=write` what they show now is kept instead; look at it before it is committed.

use std::path::{Path, PathBuf};

use scrollback::chrono::TimeDelta;
use scrollback::{
    Block, Expect, MemoryStore, Message, NewRecord, RawJson, Role, ScanQuery, SessionKey,
    Store as _, StoreExt as _, Summary,
};
use unicode_width::UnicodeWidthStr as _;

use super::output::tests::captured_at;
use super::session_list::{self, tests::summary};
use super::transcript::Transcript;

/// Columns of the terminals.
const WIDTHS: [usize; 5] = [40, 60, 80, 100, 160];
/// A family, as one sign of five characters.
const FAMILY: &str = "👨\u{200d}👩\u{200d}👧";

#[track_caller]
fn assert_kept(name: &str, shown: &dyn Fn(usize) -> String) {
    let mut all = String::new();
    for width in WIDTHS {
        let text = shown(width);
        let widest = text.lines().map(str::width).max().unwrap_or(0);
        assert!(widest <= width, "{widest} of {width} columns:\n{text}");
        all.extend([&"=".repeat(width), "\n", &text, "\n"]);
    }
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(name);
    if std::env::var_os("SCROLLBACK_SNAPSHOTS").is_some_and(|wish| wish == "write") {
        std::fs::write(&path, &all).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        all == kept,
        "{} is another than what is shown now:\n{all}",
        path.display()
    );
}

fn sessions() -> Vec<(usize, Summary)> {
    let plain = summary(
        "0199aaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "Covering beds before frost",
    );
    let mut wide = summary(
        "0199bbbb",
        "プロジェクトの設定を直す。テストも追加してください。",
    );
    wide.key = SessionKey::new("claude-code", "0199bbbb-7ac8").unwrap();
    wide.project = Some("/home/ann/仕事/資料整理/設定".into());
    wide.message_count = 11_112;
    wide.bytes = 45_000_000;
    wide.subagents = 3;
    let mut part = summary("0199bbbb-7ac8/agent-a7c31d9", "Look for the tests");
    part.parent = Some("0199bbbb-7ac8".to_owned());
    part.subagent = true;
    part.key = SessionKey::new("claude-code", "0199bbbb-7ac8/agent-a7c31d9").unwrap();
    let mut joined = summary(
        "20260403-094500-4ef5ec8110305427",
        &format!("{FAMILY} ").repeat(30),
    );
    joined.pinned = true;
    joined.project = None;
    let bare = summary("x", "");
    vec![(0, plain), (0, wide), (1, part), (0, joined), (0, bare)]
}

#[test]
fn lists_fit_every_terminal() {
    assert_kept("list.txt", &|width| {
        let sessions = sessions();
        let (mut out, stdout, _) = captured_at(Some(width), false);
        let now = sessions[0].1.updated_at + TimeDelta::minutes(5);
        let table = session_list::table(&sessions, &out, Some(Path::new("/home/ann")), now);
        table.print(&mut out).unwrap();
        out.flush().unwrap();
        stdout.text()
    });
}

#[test]
fn a_pipe_gets_all_of_a_list() {
    let sessions = sessions();
    let (mut out, stdout, _) = captured_at(None, false);
    let now = sessions[0].1.updated_at;
    session_list::table(&sessions, &out, None, now)
        .print(&mut out)
        .unwrap();
    out.flush().unwrap();
    for (_, summary) in &sessions {
        assert!(stdout.text().contains(summary.title.trim_end()));
        assert!(stdout.text().contains(summary.key.id()));
    }
    assert!(stdout.text().contains("/home/ann/仕事/資料整理/設定"));
}

fn call(name: &str, json: &str) -> Block {
    Block::ToolUse {
        id: None,
        name: name.into(),
        input: RawJson::parse(json).ok(),
    }
}

fn said(role: Role, content: Vec<Block>) -> Message {
    let mut message = Message::new(role);
    message.content = content;
    message.time = scrollback::chrono::DateTime::from_timestamp(1_780_000_000, 0);
    message
}

fn text(text: &str) -> Block {
    Block::Text { text: text.into() }
}

fn talk() -> Vec<Message> {
    let answer = "## 結果\n\nAll **12 tests** pass; `cargo test` takes *3 s*. See [the log](https://example.org/log).\n\n\
                  1. First, the beds are covered.\n2. 次に、資料を整理します。とても長い行なので折り返されます。\n   - within 👨\u{200d}👩\u{200d}👧\n\n\
                  | Name | 説明 | Took |\n|---|---|---|\n| parse | 入力を読む | 1.2 s |\n| a_long_name_of_a_test | joins 👨\u{200d}👩\u{200d}👧 and more text that needs room | 1.8 s |\n\n\
                  > quoted\n\n```rust\nfn main() { println!(\"a line of code that is longer than forty columns\"); }\n```\n";
    let output = |lines: usize| Block::ToolResult {
        id: None,
        name: None,
        output: "\u{1b}[32mok\u{1b}[0m 資料 test passed\n".repeat(lines),
        is_error: false,
        images: Vec::new(),
    };
    let patch = r#"{"file_path":"src/lib.rs","old_string":"fn a() {}\nfn b() {}\n","new_string":"fn a() {}\nfn c() {}\n"}"#;
    let mut injected = Message::text(
        Role::User,
        "<system-reminder>\nbe nice to 資料\n</system-reminder>",
    );
    injected.injected = true;
    injected.time = scrollback::chrono::DateTime::from_timestamp(1_780_000_000, 0);
    vec![
        said(
            Role::User,
            vec![text("Run the tests, please. テストを実行してください。")],
        ),
        said(
            Role::Assistant,
            vec![call(
                "Bash",
                r#"{"command":"cargo test --workspace --all-targets --all-features -- --nocapture"}"#,
            )],
        ),
        said(Role::User, vec![output(30)]),
        said(
            Role::Assistant,
            vec![
                call(
                    "Read",
                    r#"{"file_path":"/home/ann/work/scrollback/src/lib.rs","offset":10,"limit":40}"#,
                ),
                call("Edit", patch),
            ],
        ),
        injected,
        said(Role::Assistant, vec![text(answer)]),
    ]
}

#[test]
fn transcripts_fit_every_terminal() {
    let store = MemoryStore::default();
    let key = SessionKey::native("0199c1f2-7ac8").unwrap();
    let records: Vec<NewRecord> = talk().into_iter().map(NewRecord::message).collect();
    store.append(&key, Expect::Any, None, &records).unwrap();
    let summary = store.summary(&key).unwrap();
    assert_kept("show.txt", &|width| {
        let (mut out, stdout, _) = captured_at(Some(width), false);
        let mut transcript = Transcript::of(&summary, "0199c1f2".to_owned());
        for shown in store.view(&key, ScanQuery::default()) {
            transcript
                .record(&shown.unwrap(), 0, false, &mut out)
                .unwrap();
        }
        out.flush().unwrap();
        stdout.text()
    });
}
