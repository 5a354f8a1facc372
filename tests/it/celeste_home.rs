//! celeste's folder, in and out: `~/.celeste/sessions` as it lies on a disk.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use scrollback::celeste::Project;
use scrollback::{
    Expect, Message, NewRecord, Options, PropertiesChange, RedbStore, Store, StoreExt, Summary,
};

use crate::celeste::{WEBSHOP, entry, ids, key, webshop};
use crate::harness::Home;

/// The id of the project `/home/dev/data pipeline`.
const PIPELINE: &str = "e74deef539a68378";

const TIME: &str = "2026-04-03T11:30:00.120345678+02:00";

const DOCUMENT: &str = r#"{
  "id": "1774000000000000001",
  "name": "The parser",
  "created_at": "2026-04-02T20:00:00.000000007+02:00",
  "updated_at": "2026-04-02T20:10:00.000000007+02:00",
  "messages": [
    {"role": "user", "content": "Refactor it", "timestamp": "2026-04-02T20:00:00.000000007+02:00"},
    {"role": "assistant", "content": "Done.", "timestamp": "2026-04-02T20:01:00.000000007+02:00"}
  ],
  "metadata": {"endpoint": "openai", "model": "gpt-4o"},
  "token_count": 12
}"#;

/// Files below `.celeste/sessions`, as celeste and its crashes leave them.
fn files() -> BTreeMap<String, Vec<u8>> {
    let said = |kind: &str, text: &str| entry(kind, text, TIME);
    let cut = "{\"type\":\"assistant\",\"content\":\"half a li";
    let of_shop = [
        ("plain", said("user", "one") + &said("assistant", "two")),
        ("cut", said("user", "keep me") + cut),
        (
            "fused",
            said("user", "first") + cut + &said("user", "after") + &said("assistant", "x"),
        ),
        (
            "bad",
            said("user", "one") + "{not json\n" + &said("assistant", "two") + "]]\n",
        ),
        ("empty", String::new()),
        (
            "no-user",
            said("system", "boot") + &said("assistant", "ready"),
        ),
        ("crlf", said("user", "windows").replace('\n', "\r\n")),
        (
            "progress",
            said("user", "x") + &said("progress", "50%") + &said("mood", "good"),
        ),
    ];
    let mut files: BTreeMap<String, Vec<u8>> = of_shop
        .into_iter()
        .map(|(id, lines)| (format!("{WEBSHOP}/{id}.jsonl"), lines.into_bytes()))
        .collect();
    let raw =
        b"{\"type\":\"user\",\"content\":\"raw \xff\",\"timestamp\":\"2026-04-03T09:00:01Z\"}\n";
    files.insert(format!("{WEBSHOP}/raw.jsonl"), raw.to_vec());
    let odd = format!("{PIPELINE}/sess.with dots & space.jsonl");
    files.insert(odd, said("user", "custom id").into_bytes());
    files.insert("1774000000000000001.json".to_owned(), DOCUMENT.into());
    files
}

fn imported() -> Home {
    let home = Home::new();
    for (path, bytes) in files() {
        home.write(&format!("in/.celeste/sessions/{path}"), bytes);
    }
    home.import("in");
    home
}

fn rows(home: &Home) -> BTreeMap<String, Summary> {
    let rows = home.summaries().into_iter();
    rows.map(|row| (row.key.id().to_owned(), row)).collect()
}

fn shop(home: &Home) -> Project {
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    webshop(&(Arc::new(store) as Arc<dyn Store>))
}

#[test]
fn default_home_folder_is_taken_with_every_entry_and_title() {
    let home = imported();
    let rows = rows(&home);
    for (id, good, bad, title) in [
        ("plain", 2, 0, "one"),
        ("cut", 1, 1, "keep me"),
        ("fused", 3, 1, "first"),
        ("bad", 2, 2, "one"),
        ("empty", 0, 0, ""),
        ("no-user", 2, 0, ""),
        ("crlf", 1, 0, "windows"),
        ("progress", 1, 0, "x"),
        ("raw", 1, 0, "raw \u{fffd}"),
        ("sess.with dots & space", 1, 0, "custom id"),
    ] {
        let row = &rows[id];
        assert_eq!(row.key.agent(), "celeste", "{id}");
        assert_eq!(row.message_count, good, "{id}");
        assert_eq!(row.malformed_count, bad, "{id}");
        assert_eq!(row.title, title, "{id}");
        let project = if id.starts_with("sess") {
            PIPELINE
        } else {
            WEBSHOP
        };
        assert_eq!(row.project.as_deref(), Some(project), "{id}");
    }
    assert_eq!(
        rows["progress"].record_count, 3,
        "entries, as celeste counts them"
    );
    assert_eq!(rows.len(), 11);
    home.verify();
}

#[test]
fn import_of_own_legacy_json_gives_its_messages() {
    let home = imported();
    let rows = rows(&home);
    let row = &rows["1774000000000000001"];
    assert_eq!((row.key.agent(), row.message_count), ("celeste", 2));
    assert_eq!(row.project, None);
    assert_eq!(format!("{:?}", row.created_at), "2026-04-02T18:00:00Z");
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let messages = store.load(&row.key).unwrap().messages;
    let said: Vec<String> = messages.iter().map(Message::plain_text).collect();
    assert_eq!(said, ["Refactor it", "Done."]);
    home.import("in");
    assert_eq!(self::rows(&home), rows, "a second import adds nothing");
}

#[test]
fn an_untouched_folder_is_exported_byte_for_byte() {
    let home = imported();
    home.export("out");
    let mut found = BTreeMap::new();
    let root = home.path().join("out");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.to_str().unwrap().to_owned();
            let (_, name) = name
                .split_once("/.celeste/sessions/")
                .unwrap_or(("", &name));
            found.insert(name.to_owned(), fs::read(&path).unwrap());
        }
    }
    assert_eq!(found, files());
}

#[test]
fn list_and_resume_go_on_with_what_was_imported() {
    let home = imported();
    let project = shop(&home);
    let listed = ids(&project);
    assert_eq!(listed.len(), 9, "{listed:?}");
    assert!(!listed.contains(&"sess.with dots & space".to_owned()));
    assert_eq!(project.resume("fused").unwrap().messages.len(), 3);
    project.log_turn("user", "more").unwrap();
    // The empty file has no time but that of the import.
    assert_eq!(ids(&project)[..2], ["empty", "fused"]);
    let recent = project.recent(Duration::from_secs(60)).unwrap();
    assert_eq!(
        recent.unwrap().key.id(),
        "fused",
        "the newest that holds anything"
    );
    drop(project);

    home.export("out");
    let path = format!("out/celeste/.celeste/sessions/{WEBSHOP}/fused.jsonl");
    let expected = [
        &files()[&format!("{WEBSHOP}/fused.jsonl")][..],
        entry("user", "more", "2026-04-03T12:00:00Z").as_bytes(),
    ]
    .concat();
    let written = fs::read(home.path().join(&path)).unwrap();
    assert_eq!(String::from_utf8(written), String::from_utf8(expected));
    // What was added to the store is not added again.
    home.import("in");
    assert_eq!(rows(&home)["fused"].message_count, 4);
}

#[test]
fn an_old_document_that_went_on_is_one_session_wherever_its_export_is_imported() {
    let id = "1774000000000000001";
    for with_project in [false, true] {
        let home = imported();
        let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
        let more = entry("user", "more", "2026-04-03T12:00:00Z");
        let key = key(id);
        let record = NewRecord::line(more);
        store.append(&key, Expect::Any, None, &[record]).unwrap();
        if with_project {
            let change = PropertiesChange::default().with_project(WEBSHOP);
            store.update_properties(&key, &change).unwrap();
        }
        drop(store);
        home.export("out");
        fs::remove_file(home.store_path()).unwrap();
        home.import("out/celeste");
        let rows = rows(&home);
        assert_eq!(rows[id].message_count, 3, "{with_project}");
        assert_eq!(rows.len(), 11, "{rows:?}");
        home.export("again");
        let document = "celeste/.celeste/sessions/1774000000000000001.json";
        let written = fs::read_to_string(home.path().join("again").join(document)).unwrap();
        assert_eq!(written, DOCUMENT);
    }
}

#[test]
fn a_session_made_here_is_exported_where_celeste_looks_for_it() {
    let home = Home::new();
    let project = shop(&home);
    let id = project.start();
    project.log_turn("user", "Which port?").unwrap();
    drop(project);
    home.export("out");
    let path = format!("out/celeste/{WEBSHOP}/{id}.jsonl");
    let written = fs::read_to_string(home.path().join(path)).unwrap();
    assert_eq!(
        written,
        entry("user", "Which port?", "2026-04-03T12:00:00Z")
    );
}

#[test]
fn a_copied_folder_keeps_its_projects() {
    let home = Home::new();
    let line = entry("user", "x", TIME);
    home.write(&format!("copy/{WEBSHOP}/1.jsonl"), line);
    home.import("copy");
    let project = shop(&home);
    assert_eq!(ids(&project), ["1"]);
    project.resume("1").unwrap();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    assert_eq!(
        store.summary(&key("1")).unwrap().project.as_deref(),
        Some(WEBSHOP)
    );
    assert_eq!(store.resolve("1").unwrap(), key("1"));
}
