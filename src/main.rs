//! The `scrollback` command: parses, runs, and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    scrollback::cli::main()
}
