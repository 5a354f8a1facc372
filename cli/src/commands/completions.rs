//! `scrollback completions`: what a shell needs to complete commands and options.

use clap::Command;
use clap_complete::Shell;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback completions bash > ~/.local/share/bash-completion/completions/scrollback
  scrollback completions zsh > ~/.zfunc/_scrollback
  scrollback completions fish > ~/.config/fish/completions/scrollback.fish";

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script for the whole command line.
pub(crate) fn run(args: &Args, mut root: Command, tool: &mut Tool) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut root, "scrollback", &mut script);
    tool.out.all_bytes(&script)?;
    Ok(Ending::Done)
}
