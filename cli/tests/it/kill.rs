//! The real tool, killed in the middle of an import: nothing lost, nothing twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use scrollback::{Options, RedbStore};

use crate::harness::{Home, export_as_lines, files_below};

/// Bytes of the largest file: several parts of an import.
const LARGE_BYTES: usize = 24 * 1024 * 1024;

/// Further files, and the bytes of each.
const SMALL_FILES: usize = 120;
const SMALL_BYTES: usize = 300 * 1024;

/// Lines that do not compress to nothing, told apart by a running number.
fn lines(name: &str, bytes: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(bytes + 1024);
    let mut state = name
        .bytes()
        .fold(1_u64, |state, byte| state * 31 + u64::from(byte));
    let mut number = 0;
    while content.len() < bytes {
        let mut noise = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            write!(noise, "{state:016x}").unwrap();
        }
        let line = format!(
            "{{\"type\":\"user\",\"uuid\":\"{name}-{number}\",\"timestamp\":\"2026-02-09T08:49:50.954Z\",\
             \"sessionId\":\"{name}\",\"message\":{{\"role\":\"user\",\"content\":\"{noise}\"}}}}\n"
        );
        content.extend_from_slice(line.as_bytes());
        number += 1;
    }
    // The last line is torn.
    content.truncate(content.len() - 7);
    content
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(folder).unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

/// Bytes of lines that a reader sees now.
fn stored_bytes(home: &Home) -> u64 {
    RedbStore::open_read_only(home.store_path(), Options::default()).map_or(0, |store| {
        let agents = store.stats().unwrap().agents;
        agents.iter().map(|agent| agent.bytes).sum()
    })
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let home = Home::new();
    let folder = ".claude/projects/-w";
    home.write(
        &format!("in/{folder}/large.jsonl"),
        lines("large", LARGE_BYTES),
    );
    for number in 0..SMALL_FILES {
        let name = format!("small-{number}");
        home.write(
            &format!("in/{folder}/{name}.jsonl"),
            lines(&name, SMALL_BYTES),
        );
    }
    let files = SMALL_FILES as u64 + 1;
    // The first one is killed as soon as a part of it can be seen, the others at tenths of the time
    // that an import takes undisturbed.
    let begun = Instant::now();
    home.ok(&["--store", "whole.redb", "import", "in"]);
    let whole = begun.elapsed();
    let (mut killed, mut partial) = (0, 0);
    for tenth in 0..=9 {
        let mut child = home
            .command()
            .args(["import", "in"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let is_time = || match tenth {
            0 => stored_bytes(&home) > 0,
            tenth => begun.elapsed() >= whole * tenth / 10,
        };
        let mut ended = None;
        while ended.is_none() && !is_time() {
            std::thread::sleep(Duration::from_millis(2));
            ended = child.try_wait().unwrap();
        }
        // Of a process that has ended this does nothing but take its exit code.
        child.kill().unwrap();
        child.wait().unwrap();
        killed += u64::from(ended.is_none());
        if !home.store_path().exists() {
            continue;
        }
        let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
        let verified = store.verify_deep(&[], &mut scrollback::unwatched).unwrap();
        assert!(
            verified.is_clean(),
            "killed at tenth {tenth}: {:?}",
            verified.problems
        );
        assert!(verified.sessions <= files);
        let all = LARGE_BYTES + SMALL_FILES * SMALL_BYTES;
        partial += u64::from(verified.bytes > 0 && verified.bytes < all as u64);
    }
    assert!(
        killed > 0 && partial > 0,
        "{killed} killed, {partial} in the middle"
    );

    home.ok(&["import", "in"]);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let verified = store.verify_deep(&[], &mut scrollback::unwatched).unwrap();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    assert_eq!(verified.sessions, files);
    let source = contents(&home.path().join("in"));
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    drop(store);
    let exported = contents(&out.join("claude-code"));
    assert!(exported == source, "what came back differs");
    let again = home.ok(&["import", "in", "--json"]);
    assert!(again.contains("\"records\":0"), "{again}");
}
