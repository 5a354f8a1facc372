//! A file system without range locks, or without any: a shared object that the tool is started
//! with takes them away from it (`no_locks.c`).

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use scrollback::{Expect, ListQuery, Mode, NewRecord, Options, RedbStore, SessionKey, Store};

use crate::harness::Home;

/// How systems say that there is no such lock: EINVAL, ENOSYS, EOPNOTSUPP.
const NOT_THERE: [&str; 3] = ["22", "38", "95"];

/// How they say that a lock cannot be had, though there are some: ENOLCK.
const REFUSED: &str = "37";

const NOTE: &str = "note: this file system has no range locks";

/// Tells a holder what to do; without it the test that is one does nothing.
const HOLDER: &str = "SCROLLBACK_TEST_HOLDER";

/// A home on a file system that lacks locks.
struct Lacking {
    home: Home,
    taker: PathBuf,
}

impl Lacking {
    /// `None`, with the reason printed, where no shared object can be made.
    fn new() -> Option<Self> {
        let home = Home::new();
        home.write("in/a.jsonl", "{\"role\":\"user\",\"content\":\"hello\"}\n");
        let source = home.write("no_locks.c", include_str!("no_locks.c"));
        let taker = home.path().join("no_locks.so");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&taker, &source])
            .args(["-ldl"])
            .output();
        match built {
            Ok(built) if built.status.success() => Some(Self { home, taker }),
            Ok(built) => {
                println!("skipped: {}", String::from_utf8_lossy(&built.stderr));
                None
            }
            Err(error) => {
                println!("skipped: no C compiler: {error}");
                None
            }
        }
    }

    /// Takes locks from a command.
    fn without(&self, mut command: Command, ranges: &str, whole: &str) -> Command {
        command.env("LD_PRELOAD", &self.taker);
        for (name, code) in [("NO_RANGES", ranges), ("NO_WHOLE", whole)] {
            if !code.is_empty() {
                command.env(name, code);
            }
        }
        command
    }

    fn run(&self, ranges: &str, whole: &str, arguments: &[&str]) -> Output {
        self.without(self.home.command(), ranges, whole)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A process that has the store open, with or without range locks, and has appended one line.
    fn hold(&self, ranges: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "no_locks::holder", "--ignored", "--nocapture"])
            .env(HOLDER, "1")
            .env("SCROLLBACK_STORE", self.home.store_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = self.without(command, ranges, "").spawn().unwrap();
        let mut lines = BufReader::new(holder.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("it is open")));
        holder
    }
}

#[test]
#[ignore = "a process that has a store open, started by the tests below"]
fn holder() {
    if std::env::var_os(HOLDER).is_none() {
        return;
    }
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    let key = SessionKey::new("jsonl", "held").unwrap();
    let record = NewRecord::line("{\"role\":\"user\",\"content\":\"acknowledged\"}");
    store.append(&key, Expect::Any, None, &[record]).unwrap();
    println!("it is open");
    std::io::stdout().flush().unwrap();
    // Until the other end is closed.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_ends(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn without_range_locks_a_store_is_used_by_one_process_at_a_time() {
    let mut cases = 0;
    for code in NOT_THERE {
        let Some(lacking) = Lacking::new() else {
            return;
        };
        for arguments in [
            &["import", "in", "--json"][..],
            &["list", "--json"],
            &["show", "a"],
            &["verify"],
            &["compact", "--all"],
        ] {
            let output = lacking.run(code, "", arguments);
            assert_ends(&output, 0, &[NOTE, "local disk"]);
            assert_eq!(said(&output).matches("note:").count(), 1, "{arguments:?}");
            let printed = String::from_utf8(output.stdout).unwrap();
            assert!(!printed.contains("range locks"), "{printed}");
            cases += 1;
        }
        // One that has it open, and others that come: they wait, and in the end are told for whom.
        let mut holder = lacking.hold(code);
        let open = format!("process {} has had it open for at least", holder.id());
        for arguments in [&["list"][..], &["delete", "a"], &["import", "in"]] {
            let output = lacking.run(code, "", &[arguments, &["--wait", "0"]].concat());
            assert_ends(&output, 4, &[&open, "hint: wait until that process ends"]);
            cases += 1;
        }
        let waiting = lacking
            .without(lacking.home.command(), code, "")
            .args(["list", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(100));
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
        let output = waiting.wait_with_output().unwrap();
        assert_ends(&output, 0, &[]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("\"held\""));
        // With locks it is shared as ever.
        let store = RedbStore::open(lacking.home.store_path(), Options::default()).unwrap();
        assert_eq!(store.mode(), Mode::Shared);
        assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 2);
        assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
        cases += 1;
    }
    assert_eq!(cases, 27);
}

#[test]
fn a_holder_that_is_killed_without_range_locks_holds_nothing_any_longer() {
    let Some(lacking) = Lacking::new() else {
        return;
    };
    for _ in 0..3 {
        let mut holder = lacking.hold(NOT_THERE[2]);
        holder.kill().unwrap();
        holder.wait().unwrap();
        let began = Instant::now();
        let output = lacking.run(NOT_THERE[2], "", &["--wait", "20", "export", "held"]);
        assert_ends(&output, 0, &[NOTE]);
        assert!(began.elapsed() < Duration::from_secs(10));
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(lines.ends_with("acknowledged\"}\n"), "{lines}");
        assert_ends(&lacking.run(NOT_THERE[2], "", &["verify"]), 0, &[]);
    }
    let store = RedbStore::open(lacking.home.store_path(), Options::default()).unwrap();
    let key = SessionKey::new("jsonl", "held").unwrap();
    assert_eq!(store.summary(&key).unwrap().record_count, 3);
}

#[test]
fn processes_with_and_without_range_locks_keep_each_other_out() {
    let Some(lacking) = Lacking::new() else {
        return;
    };
    lacking.home.ok(&["import", "in"]);
    let code = NOT_THERE[0];
    for (holds, comes) in [(code, ""), ("", code)] {
        let mut holder = lacking.hold(holds);
        for arguments in [&["list"][..], &["delete", "a"], &["import", "in"]] {
            let output = lacking.run(comes, "", &[arguments, &["--wait", "0"]].concat());
            assert_ends(&output, 4, &["is locked: process "]);
        }
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
        assert_ends(&lacking.run(comes, "", &["list"]), 0, &[]);
    }
    lacking.home.ok(&["verify"]);
}

#[test]
fn a_store_that_cannot_be_locked_is_refused_and_stays_as_it_is() {
    let Some(lacking) = Lacking::new() else {
        return;
    };
    let words = [
        "cannot lock the store",
        "the file system takes no locks",
        "hint: keep it on a file system that takes locks",
    ];
    let ways = [
        (REFUSED, ""),
        (REFUSED, REFUSED),
        (NOT_THERE[1], NOT_THERE[1]),
        (NOT_THERE[2], REFUSED),
    ];
    for (ranges, whole) in ways {
        assert_ends(&lacking.run(ranges, whole, &["import", "in"]), 1, &words);
        let folder = lacking.home.store_path();
        let left: Vec<_> = fs::read_dir(folder.parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
    lacking.home.ok(&["import", "in"]);
    let before = fs::read(lacking.home.store_path()).unwrap();
    for (ranges, whole) in ways {
        for arguments in [&["list"][..], &["delete", "a"], &["import", "in"]] {
            assert_ends(&lacking.run(ranges, whole, arguments), 1, &words);
        }
    }
    assert!(fs::read(lacking.home.store_path()).unwrap() == before);
    lacking.home.ok(&["verify"]);
}

#[test]
fn without_locks_no_history_is_rewritten_and_nothing_is_archived() {
    for code in NOT_THERE.into_iter().chain([REFUSED]) {
        let Some(lacking) = Lacking::new() else {
            return;
        };
        let home = &lacking.home;
        home.write("s/a.jsonl", "1\n2\n");
        home.write("s/a.meta.json", "{\"skip\":1,\"count\":2}");
        let output = lacking.run("", code, &["compact", "--jsonl", "s", "--archive", "out"]);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
        assert!(told.contains("takes no locks"), "{told}");
        let lines = fs::read_to_string(home.path().join("s/a.jsonl")).unwrap();
        assert_eq!(lines, "1\n2\n");
        let left = fs::read_dir(home.path().join("s")).unwrap().count();
        // Where others may have a lock its file stays.
        assert_eq!(left, if code == REFUSED { 3 } else { 2 });
        home.ok(&["import", "in"]);
        home.ok(&["truncate", "a", "--keep", "0"]);
        let output = lacking.run("", code, &["compact", "--all", "--archive", "out"]);
        assert_ne!(output.status.code(), Some(0));
        assert!(home.ok(&["show", "a", "--hidden"]).contains("hello"));
    }
}
