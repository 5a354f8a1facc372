//! Processes that build the index, killed at any moment while another one appends: after each kill a search
//! finds what a reading of all messages finds, and `verify_deep` finds nothing.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use scrollback::{
    Expect, ImportOptions, Message, NewRecord, Options, RedbStore, Role, SessionKey, Store, import,
    unwatched,
};

use super::oracle::{Asked, Query, assert_exact};
use crate::harness::Home;

/// Tells a process of this test what it is; without it the test that is one does nothing.
const ROLE: &str = "SCROLLBACK_TEST_INDEXER";

/// A kill comes so many milliseconds after the process has begun to index, at most: some rounds of it.
const LIVES_MILLISECONDS: u64 = 90;

/// The number of the first message in the file; those that are appended have smaller ones.
const FIRST_IN_FILE: u64 = 1_000_000;

/// Sessions that are appended to.
const SESSIONS: u64 = 7;

/// The next of a row of numbers that look like chance.
fn below(seed: &mut u64, end: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % end
}

/// What message `number` says: its number as a word, and words that some others have too.
fn said(number: u64) -> String {
    let mut text = format!("message m{number}m of group g{}g", number / 5 % 40);
    let mut seed = number;
    for _ in 0..below(&mut seed, 60) {
        write!(text, " word{}", below(&mut seed, 400)).unwrap();
    }
    text
}

fn appended(store: &RedbStore, number: u64) {
    let key = SessionKey::native(format!("s{}", number % SESSIONS)).unwrap();
    let record = NewRecord::message(Message::text(Role::User, said(number)));
    store.append(&key, Expect::Any, None, &[record]).unwrap();
}

/// One of the processes, started by the tests below.
#[test]
fn process() {
    let Some(role) = std::env::var_os(ROLE) else {
        return;
    };
    let store = std::env::var_os("SCROLLBACK_TEST_STORE").unwrap();
    let files = std::env::var_os("SCROLLBACK_TEST_FILES").unwrap();
    let store = RedbStore::open(store, Options::default()).unwrap();
    println!("ready");
    if role == "indexer" {
        // Until it is killed.
        for round in 0.. {
            if round % 3 == 2 {
                let options = ImportOptions::default();
                import(&store, &[files.clone().into()], &options, &mut unwatched).unwrap();
            }
            store.index(&mut unwatched).unwrap();
            if round % 11 == 10 {
                store.drop_index().unwrap();
            }
        }
    }
    // Appends as many as it is told, and says when they are there.
    let mut next = 0;
    for line in std::io::stdin().lines() {
        let end = next + line.unwrap().parse::<u64>().unwrap();
        while next < end {
            appended(&store, next);
            next += 1;
        }
        println!("there are {next}");
    }
}

/// A process of this test, and what it prints.
struct Process {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, home: &Home) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "search::killed::process", "--nocapture"])
            .env(ROLE, role)
            .env("SCROLLBACK_TEST_STORE", home.store_path())
            .env("SCROLLBACK_TEST_FILES", home.path().join("in"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, said };
        process.wait_for("ready");
        process
    }

    fn wait_for(&mut self, word: &str) {
        let is_said = self.said.any(|line| line.unwrap().contains(word));
        assert!(is_said, "no `{word}`");
    }

    fn tell(&mut self, count: u64) {
        let mut input = self.child.stdin.as_ref().unwrap();
        writeln!(input, "{count}").unwrap();
    }

    /// Kills it; it has to be at work still.
    fn kill(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it was to be killed: {ended:?}");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A file of so many messages; the last line is not whole, and is when there are more.
fn grow(home: &Home, count: u64) {
    let line = |number| {
        let line = serde_json::json!({"role": "user", "content": said(FIRST_IN_FILE + number)});
        format!("{line}\n")
    };
    let mut content: String = (0..count).map(line).collect();
    content.truncate(content.len() - 9);
    home.write("in/grows.jsonl", content);
}

fn word(text: String) -> Query {
    Query(vec![vec![(false, Asked::Word(text))]])
}

/// Kills so many indexers, and checks the store behind each.
fn kill_indexers(kills: u64, mut seed: u64) {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let mut appender = Process::start("appender", &home);
    let (mut there, mut found) = (0, 0);
    for kill in 0..kills {
        grow(&home, (kill + 1) * 3);
        let indexer = Process::start("indexer", &home);
        let count = 4 + below(&mut seed, 12);
        appender.tell(count);
        std::thread::sleep(Duration::from_micros(below(
            &mut seed,
            LIVES_MILLISECONDS * 1000,
        )));
        indexer.kill();
        appender.wait_for("there are");
        there += count;

        let last = there - 1;
        let any = below(&mut seed, there);
        for text in [
            format!("m{last}m"),
            format!("m{any}m"),
            format!("g{}g", any / 5 % 40),
            format!("m{}m", FIRST_IN_FILE + below(&mut seed, kill * 3 + 2)),
        ] {
            found += assert_exact(&store, &word(text));
        }
        let report = store.verify_deep(&[], &mut unwatched).unwrap();
        assert!(report.is_clean(), "kill {kill}: {:?}", report.problems);
    }
    assert!(found as u64 >= 2 * kills, "{found}");
    drop(appender.child.stdin.take());
    assert!(appender.child.wait().unwrap().success());
    let all = store
        .index(&mut unwatched)
        .and_then(|_| store.index(&mut unwatched));
    assert_eq!(all.unwrap().sessions, 0);
    assert!(store.index_bytes().unwrap() > 0);
}

#[test]
fn what_a_killed_indexer_leaves_finds_all() {
    kill_indexers(25, 17);
}

/// Minutes of the same.
#[test]
#[ignore = "takes minutes"]
fn what_many_killed_indexers_leave_finds_all() {
    for seed in 0..20 {
        kill_indexers(50, seed);
    }
}
