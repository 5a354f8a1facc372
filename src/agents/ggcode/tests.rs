//! ggcode's lines, and what its sample homes expect of a reader.

use super::*;
use crate::agents::parts::titles;
use crate::model::message::Block;
use crate::model::raw_json::RawJson;
use crate::model::record::{RecordFlags, RecordKind};

const META: &str = r#"{"type":"meta","session_id":"s","title":"Explain the loop","vendor":"zai","endpoint":"coding","model":"glm-5","created_at":"2026-04-03T11:45:00.1002003+02:00","updated_at":"2026-04-03T11:52:00.4005006+02:00"}"#;

fn message(text: &str) -> String {
    format!(
        r#"{{"type":"message","session_id":"s","created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z","message":{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}}}"#
    )
}

/// Messages, and lines that could not be read in whole.
fn good_and_bad(lines: &[&str]) -> (u32, usize) {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| Ggcode.describe(line.as_bytes()).header)
        .collect();
    let bad = lines
        .iter()
        .filter(|header| header.flags.contains(RecordFlags::DAMAGED))
        .count();
    (lines.iter().map(|header| header.messages).sum(), bad)
}

#[test]
fn the_meta_line_tells_of_the_session() {
    let described = Ggcode.describe(META.as_bytes());
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(described.header.time_us, None);
    let facts = described.facts;
    assert_eq!(facts.created_us, Some(1_775_209_500_100_200));
    assert_eq!(facts.updated_us, Some(1_775_209_920_400_500));
    assert_eq!(facts.model.as_deref(), Some("glm-5"));
    let title = facts.title.unwrap();
    assert_eq!(title.text, "Explain the loop");
    assert!(title.latest_wins && title.rank > titles::FIRST_MESSAGE);
}

#[test]
fn a_session_without_a_title_offers_none() {
    for title in ["New session", "", " "] {
        let line = META.replace("Explain the loop", title);
        assert_eq!(
            Ggcode.describe(line.as_bytes()).facts.title,
            None,
            "{title:?}"
        );
    }
}

#[test]
fn the_id_of_the_message_goes_before_that_of_the_line() {
    for (line, inner, id) in [("line", Some("message"), "message"), ("line", None, "line")] {
        let inner = inner.map_or(String::new(), |id| format!(r#""id":"{id}","#));
        let line = format!(
            r#"{{"type":"message","session_id":"s","id":"{line}","message":{{{inner}"role":"user"}}}}"#
        );
        let record_id = Ggcode.describe(line.as_bytes()).facts.record_id;
        assert_eq!(record_id.as_deref(), Some(id));
        assert_eq!(Ggcode.messages(line.as_bytes())[0].id.as_deref(), Some(id));
    }
}

#[test]
fn the_zero_time_is_no_time_and_a_newer_line_has_one() {
    let line = message("hi");
    let described = Ggcode.describe(line.as_bytes());
    assert_eq!(described.header.time_us, None);
    assert_eq!(described.facts.title.unwrap().text, "hi");
    assert_eq!(Ggcode.messages(line.as_bytes())[0].time, None);

    let newer = line.replace(
        r#""message":{"#,
        r#""timestamp":"2026-04-03T09:45:00Z","message":{"id":"msg_1","#,
    );
    assert_eq!(
        Ggcode.describe(newer.as_bytes()).header.time_us,
        Some(1_775_209_500_000_000)
    );
    assert_eq!(
        Ggcode.messages(newer.as_bytes())[0].id.as_deref(),
        Some("msg_1")
    );
}

#[test]
fn tools_inputs_and_images_are_read() {
    let line = r#"{"type":"message","session_id":"s","message":{"role":"assistant","content":[{"type":"tool_use","tool_name":"calc","tool_id":"n1","input":{"b":1.0,"a":1e400,"n":12345678901234567890,"dup":1,"dup":2}},{"type":"tool_use","tool_name":"nul","tool_id":"n2","input":null},{"type":"tool_result","tool_id":"n1","output":"no","is_error":true},{"type":"image","image_mime":"image/png","image_data":"AA=="}]}}"#;
    let message = Ggcode.messages(line.as_bytes()).remove(0);
    let input = r#"{"b":1.0,"a":1e400,"n":12345678901234567890,"dup":1,"dup":2}"#;
    assert_eq!(
        message.content,
        [
            Block::ToolUse {
                id: Some("n1".into()),
                name: "calc".into(),
                input: Some(RawJson::parse(input).unwrap()),
            },
            Block::ToolUse {
                id: Some("n2".into()),
                name: "nul".into(),
                input: Some(RawJson::parse("null").unwrap()),
            },
            Block::ToolResult {
                id: Some("n1".into()),
                name: None,
                output: "no".into(),
                is_error: true,
                images: Vec::new(),
            },
            Block::Image {
                media_type: Some("image/png".into()),
                data: Some("AA==".into()),
                url: None,
            },
        ]
    );
}

#[test]
fn sample_files_have_the_messages_and_bad_lines_that_are_expected() {
    let (first, second) = (message("1"), message("after the crash"));
    let cut = r#"{"type":"message","message":{"role":"assist"#;
    let fused = format!(r#"{{"type":"message","session_id":"20260403-154500-0355e728619f{second}"#);
    assert_eq!(good_and_bad(&[META, &first, &second]), (2, 0));
    assert_eq!(good_and_bad(&[META, &first, cut, &second]), (2, 1));
    assert_eq!(good_and_bad(&[META, &first, cut]), (1, 1));
    assert_eq!(good_and_bad(&[META, &first, &fused, &second]), (3, 1));
    let cost =
        r#"{"type":"cost","session_id":"s","cost":{"total_usd":2.50,"big":12345678901234567890}}"#;
    let checkpoint = r#"{"type":"checkpoint","session_id":"s","checkpoint_messages":[{"role":"user","content":[]}]}"#;
    assert_eq!(good_and_bad(&[META, cost, &first, checkpoint]), (1, 0));
    let odd_role = first.replace("\"user\"", "\"tool\"");
    assert_eq!(good_and_bad(&[META, &odd_role]), (1, 0));
    let no_body = r#"{"type":"message","session_id":"s"}"#;
    assert_eq!(good_and_bad(&[META, no_body]), (0, 0));
}

#[test]
fn its_places_and_sidecars() {
    let found = |path: &str, head: &str| {
        Ggcode.recognise(&Candidate::new(Path::new(path), head.as_bytes()))
    };
    assert_eq!(
        found("/h/.ggcode/sessions/has space.jsonl", ""),
        Recognition::PathAndLines
    );
    assert_eq!(found("/x/a.jsonl", META), Recognition::Lines);
    assert_eq!(
        found("/x/a.jsonl", "{\"type\":\"message\",\"message\":{}}"),
        Recognition::No
    );
    // What other programs print has the same two keys.
    let stream = r#"{"type":"message","session_id":"s7","role":"user","text":"hi"}"#;
    assert_eq!(found("/x/a.jsonl", stream), Recognition::No);
    let cut = r#"{"type":"message","session_id":"s7","message":{"role":"user","con"#;
    assert_eq!(found("/x/a.jsonl", cut), Recognition::Lines);

    let session = |id: &str| Some(Sidecar::Session(id.to_owned()));
    let id = "20260403-094500-4ef5ec8110305427";
    for (path, expected) in [
        ("/h/.ggcode/sessions/index.json", Some(Sidecar::Folder)),
        (
            "/h/.ggcode/sessions/index.json.flock",
            Some(Sidecar::Folder),
        ),
        ("/h/.ggcode/sessions/index.json.lock", Some(Sidecar::Folder)),
        ("/h/.ggcode/sessions/a b.lock", session("a b")),
        ("/h/.ggcode/sessions/a.jsonl.tmp", session("a")),
        ("/h/.ggcode/sessions/a.jsonl.flock", session("a")),
        ("/h/.ggcode/settings.json", None),
        ("/copy/ggcode/sessions/index.json", Some(Sidecar::Folder)),
        (
            "/copy/20260403-094500-4ef5ec8110305427.jsonl.tmp",
            session(id),
        ),
        ("/copy/20260403-094500-4ef5ec8110305427.lock", session(id)),
        ("/copy/Cargo.lock", None),
        ("/copy/sessions/index.json", None),
    ] {
        assert_eq!(Ggcode.sidecar(Path::new(path)), expected, "{path}");
    }
}
