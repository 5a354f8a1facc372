//! A server whose disk is full: calls say so, nothing that was acknowledged is lost, and once there is space they
//! go on.

use std::error::Error as _;

use scrollback::uuid::Uuid;
use scrollback::{
    Error, Expect, ImportOptions, Ingest as _, ListQuery, NewRecord, ScanQuery, SessionKey,
    Store as _, StoreExt as _, import, unwatched,
};
use scrollback_postgres::PostgresStore;

use crate::cluster::Cluster;
use crate::disk::Disk;

fn key() -> SessionKey {
    SessionKey::native("one").unwrap()
}

/// A line of so many bytes that hardly gets shorter, and the id of its batch.
fn line(bytes: usize) -> (Uuid, String) {
    let text: String = (0..bytes / 36)
        .map(|_| Uuid::new_v4().to_string())
        .collect();
    let line = format!("{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{text}\"}}\n");
    (Uuid::new_v4(), line)
}

fn append(store: &PostgresStore, (id, line): &(Uuid, String)) -> scrollback::Result<bool> {
    let records = [NewRecord::line(line.clone())];
    let appended = store.append(&key(), Expect::Any, Some(*id), &records)?;
    Ok(appended.replayed)
}

/// Appends lines of so many bytes until it fails: what was acknowledged, what was not, and why.
fn fill(store: &PostgresStore, bytes: usize) -> (Vec<String>, (Uuid, String), Error) {
    let mut acknowledged = Vec::new();
    loop {
        let next = line(bytes);
        match append(store, &next) {
            Ok(_) => acknowledged.push(next.1),
            Err(error) => return (acknowledged, next, error),
        }
        assert!(acknowledged.len() < 5000, "never full");
    }
}

fn lines(store: &PostgresStore) -> Vec<String> {
    let records = store.records(&key(), ScanQuery::default());
    records
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

/// That an error says what is full and what to do, and that the same call does not help.
fn assert_full(error: &Error) {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(
        matches!(error, Error::Storage { .. }) && said.contains("No space left on device (53100)"),
        "{error:?}"
    );
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("free some space"), "{error:?}: {hint}");
    assert!(!error.is_retryable());
}

/// Files that do not fit either, in a folder.
fn write_files(folder: &std::path::Path) {
    for number in 0..3 {
        let text: String = (0..200).map(|_| line(10_000).1).collect();
        std::fs::write(folder.join(format!("s-{number}.jsonl")), text).unwrap();
    }
}

#[test]
fn a_full_tablespace_fails_calls_and_imports_with_a_hint_and_they_go_on_once_it_is_larger() {
    let Some(disk) = Disk::new("8m") else {
        return;
    };
    let Some(cluster) = Cluster::start("-c fsync=off") else {
        return;
    };
    let place = disk.path().display();
    cluster.sql(&format!("CREATE TABLESPACE small LOCATION '{place}'"));
    cluster.sql("ALTER ROLE tester SET default_tablespace = small");
    let store = cluster.open(cluster.options());
    let (mut acknowledged, refused, error) = fill(&store, 20_000);
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    assert_full(&error);
    assert_eq!(lines(&store), acknowledged);
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);

    let files = tempfile::tempdir().unwrap();
    write_files(files.path());
    let paths = [files.path().to_path_buf()];
    let options = ImportOptions::default();
    let failed = import(&store, &paths, &options, &mut unwatched);
    match &failed {
        Err(error) => assert_full(error),
        Ok(report) => panic!("{report:?}"),
    }

    disk.grow("64m");
    // Nothing of the call that failed was there.
    assert!(!append(&store, &refused).unwrap());
    acknowledged.push(refused.1);
    assert_eq!(lines(&store), acknowledged);
    let report = import(&store, &paths, &options, &mut unwatched).unwrap();
    assert_eq!(
        (report.sessions, report.problems.len()),
        (3, 0),
        "{report:?}"
    );
    let verified = store.verify(&mut unwatched).unwrap();
    assert!(verified.is_clean(), "{verified:?}");
}

/// Where the server's log of changes has no space, the server itself gives up, perhaps with the call's commit in that
/// log: whether it is done shows once the server has recovered.
#[test]
fn a_server_that_is_stopped_by_a_full_disk_has_all_that_was_acknowledged_once_it_runs_again() {
    let Some(disk) = Disk::new("40m") else {
        return;
    };
    let settings = "-c fsync=off -c max_wal_size=1GB";
    let Some(cluster) = Cluster::start_with_log(&disk.path().join("log"), settings) else {
        return;
    };
    let options = cluster.options();
    let waits = options.with_resolve_wait(std::time::Duration::from_secs(1));
    let store = cluster.open(waits);
    let (mut acknowledged, open, error) = fill(&store, 200_000);
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    let Error::CommitUnknown { source } = &error else {
        panic!("{error:?}");
    };
    // Unless another process of the server's was the first to find the disk full.
    let hint = error.hint().unwrap_or_default();
    if source.to_string().contains("No space left on device") {
        assert!(hint.contains("free some space"), "{error:?}: {hint}");
    }
    disk.grow("256m");
    cluster.up_again();
    append(&store, &open).unwrap();
    acknowledged.push(open.1);
    assert_eq!(lines(&store), acknowledged);
    let verified = store.verify(&mut unwatched).unwrap();
    assert!(verified.is_clean(), "{verified:?}");
}
