//! The same work for a long time at a steady size: what is deleted equals what is added. Memory,
//! the file, descriptors, threads and latencies must not creep.
//!
//! It is a test and no bench, since it passes or fails, and since the daily form is the same code.
//! It runs in a process of its own, this test binary again, because other tests would show in the
//! memory and the descriptors. `work` is the mix, `sample` what is measured, `judge` the rule.
//!
//! - The daily form takes seconds, and shows that the long one works: latencies are not judged.
//! - `cargo test --release --test it soak:: -- --ignored --nocapture` takes ten minutes, or
//!   `SCROLLBACK_TEST_SECONDS`: 3600 for the hour before a release.

mod judge;
mod sample;
mod work;

use std::process::Command;
use std::time::Duration;

/// Tells the process that does the work for how long, in seconds; without it that does nothing.
const SOAK: &str = "SCROLLBACK_TEST_SOAK";

/// How long the long form takes, in seconds.
const SECONDS: &str = "SCROLLBACK_TEST_SECONDS";

fn seconds(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Long enough for latencies that mean something.
const LATENCIES_FROM: Duration = Duration::from_secs(300);

#[test]
#[ignore = "the process that works, started by the tests below"]
fn process() {
    let Some(seconds) = seconds(SOAK) else {
        return;
    };
    let time = Duration::from_secs(seconds);
    let windows = work::run(time);
    println!("{}", sample::table(&windows));
    let creeping = judge::creeping(&windows, time >= LATENCIES_FROM);
    assert!(creeping.is_empty(), "{}", creeping.join("\n"));
    let enough = time.as_secs();
    let appends: usize = windows.iter().map(|window| window.append.count).sum();
    assert!(
        appends as u64 >= 3 * enough,
        "{appends} appends in {time:?}"
    );
    let lists: usize = windows.iter().map(|window| window.list.count).sum();
    assert!(lists as u64 >= 3 * enough, "{lists} lists in {time:?}");
}

fn soak(seconds: u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "soak::process", "--ignored", "--nocapture"])
        .env(SOAK, seconds.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
}

#[test]
fn a_few_seconds_of_work_at_a_steady_size_leave_nothing_behind() {
    soak(4);
}

#[test]
#[ignore = "ten minutes, or SCROLLBACK_TEST_SECONDS: the same for a long time"]
fn long_work_at_a_steady_size_does_not_creep() {
    soak(seconds(SECONDS).unwrap_or(600));
}
