//! Real processes on one store at the same time: this test binary, started again as writers.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use scrollback::{
    Expect, ListQuery, NewRecord, Options, RedbStore, ScanQuery, SessionKey, Store, StoreExt,
};

use crate::harness::Home;

const WRITERS: usize = 3;
const BATCHES: usize = 40;
const RECORDS: usize = 3;

/// Tells a writer who it is; without it the test that is one does nothing.
const WRITER: &str = "SCROLLBACK_TEST_WRITER";

fn key(session: usize) -> SessionKey {
    SessionKey::new("jsonl", format!("s{session}")).unwrap()
}

#[test]
#[ignore = "a writer, started by the test below"]
fn writer() {
    let Some(number) = std::env::var_os(WRITER) else {
        return;
    };
    let number = number.into_string().unwrap();
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    for batch in 0..BATCHES {
        let records: Vec<NewRecord> = (0..RECORDS)
            .map(|part| {
                NewRecord::line(format!(
                    "{{\"role\":\"user\",\"content\":\"{number} {batch} {part}\"}}"
                ))
            })
            .collect();
        store
            .append(&key(batch % 2), Expect::Any, None, &records)
            .unwrap();
    }
}

#[test]
fn writers_in_several_processes_lose_nothing_and_tear_no_batch() {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "processes::writer", "--ignored"])
                .env(WRITER, number.to_string())
                .env("SCROLLBACK_STORE", home.store_path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut looks = 0;
    let mut running = true;
    while running {
        running = writers
            .iter_mut()
            .any(|writer| writer.try_wait().unwrap().is_none());
        for summary in store.list(&ListQuery::default()).unwrap().sessions {
            // A batch is there in whole, whenever somebody looks.
            assert_eq!(summary.record_count % RECORDS as u64, 0);
            looks += 1;
        }
        // Another process of the tool, beside the writers.
        home.ok(&["list", "--json"]);
    }
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert!(looks > 0);

    let mut last = BTreeMap::new();
    let mut records = 0;
    for session in 0..2 {
        let mut batch_of: Option<(String, usize)> = None;
        for record in store.records(&key(session), ScanQuery::default()) {
            let line = String::from_utf8(record.unwrap().line).unwrap();
            let said = line.split('"').nth(7).unwrap().to_owned();
            let words: Vec<usize> = said.split(' ').map(|word| word.parse().unwrap()).collect();
            let [writer, batch, part] = words[..] else {
                panic!("{line}")
            };
            // In a row within a batch, and in order within a writer.
            match batch_of.take() {
                Some((open, next)) => assert_eq!((format!("{writer} {batch}"), part), (open, next)),
                None => assert_eq!(part, 0, "{line}"),
            }
            if part + 1 < RECORDS {
                batch_of = Some((format!("{writer} {batch}"), part + 1));
            }
            let before = last.insert((session, writer), (batch, part));
            assert!(before < Some((batch, part)));
            records += 1;
        }
        assert_eq!(batch_of, None);
    }
    assert_eq!(records, WRITERS * BATCHES * RECORDS);
    assert!(
        store
            .verify_deep(&[], &mut scrollback::unwatched)
            .unwrap()
            .is_clean()
    );
}

#[test]
fn imports_that_all_make_the_store_get_along() {
    for _ in 0..10 {
        let home = Home::new();
        home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hello\"}\n");
        let start = |arguments: &[&str]| {
            let mut command = home.command();
            command
                .args(arguments)
                .stderr(Stdio::piped())
                .stdout(Stdio::null());
            command.spawn().unwrap()
        };
        let imports: Vec<_> = (0..4).map(|_| start(&["import", "in"])).collect();
        // A reader finds the store whole, or none.
        let lists: Vec<_> = (0..4).map(|_| start(&["list"])).collect();
        for import in imports {
            let output = import.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        for list in lists {
            let output = list.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let is_missing = said.contains("No such file");
            assert!(output.status.success() || is_missing, "{said}");
        }
        let mut names: Vec<_> = std::fs::read_dir(home.store_path().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.retain(|name| *name != "scrollback.redb-writer");
        assert_eq!(names, ["scrollback.redb"]);
        home.ok(&["verify"]);
    }
}
