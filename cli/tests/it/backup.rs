//! Backups: a copy that is whole, private and of one moment, or no copy at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use scrollback::report::StoreCounts;
use scrollback::{Error, Existing, Expect, NewRecord, Options, RedbStore, SessionKey, Store};

use crate::cli::import_samples;
use crate::harness::Home;

/// What a store says of itself, as a program reads it.
fn told(home: &Home, store: &str) -> (String, String, String) {
    let ok = |command: &[&str]| home.ok(&[&["--store", store], command].concat());
    ok(&["verify"]);
    let stats = ok(&["stats", "--json"]);
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    (
        ok(&["list", "--all", "--json"]),
        ok(&["export", "--all", "--to", &format!("{store}-out"), "--json"]),
        stats["agents"].to_string(),
    )
}

fn store_with(path: &Path, sessions: usize) -> RedbStore {
    let store = RedbStore::open(path, Options::default()).unwrap();
    for number in 0..sessions {
        let key = SessionKey::native(format!("s{number}")).unwrap();
        let line = NewRecord::line("{\"role\":\"user\",\"content\":\"words\"}");
        store.append(&key, Expect::Any, None, &[line]).unwrap();
    }
    store
}

/// The hidden files in a folder.
fn hidden(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let names = names.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_backup_holds_all_that_the_store_holds() {
    let home = Home::new();
    import_samples(&home);
    let printed = home.ok(&["backup", "b.redb"]);
    assert!(printed.starts_with("backed up "), "{printed}");
    assert!(printed.contains(" to b.redb ("), "{printed}");
    let store = home.store_path();
    let (of_store, of_backup) = (told(&home, store.to_str().unwrap()), told(&home, "b.redb"));
    assert_eq!(of_store.0, of_backup.0);
    assert_eq!(of_store.2, of_backup.2);
    // What was exported from either is the same, byte for byte.
    let out = |store: &str| {
        let folder = home.path().join(format!("{store}-out"));
        let files = crate::harness::files_below(&folder);
        let read = |path: &Path| {
            let name = path.strip_prefix(&folder).unwrap().to_owned();
            (name, fs::read(path).unwrap())
        };
        files.iter().map(|path| read(path)).collect::<Vec<_>>()
    };
    let files = out("b.redb");
    assert!(files.len() > 1, "{}", files.len());
    assert!(files == out(store.to_str().unwrap()), "an export differs");
    assert_eq!(hidden(home.path()), [""; 0]);
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_to_be_replaced() {
    let home = Home::new();
    drop(store_with(&home.store_path(), 3));
    home.write("b.redb", "precious");
    let output = home.run(&["backup", "b.redb"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("`b.redb` is there already"), "{said}");
    assert!(
        said.contains("hint: ") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(fs::read(home.path().join("b.redb")).unwrap(), b"precious");
    home.ok(&["backup", "--force", "b.redb"]);
    home.ok(&["--store", "b.redb", "verify"]);
    assert_eq!(hidden(home.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_a_backup_is_refused_with_a_reason() {
    let home = Home::new();
    let store = store_with(&home.store_path(), 3);
    drop(store);
    let before = fs::read(home.store_path()).unwrap();
    let store = home.store_path();
    fs::hard_link(&store, home.path().join("same.redb")).unwrap();
    home.write("other.redb", "precious");
    std::os::unix::fs::symlink("other.redb", home.path().join("link.redb")).unwrap();
    std::os::unix::fs::symlink("nowhere", home.path().join("dangling.redb")).unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    for (file, code, reason) in [
        ("-", 2, "`-` is no file"),
        (store.to_str().unwrap(), 1, "it is the store itself"),
        ("same.redb", 1, "it is the store itself"),
        ("link.redb", 1, "it is a link"),
        ("dangling.redb", 1, "it is a link"),
        ("folder", 1, "it is a folder"),
        ("none/b.redb", 1, "No such file or directory"),
        ("other.redb/b.redb", 1, "ot a directory"),
        ("/dev/null", 1, "it is no regular file"),
    ] {
        let output = home.run(&["backup", "--force", file]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{file}: {said}");
        assert!(said.contains(reason), "{file}: {said}");
        assert!(said.starts_with("error: ") && !said.contains("panicked"));
    }
    assert_eq!(
        fs::read(home.path().join("other.redb")).unwrap(),
        b"precious"
    );
    assert!(!home.path().join("nowhere").exists());
    assert!(fs::read(&store).unwrap() == before, "the store was touched");
}

#[test]
fn a_store_that_somebody_has_open_is_not_replaced_by_a_backup() {
    let home = Home::new();
    drop(store_with(&home.store_path(), 1));
    let other = store_with(&home.path().join("other.redb"), 2);
    let output = home.run(&["backup", "--force", "other.redb", "--wait", "0"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("is locked: process "), "{said}");
    drop(other);
    home.ok(&["backup", "--force", "other.redb"]);
}

#[cfg(unix)]
#[test]
fn a_backup_and_a_restored_store_are_private_under_any_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    drop(store_with(&home.store_path(), 3));
    for umask in ["000", "077"] {
        let tool = home.command();
        let mode = |name: &str, command: &str| {
            let mut shell = std::process::Command::new("sh");
            shell
                .arg("-c")
                .arg(format!("umask {umask}; exec \"$0\" {command}"));
            shell.arg(tool.get_program()).current_dir(home.path());
            for (name, value) in tool.get_envs() {
                shell.env(name, value.unwrap());
            }
            assert!(shell.stdout(Stdio::null()).status().unwrap().success());
            let path = home.path().join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        let (backup, store) = (format!("b{umask}.redb"), format!("f{umask}/s.redb"));
        assert_eq!(mode(&backup, &format!("backup {backup}")), 0o600);
        let restore = format!("--store {store} restore {backup}");
        assert_eq!(mode(&store, &restore), 0o600);
        assert_eq!(mode(&format!("f{umask}"), "--version"), 0o700);
    }
}

#[test]
fn what_a_killed_backup_left_is_removed_once_nobody_writes_to_it() {
    let home = Home::new();
    let store = store_with(&home.store_path(), 3);
    let old = SystemTime::now() - Duration::from_secs(3600);
    let leave = |name: &str, time: SystemTime| {
        let mut file = fs::File::create(home.path().join(name)).unwrap();
        file.write_all(b"half").unwrap();
        file.set_modified(time).unwrap();
        file
    };
    drop(leave(".scrollback-dead.copy", old));
    drop(leave(".scrollback-young.copy", SystemTime::now()));
    drop(leave(".scrollback-other.new", old));
    let busy = leave(".scrollback-busy.copy", old);
    busy.lock().unwrap();
    let backup = |name: &str| {
        let path = home.path().join(name);
        store
            .backup(path, Existing::Refuse, &mut scrollback::unwatched)
            .unwrap();
        let mut left = hidden(home.path());
        left.sort();
        left
    };
    let kept = [
        ".scrollback-busy.copy",
        ".scrollback-other.new",
        ".scrollback-young.copy",
    ];
    assert_eq!(backup("one.redb"), kept);
    // Not by closing it: a process that another test has just started may hold it for a moment.
    busy.unlock().unwrap();
    assert_eq!(backup("two.redb"), kept[1..]);
}

#[test]
fn a_damaged_row_stops_a_backup_and_is_named() {
    use redb::{Database, TableDefinition};
    const RECORDS: TableDefinition<'_, (u64, u64, u32), &[u8]> = TableDefinition::new("records");
    const BY_UPDATED: TableDefinition<'_, (i64, u64), ()> = TableDefinition::new("by_updated");
    const STRANGE: TableDefinition<'_, u64, u64> = TableDefinition::new("strange");
    type Change = fn(&redb::WriteTransaction);
    let changes: [(Change, &str); 3] = [
        (
            |txn| {
                let mut table = txn.open_table(RECORDS).unwrap();
                table.insert((2, 0, 0), &b"damaged row"[..]).unwrap();
            },
            "table `records`, key session 2, record 0, part 0",
        ),
        (
            |txn| {
                let mut table = txn.open_table(BY_UPDATED).unwrap();
                table.insert((5, 2), ()).unwrap();
            },
            "table `by_updated`",
        ),
        (
            |txn| drop(txn.open_table(STRANGE).unwrap()),
            "table `(tables)`, key strange",
        ),
    ];
    for (change, named) in changes {
        let home = Home::new();
        drop(store_with(&home.store_path(), 3));
        let database = Database::open(home.store_path()).unwrap();
        let txn = database.begin_write().unwrap();
        change(&txn);
        txn.commit().unwrap();
        drop(database);
        home.write("b.redb", "precious");
        let output = home.run(&["backup", "--force", "b.redb"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(named) && said.contains("hint: "), "{said}");
        assert_eq!(fs::read(home.path().join("b.redb")).unwrap(), b"precious");
        assert_eq!(hidden(home.path()), [""; 0]);
    }
}

#[test]
fn a_backup_of_an_old_format_is_of_that_format_and_a_newer_one_is_refused() {
    let home = Home::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/v1/store.redb");
    let old = home.write("old.redb", fs::read(fixture).unwrap());
    let store = RedbStore::open_read_only(&old, Options::default()).unwrap();
    let copy = home.path().join("copy.redb");
    store
        .backup(&copy, Existing::Refuse, &mut scrollback::unwatched)
        .unwrap();
    drop(store);
    assert_eq!(crate::restore::format_of(&copy), 1);
    drop(RedbStore::open(&copy, Options::default()).unwrap());
    assert!(crate::restore::format_of(&copy) > 1);
    // A newer one may have tables that this version would leave out.
    crate::restore::set_formats(&copy, 99, 1);
    let store = RedbStore::open_read_only(&copy, Options::default()).unwrap();
    let file = home.path().join("b.redb");
    let refused = store.backup(&file, Existing::Refuse, &mut scrollback::unwatched);
    assert!(matches!(
        refused,
        Err(Error::UnsupportedVersion { found: 99, .. })
    ));
    assert!(!file.exists());
}

#[test]
fn a_backup_is_compact_and_tells_how_far_it_is() {
    let home = Home::new();
    let store = store_with(&home.store_path(), 50);
    let noise = |seed: u64| {
        let mut state = seed | 1;
        let words = (0..4000).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(9);
            format!("{state:016x}")
        });
        NewRecord::line(format!("{{\"text\":\"{}\"}}", words.collect::<String>()))
    };
    for round in 0..60 {
        let key = SessionKey::native(format!("big{round}")).unwrap();
        store
            .append(&key, Expect::Any, None, &[noise(round)])
            .unwrap();
    }
    for round in 5..60 {
        store
            .delete(&SessionKey::native(format!("big{round}")).unwrap())
            .unwrap();
    }
    let mut told = Vec::new();
    let file = home.path().join("b.redb");
    let made = store
        .backup(&file, Existing::Refuse, &mut |progress| {
            told.push(progress);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    let stats = store.stats().unwrap();
    assert_eq!(made.counts.sessions, 55);
    assert_eq!(made.file_bytes, fs::metadata(&file).unwrap().len());
    assert!(made.file_bytes * 2 < stats.disk_bytes, "{made:?} {stats:?}");
    assert!(told.iter().all(|one| one.done <= one.total));
    let last = told.last().unwrap();
    assert_eq!(
        (last.done, last.total),
        (made.counts.bytes, made.counts.bytes)
    );
    assert_ne!(told[0].step, last.step);
    let StoreCounts { records, .. } = made.counts;
    assert_eq!(records, 55);
}
