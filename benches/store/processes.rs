//! Whole processes: the least CPU and wall time of several runs, above those of a process that does nothing.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::measure::say;

/// Milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Of all processors, in the process and in the system.
    pub(crate) cpu: u32,
    /// From its start to its end.
    pub(crate) wall: u32,
}

/// A program with what it is given.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    name: &'static str,
    words: Vec<OsString>,
}

impl Called {
    /// By its name in a table, and its words.
    pub(crate) fn new(name: &'static str, words: &[&dyn AsRef<OsStr>]) -> Self {
        let words = words.iter().map(|word| word.as_ref().to_owned());
        Self {
            name,
            words: words.collect(),
        }
    }
}

/// Lets all take turns, so many rounds, and gives the least of each.
fn least(rounds: usize, all: &[Called]) -> Outcome<Vec<Taken>> {
    let nothing = [OsString::from("true")];
    let mut least = vec![None; all.len() + 1];
    for _ in 0..rounds {
        let words = all.iter().map(|one| one.words.as_slice());
        for (slot, words) in least
            .iter_mut()
            .zip(std::iter::once(&nothing[..]).chain(words))
        {
            let now = timed(words)?;
            let before = slot.unwrap_or(now);
            *slot = Some(Taken {
                cpu: now.cpu.min(before.cpu),
                wall: now.wall.min(before.wall),
            });
        }
    }
    let mut least = least.into_iter().flatten();
    let floor = least.next().ok_or("nothing was run")?;
    let above = |taken: Taken| Taken {
        cpu: taken.cpu.saturating_sub(floor.cpu),
        wall: taken.wall.saturating_sub(floor.wall),
    };
    Ok(least.map(above).collect())
}

/// One run, by the shell's clock: it tells the time of all processors to the millisecond.
fn timed(words: &[OsString]) -> Outcome<Taken> {
    let script = "TIMEFORMAT='%3R %3U %3S'; { time \"$@\" >/dev/null 2>&1; } 2>&1";
    let told = Command::new("bash")
        .args(["-c", script, "bash"])
        .args(words)
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8(told.stdout)?;
    let times: Vec<u32> = told
        .split_whitespace()
        .map(|time| time.replace('.', "").parse())
        .collect::<Result<_, _>>()?;
    match times.as_slice() {
        [wall, user, system] => Ok(Taken {
            cpu: user + system,
            wall: *wall,
        }),
        _ => Err(format!("bash tells no times: {told}").into()),
    }
}

/// Prints a table of them, each wall time beside the first one's.
pub(crate) fn table(title: &str, rounds: usize, all: &[Called]) -> Outcome<Vec<Taken>> {
    let taken = least(rounds, all)?;
    say(&format!(
        "\n{title} (whole process, least of {rounds}, above `true`: CPU and wall ms)"
    ))?;
    let first = taken.first().map_or(1, |first| first.wall.max(1));
    for (one, taken) in all.iter().zip(&taken) {
        let ratio = f64::from(taken.wall) / f64::from(first);
        say(&format!(
            "  {:<44} {:>7} {:>7} {ratio:>8.2}x",
            one.name, taken.cpu, taken.wall
        ))?;
    }
    Ok(taken)
}
