//! `scrollback resume`: the command that goes on with a session in its agent.

use std::path::Path;
use std::process::Command;

use super::put_back;
use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::resolve;
use scrollback::report::Resumption;
use scrollback::{Error, StoreExt as _, resumption, shell_word};
use serde::Serialize;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback resume 0199c1f2
  scrollback resume 0199c1f2 --run
  eval \"$(scrollback resume 0199c1f2)\"";

/// What to go on with.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, or the start of it [default: the newest of this project]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Run the command, after putting the session back if its file is gone
    #[arg(long)]
    run: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    resumption: &'a Resumption,
    shell: String,
}

/// Tells or runs the command.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_file_to_read("tell how to go on with a session")?;
    let key = match &args.id {
        Some(id) => store.resolve(id)?,
        None => resolve::newest_here(&*store)?,
    };
    let home = put_back::home_of(&key);
    let found = resumption(&*store, &key, home.as_deref())?;
    if args.run {
        if !found.is_there {
            let done = put_back::written(&store, &key, None)?;
            put_back::print(&done, tool)?;
        }
        // Now or never: the agent's program takes this process's place, and the store is to be free
        // for others meanwhile.
        tool.out.flush()?;
        drop(store);
        tool.close();
        return started(&found);
    }
    let line = shell_line(&found, &key.to_string(), tool.named_store());
    if tool.out.is_json() {
        tool.out.json_line(&Row {
            resumption: &found,
            shell: line,
        })?;
        return Ok(Ending::Done);
    }
    let line = tool.out.field(&line).into_owned();
    tool.out.line(&line)?;
    if !found.is_there {
        tool.out
            .notice("note: its file is not where its agent looks for it, so it is put back first");
    }
    if let Some(project) = found
        .project
        .as_deref()
        .filter(|path| !Path::new(path).is_dir())
    {
        tool.out
            .notice(&format!("note: the folder {project} is not there"));
    }
    Ok(Ending::Done)
}

/// The line for a shell: what has to come first, the folder, the command.
fn shell_line(found: &Resumption, session: &str, store: Option<&Path>) -> String {
    let mut parts = Vec::new();
    if !found.is_there {
        let store = store.map(|path| format!("--store {} ", shell_word(&path.to_string_lossy())));
        parts.push(format!(
            "scrollback {}put-back {}",
            store.unwrap_or_default(),
            shell_word(session)
        ));
    }
    if let Some(project) = &found.project {
        parts.push(format!("cd {}", shell_word(project)));
    }
    let words = found.command.iter().map(|word| shell_word(word));
    parts.push(words.collect::<Vec<_>>().join(" "));
    parts.join(" && ")
}

/// Runs the command in its folder; where the system can, in place of this process, so that keys and signals are its.
fn started(found: &Resumption) -> Outcome {
    let Some((program, words)) = found.command.split_first() else {
        return Ok(Ending::Done);
    };
    let mut command = Command::new(program);
    command.args(words);
    if let Some(project) = &found.project {
        // Started there all the same, the error would be that of a program that is not installed.
        if !Path::new(project).is_dir() {
            return Err(failed(
                project,
                std::io::Error::from(std::io::ErrorKind::NotFound),
                "the session's folder is not there: make it, or run the command that `scrollback resume` tells elsewhere",
            ));
        }
        command.current_dir(project);
    }
    #[cfg(unix)]
    let source = std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))]
    let source = match command.status() {
        Ok(status) if status.success() => return Ok(Ending::Done),
        Ok(_) => return Ok(Ending::Partly),
        Err(source) => source,
    };
    Err(failed(
        program,
        source,
        "see that the agent's program is installed, and in the PATH",
    ))
}

fn failed(path: &str, source: std::io::Error, hint: &str) -> Failure {
    Failure::Error {
        error: Error::Io {
            action: "run",
            path: path.into(),
            source,
        },
        hint: Some(hint.to_owned()),
    }
}
