//! Names that several sessions might have: `ID~2` is what the second content of `ID` is called while another one has
//! the plain id, what a chat of another folder is called, and what a file may be called by itself.

use std::collections::BTreeMap;

use scrollback::{
    ImportOptions, Ingest, ListQuery, MemoryStore, Options, RedbStore, Store, import, unwatched,
};

use crate::harness::Home;

/// Six lines of a chat that has nothing in common with another one.
fn chat(word: &str) -> String {
    let line =
        |n| format!("{{\"role\":\"user\",\"content\":\"{word} {n} and some more words\"}}\n");
    (0..6).map(line).collect()
}

/// The same in Claude Code's lines.
fn talk(id: &str, word: &str) -> String {
    let line = |n| {
        format!(
            "{{\"type\":\"user\",\"uuid\":\"{word}{n}\",\"sessionId\":\"{id}\",\"timestamp\":\
             \"2026-10-01T10:00:0{n}.000Z\",\"message\":{{\"role\":\"user\",\"content\":\"{word} {n}\"}}}}\n"
        )
    };
    (0..6).map(line).collect()
}

/// Runs a history of files, each written and then imported, in a store in a file and in memory. Returns the first
/// words of what each key leads to, which is the same in both.
fn run(files: &[(&str, String)]) -> BTreeMap<String, String> {
    let home = Home::new();
    let file = RedbStore::open(home.path().join("s.redb"), Options::default()).unwrap();
    let memory = MemoryStore::default();
    let stores: [&dyn Ingest; 2] = [&file, &memory];
    let all = home.path().join("all");
    for (place, content) in files {
        home.write(&format!("all/{place}"), content);
        for store in stores {
            import(
                store,
                std::slice::from_ref(&all),
                &ImportOptions::default(),
                &mut unwatched,
            )
            .unwrap();
        }
    }
    let told = file.verify_deep(&[], &mut unwatched).unwrap().problems;
    assert_eq!(told, []);
    let read = |store: &dyn Store| {
        let mut found = BTreeMap::new();
        for session in store.list(&ListQuery::default()).unwrap().sessions {
            let plain = session.key.id().to_owned();
            let contents = (1..=9).map(|n| format!("{plain}~{n}"));
            for id in std::iter::once(plain.clone()).chain(contents) {
                let key = scrollback::SessionKey::new(session.key.agent(), id.as_str()).unwrap();
                let Ok(loaded) = store.load(&key) else {
                    continue;
                };
                let said = loaded.messages[0].plain_text();
                found.insert(id, said.split(' ').next().unwrap().to_owned());
            }
        }
        found
    };
    let found = read(&file);
    assert_eq!(found, read(&memory));
    found
}

fn words(found: &BTreeMap<String, String>) -> Vec<&str> {
    let mut words: Vec<&str> = found.values().map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[test]
fn a_chat_of_another_folder_keeps_its_name_when_contents_change_places() {
    let found = run(&[
        ("h/x/chat.jsonl", chat("A")),
        ("h/x/chat.jsonl", chat("C")),
        ("bk/x/chat.jsonl", chat("B")),
        ("h/x/chat.jsonl", chat("D")),
    ]);
    assert_eq!(words(&found), ["A", "B", "C", "D"], "{found:?}");
    assert_eq!(found["x/chat"], "D");
}

#[test]
fn a_file_that_is_called_as_a_content_is_one_of_the_id() {
    let id = "00000777-1111-4222-8333-000000000777";
    let (plain, second) = (
        format!("h/.claude/projects/p/{id}.jsonl"),
        format!("h/.claude/projects/p/{id}~2.jsonl"),
    );
    let own = format!("{id}~2");
    for (stated, word, expected) in [
        // What is there already is no other session, whatever its file is called.
        (&own, "A", &["A", "C"][..]),
        (&own, "B", &["A", "B", "C"]),
        (&id.to_owned(), "B", &["A", "B", "C"]),
    ] {
        let found = run(&[
            (plain.as_str(), talk(id, "A")),
            (plain.as_str(), talk(id, "C")),
            (second.as_str(), talk(stated, word)),
            (
                plain.as_str(),
                talk(id, "C") + &talk(id, "E").replace("10:00", "11:00"),
            ),
        ]);
        assert_eq!(words(&found), expected, "{stated} {word}: {found:?}");
        assert_eq!(found[id], "C", "{stated} {word}");
        // A copy of the first content is no session with the second one's name.
        assert!(word != "A" || found[&own] == "C", "{found:?}");
    }
}

#[test]
fn a_session_that_had_such_a_name_before_keeps_it() {
    let id = "00000777-1111-4222-8333-000000000777";
    let (plain, second) = (
        format!("h/.claude/projects/p/{id}.jsonl"),
        format!("h/.claude/projects/p/{id}~2.jsonl"),
    );
    let found = run(&[
        (second.as_str(), talk(&format!("{id}~2"), "B")),
        (plain.as_str(), talk(id, "A")),
        (plain.as_str(), talk(id, "C")),
        (plain.as_str(), talk(id, "D")),
    ]);
    assert_eq!(words(&found), ["A", "B", "C", "D"], "{found:?}");
    assert_eq!(found[&format!("{id}~2")], "B");
}
