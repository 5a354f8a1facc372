//! What fuzzers run: functions from any bytes to "nothing went wrong", or a panic.
//!
//! - One target a file, listed in [`TARGETS`]. `fuzz/` calls them from libFuzzer.
//! - [`tests`] runs each over its stored inputs (`tests/fixtures/fuzz/<target>/`: seeds, and every
//!   input that ever failed) and over inputs that [`mutate`] makes of them, always the same ones.
//! - [`large`] times the readers of hostile input on inputs that are as large as they are odd.
//!
//! Compiled for tests and for fuzzers alone.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    reason = "test code stops at the first surprise"
)]

mod dialect_lines;
mod documents;
mod folders;
mod go_json;
mod growth;
mod input;
#[cfg(test)]
mod large;
mod line_reader;
mod markdown;
mod mutate;
mod rows;
mod segments;
#[cfg(test)]
mod tests;
mod words;
mod written;

pub use self::mutate::mutate;

/// Something that takes any bytes, and panics where a promise is broken.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its folder of stored inputs and of its fuzzer.
    pub name: &'static str,
    /// Runs one input.
    pub run: fn(&[u8]),
    /// How many made inputs the tests of every day run.
    pub daily: u32,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "line_reader",
        run: line_reader::run,
        daily: 3000,
    },
    Target {
        name: "dialect_lines",
        run: dialect_lines::run,
        daily: 6000,
    },
    Target {
        name: "documents",
        run: documents::run,
        daily: 3000,
    },
    Target {
        name: "written",
        run: written::run,
        daily: 3000,
    },
    Target {
        name: "growth",
        run: growth::run,
        daily: 2000,
    },
    Target {
        name: "folders",
        run: folders::run,
        daily: 12,
    },
    Target {
        name: "rows",
        run: rows::run,
        daily: 2000,
    },
    Target {
        name: "segments",
        run: segments::run,
        daily: 2000,
    },
    Target {
        name: "go_json",
        run: go_json::run,
        daily: 3000,
    },
    Target {
        name: "markdown",
        run: markdown::run,
        daily: 3000,
    },
];

/// Runs one input of a target.
///
/// # Panics
///
/// If there is no target of that name, or if it finds something.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of that name").run)(data);
}
