//! Damaged and odd input: every row of the test matrix of `FORMATS.md` is imported, counted,
//! exported after its source is gone, and compared byte for byte.

use scrollback::report::ImportReport;
use scrollback::{
    ExportFormat, ImportOptions, Options, RedbStore, SessionKey, Store, export_session, import,
};

use crate::harness::{Home, export_as_lines, files_below};

/// A session file of Claude Code, which most rows were seen in.
const PATH: &str = ".claude/projects/-w/0a1b2c3d-0000-4000-8000-000000000001.jsonl";

/// A Claude Code line that says something.
fn says(text: &str) -> Vec<u8> {
    format!(
        "{{\"type\":\"user\",\"uuid\":\"u-{text}\",\"timestamp\":\"2026-02-09T08:49:50.954Z\",\
         \"cwd\":\"/w\",\"sessionId\":\"s\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}"
    )
    .into_bytes()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// What an import has to count: records, messages, malformed.
type Counts = (u64, u64, u64);

/// Imports one file, checks what was counted, removes it, exports it, and compares.
fn round_trip(path: &str, content: &[u8], expected: Counts) -> (Home, RedbStore, ImportReport) {
    let home = Home::new();
    let file = home.write(&format!("in/{path}"), content);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(
        (report.files, report.sessions, report.skipped),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(
        (report.records, report.messages, report.malformed),
        expected,
        "{report:?}"
    );
    assert_eq!(report.bytes, content.len() as u64);
    let malformed_lines: std::collections::HashSet<_> = report
        .problems
        .iter()
        .filter_map(|problem| problem.line)
        .collect();
    assert!(
        malformed_lines.len() as u64 >= report.malformed,
        "{:?}",
        report.problems
    );

    std::fs::remove_file(file).unwrap();
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let files = files_below(&out);
    assert_eq!(files.len(), 1);
    assert!(files[0].ends_with(path), "{files:?}");
    assert!(
        std::fs::read(&files[0]).unwrap() == content,
        "the exported bytes differ"
    );
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    (home, store, report)
}

fn only_key(store: &RedbStore) -> SessionKey {
    store
        .list(&scrollback::ListQuery::default())
        .unwrap()
        .sessions
        .remove(0)
        .key
}

#[test]
fn row_01_last_line_without_line_feed() {
    let content = join(&[&says("a"), b"\n", &says("b")]);
    round_trip(PATH, &content, (2, 2, 0));
}

#[test]
fn row_02_partial_last_line_that_is_completed_later() {
    let (first, second) = (says("a"), says("b"));
    let torn = join(&[&first, b"\n", &second[..second.len() / 2]]);
    let (home, store, report) = round_trip(PATH, &torn, (2, 1, 1));
    assert_eq!(report.problems[0].line, Some(2));
    assert_eq!(report.problems[0].offset, Some(first.len() as u64 + 1));

    let whole = join(&[&first, b"\n", &second, b"\n", &says("c"), b"\n"]);
    home.write(&format!("in/{PATH}"), &whole);
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(
        (report.sessions_grown, report.generations),
        (1, 0),
        "{report:?}"
    );
    assert_eq!(
        (report.records, report.messages, report.malformed),
        (1, 2, 0)
    );
    let mut out = Vec::new();
    export_session(&store, &only_key(&store), ExportFormat::Jsonl, &mut out).unwrap();
    assert!(out == whole);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn row_03_tail_of_nul_bytes() {
    let content = join(&[&says("a"), b"\n", &vec![0; 3_000_000]]);
    round_trip(PATH, &content, (2, 1, 1));
}

#[test]
fn row_04_nul_block_in_the_middle() {
    let content = join(&[
        &says("a"),
        b"\n",
        &[0; 5000],
        &says("b"),
        b"\n",
        &says("c"),
        b"\n",
    ]);
    let (_, _, report) = round_trip(PATH, &content, (3, 3, 1));
    assert_eq!(report.problems[0].line, Some(2));
}

#[test]
fn row_05_two_objects_on_one_line() {
    let content = join(&[&says("a"), &says("b"), b"\n", &says("c"), b"\n"]);
    round_trip(PATH, &content, (2, 3, 1));
}

#[test]
fn row_06_crlf() {
    let content = join(&[&says("a"), b"\r\n", &says("b"), b"\r\n"]);
    round_trip(PATH, &content, (2, 2, 0));
}

#[test]
fn row_07_byte_order_mark() {
    let content = join(&[b"\xef\xbb\xbf", &says("a"), b"\n", &says("b"), b"\n"]);
    round_trip(PATH, &content, (2, 2, 0));
}

#[test]
fn row_08_lone_surrogate_escape() {
    let content = join(&[&says("cut \\ud83d here"), b"\n", &says("b"), b"\n"]);
    let (_, store, _) = round_trip(PATH, &content, (2, 2, 0));
    let session = store.load(&only_key(&store)).unwrap();
    assert_eq!(session.messages[0].plain_text(), "cut \u{fffd} here");
}

#[test]
fn row_09_invalid_utf8() {
    let mut line = says("cut # here");
    let place = line.iter().position(|byte| *byte == b'#').unwrap();
    line[place] = 0xe2;
    let content = join(&[&line, b"\n"]);
    round_trip(PATH, &content, (1, 1, 0));
}

#[test]
fn row_10_unicode_line_separators() {
    let content = join(&[&says("a\u{2028}b\u{2029}c\u{85}d"), b"\n"]);
    round_trip(PATH, &content, (1, 1, 0));
}

#[test]
fn row_11_raw_line_feed_in_a_string() {
    let line = String::from_utf8(says("a#b")).unwrap();
    let broken = line.replacen("a#b\"}}", "a\nb\"}}", 1);
    let content = join(&[broken.as_bytes(), b"\n", &says("c\tc"), b"\n"]);
    round_trip(PATH, &content, (3, 0, 3));
}

#[test]
fn row_12_duplicate_keys() {
    let content = b"{\"type\":\"user\",\"type\":\"user\",\"message\":{\"role\":\"user\",\
        \"content\":\"a\",\"content\":\"b\"},\"uuid\":\"1\",\"sessionId\":\"s\"}\n";
    let (_, store, _) = round_trip(PATH, content, (1, 1, 0));
    assert_eq!(
        store.load(&only_key(&store)).unwrap().messages[0].plain_text(),
        "b"
    );
}

#[test]
fn row_13_numbers_of_every_spelling() {
    let content = join(&[
        b"{\"type\":\"user\",\"a\":9007199254740993,\"b\":123456789012345678901234567890,\
          \"c\":1e400,\"d\":-0,\"e\":0.000005,\"f\":5e-06,\"message\":{\"role\":\"user\",\
          \"content\":\"x\"},\"uuid\":\"1\",\"sessionId\":\"s\"}\n",
    ]);
    round_trip(PATH, &content, (1, 1, 0));
}

#[test]
fn row_14_escapes_of_every_spelling() {
    let content = join(&[&says("\\/ \\u003c \\u00e9 \\u00E9 \\ud83d\\ude00"), b"\n"]);
    round_trip(PATH, &content, (1, 1, 0));
}

#[test]
fn row_15_white_space_and_key_order() {
    let content =
        b"{ \"uuid\" : \"1\" , \"message\" : { \"content\" : \"x\" , \"role\" : \"user\" } , \
        \"sessionId\" : \"s\" , \"type\" : \"user\" }\n";
    round_trip(PATH, content, (1, 1, 0));
}

#[test]
fn row_16_blank_lines() {
    let content = join(&[b"\n", &says("a"), b"\n  \t\n\n\r\n", &says("b"), b"\n\n"]);
    round_trip(PATH, &content, (7, 2, 0));
}

#[test]
fn row_17_nan_and_infinity() {
    let content = join(&[
        b"{\"type\":\"user\",\"n\":NaN}\n{\"m\":-Infinity}\n",
        &says("a"),
        b"\n",
    ]);
    round_trip(PATH, &content, (3, 1, 2));
}

#[test]
fn row_18_huge_line() {
    let content = join(&[&says(&"x".repeat(20_000_000)), b"\n", &says("b"), b"\n"]);
    let (_, store, _) = round_trip(PATH, &content, (2, 2, 0));
    let title = store.summary(&only_key(&store)).unwrap().title;
    assert_eq!(title.len(), scrollback::limits::TITLE_BYTES_MAX);
}

#[test]
fn row_19_deep_nesting() {
    let deep = [vec![b'['; 200_000], vec![b']'; 200_000]].concat();
    let content = join(&[
        b"{\"type\":\"user\",\"x\":",
        &deep,
        b"}\n",
        &says("a"),
        b"\n",
    ]);
    let home = Home::new();
    home.write(&format!("in/{PATH}"), &content);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!((report.records, report.messages), (2, 1), "{report:?}");
    let mut out = Vec::new();
    export_session(&store, &only_key(&store), ExportFormat::Jsonl, &mut out).unwrap();
    assert!(out == content);
}

#[test]
fn row_20_lines_that_are_no_objects() {
    let content = join(&[b"[]\n\"x\"\nnull\n7\n", &says("a"), b"\n"]);
    round_trip(PATH, &content, (5, 1, 4));
}

#[test]
fn row_21_several_session_ids_in_a_file() {
    let other = String::from_utf8(says("b"))
        .unwrap()
        .replace("\"s\"", "\"other\"");
    let content = join(&[&says("a"), b"\n", other.as_bytes(), b"\n"]);
    let (_, store, _) = round_trip(PATH, &content, (2, 2, 0));
    assert_eq!(
        only_key(&store).id(),
        "0a1b2c3d-0000-4000-8000-000000000001"
    );
}

#[test]
fn row_22_one_message_id_on_several_lines() {
    let line =
        b"{\"type\":\"assistant\",\"uuid\":\"1\",\"sessionId\":\"s\",\"message\":{\"id\":\"m\",\
        \"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}}\n";
    round_trip(PATH, &join(&[line, line]), (2, 2, 0));
}

#[test]
fn row_23_one_uuid_in_two_files() {
    let home = Home::new();
    let content = join(&[&says("a"), b"\n"]);
    home.write("in/.claude/projects/-w/one.jsonl", &content);
    home.write("in/.claude/projects/-w/two.jsonl", &content);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!((report.sessions, report.records), (2, 2));
}

#[test]
fn row_24_json_in_strings() {
    let content = br#"{"timestamp":"2026-06-01T19:20:59.762Z","type":"session_meta","payload":{"id":"0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000","cwd":"/w"}}
{"timestamp":"2026-06-01T19:21:00.000Z","type":"response_item","payload":{"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"echo \\\"hi\\\"\"}","call_id":"c"}}
"#;
    let path = ".codex/sessions/2026/06/01/rollout-2026-06-01T19-20-59-0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000.jsonl";
    let (_, store, _) = round_trip(path, content, (2, 1, 0));
    let messages = store.load(&only_key(&store)).unwrap().messages;
    assert!(
        format!("{:?}", messages[0].content).contains("echo"),
        "{messages:?}"
    );
}

#[test]
fn row_25_file_that_shrinks() {
    let content = join(&[&says("a"), b"\n", &says("b"), b"\n"]);
    let (home, store, _) = round_trip(PATH, &content, (2, 2, 0));
    let shorter = join(&[&says("a"), b"\n"]);
    home.write(&format!("in/{PATH}"), &shorter);
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(
        (report.generations, report.sessions, report.records),
        (0, 0, 0),
        "{report:?}"
    );
    assert!(
        report.problems[0].reason.contains("is shorter than it was"),
        "{report:?}"
    );
    let out = home.path().join("both");
    export_as_lines(&store, &out);
    let mut contents: Vec<Vec<u8>> = files_below(&out)
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    contents.sort_by_key(Vec::len);
    // What it no longer has is kept.
    assert!(contents == [content]);
}

#[test]
fn row_26_carriage_returns_alone_and_utf16() {
    round_trip(
        PATH,
        b"{\"type\":\"user\"}\r{\"type\":\"user\"}\r\r",
        (1, 0, 1),
    );
    let utf16: Vec<u8> = "{\"type\":\"user\"} \u{a0}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    round_trip(PATH, &utf16, (1, 0, 1));
}

#[test]
fn row_27_empty_file() {
    let (_, store, _) = round_trip(PATH, b"", (0, 0, 0));
    assert_eq!(store.summary(&only_key(&store)).unwrap().record_count, 0);
}

#[test]
fn row_28_parents_that_are_missing_or_go_in_circles() {
    let with_parent = |uuid: &str, parent: &str| {
        let line = String::from_utf8(says(uuid)).unwrap();
        line.replace(
            "{\"type\"",
            &format!("{{\"parentUuid\":\"{parent}\",\"type\""),
        ) + "\n"
    };
    let content = [
        with_parent("a", "u-b"),
        with_parent("b", "u-a"),
        with_parent("c", "u-c"),
    ]
    .concat()
        + &with_parent("d", "nowhere");
    let (_, store, _) = round_trip(PATH, content.as_bytes(), (4, 4, 0));
    assert_eq!(store.load(&only_key(&store)).unwrap().messages.len(), 4);
    let mut markdown = Vec::new();
    export_session(
        &store,
        &only_key(&store),
        ExportFormat::Markdown,
        &mut markdown,
    )
    .unwrap();
    assert!(!markdown.is_empty());
}

#[test]
fn problems_are_counted_beyond_what_is_listed() {
    let home = Home::new();
    home.write("in/a.jsonl", "bad\n".repeat(30_000));
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(report.malformed, 30_000);
    assert_eq!(report.problems.len(), ImportReport::PROBLEMS_MAX);
    assert_eq!(
        report.problems_more,
        30_000 - ImportReport::PROBLEMS_MAX as u64
    );
}
