//! What is measured: latencies window by window, and what the process and the file hold.

use std::fmt::Write as _;
use std::time::Duration;

/// Latencies of one kind of call in one window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Latency {
    pub(super) count: usize,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) longest: Duration,
}

impl Latency {
    /// Of all the calls of a window.
    pub(super) fn of(mut calls: Vec<Duration>) -> Self {
        calls.sort_unstable();
        let at = |share: usize| {
            let place = (calls.len() * share / 100).min(calls.len().saturating_sub(1));
            calls.get(place).copied().unwrap_or_default()
        };
        Self {
            count: calls.len(),
            p50: at(50),
            p99: at(99),
            longest: at(100),
        }
    }
}

/// One window of the run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub(super) append: Latency,
    pub(super) list: Latency,
    pub(super) scan: Latency,
    /// What a write of 4 KiB with `fsync` takes here and now, and a fixed piece of arithmetic: a
    /// machine that others load more is told from a store that gets slower.
    pub(super) disk_floor: Latency,
    pub(super) cpu_floor: Latency,
    /// Resident memory.
    pub(super) memory_bytes: u64,
    /// What the file takes on disk after a compaction.
    pub(super) file_bytes: u64,
    pub(super) sessions: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
}

/// Resident memory and threads of this process.
pub(super) fn memory_and_threads() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (number("VmRSS:") * 1024, number("Threads:"))
}

/// Descriptors that this process has open.
pub(super) fn descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").unwrap().count() as u64
}

/// The windows, a line each, for eyes. Times are milliseconds: half, 99 of 100, the longest.
pub(super) fn table(windows: &[Window]) -> String {
    let mut table = format!(
        "{:>3} {:>8} {:>8} {:>8} {:>4} {:>4}  {:>6} {:>24}  {:>6} {:>24}  {:>6} {:>24}  {:>7} {:>7}\n",
        "#",
        "RSS KiB",
        "file KiB",
        "sessions",
        "fds",
        "thr",
        "append",
        "p50/p99/max ms",
        "list",
        "p50/p99/max ms",
        "scan",
        "p50/p99/max ms",
        "fsync",
        "cpu",
    );
    for (number, window) in windows.iter().enumerate() {
        let calls = |latency: Latency| {
            let times = format!(
                "{}/{}/{}",
                milliseconds(latency.p50),
                milliseconds(latency.p99),
                milliseconds(latency.longest)
            );
            format!("{:>6} {times:>24}", latency.count)
        };
        writeln!(
            table,
            "{number:>3} {:>8} {:>8} {:>8} {:>4} {:>4}  {}  {}  {}  {:>7} {:>7}",
            window.memory_bytes / 1024,
            window.file_bytes / 1024,
            window.sessions,
            window.descriptors,
            window.threads,
            calls(window.append),
            calls(window.list),
            calls(window.scan),
            milliseconds(window.disk_floor.p50),
            milliseconds(window.cpu_floor.p50),
        )
        .unwrap();
    }
    table
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1000.0)
}
