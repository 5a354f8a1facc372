//! Taking turns, medians, and tables of ratios.

use std::io::Write as _;
use std::time::Duration;

use crate::Outcome;

/// Rounds that everybody gets.
const ROUNDS: usize = 5;

/// One who takes part: a name, and one round of its work, which says how long the part took that
/// counts.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    round: Box<dyn FnMut() -> Outcome<Duration> + 'a>,
    times: Vec<Duration>,
}

impl<'a> Contestant<'a> {
    /// A contestant.
    pub(crate) fn new(name: &'static str, round: impl FnMut() -> Outcome<Duration> + 'a) -> Self {
        Self {
            name,
            round: Box::new(round),
            times: Vec::new(),
        }
    }
}

/// Lets all take turns and prints the median of each, per one of `count` pieces of work, beside
/// that of the first.
pub(crate) fn compete(title: &str, count: u32, mut all: Vec<Contestant<'_>>) -> Outcome {
    for _ in 0..ROUNDS {
        for contestant in &mut all {
            let time = (contestant.round)()?;
            contestant.times.push(time);
        }
    }
    say(&format!("\n{title} (median of {ROUNDS})"))?;
    let mut first = None;
    for contestant in &mut all {
        contestant.times.sort_unstable();
        let median = contestant
            .times
            .get(ROUNDS / 2)
            .copied()
            .unwrap_or_default()
            / count;
        let ratio = median.as_secs_f64() / first.get_or_insert(median).as_secs_f64();
        say(&format!(
            "  {:<44} {:>12} {ratio:>8.2}x",
            contestant.name,
            shown(median)
        ))?;
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

fn shown(time: Duration) -> String {
    let microseconds = time.as_micros();
    if microseconds >= 10_000 {
        format!("{} ms", time.as_millis())
    } else {
        format!("{}.{:03} us", microseconds, time.as_nanos() % 1_000)
    }
}

/// Prints a line.
pub(crate) fn say(line: &str) -> Outcome {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
