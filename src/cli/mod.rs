//! The command line tool: one command a file; the only place that prints.

use std::process::ExitCode;

/// Runs the tool with the process's arguments.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
