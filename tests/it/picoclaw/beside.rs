//! Meta files in an export: what was not changed here comes back byte for byte, whatever of it was
//! too much for a store, and a file lies beside the lines that it is about.

use std::fs;
use std::sync::Arc;

use scrollback::picoclaw::StoreSessions;
use scrollback::{Options, PropertiesChange, RedbStore, Store};

use super::home::{FOLDER, exported, imported, meta, said, write};
use super::{add, key};
use crate::harness::Home;

/// The names of the files that an export wrote last.
fn names(home: &Home) -> Vec<String> {
    let folder = home.path().join("out/picoclaw");
    let mut names = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                names.push(entry.file_name().into_string().unwrap());
            }
        }
    }
    names.sort();
    names
}

#[test]
fn a_compaction_is_seen_in_the_meta_file() {
    for skip in [0, 1] {
        let home = Home::new();
        write(&home, "web_1.jsonl", &said(&["1", "2", "3"]));
        write(&home, "web_1.meta.json", &meta("web:1", "Kept.", skip, 3));
        let (sessions, store) = imported(&home);
        store.truncate(&key("web:1"), 2).unwrap();
        store.compact(&key("web:1"), None, None).unwrap();
        drop((sessions, store));
        let written = exported(&home, "web_1.meta.json");
        let says = |text: &str| assert!(written.contains(text), "{text}: {written}");
        says("\"skip\": 0");
        says("\"count\": 2");
        says("\"summary\": \"Kept.\"");
        assert_eq!(exported(&home, "web_1.jsonl"), said(&["2", "3"]));

        let (sessions, store) = imported(&home);
        store.truncate(&key("web:1"), 0).unwrap();
        store.compact(&key("web:1"), None, None).unwrap();
        drop((sessions, store));
        let written = exported(&home, "web_1.meta.json");
        assert!(
            written.contains("\"skip\": 0,\n  \"count\": 0"),
            "{written}"
        );
        assert_eq!(exported(&home, "web_1.jsonl"), "");
    }
}

/// A meta file with a summary of its own, and other fields at its end.
fn meta_with(key: &str, summary: &str, others: &str) -> String {
    let meta = meta(key, summary, 1, 2);
    format!("{},\n  {others}\n}}", meta.trim_end_matches(['}', '\n']))
}

/// Meta files that say more than a store takes: a key and the file.
fn excessive() -> Vec<(&'static str, String)> {
    let many: Vec<String> = (0..300)
        .map(|number| format!("\"alias-{number}\""))
        .collect();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    vec![
        (
            "odd",
            meta_with(
                "odd",
                "",
                "\"aliases\": [\" x \", \"x\", 7, \"a\", \"\", \"odd\"]",
            ),
        ),
        (
            "many",
            meta_with("many", "", &format!("\"aliases\": [{}]", many.join(","))),
        ),
        ("long", meta("long", &"é".repeat(550_000), 1, 2)),
        (
            "wide",
            meta_with(
                "wide",
                "",
                &format!("\"scope\": \"{}\"", "s".repeat(70_000)),
            ),
        ),
        ("deep", meta_with("deep", "", &format!("\"scope\": {deep}"))),
        (
            "other",
            meta_with("other", "", &format!("\"later\": {deep}")),
        ),
    ]
}

#[test]
fn a_meta_file_that_says_more_than_a_store_takes_comes_back_as_it_was() {
    let home = Home::new();
    for (name, meta) in excessive() {
        write(&home, &format!("{name}.jsonl"), &said(&["1", "2"]));
        write(&home, &format!("{name}.meta.json"), &meta);
    }
    let (sessions, store) = imported(&home);
    drop((sessions, store));
    exported(&home, "odd.jsonl");
    let out = home
        .path()
        .join("out/picoclaw/.picoclaw/workspace/sessions");
    for (name, meta) in excessive() {
        let written = fs::read_to_string(out.join(format!("{name}.meta.json"))).unwrap();
        assert!(
            written == meta,
            "{name}: {} of {}",
            written.len(),
            meta.len()
        );
    }
}

#[test]
fn what_nobody_changed_in_a_meta_file_keeps_its_value() {
    let home = Home::new();
    for (name, meta) in excessive() {
        write(&home, &format!("{name}.jsonl"), &said(&["1", "2"]));
        write(&home, &format!("{name}.meta.json"), &meta);
    }
    let (sessions, store) = imported(&home);
    for (name, _) in excessive() {
        add(&sessions, name, &["3"]);
    }
    let change = PropertiesChange::default().with_summary("Mine.");
    store.update_properties(&key("wide"), &change).unwrap();
    drop((sessions, store));
    exported(&home, "odd.jsonl");
    let out = home
        .path()
        .join("out/picoclaw/.picoclaw/workspace/sessions");
    let compact = |text: &str| text.replace(['\n', ' '], "");
    for (name, meta) in excessive() {
        let written = fs::read_to_string(out.join(format!("{name}.meta.json"))).unwrap();
        let (written, mut expected) = (compact(&written), compact(&meta));
        expected = expected.replace("\"count\":2", "\"count\":3");
        if name == "wide" {
            expected = expected.replace("\"summary\":\"\"", "\"summary\":\"Mine.\"");
        }
        let without_time = |text: &str| {
            let (start, end) = text.split_once("\"updated_at\"").unwrap();
            format!(
                "{start}{}",
                end.split_once(['}', ',']).map_or("", |(_, rest)| rest)
            )
        };
        let same = without_time(&written) == without_time(&expected);
        assert!(same, "{name}: {} of {}", written.len(), expected.len());
    }
}

#[test]
fn names_that_were_not_changed_here_follow_their_meta_file() {
    let home = Home::new();
    let with = |names: &str| meta_with("web:1", "", &format!("\"aliases\": [{names}]"));
    write(&home, "web_1.jsonl", &said(&["1", "2"]));
    write(&home, "web_1.meta.json", &with("\" a \", \"b\""));
    drop(imported(&home));
    let newer = with("\"c\", \"b\"");
    write(&home, "web_1.meta.json", &newer);
    let (sessions, store) = imported(&home);
    let aliases = store.properties(&key("web:1")).unwrap().aliases;
    assert_eq!(aliases, ["c", "b"], "the one of spaces is gone");
    drop((sessions, store));
    assert_eq!(exported(&home, "web_1.meta.json"), newer);
}

#[test]
fn a_meta_file_has_the_name_of_the_lines_beside_it() {
    let home = Home::new();
    // Sessions of two homes at one path of an export.
    for (place, text) in [("one", "1"), ("two", "2")] {
        let folder = format!("{place}/{}", FOLDER.trim_start_matches("home/"));
        home.write(&format!("{folder}/j.jsonl"), said(&[text]));
        home.write(&format!("{folder}/j.meta.json"), meta("j2", text, 0, 1));
    }
    home.import("one");
    home.import("two");
    home.export("out");
    assert_eq!(
        names(&home),
        ["j.jsonl", "j.meta.json", "j~2.jsonl", "j~2.meta.json"]
    );
}

/// The store of a home, as it is.
fn opened(home: &Home) -> (StoreSessions, Arc<RedbStore>) {
    let store = Arc::new(RedbStore::open(home.store_path(), Options::default()).unwrap());
    (StoreSessions::new(store.clone()), store)
}

#[test]
fn the_files_of_a_session_are_named_as_picoclaw_names_them() {
    for (id, stem) in [
        ("é😀".to_owned(), Some("é😀".to_owned())),
        (" 100% ".to_owned(), Some(" 100% ".to_owned())),
        (".hidden".to_owned(), Some(".hidden".to_owned())),
        ("a:b/c\\d?*".to_owned(), Some("a_b_c_d?*".to_owned())),
        ("k".repeat(240), Some("k".repeat(240))),
        ("k".repeat(500), None),
    ] {
        let home = Home::new();
        let (sessions, store) = opened(&home);
        add(&sessions, &id, &["1"]);
        drop((sessions, store));
        home.export("out");
        let names = names(&home);
        let [lines, meta] = &*names else {
            panic!("{names:?}");
        };
        let own = lines.strip_suffix(".jsonl").unwrap();
        assert_eq!(Some(own), meta.strip_suffix(".meta.json"));
        if let Some(stem) = stem.filter(|_| cfg!(unix)) {
            assert_eq!(own, stem);
        }
        fs::remove_file(home.store_path()).unwrap();
        home.import("out");
        let store = opened(&home).1;
        assert!(store.summary(&key(&id)).is_ok(), "{id}");
    }
}
