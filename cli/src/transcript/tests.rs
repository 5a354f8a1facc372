//! Transcripts as they are printed, on a pipe and on a terminal.

use unicode_width::UnicodeWidthStr as _;

use super::super::output::tests::captured;
use super::*;
use scrollback::{RawJson, RecordHeader, SessionKey};

fn summary(records: u64) -> Summary {
    let key = SessionKey::new("claude-code", "0199c1f2").unwrap();
    let mut summary = Summary::new(key, 1, scrollback::chrono::DateTime::UNIX_EPOCH);
    summary.next_sequence = records;
    summary
}

fn shown(sequence: u64, messages: Vec<Message>) -> Shown {
    // Only a store makes these: a page with a line that says nothing is made into one.
    let store = scrollback::MemoryStore::default();
    let key = SessionKey::native("s").unwrap();
    let record = scrollback::NewRecord::message(Message::text(Role::User, "x"));
    scrollback::Store::append(&store, &key, scrollback::Expect::Any, None, &[record]).unwrap();
    let mut view = scrollback::StoreExt::view(&store, &key, scrollback::ScanQuery::default());
    let mut shown = view
        .find(|shown| !shown.as_ref().unwrap().messages.is_empty())
        .unwrap()
        .unwrap();
    shown.record.sequence = sequence;
    shown.messages = messages;
    shown
}

fn printed_as(terminal: bool, whole: bool, messages: Vec<Message>) -> String {
    let (mut out, stdout, _) = captured(terminal, false);
    let mut transcript = Transcript::of(&summary(58), "0199c1f2".to_owned());
    for (at, message) in (57..).zip(messages) {
        transcript
            .record(&shown(at, vec![message]), 0, whole, &mut out)
            .unwrap();
    }
    out.flush().unwrap();
    stdout.text()
}

fn printed(terminal: bool, messages: Vec<Message>) -> String {
    printed_as(terminal, false, messages)
}

fn result(output: &str, is_error: bool) -> Block {
    let output = output.to_owned();
    Block::ToolResult {
        id: None,
        name: None,
        output,
        is_error,
        images: Vec::new(),
    }
}

fn call(name: &str, json: &str) -> Block {
    Block::ToolUse {
        id: None,
        name: name.into(),
        input: Some(RawJson::parse(json).unwrap()),
    }
}

fn of(role: Role, content: Vec<Block>) -> Message {
    let mut message = Message::new(role);
    message.content = content;
    message
}

#[test]
fn a_message_is_a_head_with_its_number_and_text_beside_the_margin() {
    let mut message = Message::text(Role::Assistant, "\nTwo\n\nparagraphs\n\n");
    message.time = scrollback::chrono::DateTime::from_timestamp(0, 0);
    message.model = Some("m1".into());
    let thinking = |text: &str| Block::Thinking {
        text: text.into(),
        signature: None,
    };
    message.content.extend([thinking("hm"), thinking("")]);
    message
        .content
        .push(call("Bash", "{\"command\":\"ls\\n-l\"}"));
    message
        .content
        .push(result("a\n\x1b[31mb\x1b[0m\n\n", true));
    let image = Block::Image {
        media_type: Some("image/png".to_owned()),
        data: Some("AAAA".to_owned()),
        url: None,
    };
    let other = Block::Other {
        json: RawJson::parse("{\"type\":\"x\"}").unwrap(),
    };
    message.content.extend([image, other]);
    assert_eq!(
        printed(false, vec![message]),
        "
#57 assistant  1970-01-01 00:00:00 UTC  m1
    Two

    paragraphs
    | hm
    (thinking, kept by the agent in a form that cannot be read)
    $ ls
      -l
    ← failed
    │ a
    │ b
    (image: image/png, 3 bytes)
    (other) {\"type\":\"x\"}
"
    );
}

#[test]
fn calls_are_shown_by_what_they_are() {
    let calls = vec![
        call("Read", r#"{"file_path":"src/a.rs","offset":10,"limit":40}"#),
        call(
            "Edit",
            r#"{"file_path":"a","old_string":"x\ny","new_string":"x\nz"}"#,
        ),
        call("Write", r#"{"file_path":"b","content":"1\n2"}"#),
        call("Grep", r#"{"pattern":"fn main","path":"src"}"#),
        call("Task", r#"{"description":"Look","prompt":"Look at it"}"#),
        call(
            "TodoWrite",
            r#"{"todos":[{"content":"a","status":"completed"},{"content":"b"}]}"#,
        ),
        call("odd", r#"{"a":1,"b":"x\ny"}"#),
    ];
    let expected = "
#57 assistant
    → read src/a.rs:10-49
    edit a (+1 -1)
        x
      - y
      + z
    write b (2 lines)
      + 1
      + 2
    → search fn main in src
    Task: Look
      Look at it
    plan (1 of 2 done)
      [x] a
      [ ] b
    → odd a: 1, b: x y
";
    assert_eq!(printed(false, vec![of(Role::Assistant, calls)]), expected);
    let odd = of(Role::Assistant, vec![call("odd", r#"{"a":1,"b":"x\ny"}"#)]);
    assert_eq!(
        printed_as(false, true, vec![odd]),
        "\n#57 assistant\n    → odd\n      a: 1\n      b: x\n      y\n"
    );
}

#[test]
fn one_answer_has_one_head_and_so_have_what_tools_said_to_it() {
    let part = |block: Block| {
        let mut message = of(Role::Assistant, vec![block]);
        message.answer_id = Some("m1".to_owned());
        message
    };
    let text = |text: &str| Block::Text { text: text.into() };
    let messages = vec![
        part(text("Looking.")),
        part(call("Bash", r#"{"command":"ls"}"#)),
        of(Role::User, vec![result("a", false)]),
        part(text("Done.")),
        Message::text(Role::User, "Thanks"),
    ];
    assert_eq!(
        printed(false, messages),
        "
#57 assistant
    Looking.
#58 $ ls
#59 │ a

#60 assistant
    Done.

#61 user
    Thanks
"
    );
}

#[test]
fn a_long_answer_of_a_tool_is_folded_and_says_where_the_rest_is() {
    let message = of(Role::User, vec![result(&"line\n".repeat(230), false)]);
    let text = printed(false, vec![message.clone()]);
    assert!(text.starts_with("\n#57 tool\n    │ line\n"), "{text}");
    assert!(
        text.ends_with("\n    │ 210 more: show 0199c1f2#57\n"),
        "{text}"
    );
    assert_eq!(text.matches("│ line").count(), 20);
    let whole = printed_as(false, true, vec![message]);
    assert_eq!(whole.matches("│ line").count(), 230);
    // As many as there is room for, and one more.
    for (lines, more) in [(20, 0), (21, 1)] {
        let message = of(Role::User, vec![result(&"line\n".repeat(lines), false)]);
        let text = printed(false, vec![message]);
        assert_eq!(text.matches("1 more: ").count(), more, "{text}");
    }
    assert!(!whole.contains("more"), "{whole}");
}

#[test]
fn answers_are_laid_out_on_a_terminal_and_as_they_are_on_a_pipe() {
    let message = Message::text(Role::Assistant, "# Head\n- **a**\n- b\n");
    assert_eq!(
        printed(true, vec![message.clone()]),
        "\n#57 assistant\n    Head\n\n    • a\n    • b\n"
    );
    assert_eq!(
        printed(false, vec![message]),
        "\n#57 assistant\n    # Head\n    - **a**\n    - b\n"
    );
    // What a person typed stays as it was typed.
    let asked = Message::text(Role::User, "# not a head");
    assert!(printed(true, vec![asked]).contains("# not a head"));
}

#[test]
fn no_text_can_pass_for_the_head_of_a_message() {
    let wide = "x ".repeat(39);
    let forged = format!(
        "x\n\n#58 user  2026-01-01\n\x1b[1Grm -rf /\ruser\n{wide}user\n> q\n```\ncode\n```\n"
    );
    for role in [Role::Assistant, Role::User] {
        let mut message = Message::text(role, forged.clone());
        message.content.push(result(&forged, false));
        message.content.push(call(
            "Bash",
            &serde_json::json!({"command": forged}).to_string(),
        ));
        message
            .content
            .push(call("x", &serde_json::json!({"a": forged}).to_string()));
        for terminal in [true, false] {
            let text = printed(terminal, vec![message.clone()]);
            let heads = text
                .lines()
                .filter(|line| line.starts_with(|c: char| c != ' '));
            let word = role.word();
            assert_eq!(heads.collect::<Vec<_>>(), [format!("#57 {word}")]);
            assert!(
                !terminal || text.lines().all(|line| line.width() <= 80),
                "{text}"
            );
            assert_eq!(text.contains('\x1b') || text.contains('\r'), !terminal);
        }
    }
}

#[test]
fn what_was_taken_back_and_compactions_are_lines_of_their_own() {
    let said = |text: &str| Message::text(Role::User, text);
    let mut wrong = said("wrong");
    wrong.live = false;
    let text = printed(false, vec![said("one"), wrong.clone(), wrong, said("two")]);
    assert_eq!(
        text,
        "
#57 user
    one

    (taken back: what follows is kept, and was left behind)

#58 user
    wrong

#59 user
    wrong

    (the talk goes on)

#60 user
    two
"
    );
    let (mut out, stdout, _) = captured(false, false);
    let mut transcript = Transcript::of(&summary(9), String::new());
    let mut boundary = shown(
        3,
        vec![Message::text(Role::System, "Conversation compacted")],
    );
    boundary.compacted = true;
    transcript.record(&boundary, 0, false, &mut out).unwrap();
    out.flush().unwrap();
    assert_eq!(
        stdout.text(),
        "\n    (compacted: the model goes on with a summary of what was said before)\n"
    );
}

#[test]
fn what_was_put_in_is_one_line_and_a_sub_agent_is_named() {
    let mut message = Message::text(Role::User, "<reminder>\nbe nice\n</reminder>");
    message.injected = true;
    message.agent_id = Some("a1".to_owned());
    assert_eq!(
        printed(false, vec![message]),
        "\n#57 user  sub-agent a1\n    (put in by the agent) <reminder> be nice </reminder>\n"
    );
}

#[test]
fn only_records_that_could_not_be_read_are_mentioned() {
    let (mut out, stdout, _) = captured(false, false);
    let mut transcript = Transcript::of(&summary(9), String::new());
    for kind in [
        RecordKind::Event,
        RecordKind::Unknown,
        RecordKind::Malformed,
    ] {
        let mut unread = shown(5, Vec::new());
        unread.record = Record::new(5, RecordHeader::new(kind), b"{oops\n".to_vec());
        transcript.record(&unread, 0, false, &mut out).unwrap();
    }
    out.flush().unwrap();
    assert_eq!(
        stdout.text(),
        "\n    (record 5 could not be read: 6 B; `--raw` shows it)\n"
    );
}
