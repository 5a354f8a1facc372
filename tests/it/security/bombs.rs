//! Little that unpacks to much, and JSON that is hard to read: refused by a limit, or read within
//! bounds of time and memory.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use scrollback::limits::UNPACKED_BYTES_MAX;
use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::harness::Home;
use crate::providers::provider_at;

/// Tells the test that reads a bomb where it lies.
const BOMB: &str = "SCROLLBACK_TEST_BOMB";

/// Most memory that a process may have taken, in KiB.
const MEMORY_KIB_MAX: u64 = 300 * 1024;

/// A file of zstd that unpacks to so many zeros: four bytes for each 128 KiB.
fn bomb(bytes: u64) -> Vec<u8> {
    const BLOCK: u64 = 128 * 1024;
    // The magic number, a descriptor that tells no size, and a window of 128 KiB.
    let mut file = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    let mut left = bytes;
    while left > 0 {
        let block = left.min(BLOCK);
        left -= block;
        let header = u64::from(left == 0) | 1 << 1 | block << 3;
        file.extend_from_slice(&header.to_le_bytes()[..3]);
        file.push(0);
    }
    file
}

/// Whether a compressed session is read that unpacks to so many bytes.
pub(crate) fn is_read(bytes: u64) -> bool {
    let home = Home::new();
    home.write(PLACE, bomb(bytes));
    let codex = provider_at("codex", home.path().join(".codex"));
    codex.read_session(ID).is_ok()
}

const PLACE: &str = ".codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-0199c1f2-0000-7000-8000-000000000001.jsonl.zst";
const ID: &str = "0199c1f2-0000-7000-8000-000000000001";

#[test]
#[ignore = "reads a bomb in a process of its own, started by the test below"]
fn reader() {
    let Some(folder) = std::env::var_os(BOMB) else {
        return;
    };
    let error = provider_at("codex", folder).read_session(ID).unwrap_err();
    println!("error: {error}: {:?}", std::error::Error::source(&error));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_compressed_session_of_ten_gigabytes_is_refused_in_little_memory() {
    let home = Home::new();
    let packed = bomb(10 << 30);
    assert!(packed.len() < 400_000);
    home.write(PLACE, packed);
    let began = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "security::bombs::reader",
            "--ignored",
            "--nocapture",
        ])
        .env(BOMB, home.path().join(".codex"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let told = text.lines().find(|line| line.contains("error: ")).unwrap();
    assert!(
        told.contains(PLACE) && told.contains(&UNPACKED_BYTES_MAX.to_string()),
        "{told}"
    );
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < MEMORY_KIB_MAX, "{kib} KiB");
    assert!(began.elapsed() < Duration::from_secs(120));
}

/// A line of JSON that is hard to read, with its name.
fn hard_lines(size: usize) -> Vec<(&'static str, String)> {
    let keys: Vec<String> = (0..size / 12).map(|n| format!("\"k{n}\":{n},")).collect();
    let keys = keys.concat();
    let same = "\"type\":1,".repeat(size / 9);
    let in_message = |content: &str| {
        format!(
            "{{\"type\":\"user\",\"role\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"content\":{content},\
             \"payload\":{content},\"message\":{{\"role\":\"user\",\"content\":{content}}}}}"
        )
    };
    let deep = size / 2;
    vec![
        ("open arrays", "[".repeat(size)),
        ("open objects", "{\"a\":".repeat(size / 5)),
        ("deep", format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        (
            "deep in a message",
            in_message(&format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        ),
        (
            "deep objects",
            in_message(&format!(
                "{}1{}",
                "{\"text\":".repeat(size / 9),
                "}".repeat(size / 9)
            )),
        ),
        ("keys", format!("{{{keys}\"type\":\"user\"}}")),
        (
            "keys in a message",
            in_message(&format!("{{{keys}\"type\":\"text\"}}")),
        ),
        ("one key", format!("{{{same}\"type\":\"user\"}}")),
        (
            "numbers",
            in_message(&format!(
                "[{}1e999999,-1e999999,{}]",
                "1e400,".repeat(size / 6),
                "9".repeat(size)
            )),
        ),
        (
            "escapes",
            in_message(&format!("\"{}\"", "\\ud800".repeat(size / 6))),
        ),
        (
            "quotes",
            in_message(&format!("\"{}\"", "\\\"".repeat(size / 2))),
        ),
        (
            "blocks",
            in_message(&format!(
                "[{}{{}}]",
                "{\"type\":\"text\",\"text\":\"\"},".repeat(size / 27)
            )),
        ),
        ("fused", "{}".repeat(size / 2)),
        ("fused damage", "{\"a\":1}x".repeat(size / 8)),
        ("blanks", " ".repeat(size)),
        (
            "white space",
            in_message(&format!("[{}]", " ".repeat(size))),
        ),
    ]
}

const AGENTS: [&str; 10] = [
    "native",
    "claude-code",
    "codex",
    "gemini",
    "ggcode",
    "picoclaw",
    "jcode",
    "celeste",
    "opencode",
    "jsonl",
];

/// Imports every hard line for every agent. Returns how many, and how long the slowest agent took.
fn import_hard_lines(size: usize) -> (usize, Duration) {
    let home = Home::new();
    let lines = hard_lines(size);
    let mut bytes = 0;
    for (name, line) in &lines {
        home.write(&format!("in/{name}.jsonl"), format!("{line}\n"));
        bytes += line.len() as u64 + 1;
    }
    let (mut runs, mut slowest) = (0, Duration::ZERO);
    for agent in AGENTS {
        let path = home.path().join(format!("{agent}.redb"));
        let store = RedbStore::open(path, Options::default()).unwrap();
        let options = ImportOptions::default().with_agent(agent);
        let began = Instant::now();
        let report = import(
            &store,
            &[home.path().join("in")],
            &options,
            &mut scrollback::unwatched,
        )
        .unwrap();
        assert_eq!(report.bytes, bytes, "{agent}: {report:?}");
        slowest = slowest.max(began.elapsed());
        runs += lines.len();
    }
    assert!(slowest < Duration::from_secs(60), "{slowest:?}");
    (runs, slowest)
}

#[test]
fn json_that_is_hard_to_read_is_kept_in_bounded_time() {
    let (runs, _) = import_hard_lines(200_000);
    assert!(runs == 160, "{runs}");
}

#[test]
#[ignore = "lines of 8 MB for every agent; a minute or two"]
fn large_json_that_is_hard_to_read_is_kept_in_bounded_time() {
    let (runs, slowest) = import_hard_lines(8_000_000);
    println!("{runs} lines, the slowest in {slowest:?}");
    assert!(runs == 160, "{runs}");
}
