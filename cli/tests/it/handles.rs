//! One store under several handles, names and rights: the locks are those of the file.

use std::process::{Command, Output};
use std::time::Duration;

use scrollback::{Error, Expect, Mode, NewRecord, Options, RedbStore, SessionKey, Store};

use crate::harness::Home;

fn options(mode: Mode) -> Options {
    Options::default()
        .with_mode(mode)
        .with_lock_wait(Duration::from_millis(50))
}

fn append(store: &RedbStore) {
    let key = SessionKey::new("jsonl", "s").unwrap();
    let record = NewRecord::line("{\"role\":\"user\",\"content\":\"hello\"}");
    store.append(&key, Expect::Any, None, &[record]).unwrap();
}

/// That another process finds the store locked.
fn assert_locked(home: &Home, store: &str) {
    let output = home.run(&["--store", store, "--wait", "0", "list"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    let own = format!("process {} has had it open", std::process::id());
    assert!(said.contains(&own), "{said}");
}

#[test]
fn a_handle_that_is_closed_takes_no_lock_from_another_of_the_same_process() {
    let home = Home::new();
    let path = home.store_path();
    let name = path.to_str().unwrap().to_owned();
    let first = RedbStore::open(&path, options(Mode::Exclusive)).unwrap();
    append(&first);
    // Locks of a process would go with the first file of it that is closed, even one just read.
    for _ in 0..2 {
        let second = RedbStore::open(&path, options(Mode::Exclusive));
        let Err(Error::Locked { reason, .. }) = second else {
            panic!("opened twice for itself");
        };
        assert!(reason.contains("has had it open"), "{reason}");
        assert!(RedbStore::open_read_only(&path, options(Mode::Exclusive)).is_err());
        drop(std::fs::read(&path).unwrap());
        assert_locked(&home, &name);
    }
    drop(first);
    home.ok(&["list"]);
}

#[test]
fn handles_that_share_in_one_process_hold_until_the_last_is_closed() {
    let home = Home::new();
    let path = home.store_path();
    let first = RedbStore::open(&path, options(Mode::Shared)).unwrap();
    let second = RedbStore::open(&path, options(Mode::Shared)).unwrap();
    let reader = RedbStore::open_read_only(&path, options(Mode::Shared)).unwrap();
    append(&first);
    append(&second);
    drop(first);
    drop(reader);
    append(&second);
    home.ok(&["list"]);
    let alone = || RedbStore::open(&path, options(Mode::Exclusive));
    assert!(matches!(alone(), Err(Error::Locked { .. })));
    append(&second);
    drop(second);
    let store = alone().unwrap();
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
    let key = SessionKey::new("jsonl", "s").unwrap();
    assert_eq!(store.summary(&key).unwrap().record_count, 4);
}

#[cfg(unix)]
#[test]
fn a_store_has_the_same_locks_under_every_name() {
    let home = Home::new();
    let path = home.store_path();
    let link = home.path().join("link.redb");
    let second_name = home.path().join("second-name.redb");
    drop(RedbStore::open(&path, options(Mode::Exclusive)).unwrap());
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [path.clone(), link] {
        let holder = RedbStore::open(&name, options(Mode::Exclusive)).unwrap();
        append(&holder);
        assert_locked(&home, "link.redb");
        assert_locked(&home, "store/scrollback.redb");
        assert_locked(&home, "store/../link.redb");
        drop(holder);
    }
    // A second name of the file has its own note: the process is not known under it, the lock is.
    std::fs::hard_link(&path, &second_name).unwrap();
    let holder = RedbStore::open(&path, options(Mode::Exclusive)).unwrap();
    let output = home.run(&["--store", "second-name.redb", "--wait", "0", "list"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("another process has it open"), "{said}");
    drop(holder);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Runs the tool as a user who owns nothing.
#[cfg(target_os = "linux")]
fn as_nobody(home: &Home, arguments: &[&str]) -> Option<Output> {
    let tool = home.command();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(tool.get_program())
        .args(arguments)
        .current_dir("/");
    for (name, value) in tool.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_there = !said.starts_with("setpriv:");
    if !is_there {
        println!("skipped: {said}");
    }
    is_there.then_some(output)
}

#[cfg(target_os = "linux")]
fn assert_ends(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn who_may_not_write_a_store_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hello\"}\n");
    home.ok(&["import", "in"]);
    let folder = home.store_path().parent().unwrap().to_owned();
    for (path, mode) in [
        (home.path(), 0o755),
        (&folder, 0o555),
        (&home.store_path(), 0o444),
    ] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    for arguments in [
        &["list"][..],
        &["show", "a"],
        &["export", "a"],
        &["stats"],
        &["verify"],
    ] {
        let Some(output) = as_nobody(&home, arguments) else {
            return;
        };
        assert_ends(&output, 0, &[]);
        // Beside a process that has it open for writing, too.
        let writer = RedbStore::open(home.store_path(), Options::default()).unwrap();
        append(&writer);
        assert_ends(&as_nobody(&home, arguments).unwrap(), 0, &[]);
    }
    for arguments in [&["delete", "a"][..], &["rename", "a", "b"]] {
        let output = as_nobody(&home, arguments).unwrap();
        assert_ends(
            &output,
            1,
            &["cannot open the store", "Permission denied", "hint: "],
        );
    }
    // What a crash has left has to be put in order first, by somebody who may.
    let mut command = Command::new(std::env::current_exe().unwrap());
    let crashed = command
        .args(["--exact", "handles::crash", "--ignored"])
        .env(CRASH, "1")
        .env("SCROLLBACK_STORE", home.store_path())
        .output()
        .unwrap();
    assert!(!crashed.status.success());
    let output = as_nobody(&home, &["list"]).unwrap();
    let words = ["put in order what a crash has left", "Permission denied"];
    assert_ends(&output, 1, &words);
    home.ok(&["list"]);
    assert_ends(&as_nobody(&home, &["list"]).unwrap(), 0, &[]);
}

/// Tells the test below to crash.
const CRASH: &str = "SCROLLBACK_TEST_CRASH";

#[test]
#[ignore = "a process that ends in the middle, started by the test above"]
fn crash() {
    if std::env::var_os(CRASH).is_some() {
        let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
        let store = RedbStore::open(path, Options::default()).unwrap();
        append(&store);
        std::process::abort();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_on_a_read_only_mount_can_be_read() {
    let home = Home::new();
    home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hello\"}\n");
    home.ok(&["import", "in"]);
    let folder = home.store_path().parent().unwrap().to_owned();
    let mount = |arguments: &[&str]| {
        let output = Command::new("mount").args(arguments).arg(&folder).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !mount(&["--bind", folder.to_str().unwrap()]) {
        println!("skipped: this user may not mount");
        return;
    }
    let read_only = mount(&["-o", "remount,bind,ro"]);
    let list = home.run(&["list"]);
    let export = home.run(&["export", "a"]);
    let delete = home.run(&["delete", "a"]);
    let import = home.run(&["import", "in"]);
    let unmounted = Command::new("umount").arg(&folder).status().unwrap();
    assert!(read_only && unmounted.success());
    assert_ends(&list, 0, &[]);
    assert_ends(&export, 0, &[]);
    for output in [delete, import] {
        assert_ends(&output, 1, &["Read-only file system", "hint: "]);
    }
    home.ok(&["verify"]);
}
