//! Many real processes on one store for a bounded time, some of them killed at any moment: writers,
//! readers, compactions, imports of files that grow, cleanups, exports, verifications.
//!
//! Afterwards nothing that was acknowledged is missing, nothing is there twice or in part, and
//! nobody who was not killed has failed or waited long for a read. What is where:
//!
//! - `roles`: the processes that are this test binary, in a role; `line`: what the writers write
//! - `journal`: what each says that it did; `folder`: the files that are imported
//! - `crew`: starts and kills them; `check`: holds the store against the journals
//! - `held`: a process that holds the writer's lock and does not let go
//!
//! The daily form takes seconds. `SCROLLBACK_TEST_SECONDS` sets how long the other one takes, and
//! `SCROLLBACK_TEST_SEED` what is killed when.

mod check;
mod crew;
mod folder;
#[cfg(unix)]
mod held;
mod journal;
mod line;
mod random;
mod roles;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scrollback::chrono::DateTime;
use scrollback::{ListQuery, Options, RedbStore, Store as _};

use self::check::Outcome;
use self::crew::{Count, Crew, Job};
use self::folder::Folder;
use self::random::Random;
use self::roles::Place;
use crate::harness::{Home, export_as_lines, files_below};

/// Processes that append.
const WRITERS: usize = 3;

/// Where the tool archives what it compacts.
const ARCHIVE: &str = "archive";

/// What a process in a role is told.
const ROLE: &str = "SCROLLBACK_TEST_ROLE";
const SLOT: &str = "SCROLLBACK_TEST_SLOT";
const LOGS: &str = "SCROLLBACK_TEST_LOGS";
const STORE: &str = "SCROLLBACK_TEST_STORE";
const SEED: &str = "SCROLLBACK_TEST_SEED";

/// How long the long form takes, in seconds.
const SECONDS: &str = "SCROLLBACK_TEST_SECONDS";

/// No read may take longer: far more than a loaded machine needs, and far less than the minute
/// for which somebody waits for a lock.
const READ_MAX: Duration = Duration::from_secs(20);

/// How much longer a run may take on a loaded machine, until enough has happened.
const GRACE: Duration = Duration::from_secs(90);

/// The processes. The tool's are short; what they do is chosen anew each time.
const JOBS: [Job; 11] = [
    Job::Role("writer", 0),
    Job::Role("writer", 1),
    Job::Role("writer", 2),
    Job::Role("reader", 0),
    Job::Role("reader", 1),
    Job::Role("compactor", 0),
    Job::Role("compactor", 1),
    Job::Role("churner", 0),
    Job::Tool(0),
    Job::Tool(1),
    Job::Tool(2),
];

fn told(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn number(name: &str) -> Option<u64> {
    Some(told(name)?.into_string().unwrap().parse().unwrap())
}

#[test]
#[ignore = "a process of the crew, started by the tests below"]
fn role() {
    let Some(role) = told(ROLE) else {
        return;
    };
    roles::work(Place {
        role: role.into_string().unwrap(),
        slot: usize::try_from(number(SLOT).unwrap()).unwrap(),
        store: PathBuf::from(told(STORE).unwrap()),
        logs: PathBuf::from(told(LOGS).unwrap()),
        random: Random(number(SEED).unwrap()),
    });
}

#[test]
fn processes_that_are_killed_lose_nothing_and_readers_go_on() {
    run(Duration::from_secs(5), 1);
}

#[test]
#[ignore = "two minutes, or SCROLLBACK_TEST_SECONDS: many processes for a longer time"]
fn processes_that_are_killed_lose_nothing_for_minutes() {
    let seconds = number(SECONDS).unwrap_or(120);
    run(Duration::from_secs(seconds), (seconds / 10).max(1));
}

/// What has not happened often enough to prove something; `times` as often as in the daily form.
fn missing(count: &Count, outcome: &Outcome, times: u64) -> Vec<String> {
    let took = |what: &str| outcome.took.get(what).map_or(0, |(count, _)| *count);
    let commands: u64 = count.commands.values().sum();
    let wanted = [
        ("kills", count.killed, 15),
        ("killed writers", count.writers_killed, 2),
        ("acknowledged batches", outcome.acknowledged, 60),
        ("batches sent again", outcome.replayed, 1),
        ("scans", took("scan"), 30),
        ("lists", took("list"), 30),
        ("loads", took("load"), 2),
        ("verifications", took("verify"), 1),
        ("compactions", took("compact"), 2),
        ("cleanups", took("cleanup"), 1),
        ("deleted sessions", outcome.thrown_away, 2),
        ("commands of the tool", commands, 5),
    ];
    let too_few = wanted
        .iter()
        .filter(|(_, there, least)| *there < least * times);
    too_few
        .map(|(what, there, least)| format!("{there} {what} of {}", least * times))
        .collect()
}

/// Lets all of them work for so long, on a loaded machine until enough has happened, and checks
/// what is there then.
fn run(time: Duration, times: u64) {
    let seed = number(SEED).unwrap_or(u64::from(std::process::id()));
    println!("{SEED}={seed}");
    let home = Home::new();
    let logs = home.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let mut folder = Folder::new(&home.path().join("in"));
    // The store and the sessions of the files are there before anybody asks for them.
    home.ok(&["import", "in"]);
    let began = Instant::now();
    let mut crew = Crew::start(&home, &logs, seed, &JOBS);
    crew.work(time, &mut folder);
    let mut outcome = check::so_far(&logs, WRITERS);
    while !missing(&crew.count, &outcome, times).is_empty() && began.elapsed() < time + GRACE {
        crew.work(Duration::from_secs(1), &mut folder);
        outcome = check::so_far(&logs, WRITERS);
    }
    let count = crew.stop();
    outcome = check_all(&home, &logs, &folder);
    println!("{:?}: {count:?}\n{outcome:?}", began.elapsed());
    assert_eq!(missing(&count, &outcome, times), Vec::<String>::new());
    for what in ["scan", "load", "list", "open"] {
        let longest = outcome.took.get(what).map_or(Duration::ZERO, |took| took.1);
        assert!(longest < READ_MAX, "a {what} took {longest:?}");
    }
}

fn check_all(home: &Home, logs: &Path, folder: &Folder) -> Outcome {
    // The last bytes of the files come in too; the second run finds nothing new.
    home.ok(&["import", "in"]);
    let again = home.ok(&["import", "in", "--json"]);
    assert!(again.contains("\"records\":0"), "{again}");
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let verified = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(verified.is_clean(), "{:?}", verified.problems);

    let mut archived = BTreeSet::new();
    let files = files_below(logs).into_iter();
    let archives = files.filter(|path| path.extension().is_some_and(|name| name == "jsonl"));
    let tool = home.path().join(ARCHIVE);
    let of_tool = if tool.exists() {
        files_below(&tool)
    } else {
        Vec::new()
    };
    for path in archives.chain(of_tool) {
        let content = std::fs::read(path).unwrap();
        let lines = content.split_inclusive(|byte| *byte == b'\n');
        // What a kill cut off was not removed then.
        let whole = lines.filter(|line| line.ends_with(b"\n"));
        archived.extend(whole.map(<[u8]>::to_vec));
    }
    let outcome = check::check(&store, logs, &archived, WRITERS);
    let out = home.path().join("whole-export");
    export_as_lines(&store, &out);
    folder.compare(&out, &archived);

    // Nobody has left a lock, and what is old goes.
    let old = DateTime::from_timestamp(roles::OLD + 1, 0).unwrap();
    store.cleanup_older_than(old).unwrap();
    let left = ListQuery::default().with_before(old);
    assert_eq!(store.list(&left).unwrap().sessions, []);
    assert_eq!(store.reclaim().unwrap().refused, None);
    drop(store);
    home.ok(&["verify"]);
    outcome
}
