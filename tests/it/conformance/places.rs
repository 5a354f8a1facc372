//! Stores in files: new ones, ones that are opened again, imported ones; and broken places.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use scrollback::conformance::OpenStore;
use scrollback::{
    Expect, ImportOptions, ListQuery, MemoryStore, Mode, NewRecord, Options, RedbStore, SessionKey,
    Store, import,
};

use super::Break;
use super::broken::Broken;

fn open(path: &Path, mode: Mode) -> RedbStore {
    let options = Options::default().with_mode(mode);
    RedbStore::open(path, options).unwrap()
}

/// New stores, each in a file of its own.
pub(crate) fn files(mode: Mode) -> impl Fn() -> Box<dyn Store> {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicU64::new(0);
    move || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Box::new(open(&folder.path().join(format!("{number}.redb")), mode))
    }
}

/// Stores that are opened again and again, each in a folder of its own.
pub(crate) fn reopened(mode: Mode) -> impl Fn() -> OpenStore {
    move || {
        let folder = tempfile::tempdir().unwrap();
        Box::new(move || Box::new(open(&folder.path().join("store.redb"), mode)))
    }
}

/// Stores with an imported session.
pub(crate) fn imported(mode: Mode) -> impl Fn(&SessionKey, &[u8]) -> Box<dyn Store> {
    let folder = tempfile::tempdir().unwrap();
    move |key, lines| {
        let file = folder.path().join(format!("{}.jsonl", key.id()));
        std::fs::write(&file, lines).unwrap();
        let store = open(&folder.path().join("store.redb"), mode);
        import(
            &store,
            &[file],
            &ImportOptions::default(),
            &mut scrollback::unwatched,
        )
        .unwrap();
        Box::new(store)
    }
}

/// A place whose store is whole when it is opened first, and broken when it is opened again.
pub(crate) fn broken_place(breaks: fn(&mut Broken)) -> OpenStore {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let opened = AtomicU64::new(0);
    Box::new(move || {
        let mut broken = Broken::over(Arc::clone(&store));
        if opened.fetch_add(1, Ordering::Relaxed) > 0 {
            breaks(&mut broken);
        }
        Box::new(broken)
    })
}

/// What is lost of a store when it is opened again.
pub(crate) const REOPENING: &[Break] = &[
    ("what_was_acknowledged_is_there_again", |b| {
        let newest = b.store.list(&ListQuery::default()).unwrap();
        if let Some(newest) = newest.sessions.first() {
            b.store.delete(&newest.key).unwrap();
        }
    }),
    ("marks_and_compactions_are_there_again", |b| {
        for summary in b.store.list(&ListQuery::default()).unwrap().sessions {
            b.store.truncate(&summary.key, u64::MAX).unwrap();
        }
    }),
    ("numbers_go_on_when_opened_again", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.number -= 1;
            Ok(summary)
        };
    }),
    ("batches_are_known_when_opened_again", |b| {
        b.calls.append = |b, key, expect, _, records| b.store.append(key, expect, None, records);
    }),
    ("properties_are_there_again", |b| {
        b.calls.by_alias = |_, _| Ok(None);
    }),
];

/// Stores that do not look at how the last line ends.
pub(crate) const TORN: &[Break] = &[
    ("an_append_never_fuses_with_a_torn_line", without_line_feeds),
    ("a_save_never_fuses_with_a_torn_line", without_line_feeds),
    ("a_retry_behind_a_torn_line_gives_the_same_numbers", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let appended = b.store.append(key, expect, id, records)?;
            let first = appended.first - u64::from(!appended.replayed);
            Ok({
                let mut told = appended;
                told.first = first;
                told
            })
        };
    }),
    ("behind_a_torn_line_the_next_record_is_expected", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let expect = match expect {
                Expect::Sequence(first) => Expect::Sequence(first - 1),
                Expect::Any => Expect::Any,
            };
            b.store.append(key, expect, id, records)
        };
    }),
    ("an_append_of_nothing_leaves_a_torn_line_alone", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let line_feed = [NewRecord::line("\n")];
            let records = if records.is_empty() {
                &line_feed
            } else {
                records
            };
            b.store.append(key, expect, id, records)
        };
    }),
];

fn without_line_feeds(b: &mut Broken) {
    b.calls.scan = |b, key, query| {
        let mut page = b.store.scan(key, query)?;
        page.records.retain(|record| record.line != b"\n");
        Ok(page)
    };
}
