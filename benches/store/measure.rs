//! Taking turns, medians, and tables of ratios.
//!
//! Beside the times of who writes stands what explains them, for each piece of work:
//!
//! - bytes written: what this process, and the children that it has waited for, gave to the kernel
//!   in calls that write (`wchar` of `/proc/self/io`); the median of the rounds. (`write_bytes` there
//!   counts whole folios, megabytes for a page of a file that was read ahead, of which the disk sees
//!   no more than the page.)
//! - fsyncs: counted by `strace` in one more round that is not timed (`flushes`)

use std::io::Write as _;
use std::time::Duration;

use crate::Outcome;
use crate::flushes;

/// Rounds that everybody gets.
const ROUNDS: usize = 5;

/// Flushes are counted where a round takes less: under `strace` it takes many times as long.
const COUNTED_TIME: Duration = Duration::from_secs(1);

/// Who writes less in a round only says something.
const WRITERS_BYTES: u64 = 4096;

/// One who takes part: a name, and one round of its work, which says how long the part took that
/// counts.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    prepare: Box<dyn FnMut() -> Outcome + 'a>,
    round: Box<dyn FnMut() -> Outcome<Duration> + 'a>,
    times: Vec<Duration>,
    written: Vec<u64>,
    flushes: Option<u64>,
}

impl<'a> Contestant<'a> {
    /// A contestant.
    pub(crate) fn new(name: &'static str, round: impl FnMut() -> Outcome<Duration> + 'a) -> Self {
        Self {
            name,
            prepare: Box::new(|| Ok(())),
            round: Box::new(round),
            times: Vec::new(),
            written: Vec::new(),
            flushes: None,
        }
    }

    /// With something to do before each round, of which nothing counts.
    pub(crate) fn prepared(self, prepare: impl FnMut() -> Outcome + 'a) -> Self {
        Self {
            prepare: Box::new(prepare),
            ..self
        }
    }

    fn take_turn(&mut self) -> Outcome {
        (self.prepare)()?;
        let before = bytes_written();
        let time = (self.round)()?;
        self.times.push(time);
        self.written.push(bytes_written() - before);
        Ok(())
    }

    fn count_flushes(&mut self) -> Outcome {
        (self.prepare)()?;
        self.flushes = flushes::counted(|| (self.round)().map(drop))?;
        Ok(())
    }
}

/// Lets all take turns and prints the median of each, per one of `count` pieces of work, beside
/// that of the first.
pub(crate) fn compete(title: &str, count: u32, mut all: Vec<Contestant<'_>>) -> Outcome {
    for _ in 0..ROUNDS {
        for contestant in &mut all {
            contestant.take_turn()?;
        }
    }
    let is_writing = all.iter().any(|one| median(&one.written) > WRITERS_BYTES);
    if is_writing {
        for contestant in &mut all {
            if median(&contestant.times) < COUNTED_TIME {
                contestant.count_flushes()?;
            }
        }
    }
    let kinds = if is_writing { ", written, fsyncs" } else { "" };
    say(&format!("\n{title} (median of {ROUNDS}{kinds})"))?;
    let mut first = None;
    for contestant in &all {
        let time = median(&contestant.times) / count;
        let ratio = time.as_secs_f64() / first.get_or_insert(time).as_secs_f64();
        let mut line = format!(
            "  {:<44} {:>12} {ratio:>8.2}x",
            contestant.name,
            shown(time)
        );
        if is_writing {
            let bytes = median(&contestant.written) / u64::from(count);
            let flushes = match contestant.flushes {
                Some(flushes) => hundredths(flushes, u64::from(count)),
                None => "?".to_owned(),
            };
            line = format!("{line} {:>9} {flushes:>8}", in_kilobytes(bytes));
        }
        say(&line)?;
    }
    Ok(())
}

/// Prints sizes beside the first of them.
pub(crate) fn sizes(title: &str, all: &[(&str, u64)]) -> Outcome {
    say(&format!("\n{title}"))?;
    let first = all.first().map_or(1, |(_, bytes)| (*bytes).max(1));
    for (name, bytes) in all {
        // Six digits are enough for a ratio.
        let ratio = bytes.saturating_mul(1_000) / first;
        say(&format!(
            "  {name:<44} {bytes:>12} {:>5}.{:03}x",
            ratio / 1_000,
            ratio % 1_000
        ))?;
    }
    Ok(())
}

/// Bytes that this process, and the children that it has waited for, have written; 0 where the
/// system does not say.
fn bytes_written() -> u64 {
    let counts = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    counts
        .lines()
        .find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
        .unwrap_or(0)
}

fn median<T: Copy + Default + Ord>(all: &[T]) -> T {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn shown(time: Duration) -> String {
    let microseconds = time.as_micros();
    if microseconds >= 10_000 {
        format!("{} ms", time.as_millis())
    } else {
        format!("{}.{:03} us", microseconds, time.as_nanos() % 1_000)
    }
}

fn in_kilobytes(bytes: u64) -> String {
    if bytes >= 10_000_000 {
        format!("{} MB", bytes / 1_000_000)
    } else {
        format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100)
    }
}

fn hundredths(count: u64, of: u64) -> String {
    let hundredths = (count * 100 + of / 2) / of;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Prints a line.
pub(crate) fn say(line: &str) -> Outcome {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
