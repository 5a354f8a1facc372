//! `scrollback man`: the manual, a page for the tool and one for each command.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use scrollback::{Error, Result};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback man | man -l -
  scrollback man --to ~/.local/share/man/man1";

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write every page as a file into this folder, instead of printing the first
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// Prints the tool's page, or writes all of them.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let mut root = crate::Cli::command();
    root.build();
    let Some(folder) = &args.to else {
        let page = page(root, "scrollback")?;
        tool.out.bytes(|out| {
            out.write_all(&page)
                .map_err(|source| Error::Output { source })
        })?;
        return Ok(Ending::Done);
    };
    std::fs::create_dir_all(folder).map_err(|source| io("make the folder", folder, source))?;
    let commands: Vec<Command> = root.get_subcommands().cloned().collect();
    for command in std::iter::once(root).chain(commands) {
        if command.get_name() == "help" {
            continue;
        }
        let name = match command.get_name() {
            "scrollback" => "scrollback".to_owned(),
            name => format!("scrollback-{name}"),
        };
        let path = folder.join(format!("{name}.1"));
        let page = page(command, &name)?;
        std::fs::write(&path, page).map_err(|source| io("write", &path, source))?;
        let line = tool.out.field(&path.display().to_string()).into_owned();
        tool.out.line(&line)?;
    }
    Ok(Ending::Done)
}

fn page(command: Command, name: &str) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let done = Man::new(command).title(name).render(&mut page);
    done.map_err(|source| Error::Output { source })?;
    Ok(page)
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
