//! How a command ends: the exit code, and the error as people read it.

use std::error::Error as _;
use std::io::ErrorKind;

use serde::Serialize;

use super::output::Output;
use scrollback::Error;

/// Done.
const DONE: u8 = 0;
/// The request cannot be met.
const UNMET: u8 = 1;
/// The command line cannot be understood.
const USAGE: u8 = 2;
/// The store is corrupt.
const CORRUPT: u8 = 3;
/// The store is busy, locked or out of reach: the same command may go through later.
const BUSY: u8 = 4;
/// There are sessions that are not kept yet.
const BEHIND: u8 = 5;

/// The codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  the request cannot be met (no such session, a file cannot be read, ...)
  2  the command line cannot be understood
  3  the store is corrupt
  4  the store is busy, locked or out of reach; try again
  5  `status`: an import would find something new";

/// How a command ended that has printed all there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All of it is done.
    Done,
    /// Some of it could not be done.
    Partly,
    /// The store was found to be corrupt.
    Corrupt,
    /// There are sessions that are not kept yet.
    Behind,
}

/// Why a command did not end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It cannot be done.
    Error {
        /// Why not.
        error: Error,
        /// What to do, where the command knows better than the error.
        hint: Option<String>,
    },
    /// The command line does not make sense.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error { error, hint: None }
    }
}

/// How a command ended.
pub(crate) type Outcome = Result<Ending, Failure>;

/// Prints what has to be said about the outcome, and gives the exit code.
pub(crate) fn code(outcome: Outcome, out: &mut Output) -> u8 {
    let flushed = out.end_page();
    let ended = outcome.and_then(|ending| {
        flushed?;
        Ok(ending)
    });
    match ended {
        Ok(Ending::Done) => DONE,
        Ok(Ending::Partly) => UNMET,
        Ok(Ending::Corrupt) => CORRUPT,
        Ok(Ending::Behind) => BEHIND,
        Err(Failure::Usage(text)) if out.is_json() => {
            out.json_error(&ErrorRow::of_usage(text, None));
            USAGE
        }
        Err(Failure::Usage(text)) => {
            out.error(&text);
            out.notice("\nFor more information, try '--help'.");
            USAGE
        }
        // The reader of a pipe has seen enough: nothing went wrong.
        Err(Failure::Error {
            error: Error::Output { source },
            ..
        }) if source.kind() == ErrorKind::BrokenPipe => DONE,
        Err(Failure::Error { error, hint }) => {
            explain(&error, hint, out);
            of_error(&error)
        }
    }
}

fn of_error(error: &Error) -> u8 {
    if error.is_corruption() {
        CORRUPT
    } else if error.is_retryable() {
        BUSY
    } else {
        UNMET
    }
}

/// What to do about an error, in words of the tool where it has some.
fn hint_of(error: &Error) -> Option<String> {
    // The library's hints name its calls; these name the tool's commands.
    let hint = match error {
        Error::NotFound { .. } => "`scrollback list` shows what there is",
        Error::NotAStore { .. } => {
            "name a store with `--store FILE`, or a file that does not exist yet"
        }
        Error::Gone { .. } => {
            "put it back and run the command again, or run it again to begin a new store; to replace \
             a store that is in use, use `scrollback restore`"
        }
        Error::DamagedBackup { .. } => {
            "nothing was changed; use another backup, or save what can be read of this one with \
             `scrollback --store BACKUP export --all --to DIR`"
        }
        Error::Corrupt { .. } => {
            "run `scrollback verify --deep` for all of the damage; restore the file from a backup, \
             or save what is left with `scrollback repair --to NEW`"
        }
        Error::CommitUnknown { .. } => {
            let hint = error.hint()?;
            return Some(hint.replace("verify the store", "check with `scrollback verify`"));
        }
        _ => return error.hint(),
    };
    Some(hint.to_owned())
}

/// An error, as `--json` has it.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorRow {
    /// What failed.
    pub error: String,
    /// What caused it, the nearest first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code.
    pub code: u8,
}

impl ErrorRow {
    /// What is wrong with the command line.
    fn of_usage(error: String, hint: Option<String>) -> Self {
        Self {
            error,
            causes: Vec::new(),
            hint,
            code: USAGE,
        }
    }
}

/// Prints an error, what caused it, and what to do about it.
pub(crate) fn explain(error: &Error, hint: Option<String>, out: &mut Output) {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let row = ErrorRow {
        error: error.to_string(),
        causes,
        hint: hint.or_else(|| hint_of(error)),
        code: of_error(error),
    };
    if out.is_json() {
        out.json_error(&row);
        return;
    }
    out.error(&row.error);
    for cause in row.causes {
        out.notice(&format!("  caused by: {cause}"));
    }
    if let Some(hint) = row.hint {
        out.notice(&format!("\nhint: {hint}"));
    }
}

/// Says as JSON what is wrong with the command line.
pub(crate) fn explain_usage(error: &clap::Error, out: &mut Output) {
    let text = error.render().to_string();
    let text = text.lines().take_while(|line| !line.starts_with("Usage:"));
    let text = text.map(str::trim).filter(|line| !line.is_empty());
    let text = text.collect::<Vec<_>>().join(" ");
    let text = text.trim_start_matches("error: ").to_owned();
    let hint = "For more information, try '--help'.".to_owned();
    out.json_error(&ErrorRow::of_usage(text, Some(hint)));
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::super::output::tests::captured;
    use super::*;

    fn failed(error: Error) -> (u8, String) {
        let (mut out, _, stderr) = captured(false, false);
        let code = code(Err(error.into()), &mut out);
        (code, stderr.text())
    }

    #[test]
    fn an_error_tells_its_causes_and_what_to_do() {
        let (code, text) = failed(Error::Io {
            action: "read",
            path: PathBuf::from("a.jsonl"),
            source: io::Error::from(ErrorKind::PermissionDenied),
        });
        assert_eq!(code, 1);
        assert_eq!(
            text,
            "error: cannot read `a.jsonl`\n  caused by: permission denied\n\nhint: check who owns \
             it and its permissions\n"
        );
    }

    #[test]
    fn what_to_do_is_told_as_commands() {
        let hint = |error: Error| hint_of(&error).unwrap();
        let wanted = || "x".to_owned();
        assert!(hint(Error::NotFound { wanted: wanted() }).contains("scrollback list"));
        let (path, reason) = (PathBuf::from("s.redb"), wanted());
        assert!(hint(Error::NotAStore { path, reason }).contains("--store FILE"));
        let source = "engine".into();
        assert_eq!(
            hint(Error::CommitUnknown { source }),
            "check with `scrollback verify`; then try again"
        );
    }

    #[test]
    fn codes_tell_what_kind_of_error_it_is() {
        let path = PathBuf::from("s.redb");
        let corrupt = Error::Corrupt {
            table: "records",
            key: "1".into(),
            detail: "x".into(),
        };
        assert_eq!(failed(corrupt).0, 3);
        let locked = Error::Locked {
            path: path.clone(),
            reason: "x".into(),
        };
        assert_eq!(failed(locked).0, 4);
        assert_eq!(failed(Error::Busy { reason: "x".into() }).0, 4);
        let away = Error::Unavailable {
            store: "db".into(),
            source: "refused".into(),
        };
        let (exit, text) = failed(away);
        assert_eq!(exit, 4);
        assert!(text.contains("caused by: refused") && text.contains("hint: see that"));
        assert_eq!(
            failed(Error::NotAStore {
                path,
                reason: "x".into()
            })
            .0,
            1
        );
        assert_eq!(failed(Error::NotFound { wanted: "x".into() }).0, 1);
        let (mut out, _, _) = captured(false, false);
        assert_eq!(code(Err(Failure::Usage("x".into())), &mut out), 2);
        assert_eq!(code(Ok(Ending::Done), &mut out), 0);
        assert_eq!(code(Ok(Ending::Partly), &mut out), 1);
        assert_eq!(code(Ok(Ending::Corrupt), &mut out), 3);
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let source = io::Error::from(ErrorKind::BrokenPipe);
        assert_eq!(failed(Error::Output { source }), (0, String::new()));
        let source = io::Error::from(ErrorKind::StorageFull);
        let (code, text) = failed(Error::Output { source });
        assert_eq!(code, 1);
        assert!(text.contains("free some space"), "{text}");
    }
}
