//! What the server reads for a call does not grow with what is stored, whatever it knows of the tables.

use std::thread;
use std::time::Duration;

use scrollback::uuid::Uuid;
use scrollback::{
    Direction, Expect, Message, NewRecord, PropertiesChange, Role, ScanQuery, SessionKey,
    Store as _,
};
use scrollback_postgres::PostgresStore;

use crate::cluster::Cluster;

/// How often each call is made before and after.
const CALLS: u64 = 60;

/// What was read so far: walks through whole tables, and entries of indexes.
fn read(cluster: &Cluster, schema: &str) -> (u64, u64) {
    let number = |text: &str| -> u64 {
        let of = format!("WHERE schemaname = '{schema}' AND relname IN ('sessions', 'cells')");
        let found = cluster.sql(&format!("{text} {of}"));
        found.trim().parse().unwrap()
    };
    (
        number("SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_all_tables"),
        number("SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_all_indexes"),
    )
}

fn said(text: &str) -> NewRecord {
    NewRecord::message(Message::text(Role::User, text))
}

/// Each call that a session of many batches and segments might make slow.
fn calls(store: &PostgresStore, key: &SessionKey) {
    for number in 0..CALLS {
        store
            .append(
                key,
                Expect::Any,
                Some(Uuid::new_v4()),
                &[said(&format!("message {number}"))],
            )
            .unwrap();
        let title = PropertiesChange::default().with_title(format!("title {number}"));
        store.update_properties(key, &title).unwrap();
        let page = ScanQuery::default().with_from(number).with_records_max(2);
        let page = page.with_direction(Direction::Backward);
        assert!(!store.scan(key, &page).unwrap().records.is_empty());
        let other = SessionKey::native(format!("other {}", Uuid::new_v4())).unwrap();
        for text in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
            store
                .append(&other, Expect::Any, None, &[said(text)])
                .unwrap();
        }
        store.truncate(&other, 1).unwrap();
        store.compact(&other, None, None).unwrap();
        store.delete(&other).unwrap();
    }
}

#[test]
fn no_call_reads_more_where_more_is_stored() {
    // A server that has never looked at a table takes it for one of a few rows, plans for that, and keeps the plan.
    let Some(cluster) = Cluster::start("-c autovacuum=off") else {
        return;
    };
    let options = cluster.options();
    let schema = options.schema.clone();
    let key = SessionKey::native("long").unwrap();
    // Making the tables goes through them, too.
    drop(cluster.open(options.clone()));
    let (mut walks, mut before) = read(&cluster, &schema);
    let mut entries = Vec::new();
    // One that stays, with the plans that were made for its connection when the tables were small.
    let store = cluster.open(options.clone().with_connections(1));
    for _ in 0..6 {
        calls(&store, &key);
        // A connection hands its counts in with a call, and once a second at most.
        thread::sleep(Duration::from_millis(1_200));
        store.summary(&key).unwrap();
        let (more_walks, now) = read(&cluster, &schema);
        assert_eq!(more_walks, walks, "a call went through a whole table");
        entries.push(now - before);
        (walks, before) = (more_walks, now);
    }
    // Small segments are read until they are put together, so the first rounds have fewer.
    let (third, last) = (entries[2], entries[5]);
    assert!(
        last * 4 < third * 5,
        "entries of indexes that were read: {entries:?}"
    );
}
