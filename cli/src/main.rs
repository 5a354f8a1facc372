//! The command line tool: one command a file; the only place that prints. It uses what the library
//! gives to everybody.

mod commands;
mod digest_list;
mod escape;
mod exit;
mod files;
mod hits;
#[cfg(test)]
mod hostile_text;
mod markdown;
mod message_row;
mod open;
mod output;
mod pager;
mod panics;
mod prices;
mod progress;
mod project;
mod resolve;
mod server;
mod session_list;
mod sizes;
#[cfg(test)]
mod snapshots;
mod subagents;
mod table;
mod times;
mod transcript;
mod wrap;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory as _, Parser};

use self::commands::Command;
use self::open::{ChosenStore, Environment, Tool};
use self::output::Output;

const STORE_HELP: &str = "The store: a file, or postgres://... [default: $SCROLLBACK_STORE, else \
                          scrollback.redb in the platform's data folder]";

/// The heading of options that every command takes.
const GLOBAL: &str = "Global options";

/// Keeps what people and AI agents said to each other, in one database file.
#[derive(Debug, Parser)]
#[command(name = "scrollback", version, after_help = exit::HELP, max_term_width = 100)]
#[command(next_help_heading = GLOBAL)]
struct Cli {
    #[arg(long, value_name = "FILE", global = true, help = STORE_HELP)]
    store: Option<PathBuf>,
    /// Print JSON instead of text for people
    #[arg(long, global = true)]
    json: bool,
    /// Tell on standard error how many rows were read and how long it took
    #[arg(short, long, global = true)]
    verbose: bool,
    /// How long to wait for another process that has the store [default: 60]
    #[arg(long, value_name = "SECONDS", global = true)]
    wait: Option<u64>,
    /// Print all at once on a terminal, not page by page
    #[arg(long, global = true)]
    no_pager: bool,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    panics::kept(run, |panic| {
        let mut out = Output::of_process(false);
        out.error(&format!("a mistake in Scrollback itself: {panic}"));
        out.notice(
            "\nhint: `scrollback verify` tells whether the store is whole; please report this",
        );
    })
}

fn run() -> ExitCode {
    let started = Instant::now();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain_usage(&error),
    };
    let mut out = Output::of_process(cli.json);
    if cli.no_pager {
        out = out.without_pager();
    }
    let mut tool = match ChosenStore::find(cli.store, Environment::of_process()) {
        Ok(target) => Tool::new(target.waiting(cli.wait), out),
        Err(failure) => return ExitCode::from(exit::code(Err(failure), &mut out)),
    };
    let outcome = commands::run(&cli.command, Cli::command, &mut tool);
    let code = exit::code(outcome, &mut tool.out);
    if cli.verbose {
        let reads = tool.table_reads();
        tool.out.notice(&format!(
            "rows read: {} of summaries, {} of indexes, {} of records; {:.1} ms",
            sizes::count(reads.sessions),
            sizes::count(reads.indexes),
            sizes::count(reads.records),
            started.elapsed().as_secs_f64() * 1000.0,
        ));
    }
    ExitCode::from(code)
}

/// Prints help, or what is wrong with the command line. Arguments may come from elsewhere (`xargs`,
/// say): where one could command a terminal, that is spelled out, and the colours go.
fn explain_usage(error: &clap::Error) -> ExitCode {
    let is_hostile = |argument: OsString| {
        let text = argument.to_string_lossy();
        escape::body(&text) != text
    };
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        exit::explain_usage(error, &mut Output::of_process(true));
    } else if error.use_stderr() && std::env::args_os().any(is_hostile) {
        let text = error.render().to_string();
        Output::of_process(false).notice(text.trim_end());
    } else {
        // Help that cannot be printed (a closed pipe, say) is no failure of the command line.
        drop(error.print());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let example = format!("  scrollback {}", command.get_name());
            assert!(help.starts_with("EXAMPLE"), "{}", command.get_name());
            assert!(help.contains(&example), "{}", command.get_name());
        }
    }

    #[test]
    fn global_flags_stand_anywhere() {
        for line in [
            ["scrollback", "--store", "s", "--json", "list"],
            ["scrollback", "list", "--json", "--store", "s"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(cli.json && cli.store.is_some());
        }
    }
}
