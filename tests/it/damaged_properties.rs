//! Damage to what is kept of sessions beside their lines: a row that is lost or strange, and every
//! flipped byte of a value, is found by a verification, and by the read that meets it.

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use scrollback::{
    Error, Options, PropertiesChange, RedbStore, Session, SessionKey, Store, StoreExt as _,
};

use crate::harness::Home;

fn native(id: &str) -> SessionKey {
    SessionKey::native(id).unwrap()
}

const PROPERTIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("properties");
const ALIASES: TableDefinition<'_, (&str, &str, u64), &[u8]> = TableDefinition::new("aliases");

/// A store of two sessions, the first of which has properties and two aliases.
fn filled(home: &Home) {
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    for id in ["one", "two"] {
        store.save(&mut Session::new(native(id))).unwrap();
    }
    let change = PropertiesChange::default()
        .with_title("Given")
        .with_summary("So far")
        .with_aliases(["x", "y"]);
    store.update_properties(&native("one"), &change).unwrap();
    store.pin(&native("two"), true).unwrap();
}

/// Changes a store behind its back; what is wrong then has to be found.
fn assert_found(what: &str, change: impl FnOnce(&redb::WriteTransaction)) {
    let home = Home::new();
    filled(&home);
    let database = Database::open(home.store_path()).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
    drop(database);
    let store = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(!report.is_clean(), "{what}");
}

#[test]
fn lost_and_strange_rows_of_properties_and_aliases_are_found() {
    let row = |txn: &redb::WriteTransaction, number: u64| {
        let table = txn.open_table(PROPERTIES).unwrap();
        table.get(number).unwrap().unwrap().value().to_vec()
    };
    assert_found("a row that is lost", |txn| {
        txn.open_table(PROPERTIES).unwrap().remove(1).unwrap();
    });
    assert_found("a row that is lost, without aliases", |txn| {
        txn.open_table(PROPERTIES).unwrap().remove(2).unwrap();
    });
    assert_found("a row of no session", |txn| {
        let row = row(txn, 1);
        let mut table = txn.open_table(PROPERTIES).unwrap();
        table.insert(77, row.as_slice()).unwrap();
    });
    assert_found("an alias that is lost", |txn| {
        let mut table = txn.open_table(ALIASES).unwrap();
        table.remove(("native", "x", 0)).unwrap();
    });
    assert_found("all aliases lost", |txn| {
        assert!(txn.delete_table(ALIASES).unwrap());
    });
    assert_found("an alias under another name", |txn| {
        let mut table = txn.open_table(ALIASES).unwrap();
        let value = table
            .get(("native", "x", 0))
            .unwrap()
            .unwrap()
            .value()
            .to_vec();
        table.insert(("native", "z", 0), value.as_slice()).unwrap();
    });
    assert_found("an alias that nobody lists", |txn| {
        let mut table = txn.open_table(PROPERTIES).unwrap();
        table.remove(1).unwrap();
    });
}

#[test]
fn every_flipped_byte_of_properties_and_aliases_is_found() {
    let home = Home::new();
    filled(&home);
    let values: Vec<(Option<u64>, Vec<u8>)> = {
        let database = Database::open(home.store_path()).unwrap();
        let txn = database.begin_read().unwrap();
        let rows = txn.open_table(PROPERTIES).unwrap();
        let rows = rows.iter().unwrap().map(Result::unwrap);
        let rows = rows.map(|(number, value)| (Some(number.value()), value.value().to_vec()));
        let alias = txn.open_table(ALIASES).unwrap();
        let alias = alias.get(("native", "x", 0)).unwrap().unwrap();
        rows.chain([(None, alias.value().to_vec())]).collect()
    };
    assert_eq!(values.len(), 3);
    for (number, value) in values {
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 0x04;
            {
                let database = Database::open(home.store_path()).unwrap();
                let txn = database.begin_write().unwrap();
                put(&txn, number, &damaged);
                txn.commit().unwrap();
            }
            let store = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
            let report = store.verify(&mut scrollback::unwatched).unwrap();
            assert!(!report.is_clean(), "{number:?}, byte {at}");
            let read = match number {
                Some(1) => store.properties(&native("one")).map(drop),
                Some(_) => store.properties(&native("two")).map(drop),
                None => store.by_alias(&native("x")).map(drop),
            };
            assert!(
                matches!(read, Err(Error::Corrupt { .. })),
                "{number:?}, byte {at}"
            );
        }
        let database = Database::open(home.store_path()).unwrap();
        let txn = database.begin_write().unwrap();
        put(&txn, number, &value);
        txn.commit().unwrap();
    }
    // A session whose row is damaged can still be deleted, with its aliases.
    {
        let database = Database::open(home.store_path()).unwrap();
        let txn = database.begin_write().unwrap();
        put(&txn, Some(1), b"damaged");
        txn.commit().unwrap();
    }
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    store.delete(&native("one")).unwrap();
    assert_eq!(store.by_alias(&native("x")).unwrap(), None);
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

/// Puts a value in the place of a row of properties, or of the alias `x`.
fn put(txn: &redb::WriteTransaction, number: Option<u64>, value: &[u8]) {
    if let Some(number) = number {
        let mut table = txn.open_table(PROPERTIES).unwrap();
        table.insert(number, value).unwrap();
    } else {
        let mut table = txn.open_table(ALIASES).unwrap();
        table.insert(("native", "x", 0), value).unwrap();
    }
}
