//! Several processes that write to one store without a pause: each of them gets its turn.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store};

use crate::harness::Home;

/// Tells a writer its number and for how many milliseconds to write.
const WRITER: &str = "SCROLLBACK_TEST_FAIR_WRITER";

/// Processes at the same time.
const WRITERS: u64 = 4;

#[test]
#[ignore = "a writer, started by the tests below"]
fn writer() {
    let Ok(told) = std::env::var(WRITER) else {
        return;
    };
    let (number, millis) = told.split_once(' ').unwrap();
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    let key = SessionKey::new("jsonl", format!("s{number}")).unwrap();
    let go = std::env::var_os("SCROLLBACK_TEST_GO").unwrap();
    while !std::path::Path::new(&go).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    let length = Duration::from_millis(millis.parse().unwrap());
    let (mut appends, mut longest) = (0_u64, Duration::ZERO);
    while began.elapsed() < length {
        let asked = Instant::now();
        let record = NewRecord::line(format!("{{\"role\":\"user\",\"content\":\"{appends}\"}}"));
        store.append(&key, Expect::Any, None, &[record]).unwrap();
        longest = longest.max(asked.elapsed());
        appends += 1;
    }
    println!("wrote {appends} {}", longest.as_micros());
}

/// What each process wrote, and its longest wait.
fn race(length: Duration) -> Vec<(u64, Duration)> {
    let home = Home::new();
    drop(RedbStore::open(home.store_path(), Options::default()).unwrap());
    let go = home.path().join("go");
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "fairness::writer", "--ignored", "--nocapture"])
                .env(WRITER, format!("{number} {}", length.as_millis()))
                .env("SCROLLBACK_STORE", home.store_path())
                .env("SCROLLBACK_TEST_GO", &go)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    std::fs::write(&go, "").unwrap();
    writers
        .into_iter()
        .map(|writer| {
            let output = writer.wait_with_output().unwrap();
            assert!(output.status.success());
            let said = String::from_utf8(output.stdout).unwrap();
            let line = said.split_once("wrote ").unwrap().1;
            let mut words = line.split_whitespace().map(|word| word.parse().unwrap());
            let appends = words.next().unwrap();
            (appends, Duration::from_micros(words.next().unwrap()))
        })
        .collect()
}

/// That nobody starves, and that enough was written for that to mean something.
fn assert_fair(length: Duration, appends_min: u64) {
    let writers = race(length);
    let total: u64 = writers.iter().map(|(appends, _)| appends).sum();
    println!("{total} appends in {length:?}; appends and longest wait of each: {writers:?}");
    assert!(total >= appends_min, "{total} appends only");
    for (appends, longest) in &writers {
        assert!(appends * WRITERS * 3 >= total, "{writers:?}");
        assert!(*longest < length, "{writers:?}");
    }
}

#[test]
fn processes_that_write_without_a_pause_all_get_their_turn() {
    assert_fair(Duration::from_millis(1500), 16);
}

#[test]
#[ignore = "the same for ten seconds"]
fn processes_that_write_for_long_all_get_their_turn() {
    assert_fair(Duration::from_secs(10), 100);
}
