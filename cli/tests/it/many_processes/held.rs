//! A process that holds the lock and does not let go: one that was stopped in the middle of a
//! write, and one that has the store for itself.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use scrollback::{
    Error, Expect, ListQuery, Mode, NewRecord, Options, RedbStore, ScanQuery, SessionKey,
    Store as _,
};

use super::crew::role_command;
use super::journal::{self, Entry};
use super::line;
use crate::harness::Home;

/// Far more than a read takes, and less than anybody waits for a lock by default.
const READ_MAX: Duration = Duration::from_secs(10);

/// A process in a role, killed when this goes.
struct Holder {
    child: Child,
}

impl Holder {
    fn start(home: &Home, role: &str) -> Self {
        let logs = logs(home);
        std::fs::create_dir_all(&logs).unwrap();
        let mut command = role_command(home, &logs, role, 0, 1);
        command.stdout(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn logs(home: &Home) -> PathBuf {
    home.path().join("logs")
}

/// Batches that a process in a role was told are on disk.
fn acknowledged(home: &Home, role: &str) -> usize {
    let entries = journal::entries(&journal::path(&logs(home), role, 0));
    let is_one = |entry: &&Entry| matches!(entry, Entry::Acknowledged { .. });
    entries.iter().filter(is_one).count()
}

/// Waits until it has written more than it had.
fn wait_for(home: &Home, role: &str, had: usize) {
    let began = Instant::now();
    while acknowledged(home, role) <= had {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing written");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A store whose writes do not wait for long.
fn impatient(home: &Home) -> RedbStore {
    let options = Options::default().with_lock_wait(Duration::from_millis(150));
    let began = Instant::now();
    loop {
        // Opening for writing takes as much luck as writing.
        match RedbStore::open(home.store_path(), options.clone()) {
            Err(Error::Busy { .. }) if began.elapsed() < Duration::from_secs(60) => {}
            opened => return opened.unwrap(),
        }
    }
}

fn append(store: &RedbStore) -> Result<(), Error> {
    let key = SessionKey::new("jsonl", "other").unwrap();
    let line = NewRecord::line("{\"role\":\"user\",\"content\":\"other\"}");
    store.append(&key, Expect::Any, None, &[line]).map(|_| ())
}

/// What somebody who waited for it is told first.
fn named(holder: &Holder) -> String {
    format!("process {} has been writing to it for ", holder.child.id())
}

/// Stops a writer at a moment at which it holds the writer's lock, and has said so.
fn stop_while_it_writes(holder: &Holder, store: &RedbStore) {
    for _ in 0..500 {
        holder.signal("STOP");
        std::thread::sleep(Duration::from_millis(10));
        match append(store) {
            // Not in the instant before it has left its name, nor in the one in which it turns the
            // page of the header: then nobody reads either.
            Err(Error::Busy { reason })
                if reason.starts_with(&named(holder))
                    && store.list(&ListQuery::default()).is_ok() =>
            {
                return;
            }
            Ok(()) | Err(Error::Busy { .. } | Error::Storage { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        holder.signal("CONT");
        std::thread::sleep(Duration::from_millis(3));
    }
    panic!("it never wrote, had said so, and let others read");
}

#[test]
fn a_process_that_holds_the_lock_is_named_and_blocks_no_reader() {
    let home = Home::new();
    let holder = Holder::start(&home, "holder");
    wait_for(&home, "holder", 3);
    let store = impatient(&home);
    stop_while_it_writes(&holder, &store);

    // Whoever reads goes on, in this process, in a new one and in the tool.
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        let reader = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
        for store in [&store, &reader] {
            store.list(&ListQuery::default()).unwrap();
            let page = store.scan(&line::own(0), &ScanQuery::default());
            assert!(matches!(page, Ok(_) | Err(Error::NotFound { .. })));
            assert!(
                store
                    .verify_deep(&[], &mut scrollback::unwatched)
                    .unwrap()
                    .is_clean()
            );
        }
        longest = longest.max(began.elapsed());
    }
    assert!(longest < READ_MAX, "{longest:?}");
    home.ok(&["list"]);
    std::thread::sleep(Duration::from_millis(1200));
    let Err(Error::Busy { reason }) = append(&store) else {
        panic!("two writers at a time");
    };
    let seconds = reason
        .strip_prefix(named(&holder).as_str())
        .and_then(|rest| rest.strip_suffix(" s"));
    assert!(
        seconds.is_some_and(|number| number.parse::<u64>().unwrap() >= 1),
        "{reason}"
    );

    // With its death the lock is free.
    drop(holder);
    append(&store).unwrap();
    assert!(
        store
            .verify_deep(&[], &mut scrollback::unwatched)
            .unwrap()
            .is_clean()
    );
}

#[test]
fn the_tool_says_who_holds_the_lock() {
    let home = Home::new();
    let holder = Holder::start(&home, "holder");
    wait_for(&home, "holder", 3);
    let store = impatient(&home);
    append(&store).unwrap();
    stop_while_it_writes(&holder, &store);
    let began = Instant::now();
    let mut command = home.command();
    // The real clock, as the holder's.
    command.env_remove("SCROLLBACK_NOW");
    let output = command
        .args(["truncate", "other", "--keep", "0", "--wait", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    let named = named(&holder);
    assert!(said.contains(&named) && said.contains("hint: "), "{said}");
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn an_exclusive_store_admits_one_process_and_outlives_its_kills() {
    let home = Home::new();
    let open = |mode| {
        let options = Options::default()
            .with_mode(mode)
            .with_lock_wait(Duration::from_millis(50));
        RedbStore::open(home.store_path(), options)
    };
    let mut had = 0;
    for _ in 0..6 {
        let holder = Holder::start(&home, "exclusive");
        wait_for(&home, "exclusive", had);
        for mode in [Mode::Exclusive, Mode::Shared] {
            let refused = open(mode).map(|_| ());
            assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
        }
        for command in [&["list"][..], &["cleanup", "--older-than", "2020-01-01"]] {
            let output = home.run(&[command, &["--wait", "0"]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(4), "{said}");
            assert!(said.contains("is locked: process "), "{said}");
        }
        drop(holder);
        had = acknowledged(&home, "exclusive");
        let store = open(Mode::Exclusive).unwrap();
        assert!(
            store
                .verify_deep(&[], &mut scrollback::unwatched)
                .unwrap()
                .is_clean()
        );
        let page = store.scan(
            &line::own(0),
            &ScanQuery::default()
                .with_records_max(usize::MAX)
                .with_bytes_max(usize::MAX),
        );
        let lines: Vec<line::Line> = page
            .unwrap()
            .records
            .iter()
            .map(|record| line::Line::read(&record.line))
            .collect();
        line::check_whole(&lines, false);
        let batches = lines.iter().filter(|line| line.part == 0).count();
        assert!(batches == had || batches == had + 1, "{batches} of {had}");
    }
}
