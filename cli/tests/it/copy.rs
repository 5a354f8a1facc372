//! `scrollback copy`: one store into another, as people run it, and killed in the middle.

use std::path::Path;

use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store as _};
use serde_json::Value;

use crate::cli::{GGCODE, import_samples};
use crate::copies_killed::{fill, kill_spread};
use crate::harness::Home;

/// What a store tells of its sessions: the list without their numbers, and the digest of each.
pub(crate) fn told(home: &Home, store: &str) -> (Vec<Value>, Vec<Value>) {
    let ok = |command: &[&str]| home.ok(&[&["--store", store], command].concat());
    let listed = ok(&["list", "--all", "--limit", "10000", "--json"]);
    let mut listed: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for session in &mut listed {
        let session = session.as_object_mut().unwrap();
        // Both have the number in them.
        session.remove("number");
        session.remove("cursor");
        // When each store wrote it is its own.
        let written = session.remove("written_at");
        assert!(written.is_some_and(|time| time.is_string()));
    }
    let report = ok(&["verify", "--deep", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let mut digests = report["digests"].as_array().unwrap().clone();
    digests.sort_by_key(|digest| digest["session"].to_string());
    assert!(!digests.is_empty());
    (listed, digests)
}

#[test]
fn a_copy_holds_the_same_and_a_second_one_finds_nothing_to_do() {
    let home = Home::new();
    import_samples(&home);
    home.ok(&["rename", GGCODE, "Loop"]);
    home.ok(&["pin", GGCODE]);
    let store = home.store_path();
    let store = store.to_str().unwrap();
    let printed = home.ok(&["copy", store, "c.redb"]);
    assert!(printed.starts_with("copied 2 sessions"), "{printed}");
    assert_eq!(told(&home, store), told(&home, "c.redb"));
    let again = home.ok(&["copy", store, "c.redb", "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    let counts = ["sessions", "updated", "records", "unchanged"].map(|name| again[name].clone());
    assert_eq!(counts, [0, 0, 0, 2].map(Value::from));
    // An import into the copy knows its files.
    let imported = home.ok(&["--store", "c.redb", "import", "in", "--json"]);
    let imported: Value = serde_json::from_str(&imported).unwrap();
    assert_eq!(imported["records"], 0);
}

#[test]
fn what_has_other_lines_there_is_named_and_left() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    for (name, text) in [("a.redb", "one"), ("b.redb", "another")] {
        let store = RedbStore::open(at(name), Options::default()).unwrap();
        let line = format!("{{\"role\":\"user\",\"content\":\"{text}\"}}");
        let key = SessionKey::native("s").unwrap();
        store
            .append(&key, Expect::Any, None, &[NewRecord::line(line)])
            .unwrap();
    }
    let before = told(&home, "b.redb");
    let output = home.run(&["copy", "a.redb", "b.redb"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("refused native:s: it has other lines"),
        "{printed}"
    );
    assert_eq!(told(&home, "b.redb"), before);
    // Stores that are not there, or not to be named so.
    assert_eq!(
        home.run(&["copy", "none.redb", "b.redb"]).status.code(),
        Some(1)
    );
    assert!(!at("none.redb").exists());
    let named = home.run(&["--store", "a.redb", "copy", "a.redb", "b.redb"]);
    assert_eq!(named.status.code(), Some(2));
}

fn sessions(path: &Path) -> usize {
    let store = RedbStore::open(path, Options::default()).unwrap();
    let report = store.verify_deep(&[], &mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    report.digests.len()
}

#[test]
fn a_copy_that_is_killed_leaves_whole_sessions_and_the_next_one_goes_on() {
    let home = Home::new();
    let from = home.path().join("from.redb");
    let store = RedbStore::open(&from, Options::default()).unwrap();
    fill(&store, "s", 40 * 1024 * 1024);
    drop(store);
    let all = sessions(&from);
    let to = home.path().join("to.redb");
    let mut partly = 0;
    kill_spread(&home, &["copy", "from.redb", "to.redb"], 6, &mut || {
        if to.exists() {
            let there = sessions(&to);
            partly += u32::from(there > 0 && there < all);
            home.ok(&["copy", "from.redb", "to.redb"]);
            assert_eq!(told(&home, "from.redb"), told(&home, "to.redb"));
            std::fs::remove_file(&to).unwrap();
        }
    });
    println!("{partly} of the kills left a part of {all} sessions");
}
