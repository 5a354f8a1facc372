//! The index of families: made for older stores, checked by `verify`, and read instead of all rows.

use redb::{Database, TableDefinition};

use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{
    BATCHES, BY_PARENT, FamilyKey, INFO_FORMAT, INFO_FORMAT_READABLE, STORE_INFO,
};
use crate::store::{Expect, ListQuery, NewRecord, Options, Store as _, unwatched};

/// A store in which every third of some sessions has the parent `s-00`.
fn filled(path: &std::path::Path) -> RedbStore {
    let store = RedbStore::open(path, Options::default()).unwrap();
    for number in 0..12 {
        let key = SessionKey::native(format!("s-{number:02}")).unwrap();
        let line = NewRecord::line("{\"role\":\"user\",\"content\":\"hi\"}\n");
        store.append(&key, Expect::Any, None, &[line]).unwrap();
        if number % 3 == 0 {
            let change = PropertiesChange {
                parent: Some(Some("s-00".to_owned())),
                ..PropertiesChange::default()
            };
            store.update_properties(&key, &change).unwrap();
        }
    }
    store
}

fn children(store: &RedbStore) -> Vec<String> {
    let query = ListQuery {
        parent: Some("s-00".to_owned()),
        ..ListQuery::default()
    };
    let page = store.list(&query).unwrap();
    let ids = page.sessions.iter();
    ids.map(|session| session.key.id().to_owned()).collect()
}

/// Takes from a store what format 5 has brought.
fn of_format_4(path: &std::path::Path) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    txn.delete_table(BY_PARENT).unwrap();
    txn.delete_table(BATCHES).unwrap();
    let mut info = txn.open_table(STORE_INFO).unwrap();
    for name in [INFO_FORMAT, INFO_FORMAT_READABLE] {
        info.insert(name, 4_u32.to_le_bytes().as_slice()).unwrap();
    }
    drop(info);
    txn.commit().unwrap();
}

#[test]
fn a_store_of_format_4_gets_its_families_and_lists_them_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    drop(filled(&path));
    of_format_4(&path);
    let expected = ["s-09", "s-06", "s-03"];
    let store = RedbStore::open_read_only(&path, Options::default()).unwrap();
    assert_eq!(children(&store), expected);
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
    drop(store);
    let store = RedbStore::open(&path, Options::default()).unwrap();
    assert_eq!(children(&store), expected);
    let report = store.verify(&mut unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
}

#[test]
fn a_list_of_children_reads_no_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.redb"));
    let start = store.table_reads();
    assert_eq!(children(&store).len(), 3);
    let read = store.table_reads();
    // Each once for its place, and once for the page.
    assert_eq!(read.sessions - start.sessions, 6);
}

#[test]
fn an_entry_too_many_or_too_few_is_a_problem() {
    const INDEX: TableDefinition<'_, (&str, &str, u64), ()> = BY_PARENT;
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("s.redb"));
    let problems = |store: &RedbStore| {
        let found = store.verify(&mut unwatched).unwrap().problems;
        found.iter().map(|one| one.table).collect::<Vec<_>>()
    };
    let number = store.summary(&SessionKey::native("s-03").unwrap());
    let number = number.unwrap().number;
    let change = |work: &dyn Fn(&mut redb::Table<'_, FamilyKey, ()>)| {
        store
            .write(|writer| {
                work(&mut writer.txn().open_table(INDEX).unwrap());
                Ok(())
            })
            .unwrap();
    };
    change(&|index| {
        index.remove(("native", "s-00", number)).unwrap();
    });
    assert_eq!(problems(&store), ["by_parent"]);
    change(&|index| {
        index.insert(("native", "s-01", number), ()).unwrap();
    });
    assert_eq!(problems(&store), ["by_parent"]);
    let query = ListQuery {
        parent: Some("s-01".to_owned()),
        ..ListQuery::default()
    };
    assert!(store.list(&query).is_err());
}
