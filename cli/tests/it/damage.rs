//! Rows and pages that a damaged disk has taken from a store: an answer is whole, or an error.
//!
//! The engine checks no checksums while it reads, so a flipped bit in a key makes a row vanish
//! without a word. These tests take the row away, which is the same to a reader.

use std::fs;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::harness::Home;

const RECORDS: TableDefinition<'_, (u64, u64, u32), &[u8]> = TableDefinition::new("records");
const SESSION_KEYS: TableDefinition<'_, (&str, &str), u64> = TableDefinition::new("session_keys");
const ATTACHMENTS: TableDefinition<'_, (u64, &str, u32), &[u8]> =
    TableDefinition::new("attachments");

/// A home with a store of two sessions and a file beside the first.
fn filled() -> Home {
    let home = Home::new();
    let line = |about: &str, number: usize| {
        let about = about.repeat(20);
        format!("{{\"role\":\"user\",\"content\":\"{about} {number}\"}}\n")
    };
    let session = |about: &str| {
        (0..3000)
            .map(|number| line(about, number))
            .collect::<String>()
    };
    home.write("in/.claude/projects/-w/first.jsonl", session("Tomatoes"));
    home.write("in/.claude/projects/-w/second.jsonl", session("Lettuce"));
    home.write("in/.claude/projects/-w/first.meta.json", "{}");
    home.ok(&["import", "in"]);
    home
}

/// The store's own number of the session `first`.
fn number_of_first(home: &Home) -> u64 {
    let listed = home.ok(&["list", "--json"]);
    let row = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let first = row.into_iter().find(|row| row["id"] == "first").unwrap();
    first["number"].as_u64().unwrap()
}

/// Changes a store behind its back.
fn change(home: &Home, work: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(home.store_path()).unwrap();
    let transaction = database.begin_write().unwrap();
    work(&transaction);
    transaction.commit().unwrap();
}

/// Runs a command, which has to find that the store is corrupt.
fn assert_found(home: &Home, arguments: &[&str]) {
    let output = home.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
    assert!(said.starts_with("error: "), "{arguments:?}: {said}");
}

#[test]
fn records_that_vanished_are_missed() {
    let keys: Vec<(u64, u64, u32)> = {
        let home = filled();
        let number = number_of_first(&home);
        let database = Database::open(home.store_path()).unwrap();
        let table = database.begin_read().unwrap().open_table(RECORDS).unwrap();
        let keys = table.iter().unwrap().map(|entry| entry.unwrap().0.value());
        keys.filter(|(session, _, part)| (*session, *part) == (number, 0))
            .collect()
    };
    // One at the start, one in the middle, one at the end, and all of them.
    assert!(keys.len() > 2, "{keys:?}");
    let middle = keys[keys.len() / 2].1;
    for gone in [
        0..=0,
        middle..=middle,
        keys[keys.len() - 1].1..=u64::MAX,
        0..=u64::MAX,
    ] {
        let home = filled();
        let number = number_of_first(&home);
        change(&home, |transaction| {
            let mut table = transaction.open_table(RECORDS).unwrap();
            table
                .retain(|(session, first, _), _| session != number || !gone.contains(&first))
                .unwrap();
        });
        assert_found(&home, &["export", "first"]);
        assert_found(&home, &["export", "--all", "--to", "out"]);
        let there = home.path().join("out/claude-code/.claude/projects/-w");
        assert!(
            there.join("second.jsonl").exists(),
            "one bad session hides none"
        );
        assert!(!there.join("first.jsonl").exists());
        assert_found(&home, &["show", "first"]);
        assert_found(&home, &["show", "first", "--raw"]);
        home.ok(&["export", "second"]);
    }
}

#[test]
fn a_session_that_only_its_name_has_lost_is_not_left_out_of_an_export() {
    let home = filled();
    change(&home, |transaction| {
        let mut table = transaction.open_table(SESSION_KEYS).unwrap();
        table.remove(("claude-code", "second")).unwrap().unwrap();
    });
    assert_found(&home, &["export", "--all", "--to", "out"]);
    assert_found(
        &home,
        &["export", "--all", "--to", "out", "--format", "markdown"],
    );
}

#[test]
fn a_file_beside_a_session_that_vanished_is_missed() {
    let home = filled();
    change(&home, |transaction| {
        let mut table = transaction.open_table(ATTACHMENTS).unwrap();
        table.retain(|_, _| false).unwrap();
    });
    assert_found(&home, &["export", "--all", "--to", "out"]);
}

#[test]
fn records_that_were_compacted_away_are_not_missed() {
    let home = filled();
    for keep in ["2000", "100", "0"] {
        home.ok(&["truncate", "first", "--keep", keep]);
        home.ok(&["compact", "first"]);
        home.ok(&["truncate", "first", "--keep", "5000"]);
        let lines = home.ok(&["show", "first", "--raw"]);
        assert_eq!(lines.lines().count().to_string(), keep);
        home.ok(&["show", "first", "--tail", "3"]);
        assert_eq!(home.ok(&["export", "first"]), lines);
    }
}

#[test]
fn a_page_of_no_known_kind_is_an_error_and_no_panic() {
    let home = filled();
    let whole = fs::read(home.store_path()).unwrap();
    let mut found = 0;
    // The first byte of a page of the engine's trees tells what kind of page it is: 1 or 2.
    for at in (0..whole.len()).step_by(4096) {
        if !matches!(whole[at], 1 | 2) {
            continue;
        }
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        for arguments in [
            ["list"].as_slice(),
            &["stats"],
            &["export", "--all", "--to", "out"],
            &["verify"],
        ] {
            home.write("store/scrollback.redb", &damaged);
            let output = home.run(arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                !said.contains("panicked"),
                "byte {at}, {arguments:?}: {said}"
            );
            match output.status.code() {
                Some(0) => {}
                Some(1 | 3) if arguments == ["verify"] || said.starts_with("error: ") => found += 1,
                code => panic!("byte {at}, {arguments:?}: {code:?}: {said}"),
            }
        }
    }
    assert!(found > 10, "only {found} commands have noticed");
}
