//! Whether something creeps: the median of the last third of the windows against that of the
//! first third, after a quarter of them in which caches fill.
//!
//! With medians of windows one bad moment of the machine changes nothing. The factors leave room
//! for noise and are below 2.3, which is what growth without end from nothing would come to.

use std::time::Duration;

use super::sample::{Latency, Window};

/// Memory and the file may grow by this factor, and by so many bytes on top.
const SIZE_FACTOR: f64 = 1.2;
const MEMORY_SLACK: f64 = 8.0 * 1024.0 * 1024.0;
const FILE_SLACK: f64 = 512.0 * 1024.0;

/// A latency may grow by this factor, beyond what the floors of the machine grew by, and by so
/// many seconds on top.
const MEDIAN_FACTOR: f64 = 1.6;
const TAIL_FACTOR: f64 = 2.0;
const MEDIAN_SLACK: f64 = 0.000_3;
const TAIL_SLACK: f64 = 0.020;

/// One kind of call.
type Of = fn(&Window) -> Latency;

/// What creeps, in words; nothing if all is well.
pub(super) fn creeping(windows: &[Window], with_latencies: bool) -> Vec<String> {
    let steady = &windows[windows.len() / 4..];
    let third = steady.len() / 3;
    assert!(third > 0, "{} windows are too few", windows.len());
    let (first, last) = (&steady[..third], &steady[steady.len() - third..]);
    let mut found = Vec::new();
    let mut compare = |what: &str, value: &dyn Fn(&Window) -> f64, factor: f64, slack: f64| {
        let (before, after) = (median(first, value), median(last, value));
        let limit = before * factor + slack;
        if after > limit {
            found.push(format!(
                "{what} creeps: {before} at first, {after} at last, limit {limit}"
            ));
        }
    };
    compare(
        "memory",
        &|window| whole(window.memory_bytes),
        SIZE_FACTOR,
        MEMORY_SLACK,
    );
    compare(
        "the file",
        &|window| whole(window.file_bytes),
        SIZE_FACTOR,
        FILE_SLACK,
    );
    compare(
        "the number of descriptors",
        &|window| whole(window.descriptors),
        1.0,
        1.0,
    );
    compare(
        "the number of threads",
        &|window| whole(window.threads),
        1.0,
        1.0,
    );
    if !with_latencies {
        return found;
    }
    let growth = |floor: fn(&Window) -> Latency| {
        let value = |window: &Window| seconds(floor(window).p50);
        (median(last, &value) / median(first, &value).max(1e-9)).max(1.0)
    };
    let (disk, cpu) = (
        growth(|window| window.disk_floor),
        growth(|window| window.cpu_floor),
    );
    let calls: [(&str, Of, f64); 3] = [
        ("append", |window| window.append, disk.max(cpu)),
        ("list", |window| window.list, cpu),
        ("scan", |window| window.scan, cpu),
    ];
    for (what, of, floor) in calls {
        let half = |window: &Window| seconds(of(window).p50);
        let tail = |window: &Window| seconds(of(window).p99);
        compare(
            &format!("half of all {what}s"),
            &half,
            MEDIAN_FACTOR * floor,
            MEDIAN_SLACK,
        );
        compare(
            &format!("the slowest {what}s"),
            &tail,
            TAIL_FACTOR * floor,
            TAIL_SLACK,
        );
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(number: u64) -> f64 {
    number as f64
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn median(windows: &[Window], value: &dyn Fn(&Window) -> f64) -> f64 {
    let mut values: Vec<f64> = windows.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Twelve windows; `change` makes each from its number, and from noise of up to a tenth.
fn windows(change: impl Fn(u32, u32, &mut Window)) -> Vec<Window> {
    let latency = |micros| Latency {
        count: 100,
        p50: Duration::from_micros(micros),
        p99: Duration::from_micros(10 * micros),
        longest: Duration::from_micros(100 * micros),
    };
    (0..12)
        .map(|number| {
            let noise = number * 7 % 5;
            let mut window = Window {
                append: latency(2000),
                list: latency(400),
                scan: latency(400),
                disk_floor: latency(1000),
                cpu_floor: latency(100),
                memory_bytes: 40_000_000 + u64::from(noise) * 1_000_000,
                file_bytes: 4_000_000 + u64::from(noise) * 100_000,
                sessions: 24,
                descriptors: 9,
                threads: 5,
            };
            change(number, noise, &mut window);
            window
        })
        .collect()
}

#[test]
fn noise_and_a_slower_machine_are_no_creeping() {
    let noisy = windows(|number, noise, window| {
        window.append.p50 += Duration::from_micros(50) * noise;
        if number == 10 {
            // One bad moment.
            window.list.p99 = Duration::from_secs(2);
            window.memory_bytes *= 3;
        }
        if number > 6 {
            // Somebody else loads the disk.
            window.append.p50 *= 3;
            window.append.p99 *= 3;
            window.disk_floor.p50 *= 3;
        }
    });
    assert_eq!(creeping(&noisy, true), Vec::<String>::new());
}

#[test]
fn whatever_grows_is_found() {
    let found = |change: fn(u32, &mut Window)| {
        creeping(&windows(|number, _, window| change(number, window)), true).len()
    };
    assert_eq!(found(|_, _| {}), 0);
    assert_eq!(
        found(|n, window| window.memory_bytes += u64::from(n) * 4 * 1024 * 1024),
        1
    );
    assert_eq!(
        found(|n, window| window.file_bytes += u64::from(n) * 400 * 1024),
        1
    );
    assert_eq!(found(|n, window| window.descriptors += u64::from(n / 2)), 1);
    assert_eq!(found(|n, window| window.threads += u64::from(n / 2)), 1);
    assert_eq!(found(|n, window| window.append.p50 *= 1 + n / 3), 1);
    assert_eq!(found(|n, window| window.list.p50 *= n + 1), 1);
    assert_eq!(found(|n, window| window.scan.p99 *= n * n + 1), 1);
    // A list that takes longer in step with a slower machine is none.
    let with_machine = |n: u32, window: &mut Window| {
        window.list.p50 *= n + 1;
        window.cpu_floor.p50 *= n + 1;
    };
    assert_eq!(found(with_machine), 0);
}
