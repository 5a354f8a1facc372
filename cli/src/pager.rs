//! The program that shows long output page by page: `$PAGER`, else `less -FRX`.

use std::ffi::OsString;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What `less` is to do where nothing else says it: end where all fits, take colours, leave the screen as it is.
const LESS: &str = "FRX";

/// Which pager is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum PagerChoice {
    /// None.
    #[default]
    None,
    /// `less`, if it is there.
    Less,
    /// A command of the shell.
    Command(OsString),
}

impl PagerChoice {
    /// What `$PAGER` says: nothing, a command, or that there is to be none.
    pub(crate) fn of(variable: Option<OsString>) -> Self {
        match variable {
            None => Self::Less,
            Some(command) if command.is_empty() || command == "cat" => Self::None,
            Some(command) => Self::Command(command),
        }
    }

    fn command(&self) -> Option<Command> {
        let command = match self {
            Self::None => return None,
            Self::Less => {
                let mut less = Command::new("less");
                less.arg(format!("-{LESS}"));
                less
            }
            Self::Command(line) => {
                let mut shell = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
                shell.arg(if cfg!(windows) { "/c" } else { "-c" }).arg(line);
                // It may be `less` without options, which shows colours as signs and stays open for
                // a single page.
                if std::env::var_os("LESS").is_none() {
                    shell.env("LESS", LESS);
                }
                shell
            }
        };
        Some(command)
    }
}

/// A pager that runs.
#[derive(Debug)]
pub(crate) struct Pager(Child);

impl Pager {
    /// Starts it, with the end that it reads from; `None` if there is none, or it cannot be started.
    pub(crate) fn start(choice: &PagerChoice) -> Option<(Self, ChildStdin)> {
        let mut command = choice.command()?;
        if std::env::var_os("LESSCHARSET").is_none() {
            // What is printed is UTF-8, whatever the locale says.
            command.env("LESSCHARSET", "utf-8");
        }
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        let stdin = child.stdin.take()?;
        // Ctrl-C is the pager's business while it runs: it would go on without us, and fight the shell for keys.
        drop(signal_hook::flag::register(
            signal_hook::consts::SIGINT,
            Arc::new(AtomicBool::new(false)),
        ));
        Some((Self(child), stdin))
    }

    /// Waits until the person has read enough.
    pub(crate) fn wait(mut self) {
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_a_pager_or_none() {
        let of = |text: &str| PagerChoice::of(Some(text.into()));
        assert_eq!(PagerChoice::of(None), PagerChoice::Less);
        assert_eq!((of(""), of("cat")), (PagerChoice::None, PagerChoice::None));
        assert_eq!(of("most -s"), PagerChoice::Command("most -s".into()));
    }
}
