//! Memory of an import whose files have very long lines: workers hold one of them at a time.

use std::fs;
use std::process::Command;

use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::harness::Home;

/// Tells the test that imports where the files are.
const FOLDER: &str = "SCROLLBACK_TEST_LONG_LINES";

/// Bytes of a line.
const LINE_BYTES: usize = 60_000_000;

/// Most memory that the import may take, in KiB: two lines and their buffers are more.
const MEMORY_KIB_MAX: u64 = 120 * 1024;

/// The same of lines that do not pack: each is in memory as it was read and as it is stored.
const NOISE_KIB_MAX: u64 = 200 * 1024;

#[test]
#[ignore = "imports in a process of its own, started by the test below"]
fn importer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let options = ImportOptions::default();
    let report = import(
        &store,
        &[folder.into()],
        &options,
        &mut scrollback::unwatched,
    )
    .unwrap();
    println!("{} sessions", report.sessions);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn one_long_line_is_held_at_a_time() {
    let kib = most_memory(&("words ".repeat(LINE_BYTES / 6) + "\n"));
    assert!(kib < MEMORY_KIB_MAX, "{kib} KiB");
}

#[cfg(target_os = "linux")]
#[test]
fn one_long_line_that_does_not_pack_is_held_until_it_is_stored() {
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + u8::try_from((state >> 33) % 94).unwrap())
    };
    let mut line: String = (0..LINE_BYTES).map(|_| noise()).collect();
    line.push('\n');
    let kib = most_memory(&line);
    assert!(kib < NOISE_KIB_MAX, "{kib} KiB");
}

/// The most memory, in KiB, of an import of four files of that line.
#[cfg(target_os = "linux")]
fn most_memory(line: &str) -> u64 {
    let home = Home::new();
    for name in ["a", "b", "c", "d"] {
        home.write(&format!("in/{name}.jsonl"), line);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "long_lines::importer",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, home.path().join("in"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("4 sessions"), "{text}");
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
