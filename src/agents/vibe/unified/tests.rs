//! A session's folder: its pieces, its journal, and what is not taken.

use std::fs;

use super::files::CURRENT;
use super::*;
use crate::agents::Dialect as _;
use crate::agents::recognition::{is_part_of_tree, recognise_database};
use crate::model::message::{Block, Role};

const ID: &str = "0a1b2c3d-0000-0000-0000-0a1b2c3d4e5f";
const PIECE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn entry(id: &str, text: &str) -> String {
    format!(
        r#"{{"content":[{{"text":"{text}","type":"text"}}],"createdAt":1775206800000,"id":"{id}","role":"user","type":"message"}}"#
    )
}

fn record(sequence: u64, kind: &str, payload: &str) -> String {
    format!("{{\"payload\":{payload},\"sequence\":{sequence},\"type\":\"{kind}\"}}\n")
}

/// A home with a session of one piece and one entry beside it, and that journal; the session's own file.
fn session(journal: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("logs/session/unified").join(ID);
    let put = |name: &str, content: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    put(
        CURRENT,
        r#"{"generation":"0000000000000007","snapshot_sequence":7,"store_format":"mistral.vibe.unified-session-store/v1"}"#,
    );
    let generation = |name: &str, content: &str| {
        put(&format!("generations/0000000000000007/{name}"), content);
    };
    generation(
        "manifest.json",
        &format!(r#"{{"projection_state":{{"chunks":["{PIECE}"]}}}}"#),
    );
    generation(
        "runtime-state.json",
        r#"{"identity":{"kind":"root"},"session_metadata":{"active_model":"m","cwd":"/w"}}"#,
    );
    let inline = entry("u0", "whole");
    generation(
        "projection-state.json",
        &format!(
            r#"{{"snapshot":{{"history":{{"entries":[{inline}]}},"session":{{"title":"One","createdAt":1775206800000}}}}}}"#
        ),
    );
    put(
        &format!("chunks/{PIECE}.json"),
        &format!("[{},{}]", entry("u1", "one"), entry("u2", "two")),
    );
    put("journal/0000000000000008.jsonl", journal);
    let own = folder.join(CURRENT);
    (home, own)
}

/// What is said in it, its title and its problems.
fn told(own: &Path) -> Result<(Vec<String>, String, Vec<String>)> {
    let session = open(own)?.session(ID)?.unwrap();
    let lines = session.document.lines.iter();
    let messages = lines.flat_map(|line| Vibe.messages(line));
    let texts = messages.map(|message| message.plain_text()).collect();
    let last = session.document.trailer.unwrap();
    let title = Vibe.describe(&last).facts.title.unwrap().text.into_owned();
    Ok((texts, title, session.problems))
}

#[test]
fn a_journal_changes_what_the_pieces_hold() {
    let append = format!(
        r#"{{"delta":[{{"op":"append_entry","entry":{}}}]}}"#,
        entry("u3", "three")
    );
    let replace = format!(
        r#"{{"delta":[{{"op":"replace_entry","id":"u1","entry":{}}},{{"op":"remove_entry","id":"u2"}},{{"op":"set_envelope","state":{{"session":{{"title":"Two"}}}}}}]}}"#,
        entry("u1", "first")
    );
    let all = format!(
        r#"{{"delta":[{{"op":"set_history_entries","entries":[{}]}}]}}"#,
        entry("u9", "anew")
    );
    let whole = format!(
        r#"{{"snapshot":{{"history":{{"entries":[{}]}},"session":{{"title":"Three"}}}}}}"#,
        entry("u8", "shown")
    );
    let other = record(8, "command_reserved", "{}");
    for (records, texts, title) in [
        (vec![], vec!["whole", "one", "two"], "One"),
        (
            vec![other.clone(), record(9, "projection_delta", &append)],
            vec!["whole", "one", "two", "three"],
            "One",
        ),
        (
            vec![
                record(8, "projection_delta", &append),
                record(9, "projection_delta", &replace),
            ],
            vec!["whole", "first", "three"],
            "Two",
        ),
        (
            vec![record(8, "session_relocated", &all)],
            vec!["anew"],
            "One",
        ),
        (
            vec![
                record(8, "projection_delta", &append),
                record(9, "projection_advanced", &whole),
            ],
            vec!["shown"],
            "Three",
        ),
    ] {
        let (_home, own) = session(&records.concat());
        let found = told(&own).unwrap();
        assert_eq!(
            found,
            (
                texts.into_iter().map(str::to_owned).collect(),
                title.to_owned(),
                vec![]
            )
        );
    }
}

#[test]
fn a_journal_is_read_as_far_as_it_goes() {
    let append = format!(
        r#"{{"delta":[{{"op":"append_entry","entry":{}}}]}}"#,
        entry("u3", "three")
    );
    let good = record(8, "projection_delta", &append);
    let problem = "its journal cannot be read from record 9 on";
    for (rest, problems) in [
        // It is being written.
        ("{\"payload\":{}", vec![]),
        ("{\n", vec![problem]),
        ("[]\n", vec![problem]),
        (
            "{\"payload\":{},\"sequence\":11,\"type\":\"core_input\"}\n",
            vec![problem],
        ),
    ] {
        let (_home, own) = session(&(good.clone() + rest));
        let (texts, _, found) = told(&own).unwrap();
        assert_eq!(texts.last().unwrap(), "three", "{rest}");
        assert_eq!(found, problems, "{rest}");
    }
}

#[test]
fn what_is_larger_than_there_is_room_for_is_left_out_and_told() {
    let append = format!(
        r#"{{"delta":[{{"op":"append_entry","entry":{}}}]}}"#,
        entry("u3", "three")
    );
    let (_home, own) = session(&record(8, "projection_delta", &append));
    let all = [
        ("u0", "whole"),
        ("u1", "one"),
        ("u2", "two"),
        ("u3", "three"),
    ];
    let all = all.map(|(id, text)| entry(id, text));
    let whole: usize = all.iter().map(String::len).sum();
    let read = |room| {
        let state = super::files::read_within(own.parent().unwrap(), room).unwrap();
        (state.entries().cloned().collect::<Vec<_>>(), state.problems)
    };
    assert_eq!(read(whole), (all.to_vec(), vec![]));
    let told = |room: usize| {
        vec![format!(
            "is larger than {room} bytes; what follows is left out"
        )]
    };
    assert_eq!(read(whole - 1), (all[..3].to_vec(), told(whole - 1)));
    // Also where more would fit that is shorter.
    let room = all[0].len() + all[1].len() - 1;
    assert_eq!(read(room), (all[..1].to_vec(), told(room)));
    // What takes the place of all has the room of all.
    let anew = entry("u9", "anew");
    let changes = format!(r#"{{"delta":[{{"op":"set_history_entries","entries":[{anew}]}}]}}"#);
    let (_home, own) = session(&record(8, "projection_delta", &changes));
    let state = super::files::read_within(own.parent().unwrap(), room).unwrap();
    assert_eq!(state.entries().collect::<Vec<_>>(), [&anew]);
}

#[test]
fn what_names_files_elsewhere_or_is_of_another_form_is_not_read() {
    let (_home, own) = session("");
    let good = fs::read_to_string(&own).unwrap();
    // What the names lead to is there, and would be read.
    for place in ["elsewhere", "generations/7"] {
        let copy = own.with_file_name(place);
        fs::create_dir_all(&copy).unwrap();
        let generation = own.with_file_name("generations/0000000000000007");
        for file in fs::read_dir(generation).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    for place in ["elsewhere.json", "chunks/0123456789abcdef.json"] {
        fs::write(own.with_file_name(place), "[]").unwrap();
    }
    for (from, to) in [
        ("0000000000000007", "../elsewhere"),
        ("0000000000000007", "7"),
        ("store/v1", "store/v2"),
        (":7,", ":-7,"),
        ("{", "["),
    ] {
        fs::write(&own, good.replacen(from, to, 1)).unwrap();
        assert!(told(&own).is_err(), "{to}");
    }
    fs::write(&own, good).unwrap();
    assert!(told(&own).is_ok());
    let manifest = own.with_file_name("generations/0000000000000007/manifest.json");
    for names in [r#""../elsewhere""#, "7", r#""0123456789abcdef""#] {
        fs::write(
            &manifest,
            format!(r#"{{"projection_state":{{"chunks":[{names}]}}}}"#),
        )
        .unwrap();
        assert!(told(&own).is_err(), "{names}");
    }
    fs::remove_file(&manifest).unwrap();
    assert!(told(&own).is_err());
}

#[test]
fn what_has_another_shape_is_not_an_empty_session() {
    let piece = format!("chunks/{PIECE}.json");
    for (name, content) in [
        (piece.as_str(), r#"{"a":1}"#),
        ("generations/0000000000000007/manifest.json", r#"{"x":1}"#),
        (
            "generations/0000000000000007/manifest.json",
            r#"{"projection_state":{"chunks":null}}"#,
        ),
        (
            "generations/0000000000000007/projection-state.json",
            r#"{"snapshot":null}"#,
        ),
    ] {
        let (_home, own) = session("");
        fs::write(own.with_file_name(name), content).unwrap();
        assert!(told(&own).is_err(), "{name}: {content}");
    }
    // A change that states nothing changes nothing.
    let changes = r#"{"delta":[{"op":"set_envelope","state":null},{"op":"remove_entry"}]}"#;
    let (_home, own) = session(&record(8, "projection_delta", changes));
    let (texts, title, problems) = told(&own).unwrap();
    assert_eq!((texts.len(), title.as_str(), problems), (3, "One", vec![]));
}

#[test]
fn its_places_are_told_from_those_of_others() {
    let folder = format!("/h/.vibe/logs/session/unified/{ID}");
    for (name, is_own, is_piece) in [
        ("CURRENT", true, false),
        ("meta.json", false, false),
        ("chunks/ab.json", false, true),
        ("journal/0000000000000001.jsonl", false, true),
        ("generations/0000000000000001/manifest.json", false, true),
        (
            "quarantine/0000000000000001/0000000000000001.jsonl",
            false,
            true,
        ),
    ] {
        let path = PathBuf::from(format!("{folder}/{name}"));
        let found = recognise_database(&path).map(crate::agents::Dialect::agent);
        assert_eq!(found, is_own.then_some("vibe"), "{name}");
        assert_eq!(is_part_of_tree(&path), is_piece, "{name}");
    }
    for other in [
        "/h/db/CURRENT",
        "/w/unified/x/CURRENT",
        "/h/logs/session/unified/CURRENT",
    ] {
        assert!(recognise_database(Path::new(other)).is_none(), "{other}");
    }
    for other in [
        "/w/journal/a.jsonl",
        "/w/generations/1/a.json",
        "/h/logs/session/unified/journal/a.jsonl",
    ] {
        assert!(!is_part_of_tree(Path::new(other)), "{other}");
    }
}

#[test]
fn entries_are_words_thoughts_and_calls_with_what_came_of_them() {
    let one = |entry: &str| {
        let line = entries::line(AGENT, ENTRIES, entry);
        Vibe.messages(&line)
    };
    let call = |rest: &str| {
        let found = one(&format!(
            r#"{{"type":"effect","id":"e","detail":{{"toolName":"bash","input":{{"a":1}}}},{rest}}}"#
        ));
        let [message] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(message.role, Role::Assistant);
        match &message.content[..] {
            [Block::ToolUse { name, .. }] => (name.clone(), None),
            [
                Block::ToolUse { name, .. },
                Block::ToolResult {
                    output, is_error, ..
                },
            ] => (name.clone(), Some((output.clone(), *is_error))),
            other => panic!("{other:?}"),
        }
    };
    let over = |state: &str| {
        let (_, result) = call(&format!(
            r#""generationStatus":"completed","state":{state}"#
        ));
        result.unwrap()
    };
    let running =
        call(r#""generationStatus":"in_progress","state":{"status":"running","outputText":""}"#);
    assert_eq!(running, ("bash".to_owned(), None));
    for (state, output, is_error) in [
        (
            r#"{"status":"completed","outputText":"a","output":{"structured_content":{"b":1}}}"#,
            "a",
            false,
        ),
        (
            r#"{"status":"completed","outputText":"","output":{"structured_content":{"b":1}}}"#,
            r#"{"b":1}"#,
            false,
        ),
        (
            r#"{"status":"failed","outputText":"","error":{"message":"no"}}"#,
            "no",
            true,
        ),
        (
            r#"{"status":"skipped","reason":"not now"}"#,
            "not now",
            true,
        ),
    ] {
        assert_eq!(over(state), (output.to_owned(), is_error), "{state}");
    }
    let thought = one(r#"{"type":"reasoning","id":"r","text":"","summary":["so","far"]}"#);
    assert!(matches!(&thought[0].content[..], [Block::Thinking { text, .. }] if text == "so\nfar"));
    for (text, is_put_in) in [("hi", false), ("Runtime notification:\\n{}", true)] {
        let line = entries::line(AGENT, ENTRIES, &entry("u", text));
        assert_eq!(Vibe.messages(&line)[0].injected, is_put_in, "{text}");
        assert_eq!(
            Vibe.describe(&line).facts.title.is_none(),
            is_put_in,
            "{text}"
        );
    }
    let image = one(
        r#"{"type":"message","id":"u","role":"user","content":[{"type":"image","attachment":{"mimeType":"image/png","source":{"kind":"inline","data":"QQ=="}}}]}"#,
    );
    assert!(
        matches!(&image[0].content[..], [Block::Image { data: Some(data), .. }] if data == "QQ==")
    );
    for other in [
        r#"{"type":"checkpoint","id":"c","kind":"compaction"}"#,
        r#"{"type":"notice"}"#,
        "{}",
    ] {
        assert_eq!(one(other), [], "{other}");
    }
}
