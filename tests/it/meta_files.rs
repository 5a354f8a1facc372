//! picoclaw's home: what its meta files tell of sessions, and old documents beside newer lines.

use std::fs;
use std::fs::File;
use std::slice::from_ref;
use std::time::SystemTime;

use scrollback::{Expect, ImportOptions, NewRecord, RedbStore, Store, import};

use crate::harness::Home;
use crate::homes::{CHAT, EARLY, GGCODE, assert_all_come_back, chat, export, key, said};
use crate::import::{open, run_clean, run_in, sessions};

/// Where picoclaw keeps sessions.
const PICOCLAW: &str = "in/.picoclaw/workspace/sessions";

#[test]
fn a_dry_run_counts_documents_and_sidecars_the_same() {
    let home = Home::new();
    home.write(CHAT, chat(&["one", "two"], EARLY));
    home.write("in/.gemini/tmp/ab12/chats/session-2.json", "{");
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "A note.", 0),
    );
    home.write(&format!("{PICOCLAW}/web_2.json"), legacy("web:2", &["old"]));
    home.write(&format!("{PICOCLAW}/web_2.jsonl"), says(&["old", "new"]));
    home.write(&format!("{GGCODE}/index.json"), "[{");
    let options = ImportOptions::default().with_dry_run(true);
    let store = open(&home);
    let dry = import(
        &store,
        &[home.path().join("in")],
        &options,
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(sessions(&store).len(), 0);
    let real = run_in(&home, &store);
    assert_eq!(dry, real);
    assert_eq!(real.sessions, sessions(&store).len() as u64);
}

/// Lines of picoclaw.
fn says(texts: &[&str]) -> String {
    let line = |text: &&str| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n");
    texts.iter().map(line).collect::<Vec<_>>().concat()
}

/// A meta file of picoclaw.
fn meta(key: &str, summary: &str, skip: u64) -> String {
    meta_at(key, summary, skip, "2026-04-03T11:29:00.5+02:00")
}

fn meta_at(key: &str, summary: &str, skip: u64, updated: &str) -> String {
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"summary\": \"{summary}\",\n  \"skip\": {skip},\n  \
         \"count\": 4,\n  \"created_at\": \"2026-04-03T11:20:00.9+02:00\",\n  \
         \"updated_at\": \"{updated}\"\n}}"
    )
}

/// An old session of picoclaw, in one document.
fn legacy(key: &str, texts: &[&str]) -> String {
    let messages = says(texts).trim_end().replace('\n', ",\n    ");
    format!(
        "{{\n  \"key\": \"{key}\",\n  \"messages\": [\n    {messages}\n  ],\n  \"summary\": \
         \"Legacy summary.\",\n  \"created\": \"2026-04-03T02:40:00+02:00\",\n  \
         \"updated\": \"2026-04-03T04:20:00+02:00\"\n}}"
    )
}

#[test]
fn hazard_4_5_1_an_old_document_never_replaces_newer_lines() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two", "three"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "", 0),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["an OLD one"]),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.attachments),
        (1, 3, 2),
        "{report:?}"
    );
    let live = key("picoclaw", "telegram:1");
    assert_eq!(said(&store, &live), ["one", "two", "three"]);
    assert_eq!(store.properties(&live).unwrap().summary, "");
    assert_eq!(store.attachments(&live).unwrap().len(), 2);

    // It is put back, changed, and the session goes on.
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["even", "older"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two", "three", "four"]),
    );
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.generations, report.messages),
        (0, 0, 1),
        "{report:?}"
    );
    assert_eq!(said(&store, &live), ["one", "two", "three", "four"]);
    assert_eq!(store.properties(&live).unwrap().summary, "");
    assert_all_come_back(&home, &store);
}

#[test]
fn hazard_4_5_1_lines_that_come_after_their_old_document_get_the_name() {
    let home = Home::new();
    let old = home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["one"]),
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (1, 1), "{report:?}");
    let live = key("picoclaw", "telegram:1");
    assert_eq!(said(&store, &live), ["one"]);
    assert_eq!(store.properties(&live).unwrap().summary, "Legacy summary.");
    let created = store.summary(&live).unwrap().created_at;
    assert_eq!(created.to_rfc3339(), "2026-04-03T00:40:00+00:00");

    // picoclaw's own migration.
    fs::rename(&old, old.with_extension("json.migrated")).unwrap();
    home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two"]),
    );
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "New.", 0),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (0, 1), "{report:?}");
    assert_eq!(
        report.problems[0].reason,
        "is another content of `picoclaw:telegram:1`; kept beside it as `picoclaw:telegram:1~2`"
    );
    assert_eq!(said(&store, &live), ["one", "two"]);
    assert_eq!(store.properties(&live).unwrap().summary, "New.");
    let before = key("picoclaw", "telegram:1~1");
    assert_eq!(said(&store, &before), ["one"]);
    assert_eq!(
        store.properties(&before).unwrap().summary,
        "Legacy summary."
    );
    assert_all_come_back(&home, &store);
    let report = run_in(&home, &store);
    assert_eq!((report.unchanged, report.files), (3, 3), "{report:?}");
}

#[test]
fn hazard_4_5_1_what_was_said_here_after_an_old_document_is_kept_beside_the_lines() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/telegram_1.json"),
        legacy("telegram:1", &["one"]),
    );
    let store = open(&home);
    run_in(&home, &store);
    let live = key("picoclaw", "telegram:1");
    let mine = NewRecord::line(says(&["mine"]));
    store.append(&live, Expect::Any, None, &[mine]).unwrap();
    let lines = home.write(
        &format!("{PICOCLAW}/telegram_1.jsonl"),
        says(&["one", "two"]),
    );
    // A file system's clock may be some milliseconds behind the store's.
    let file = File::options().write(true).open(lines).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    home.write(
        &format!("{PICOCLAW}/telegram_1.meta.json"),
        meta("telegram:1", "", 0),
    );
    run_in(&home, &store);
    assert_eq!(said(&store, &live), ["one", "two"]);
    assert_eq!(
        said(&store, &key("picoclaw", "telegram:1~1")),
        ["one", "mine"]
    );
}

#[test]
fn per_session_meta_file_hides_lines_and_gives_summary_and_key() {
    let home = Home::new();
    let lines = format!("{}\n   \n{}", says(&["one", "two"]), says(&["three"]));
    home.write(&format!("{PICOCLAW}/telegram_1_2.jsonl"), &lines);
    let file = format!("{PICOCLAW}/telegram_1_2.meta.json");
    home.write(&file, meta("telegram:1/2", "They met.", 2));
    let store = open(&home);
    run_in(&home, &store);
    let live = key("picoclaw", "telegram:1/2");
    assert_eq!(store.properties(&live).unwrap().summary, "They met.");
    let hidden = |store: &RedbStore| {
        let summary = store.summary(&live).unwrap();
        summary.message_count - summary.hidden_count
    };
    assert_eq!(hidden(&store), 1);
    let created = store.summary(&live).unwrap().created_at.timestamp_millis();
    assert_eq!(created, 1_775_208_000_900);

    // A mark that was moved here is not undone by an import of nothing new, ...
    store.truncate(&live, 3).unwrap();
    store.truncate(&live, 0).unwrap();
    run_in(&home, &store);
    assert_eq!(hidden(&store), 0);
    // ... nor by a file that says the same of it again.
    home.write(
        &file,
        meta_at("telegram:1/2", "They met.", 2, "2026-04-03T12:00:00+02:00"),
    );
    run_in(&home, &store);
    assert_eq!(hidden(&store), 0);
    home.write(&file, meta("telegram:1/2", "They met again.", 1));
    run_in(&home, &store);
    assert_eq!(hidden(&store), 2);
    assert_eq!(store.properties(&live).unwrap().summary, "They met again.");
}

#[test]
fn a_meta_file_without_lines_is_a_session_that_later_lines_go_to() {
    let home = Home::new();
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Set before.", 0),
    );
    home.write(&format!("{PICOCLAW}/web_2.meta.json"), meta("web:2", "", 0));
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.attachments), (1, 2), "{report:?}");
    let live = key("picoclaw", "web:1");
    assert_eq!(store.properties(&live).unwrap().summary, "Set before.");
    assert_all_come_back(&home, &store);
    assert_eq!(run_in(&home, &store).unchanged, 2);

    home.write(&format!("{PICOCLAW}/web_1.jsonl"), says(&["one", "two"]));
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Set before.", 1),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.messages), (0, 2), "{report:?}");
    assert_eq!(said(&store, &live).len(), 1);
    assert_eq!(store.properties(&live).unwrap().summary, "Set before.");
    assert_eq!(sessions(&store).len(), 1);
}

#[test]
fn hazard_4_5_7_a_corrupt_meta_file_is_kept_and_told_and_its_session_is_read() {
    let home = Home::new();
    home.write(&format!("{PICOCLAW}/web_1.jsonl"), says(&["one"]));
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        "{\"key\": \"web:1\", \"summ",
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.messages, report.problems.len()),
        (1, 1, 1),
        "{report:?}"
    );
    assert_eq!(
        report.problems[0].reason,
        "is not JSON; kept whole, and nothing in it is used"
    );
    assert_all_come_back(&home, &store);

    // Once it can be read, the session is found under its key as well.
    let there = sessions(&store).remove(0).key;
    home.write(
        &format!("{PICOCLAW}/web_1.meta.json"),
        meta("web:1", "Again.", 0),
    );
    run_in(&home, &store);
    assert_eq!(sessions(&store).len(), 1);
    assert_eq!(store.properties(&there).unwrap().summary, "Again.");
    if there != key("picoclaw", "web:1") {
        assert_eq!(
            store.by_alias(&key("picoclaw", "web:1")).unwrap(),
            Some(there)
        );
    }
}

/// It is kept whole, and once it can be unpacked its lines are a session.
#[test]
fn a_session_that_is_called_packed_and_is_not_is_reported() {
    let home = Home::new();
    let place = |number: u32| {
        format!(
            "in/.codex/sessions/2026/04/03/rollout-2026-04-03T11-20-00-\
             0199c1f2-0000-7000-8000-00000000000{number}.jsonl.zst"
        )
    };
    let packed = zstd::encode_all("{}\n".as_bytes(), 1).unwrap();
    home.write(&place(1), "not zstd");
    home.write(&place(2), &packed);
    home.write(&place(3), "");
    home.write(&place(4), &packed[..packed.len() - 2]);
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.sessions, report.attachments, report.malformed),
        (1, 3, 3),
        "{report:?}"
    );
    let named: Vec<_> = report.problems.iter().map(|told| &told.path).collect();
    let path = |number| home.path().join(place(number));
    assert_eq!(named, [&path(1), &path(3), &path(4)]);
    let told = &report.problems[0].reason;
    assert_eq!(told, "is called .zst, and cannot be unpacked; kept whole");
    assert_eq!(run_in(&home, &store).problems, []);
    let out = export(&home, &store);
    for (number, content) in [(1, &b"not zstd"[..]), (4, &packed[..packed.len() - 2])] {
        let kept = out.join(place(number).replacen("in/", "codex/", 1));
        assert_eq!(fs::read(kept).unwrap(), content);
    }

    home.write(&place(1), &packed);
    run_clean(&home, &store, 1);
    assert_eq!(sessions(&store).len(), 2);
    // What is a session already is not replaced by what cannot be unpacked.
    home.write(&place(2), "not zstd");
    run_in(&home, &store);
    assert_eq!(sessions(&store).len(), 2);
    assert_eq!(said(&store, &sessions(&store)[0].key), Vec::<String>::new());
    assert_eq!(sessions(&store)[0].record_count, 1);
}

/// What comes before the damage is kept.
#[test]
fn a_packed_session_that_is_damaged_behind_some_lines_gives_these() {
    let home = Home::new();
    let whole = zstd::encode_all("{\"a\":1}\n{\"b\":2}\n".as_bytes(), 1).unwrap();
    let place = "in/.codex/sessions/2026/04/03/rollout-2026-04-03T11-20-00-\
                 0199c1f2-0000-7000-8000-000000000001.jsonl.zst";
    home.write(place, [&whole[..], b"damage"].concat());
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.records, report.problems.len()),
        (2, 1),
        "{report:?}"
    );
    let reason = &report.problems[0].reason;
    assert!(reason.contains("cannot be read"), "{reason}");
    // Once it is whole, it goes on.
    home.write(
        place,
        [&whole[..], &zstd::encode_all("{}\n".as_bytes(), 1).unwrap()].concat(),
    );
    let report = run_in(&home, &store);
    assert_eq!((report.records, report.sessions), (1, 0), "{report:?}");
    assert_eq!(report.problems, []);
}

#[test]
fn a_chat_without_a_meta_file_is_found_by_the_key_that_its_file_is_called_after() {
    let home = Home::new();
    let store = open(&home);
    for name in ["cli_direct", "other_1"] {
        home.write(&format!("{PICOCLAW}/{name}.jsonl"), says(&["hello"]));
    }
    home.write(
        &format!("{PICOCLAW}/other_1.meta.json"),
        meta("other_1", "", 0),
    );
    run_in(&home, &store);
    let found = key("picoclaw", "cli_direct");
    for text in ["cli:direct", "cli/direct", "picoclaw:cli:direct"] {
        assert_eq!(
            store.find(text, 5).unwrap().as_slice(),
            from_ref(&found),
            "{text}"
        );
    }
    assert_eq!(store.find("cli.direct", 5).unwrap(), []);
    // A meta file states the key: it is that one and no other.
    assert_eq!(store.find("other:1", 5).unwrap(), []);
    let chats = std::sync::Arc::new(store);
    let sessions = scrollback::picoclaw::StoreSessions::new(chats.clone());
    assert_eq!(sessions.full_history("cli:direct").unwrap().len(), 1);
    // A session of the key itself goes before.
    let line = [NewRecord::line(says(&["mine"]))];
    let named = key("picoclaw", "cli:direct");
    chats.append(&named, Expect::Any, None, &line).unwrap();
    assert_eq!(
        chats.find("cli:direct", 5).unwrap().as_slice(),
        from_ref(&named)
    );
    assert_eq!(sessions.resolve("cli:direct").unwrap(), named);
    // One that was made here has the key that it was given.
    chats
        .append(&key("picoclaw", "made_here"), Expect::Any, None, &line)
        .unwrap();
    assert_eq!(chats.find("made:here", 5).unwrap(), []);
}
