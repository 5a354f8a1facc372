//! Restores: a backup as a new store, or in place of all that a store holds, for everybody who has
//! it open.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition};
use scrollback::uuid::Uuid;
use scrollback::{
    Error, Existing, Expect, ListQuery, Mode, NewRecord, Options, PropertiesChange, RedbStore,
    ScanQuery, SessionKey, Store, StoreExt as _,
};

use crate::harness::Home;

const STORE_INFO: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("store_info");

fn info(path: &Path, name: &str) -> Option<Vec<u8>> {
    let database = Database::open(path).unwrap();
    let table = database
        .begin_read()
        .unwrap()
        .open_table(STORE_INFO)
        .unwrap();
    table.get(name).unwrap().map(|value| value.value().to_vec())
}

/// The format of a store that nobody has open.
pub(crate) fn format_of(path: &Path) -> u32 {
    u32::from_le_bytes(info(path, "format").unwrap().try_into().unwrap())
}

/// Overwrites the format numbers of a store that nobody has open.
pub(crate) fn set_formats(path: &Path, format: u32, readable: u32) {
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    for (name, number) in [("format", format), ("format_readable", readable)] {
        let mut table = txn.open_table(STORE_INFO).unwrap();
        table.insert(name, number.to_le_bytes().as_slice()).unwrap();
    }
    txn.commit().unwrap();
}

fn key(name: &str) -> SessionKey {
    SessionKey::native(name).unwrap()
}

fn said(text: &str) -> NewRecord {
    // Long enough that most of a store's file is records.
    let words = "words ".repeat(80);
    let line = format!("{{\"role\":\"user\",\"content\":\"{text} {words}\"}}");
    NewRecord::line(line)
}

fn append(store: &RedbStore, name: &str, expect: Expect, text: &str) -> Result<u64, Error> {
    let appended = store.append(&key(name), expect, None, &[said(text)])?;
    Ok(appended.last)
}

/// All that can be read in a store.
fn picture(store: &RedbStore) -> String {
    let mut text = String::new();
    let query = ListQuery::default().with_limit(1000);
    for summary in store.list(&query).unwrap().sessions {
        let properties = store.properties(&summary.key).unwrap();
        writeln!(text, "{summary:?} {properties:?}").unwrap();
        for record in store.records(&summary.key, ScanQuery::default()) {
            writeln!(text, "{:?}", record.unwrap()).unwrap();
        }
    }
    text
}

fn assert_clean(store: &RedbStore) {
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
}

/// A store of a few sessions, and a backup of it.
fn store_and_backup(home: &Home) -> (RedbStore, std::path::PathBuf) {
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    for name in ["a", "b", "c"] {
        for number in 0..40 {
            append(&store, name, Expect::Any, &format!("{name} {number}")).unwrap();
        }
    }
    let change = PropertiesChange::default()
        .with_title("A title")
        .with_aliases(["alpha"]);
    store.update_properties(&key("a"), &change).unwrap();
    let file = home.path().join("b.redb");
    store
        .backup(&file, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    (store, file)
}

#[test]
fn a_backup_becomes_a_store_of_the_same_id() {
    let home = Home::new();
    let (store, backup) = store_and_backup(&home);
    let path = home.path().join("deep/down/s.redb");
    let restored =
        RedbStore::restore(&path, &backup, store.options(), &mut scrollback::unwatched).unwrap();
    assert_eq!(
        (restored.counts.sessions, restored.counts.records),
        (3, 120)
    );
    assert_eq!(restored.replaced, None);
    let other = RedbStore::open(&path, Options::default()).unwrap();
    assert_eq!(picture(&other), picture(&store));
    append(&other, "a", Expect::Sequence(40), "on").unwrap();
    assert_clean(&other);
    drop((store, other));
    let id = |path: &Path| info(path, "store_id").unwrap();
    assert_eq!(id(&path), id(&home.store_path()));
    assert_eq!(id(&path), id(&backup));
    let again = RedbStore::restore(
        &path,
        &backup,
        &Options::default(),
        &mut scrollback::unwatched,
    );
    assert!(matches!(again, Err(Error::FileExists { .. })), "{again:?}");
}

#[test]
fn open_handles_go_on_with_the_restored_content() {
    let home = Home::new();
    let (store, backup) = store_and_backup(&home);
    let other = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let before = picture(&store);
    let batch = Uuid::now_v7();
    for name in ["a", "new", "newer"] {
        let done = store.append(&key(name), Expect::Any, Some(batch), &[said("later")]);
        done.unwrap();
    }
    store.delete(&key("b")).unwrap();
    let newest = store.summary(&key("newer")).unwrap().number;

    // Another process does it.
    home.ok(&["restore", "--replace", "b.redb"]);

    let handles = [&store, &other];
    for store in handles {
        assert_eq!(picture(store), before);
        assert_eq!(store.by_alias(&key("alpha")).unwrap(), Some(key("a")));
        assert!(matches!(
            store.summary(&key("new")),
            Err(Error::NotFound { .. })
        ));
    }
    // Who expects what is no longer there hears of it.
    let refused = append(&store, "a", Expect::Sequence(41), "wrong");
    assert!(
        matches!(refused, Err(Error::Conflict { actual: 40, .. })),
        "{refused:?}"
    );
    // A batch that is gone is no replay.
    let again = store.append(&key("a"), Expect::Any, Some(batch), &[said("later")]);
    assert_eq!(again.unwrap().first, 40);
    for (number, store) in handles.into_iter().enumerate() {
        let name = format!("made-{number}");
        append(store, &name, Expect::Sequence(0), "hello").unwrap();
        append(store, "b", Expect::Any, "on").unwrap();
        // Nobody who still holds a number of before meets another session by it.
        assert!(store.summary(&key(&name)).unwrap().number > newest);
        assert_clean(store);
    }
    // And once more, from a handle that has written since.
    let done = store
        .replace_with(&backup, &mut scrollback::unwatched)
        .unwrap();
    assert_eq!(done.counts.sessions, 3);
    assert_eq!(done.replaced.unwrap().sessions, 3 + handles.len() as u64);
    for store in handles {
        assert_eq!(picture(store), before);
    }
}

#[test]
fn a_dry_run_tells_both_and_changes_nothing() {
    let home = Home::new();
    let (store, _) = store_and_backup(&home);
    store.delete(&key("c")).unwrap();
    drop(store);
    let before = fs::read(home.store_path()).unwrap();
    let printed = home.ok(&["restore", "b.redb", "--dry-run"]);
    assert!(
        printed.contains("would restore 3 sessions, 120 records"),
        "{printed}"
    );
    assert!(
        printed.contains("would be gone: 2 sessions, 80 records"),
        "{printed}"
    );
    assert!(fs::read(home.store_path()).unwrap() == before);
    let printed = home.ok(&["--store", "none.redb", "restore", "b.redb", "--dry-run"]);
    assert!(
        printed.contains("3 sessions") && !printed.contains("gone"),
        "{printed}"
    );
    assert!(!home.path().join("none.redb").exists());
    // Without `--replace` it stays too.
    let output = home.run(&["restore", "b.redb"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("is there already") && said.contains("--replace"),
        "{said}"
    );
    assert!(fs::read(home.store_path()).unwrap() == before);
}

#[test]
fn a_backup_of_an_older_format_is_migrated_in_the_store_alone() {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let old = fs::read(fixtures.join("v1/store.redb")).unwrap();
    let backup = home.write("old.redb", &old);
    let expected = RedbStore::open_read_only(&backup, Options::default()).unwrap();
    let expected = picture(&expected);
    let (store, _) = store_and_backup(&home);
    store
        .replace_with(&backup, &mut scrollback::unwatched)
        .unwrap();
    let path = home.path().join("new.redb");
    RedbStore::restore(&path, &backup, store.options(), &mut scrollback::unwatched).unwrap();
    let new = RedbStore::open_read_only(&path, Options::default()).unwrap();
    for store in [&store, &new] {
        assert_eq!(picture(store), expected);
        assert_clean(store);
    }
    append(&store, "x", Expect::Any, "on").unwrap();
    drop((store, new));
    let present = format_of(&path);
    assert!(present > 1);
    assert_eq!(format_of(&home.store_path()), present);
    assert!(
        fs::read(&backup).unwrap() == old,
        "the backup was written to"
    );
}

#[test]
fn what_is_no_backup_of_this_version_is_refused_before_anything_is_written() {
    let home = Home::new();
    let (store, backup) = store_and_backup(&home);
    let before = picture(&store);
    let newer = home.write("newer.redb", fs::read(&backup).unwrap());
    set_formats(&newer, 99, 99);
    let readable = home.write("readable.redb", fs::read(&backup).unwrap());
    set_formats(&readable, 99, 1);
    home.write("text.redb", "some text");
    home.write("empty.redb", "");
    let foreign = home.path().join("foreign.redb");
    let database = Database::create(&foreign).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, u64>::new("numbers"))
        .unwrap();
    txn.commit().unwrap();
    drop(database);
    for (file, code, reason) in [
        ("newer.redb", 1, "format 99"),
        ("readable.redb", 1, "format 99"),
        ("text.redb", 1, "is not a Scrollback store"),
        ("empty.redb", 1, "is not a Scrollback store"),
        ("foreign.redb", 1, "is not a Scrollback store"),
        ("none.redb", 1, "cannot open the backup `none.redb`"),
        (".", 1, "is not a Scrollback store"),
        ("-", 2, "`-` is no file"),
        ("store/scrollback.redb", 1, "it is the store itself"),
    ] {
        let is_store = file.starts_with("store/");
        let content = fs::read(home.path().join(file)).ok();
        for command in [
            &["restore", "--replace"][..],
            &["--store", "x.redb", "restore"],
        ] {
            // Into another store that one can be restored.
            if is_store && command.len() == 3 {
                continue;
            }
            let output = home.run(&[command, &[file]].concat());
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{file}: {said}");
            assert!(said.contains(reason), "{file}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
        let now = fs::read(home.path().join(file)).ok();
        assert!(is_store || now == content, "{file} was changed");
        assert!(!home.path().join("x.redb").exists());
    }
    assert_eq!(picture(&store), before);
    assert_clean(&store);
}

#[test]
fn a_backup_that_a_crash_left_is_repaired_in_a_copy() {
    let home = Home::new();
    let exclusive = || Options::default().with_mode(Mode::Exclusive);
    let path = home.path().join("crashed.redb");
    let store = RedbStore::open(&path, exclusive()).unwrap();
    append(&store, "a", Expect::Any, "hello").unwrap();
    // As it lies on the disk while somebody writes to it.
    let crashed = home.write("backup.redb", fs::read(&path).unwrap());
    let bytes = fs::read(&crashed).unwrap();
    let new = home.path().join("new.redb");
    RedbStore::restore(&new, &crashed, &exclusive(), &mut scrollback::unwatched).unwrap();
    append(&store, "b", Expect::Any, "hello").unwrap();
    store
        .replace_with(&crashed, &mut scrollback::unwatched)
        .unwrap();
    let new = RedbStore::open(&new, exclusive()).unwrap();
    for store in [&store, &new] {
        assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 1);
        assert_clean(store);
    }
    assert!(
        fs::read(&crashed).unwrap() == bytes,
        "the backup was written to"
    );
    // It did need the repair: nobody may only read it.
    let unclean = Database::builder().open_read_only(&crashed);
    assert!(matches!(unclean, Err(redb::DatabaseError::RepairAborted)));
}

/// Restores damaged copies of a backup: each is refused, and nothing is changed, or gives all that
/// the backup holds, where the damage is in bytes that mean nothing. Returns how many were refused.
fn damaged_backups(step: usize) -> (usize, usize) {
    let home = Home::new();
    let (store, backup) = store_and_backup(&home);
    let whole = picture(&store);
    append(&store, "d", Expect::Any, "later").unwrap();
    let now = picture(&store);
    let good = fs::read(&backup).unwrap();
    let damaged = home.path().join("damaged.redb");
    let (mut refused, mut cases) = (0, 0);
    let mut try_one = |bytes: &[u8], what: &str| {
        fs::write(&damaged, bytes).unwrap();
        cases += 1;
        match store.replace_with(&damaged, &mut scrollback::unwatched) {
            Ok(_) => {
                assert_eq!(picture(&store), whole, "{what}: a wrong answer");
                append(&store, "d", Expect::Any, "later").unwrap();
            }
            Err(error) => {
                refused += 1;
                let kind = matches!(
                    error,
                    Error::DamagedBackup { .. }
                        | Error::NotAStore { .. }
                        | Error::UnsupportedVersion { .. }
                );
                assert!(kind, "{what}: {error:?}");
            }
        }
    };
    let used: Vec<usize> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    for at in used.iter().step_by(step) {
        let mut bytes = good.clone();
        bytes[*at] ^= 1 << (at % 8);
        try_one(&bytes, &format!("byte {at}"));
    }
    for eighth in 0..8 {
        try_one(
            &good[..good.len() * eighth / 8],
            &format!("{eighth} eighths"),
        );
    }
    // What was there after the last good one, but for the times.
    let lines = |text: &str| text.lines().count();
    assert_eq!(lines(&picture(&store)), lines(&now));
    assert_clean(&store);
    (cases, refused)
}

#[test]
fn a_damaged_backup_is_refused_or_its_damage_means_nothing() {
    let (cases, refused) = damaged_backups(499);
    println!("{cases} damaged backups, {refused} refused");
    assert!(
        cases >= 100 && refused >= 15,
        "{cases} cases, {refused} refused"
    );
}

#[test]
#[ignore = "minutes; run by `.ci/run long`"]
fn a_backup_damaged_anywhere_is_refused_or_its_damage_means_nothing() {
    let (cases, refused) = damaged_backups(19);
    println!("{cases} damaged backups, {refused} refused");
    assert!(
        cases >= 2000 && refused >= 300,
        "{cases} cases, {refused} refused"
    );
}
