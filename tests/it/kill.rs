//! The real tool, killed in the middle of an import: nothing lost, nothing twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use scrollback::{ExportFormat, Options, RedbStore, export_all};

use crate::harness::Home;
use crate::matrix::files_below;

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
    // How long it takes undisturbed, on this machine and now.
    let begun = Instant::now();
    home.ok(&["--store", "whole.redb", "import", "in"]);
    let whole = begun.elapsed();
    let (mut killed, mut partial) = (0, 0);
    for tenth in 1..=9 {
        let wait = whole * tenth / 10;
        let mut child = home
            .command()
            .args(["import", "in"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let mut ended = None;
        while begun.elapsed() < wait && ended.is_none() {
            std::thread::sleep(Duration::from_millis(2));
            ended = child.try_wait().unwrap();
        }
        // Of a process that has ended this does nothing but take its exit code.
        child.kill().unwrap();
        child.wait().unwrap();
        killed += u64::from(ended.is_none());
        if !home.store_path().exists() || fs::metadata(home.store_path()).unwrap().len() == 0 {
            continue;
        }
        let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
        let verified = store.verify(&mut |_, _| {}).unwrap();
        assert!(
            verified.is_clean(),
            "after {wait:?}: {:?}",
            verified.problems
        );
        assert!(verified.sessions <= files);
        partial += u64::from(verified.bytes > 0 && ended.is_none());
    }
    assert!(
        killed > 0 && partial > 0,
        "{killed} killed, {partial} in the middle"
    );

    home.ok(&["import", "in"]);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let verified = store.verify(&mut |_, _| {}).unwrap();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    assert_eq!(verified.sessions, files);
    let source = contents(&home.path().join("in"));
    let out = home.path().join("out");
    export_all(&store, None, ExportFormat::Jsonl, &out, &mut |_| {}).unwrap();
    drop(store);
    let exported = contents(&out.join("claude-code"));
    assert!(exported == source, "what came back differs");
    let again = home.ok(&["import", "in", "--json"]);
    assert!(again.contains("\"records\":0"), "{again}");
}
