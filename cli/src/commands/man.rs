//! `scrollback man`: the manual, a page for the tool and one for each command.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::exit::{Ending, Outcome};
use crate::files;
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
pub(crate) fn run(args: &Args, mut root: Command, tool: &mut Tool) -> Outcome {
    root.build();
    let Some(folder) = &args.to else {
        let page = page(root, "scrollback")?;
        tool.out.all_bytes(&page)?;
        return Ok(Ending::Done);
    };
    files::make_folder(folder)?;
    let commands: Vec<Command> = root.get_subcommands().cloned().collect();
    for command in std::iter::once(root).chain(commands) {
        // clap adds it, and nothing could be said of it.
        if command.get_name() == "help" {
            continue;
        }
        let name = match command.get_name() {
            "scrollback" => "scrollback".to_owned(),
            name => format!("scrollback-{name}"),
        };
        let file = format!("{name}.1");
        let path = folder.join(&file);
        let page = page(command, &name)?;
        files::write(folder, &file, &page, true)?;
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
