//! Every target over its stored inputs and over inputs made of them. The fuzzers of `fuzz/` look
//! further; what they find is stored here, so that it stays mended.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::mutate::Dice;
use super::{TARGETS, Target, mutate};

/// Most bytes of an input that is made.
const BYTES_MAX: usize = 8 * 1024;

fn stored(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/fuzz")
        .join(target.name);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no inputs", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn check(target: &Target, input: &[u8], what: &str) {
    let done = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let shown = input.escape_ascii();
    assert!(
        done.is_ok(),
        "{}, {what}: the input is\n{shown}",
        target.name
    );
}

/// Runs a target over what is stored and over `made` inputs of a seed. Returns how many it ran.
fn sweep(target: &Target, made: u32, seed: u64) -> u64 {
    let stored = stored(target);
    for (at, input) in stored.iter().enumerate() {
        check(target, input, &format!("stored input {at}"));
    }
    let mut dice = Dice::new(seed);
    let mut last = stored[0].clone();
    for number in 0..made {
        // Some start from the input before, so that changes add up.
        if last.is_empty() || dice.below(3) > 0 {
            last.clone_from(&stored[dice.below(stored.len())]);
        }
        let other = &stored[dice.below(stored.len())];
        mutate(&mut last, other, dice.next(), BYTES_MAX);
        check(target, &last, &format!("made input {number}"));
    }
    stored.len() as u64 + u64::from(made)
}

fn sweep_all(times: u32, seed: u64) -> u64 {
    std::thread::scope(|scope| {
        let sweeps: Vec<_> = TARGETS
            .iter()
            .map(|target| scope.spawn(move || sweep(target, target.daily * times, seed)))
            .collect();
        sweeps.into_iter().map(|sweep| sweep.join().unwrap()).sum()
    })
}

#[test]
fn no_input_breaks_a_target() {
    let run = sweep_all(1, 1);
    assert!(run > 25_000, "only {run} inputs");
}

#[test]
#[ignore = "a million inputs: some minutes"]
fn no_input_of_a_million_breaks_a_target() {
    let run = sweep_all(40, 2);
    assert!(run > 1_000_000, "only {run} inputs");
}

#[test]
fn an_input_that_breaks_a_promise_is_found() {
    let target = Target {
        name: "dialect_lines",
        run: |data| assert!(!data.windows(6).any(|window| window == b"\"$set\"")),
        daily: 0,
    };
    assert!(catch_unwind(|| sweep(&target, 500, 1)).is_err());
}
