//! A process that is killed in a transaction that has made the file longer leaves the others able to
//! make it longer too.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use scrollback::{
    Expect, ImportOptions, NewRecord, Options, RedbStore, SessionKey, Store, import, unwatched,
};

use crate::harness::Home;

/// Tells a process of this test what it is; without it the test that is one does nothing.
const ROLE: &str = "SCROLLBACK_TEST_GROWER";

/// Lines that do not pack, so that the file grows by them.
fn noise(bytes: usize, mut seed: u64) -> String {
    let mut text = String::with_capacity(bytes + 64);
    while text.len() < bytes {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{seed:016x}").unwrap();
    }
    text
}

fn append(store: &RedbStore, number: u64) {
    let key = SessionKey::native("holder").unwrap();
    let line = NewRecord::line(format!("{{\"n\":\"{}\"}}", noise(1_000_000, number)));
    store.append(&key, Expect::Any, None, &[line]).unwrap();
}

/// One of the processes, started by the test below.
#[test]
fn process() {
    let Some(role) = std::env::var_os(ROLE) else {
        return;
    };
    let store = std::env::var_os("SCROLLBACK_TEST_STORE").unwrap();
    let store = RedbStore::open(store, Options::default()).unwrap();
    if role == "grower" {
        let files = std::env::var_os("SCROLLBACK_TEST_FILES").unwrap();
        let before = std::fs::metadata(store.path()).unwrap().len();
        let mut end = |_| -> ControlFlow<()> {
            let now = std::fs::metadata(store.path()).unwrap().len();
            if now > before {
                // As a kill: nothing is tidied up, the transaction is open.
                std::process::abort();
            }
            // It is told every 50 ms: so late that the next file is told of, however fast it was.
            std::thread::sleep(std::time::Duration::from_millis(60));
            ControlFlow::Continue(())
        };
        import(&store, &[files.into()], &ImportOptions::default(), &mut end).unwrap();
        panic!("the file did not grow before the end");
    }
    append(&store, 1);
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    for number in 2..40 {
        append(&store, number);
    }
    println!("done");
}

fn start(role: &str, store: &Path, files: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_grower::process", "--nocapture"])
        .env(ROLE, role)
        .env("SCROLLBACK_TEST_STORE", store)
        .env("SCROLLBACK_TEST_FILES", files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_file_that_a_killed_process_made_longer_can_be_made_longer_by_others() {
    let home = Home::new();
    for number in 0..36 {
        let text = format!("{{\"n\":\"{}\"}}\n", noise(1_000_000, 100 + number));
        let folder = number % 3;
        home.write(&format!("files-{folder}/f-{number}.jsonl"), text);
    }
    let store = home.store_path();
    let mut holder = start("holder", &store, home.path());
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("ready")));

    // Where the growth of one was committed before its end, that of another was not.
    for folder in 0..3 {
        let files = home.path().join(format!("files-{folder}"));
        let grower = start("grower", &store, &files).wait().unwrap();
        assert_eq!(grower.code(), None, "it was to be killed: {grower:?}");
    }

    holder.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    let is_done = said.any(|line| line.unwrap().contains("done"));
    let ended = holder.wait().unwrap();
    assert!(is_done && ended.success(), "{ended:?}");
    let store = RedbStore::open(&store, Options::default()).unwrap();
    let holder = SessionKey::native("holder").unwrap();
    assert_eq!(store.summary(&holder).unwrap().record_count, 39);
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
}
