//! Stores that run out of space: what was stored before is intact, and once there is space again
//! the import goes on, and so does a process that has held the store all the time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scrollback::{
    Error, Expect, ExportFormat, Mode, NewRecord, Options, RedbStore, ScanQuery, SessionKey,
    Store as _, StoreExt as _, export_all,
};

use crate::harness::Home;

/// Writes sessions that hardly compress, so that the store has to grow by about their size.
pub(crate) fn write_sessions(home: &Home, folder: &str, files: usize, lines: usize) {
    let mut state = files as u64;
    for file in 0..files {
        let mut text = String::new();
        for line in 0..lines {
            let noise: String = (0..900)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    char::from(b'0' + u8::try_from((state >> 33) % 75).unwrap())
                })
                .map(|c| if c == '\\' { 'z' } else { c })
                .collect();
            let content = format!("{file} {line} {noise}");
            writeln!(text, "{{\"role\":\"user\",\"content\":\"{content}\"}}").unwrap();
        }
        home.write(&format!("{folder}/{folder}-{file}.jsonl"), text);
    }
}

/// Runs the tool from a shell that first does `before`.
pub(crate) fn from_shell(home: &Home, before: &str, arguments: &[&str]) -> Output {
    let tool = home.command();
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(format!("{before}; exec \"$0\" \"$@\""))
        .arg(tool.get_program());
    command.env_clear().current_dir(home.path());
    for (name, value) in tool.get_envs() {
        command.env(name, value.unwrap());
    }
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(arguments).output().unwrap()
}

/// That the import failed with an error that says so, and that nothing of before is lost.
fn assert_failed_cleanly(home: &Home, output: &Output, before: &[(String, String)]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: ") && said.contains("caused by: "),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    home.ok(&["verify"]);
    for (id, lines) in before {
        assert_eq!(&home.ok(&["export", id]), lines);
    }
}

pub(crate) fn exported(home: &Home, ids: &[&str]) -> Vec<(String, String)> {
    ids.iter()
        .map(|id| ((*id).to_owned(), home.ok(&["export", id])))
        .collect()
}

/// That the same import, with space enough, now takes everything.
pub(crate) fn assert_goes_on(home: &Home, folder: &str, files: usize) {
    home.ok(&["import", folder]);
    home.ok(&["verify"]);
    for file in 0..files {
        let source = home.path().join(format!("{folder}/{folder}-{file}.jsonl"));
        let stored = home.ok(&["export", &format!("{folder}-{file}")]);
        assert_eq!(stored, fs::read_to_string(source).unwrap());
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_fails_the_import_and_harms_nothing() {
    let home = Home::new();
    write_sessions(&home, "early", 2, 50);
    home.ok(&["import", "early"]);
    let before = exported(&home, &["early-0", "early-1"]);
    write_sessions(&home, "late", 6, 900);
    let blocks = fs::metadata(home.store_path()).unwrap().len() / 1024 + 512;
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
    let output = from_shell(&home, &limit, &["import", "late"]);
    assert_failed_cleanly(&home, &output, &before);
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint: allow larger files"));
    assert_goes_on(&home, "late", 6);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_fails_the_import_with_a_hint_and_harms_nothing() {
    let home = Home::new();
    let disk = home.path().join("store");
    fs::create_dir_all(&disk).unwrap();
    let Some(_mounted) = Mounted::new(&disk, "3m") else {
        println!("this user may not mount a small disk: `ulimit` has to do");
        return;
    };
    write_sessions(&home, "early", 2, 50);
    home.ok(&["import", "early"]);
    let before = exported(&home, &["early-0", "early-1"]);
    write_sessions(&home, "late", 6, 900);
    let output = home.run(&["import", "late"]);
    assert_failed_cleanly(&home, &output, &before);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("hint: free some space"), "{said}");
    assert!(Mounted::grow(&disk, "64m"));
    assert_goes_on(&home, "late", 6);
}

/// A store that is too large for what is left, and a small backup that was made before.
#[cfg(unix)]
fn grown_since_its_backup(home: &Home, backup: &str) -> (Vec<u8>, String) {
    write_sessions(home, "early", 1, 50);
    home.ok(&["import", "early"]);
    home.ok(&["backup", backup]);
    write_sessions(home, "late", 6, 900);
    home.ok(&["import", "late"]);
    let old = fs::read(home.path().join(backup)).unwrap();
    (old, home.ok(&["list", "--json"]))
}

/// Copies that do not fit fail, and leave what was there.
#[cfg(unix)]
fn assert_copies_fail(
    home: &Home,
    (old, listed): &(Vec<u8>, String),
    run: &dyn Fn(&[&str]) -> Output,
    (backup, new_store): (&str, &str),
) {
    home.ok(&["backup", "large.redb"]);
    for command in [
        &["backup", "--force", backup][..],
        &["--store", new_store, "restore", "large.redb"],
    ] {
        let output = run(command);
        assert_failed_cleanly(home, &output, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("hint: "), "{said}");
    }
    assert!(fs::read(home.path().join(backup)).unwrap() == *old);
    assert!(!home.path().join(new_store).exists());
    let folder = home.path().join(backup);
    for entry in fs::read_dir(folder.parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.starts_with(".scrollback-"), "{name} was left");
    }
    assert_eq!(&home.ok(&["list", "--json"]), listed);
}

#[cfg(unix)]
#[test]
fn copies_that_may_not_grow_fail_and_leave_what_was_there() {
    let home = Home::new();
    let before = grown_since_its_backup(&home, "b.redb");
    let run = |arguments: &[&str]| from_shell(&home, "trap '' XFSZ; ulimit -f 2048", arguments);
    assert_copies_fail(&home, &before, &run, ("b.redb", "new.redb"));
    // In place of what is there: the store, of which nothing is changed.
    let blocks = fs::metadata(home.store_path()).unwrap().len() / 1024 + 512;
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
    let output = from_shell(&home, &limit, &["restore", "--replace", "large.redb"]);
    assert_failed_cleanly(&home, &output, &[]);
    assert_eq!(home.ok(&["list", "--json"]), before.1);
    home.ok(&["restore", "--replace", "b.redb"]);
    assert_eq!(home.ok(&["list", "--json"]).lines().count(), 1);
    home.ok(&["verify"]);
}

#[cfg(target_os = "linux")]
#[test]
fn copies_to_a_full_disk_fail_and_leave_what_was_there() {
    let home = Home::new();
    let disk = home.path().join("disk");
    fs::create_dir_all(&disk).unwrap();
    let Some(_mounted) = Mounted::new(&disk, "3m") else {
        println!("this user may not mount a small disk: `ulimit` has to do");
        return;
    };
    let before = grown_since_its_backup(&home, "disk/b.redb");
    let run = |arguments: &[&str]| home.run(arguments);
    assert_copies_fail(&home, &before, &run, ("disk/b.redb", "disk/new.redb"));
    assert!(Mounted::grow(&disk, "64m"));
    home.ok(&["backup", "--force", "disk/b.redb"]);
    home.ok(&["--store", "disk/new.redb", "restore", "large.redb"]);
}

/// A line that hardly compresses.
#[cfg(target_os = "linux")]
fn noise(state: &mut u64) -> NewRecord {
    let mut noise = String::new();
    for _ in 0..1500 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write!(noise, "{:08x}", *state >> 32).unwrap();
    }
    NewRecord::line(format!("{{\"noise\":\"{noise}\"}}"))
}

/// Every record of a session.
#[cfg(target_os = "linux")]
fn count(store: &RedbStore, key: &SessionKey) -> usize {
    let records = store.records(key, ScanQuery::default());
    records.map(Result::unwrap).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_holds_a_store_survives_a_full_disk() {
    for mode in [Options::default().mode, Mode::Exclusive] {
        let home = Home::new();
        let disk = home.path().join("store");
        fs::create_dir_all(&disk).unwrap();
        let Some(_mounted) = Mounted::new(&disk, "8m") else {
            println!("this user may not mount a small disk");
            return;
        };
        let options = Options::default().with_mode(mode);
        let store = RedbStore::open(home.store_path(), options).unwrap();
        let key = SessionKey::new("example", "chat").unwrap();
        let (mut state, mut appended) = (1, 0);
        // Full three times, and three times somebody frees space.
        for round in 0..3 {
            let filler = disk.join("filler");
            // What is left is little, but something.
            let fill = |blocks: &str| {
                run(Command::new("dd").args(["if=/dev/zero", "bs=64k"]).args([
                    &format!("of={}", filler.display()),
                    &format!("count={blocks}"),
                ]));
            };
            fill("70");
            let error = loop {
                match store.append(&key, Expect::Any, None, &[noise(&mut state)]) {
                    Ok(_) => appended += 1,
                    Err(error) => break error,
                }
                assert!(appended < 4000, "the disk is never full");
            };
            let typed = matches!(
                error,
                Error::Storage { .. } | Error::Io { .. } | Error::CommitUnknown { .. }
            );
            assert!(typed, "round {round}: {error:?}");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains("free some space"), "{error:?}: {hint}");
            let found = count(&store, &key);
            let unknown = usize::from(matches!(error, Error::CommitUnknown { .. }));
            assert!(
                (appended..=appended + unknown).contains(&found),
                "{found}, {appended}"
            );
            // What else writes fails too, or is done; nothing is lost by it.
            drop(store.truncate(&key, 5));
            drop(store.compact(&key, Some(2), None));
            drop(store.reclaim());
            appended = count(&store, &key);
            // A full disk elsewhere is an error that names the file.
            let target = disk.join("export");
            if let Err(error) = export_all(
                &store,
                None,
                ExportFormat::Jsonl,
                &target,
                &mut scrollback::unwatched,
            ) {
                assert!(matches!(error, Error::Io { .. }), "{error:?}");
            }
            let _gone = fs::remove_dir_all(&target);
            fs::remove_file(&filler).unwrap();
            store
                .append(&key, Expect::Any, None, &[noise(&mut state)])
                .unwrap();
            appended += 1;
            assert_eq!(count(&store, &key), appended);
            assert!(
                store
                    .verify_deep(&[], &mut scrollback::unwatched)
                    .unwrap()
                    .is_clean()
            );
        }
        drop(store);
        home.ok(&["verify"]);
    }
}

/// What frees space works where there is no free block: a deletion, a clean-up and a compaction, by the
/// tool, on a small ext4 that somebody else has filled.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_freed_with_the_tool() {
    for command in [
        &["delete", "late-0"][..],
        &["cleanup", "--older-than", "2100-01-01"],
        &["compact", "late-1"],
        &["compact", "--all"],
    ] {
        let home = Home::new();
        let disk = home.path().join("store");
        fs::create_dir_all(&disk).unwrap();
        let Some(_mounted) = Mounted::ext4(&home.path().join("image"), &disk, "24m") else {
            println!("this user may not mount a small disk");
            return;
        };
        write_sessions(&home, "late", 8, 900);
        home.ok(&["import", "late"]);
        home.ok(&["truncate", "late-1", "--keep", "1"]);
        assert!(reserve(&home).exists());
        // To the last block.
        for size in ["64k", "4k", "1k"] {
            let filler = disk.join(format!("filler-{size}"));
            let full = run(Command::new("dd")
                .args(["if=/dev/urandom", &format!("bs={size}"), "conv=fsync"])
                .arg(format!("of={}", filler.display())));
            assert!(!full, "the disk is never full");
        }
        // And to the last free page of the store's file.
        let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
        let (key, mut state) = (SessionKey::new("example", "chat").unwrap(), 1);
        let mut appended = 0;
        while store
            .append(&key, Expect::Any, None, &[noise(&mut state)])
            .is_ok()
        {
            appended += 1;
            assert!(appended < 9000, "the disk is never full");
        }
        drop(store);
        assert!(reserve(&home).exists(), "what only adds does not take it");
        let before = home.ok(&["list", "--all"]);
        let output = home.run(command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
        home.ok(&["verify"]);
        if command[0] != "compact" {
            assert_ne!(home.ok(&["list", "--all"]), before, "{command:?}");
            home.ok(&["compact", "--all"]);
        }
        home.ok(&["verify"]);
    }
}

#[cfg(target_os = "linux")]
fn reserve(home: &Home) -> std::path::PathBuf {
    let mut name = home.store_path().into_os_string();
    name.push("-reserve");
    name.into()
}

/// A small file system in memory, unmounted in the end.
#[cfg(target_os = "linux")]
struct Mounted<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl<'a> Mounted<'a> {
    fn new(folder: &'a Path, size: &str) -> Option<Self> {
        let size = format!("size={size}");
        let done = run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder));
        done.then_some(Self(folder))
    }

    /// An ext4 in a file, without blocks that are kept for root.
    fn ext4(image: &Path, folder: &'a Path, size: &str) -> Option<Self> {
        let made = run(Command::new("truncate").args(["-s", size]).arg(image))
            && run(Command::new("mkfs.ext4")
                .args(["-q", "-F", "-m", "0", "-b", "4096"])
                .arg(image))
            && run(Command::new("mount")
                .args(["-o", "loop"])
                .arg(image)
                .arg(folder));
        made.then_some(Self(folder))
    }

    fn grow(folder: &Path, size: &str) -> bool {
        run(Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(folder))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        run(Command::new("umount").arg(self.0));
    }
}

#[cfg(target_os = "linux")]
fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
