//! The index of messages: damaged in every row, and searched around; of an older reader, and passed over;
//! told apart by a deep verification.

use redb::{Key, TableDefinition, Value};

use crate::codec::search_rows::{self, RunRow};
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::message::{Message, Role};
use crate::search::Pattern;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{
    SEARCH_DOCUMENTS, SEARCH_GRAMS, SEARCH_RUNS, SEARCH_TAILS,
};
use crate::store::redb::tables::search;
use crate::store::{Expect, NewRecord, Options, SearchQuery, Store as _, unwatched};

/// A word of each session alone.
const WORDS: [&str; 4] = ["quorum", "lattice", "epoch_7", "glorp"];

/// A store of some sessions, indexed but for the end of the last one.
fn indexed(path: &std::path::Path) -> RedbStore {
    let store = RedbStore::open(path, Options::default()).unwrap();
    let say = |at: usize, text: &str| {
        let key = SessionKey::native(format!("s{at}")).unwrap();
        let said = NewRecord::message(Message::text(Role::User, text));
        store.append(&key, Expect::Any, None, &[said]).unwrap();
    };
    for (at, word) in WORDS.iter().enumerate() {
        say(
            at,
            &format!("the {word} of the session, and more words beside it"),
        );
    }
    assert_eq!(store.index(&mut unwatched).unwrap().documents, 4);
    say(3, "and the quorum again, that is not indexed");
    store
}

/// The sessions in which each word is found.
fn found(store: &RedbStore) -> Vec<Vec<String>> {
    let of_word = |word: &&str| {
        let query = SearchQuery::new(Pattern::parse(word).unwrap());
        let page = store.search(&query, &mut unwatched).unwrap();
        let hits = page.hits.into_iter();
        hits.map(|hit| hit.key.id().to_owned()).collect()
    };
    WORDS.iter().map(of_word).collect()
}

fn expected() -> Vec<Vec<String>> {
    let all = [&["s3", "s0"][..], &["s1"], &["s2"], &["s3"]];
    let texts = all.iter().map(|ids| ids.iter().map(|id| (*id).to_owned()));
    texts.map(Iterator::collect).collect()
}

/// Damages each row of a table in some places, one at a time, and searches; takes it away too, if that
/// can be noticed. Returns how many damages there were.
fn damage<K>(
    store: &RedbStore,
    table: TableDefinition<'static, K, &'static [u8]>,
    is_missed: bool,
) -> usize
where
    for<'k> K: Key<SelfType<'k> = K> + Value<SelfType<'k> = K> + Copy + 'static,
{
    let rows: Vec<(K, Vec<u8>)> = store
        .write(|writer| {
            let table = writer.txn().open_table(table).unwrap();
            let rows = redb::ReadableTable::iter(&table).unwrap();
            let row = |row: std::result::Result<_, redb::StorageError>| {
                let (key, value): (redb::AccessGuard<'_, K>, redb::AccessGuard<'_, &[u8]>) =
                    row.unwrap();
                (key.value(), value.value().to_vec())
            };
            Ok(rows.map(row).collect())
        })
        .unwrap();
    let put = |key: K, value: Option<&[u8]>| {
        let put = |writer: &crate::store::redb::tables::writer::Writer<'_>| -> Result<()> {
            let mut table = writer.txn().open_table(table).unwrap();
            match value {
                Some(value) => drop(table.insert(key, value).unwrap()),
                None => drop(table.remove(key).unwrap()),
            }
            Ok(())
        };
        store.write(put).unwrap();
    };
    let mut damages = 0;
    for (key, row) in &rows {
        for at in (0..row.len()).step_by(row.len() / 3 + 1) {
            let mut damaged = row.clone();
            damaged[at] ^= 0x10;
            put(*key, Some(&damaged));
            assert_eq!(found(store), expected());
            assert!(!store.verify(&mut unwatched).unwrap().is_clean());
            damages += 1;
        }
        if is_missed {
            put(*key, None);
            assert_eq!(found(store), expected());
            assert!(!store.verify(&mut unwatched).unwrap().is_clean());
            damages += 1;
        }
        put(*key, Some(row));
    }
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
    damages
}

#[test]
fn a_damaged_index_is_noticed_and_searched_around() {
    let folder = tempfile::tempdir().unwrap();
    let store = indexed(&folder.path().join("s.redb"));
    assert_eq!(found(&store), expected());
    assert!(damage(&store, SEARCH_TAILS, false) >= 3);
    assert!(damage(&store, SEARCH_RUNS, false) >= 3);
    assert!(damage(&store, SEARCH_DOCUMENTS, true) >= 4);
    assert!(damage(&store, SEARCH_GRAMS, true) >= 4);
}

/// Writes the run's row and its lists anew.
fn rewrite(store: &RedbStore, change: impl Fn(&mut RunRow), without_lists: bool) {
    store
        .write(|writer| {
            let mut runs = writer.txn().open_table(SEARCH_RUNS).unwrap();
            let stored = redb::ReadableTable::get(&runs, 1).unwrap();
            let mut row = search::run(1, stored.unwrap().value()).unwrap();
            change(&mut row);
            let encoded = row.encode(1).unwrap();
            runs.insert(1, encoded.as_slice()).unwrap();
            if without_lists {
                let mut lists = writer.txn().open_table(SEARCH_GRAMS).unwrap();
                lists.retain(|_, _| false).unwrap();
                let body = crate::search::BUCKETS.to_le_bytes();
                let row = search_rows::seal_lists((1, 0), &body);
                lists.insert((1, 0), row.as_slice()).unwrap();
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_an_older_reader_has_read_is_read_again_by_each_search() {
    let folder = tempfile::tempdir().unwrap();
    for change in [
        (|row: &mut RunRow| row.readers[0].1 = 0) as fn(&mut RunRow),
        |row| row.grams = 0,
    ] {
        let store = indexed(&folder.path().join(format!("{}.redb", uuid::Uuid::new_v4())));
        // It knew nothing of what lines say.
        rewrite(&store, change, true);
        assert_eq!(found(&store), expected());
        assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
    }
}

#[test]
fn a_deep_verification_tells_what_lists_lack() {
    let folder = tempfile::tempdir().unwrap();
    let store = indexed(&folder.path().join("s.redb"));
    assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
    rewrite(&store, |_| (), true);
    // Every checksum is right.
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
    let report = store.verify_deep(&[], &mut unwatched).unwrap();
    assert_eq!(report.problems.len(), 4, "{:?}", report.problems);
    store.drop_index().unwrap();
    assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
    assert_eq!(found(&store), expected());
    store.index(&mut unwatched).unwrap();
    assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
}

#[test]
fn runs_are_merged_and_forget_sessions_that_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
    let key = |at: usize| SessionKey::native(format!("s{at}")).unwrap();
    for at in 0..9 {
        let said = NewRecord::message(Message::text(Role::User, format!("needle{at} in hay")));
        store.append(&key(at), Expect::Any, None, &[said]).unwrap();
        if at == 2 {
            store.delete(&key(0)).unwrap();
        }
        store.index(&mut unwatched).unwrap();
    }
    let runs = store.read(crate::store::redb::search::runs::all).unwrap();
    assert!(runs.len() <= 3, "{runs:?}");
    let documents: u32 = runs.values().map(|run| run.documents).sum();
    assert_eq!(documents, 8);
    for at in 0..9 {
        let query = SearchQuery::new(Pattern::parse(&format!("needle{at}")).unwrap());
        let hits = store.search(&query, &mut unwatched).unwrap().hits;
        assert_eq!(hits.len(), usize::from(at != 0), "{at}");
    }
    assert!(store.verify_deep(&[], &mut unwatched).unwrap().is_clean());
}
