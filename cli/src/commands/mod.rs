//! The commands, one a file: each has its arguments and a `run`.

mod alias;
mod backup;
mod cleanup;
mod compact;
mod completions;
mod copy;
mod delete;
mod deleted;
mod export;
mod fork;
mod import;
mod index;
mod list;
mod man;
mod mark;
mod put_back;
mod rename;
mod repair;
mod reread;
mod restore;
mod resume;
mod scrub;
mod search;
mod show;
mod stats;
mod status;
mod truncate;
mod usage;
mod verify;

use clap::Subcommand;

use self::mark::Mark;
use super::exit::Outcome;
use super::open::Tool;

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring session files in: files, folders, a whole home folder
    Import(import::Args),
    /// List sessions, newest first
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show one session as a readable transcript
    Show(show::Args),
    /// Find messages by what they say
    Search(search::Args),
    /// Tell the command that goes on with a session in its agent, or run it
    Resume(resume::Args),
    /// Write a session's files where its agent looks for them
    PutBack(put_back::Args),
    /// Index messages, so that searches read what may fit alone
    Index(index::Args),
    /// Write sessions out as JSONL, byte for byte, as Markdown, or as pages for a browser
    Export(export::Args),
    /// Give a session a title
    Rename(rename::Args),
    /// Give a session another name, or list those that it has
    Alias(alias::Args),
    /// Keep sessions at hand
    #[command(after_help = mark::PIN)]
    Pin(mark::Args),
    /// Take sessions off what is pinned
    #[command(after_help = mark::UNPIN)]
    Unpin(mark::Args),
    /// Put sessions away: `list` leaves them out
    #[command(after_help = mark::ARCHIVE)]
    Archive(mark::Args),
    /// Take archived sessions out again
    #[command(after_help = mark::UNARCHIVE)]
    Unarchive(mark::Args),
    /// Copy a session, to go on from another place
    Fork(fork::Args),
    /// Hide all but the last messages of a session; nothing is removed
    Truncate(truncate::Args),
    /// Remove for good what truncation hid, and give the space back
    Compact(compact::Args),
    /// Delete sessions that were not updated for a while
    Cleanup(cleanup::Args),
    /// Delete sessions
    #[command(visible_alias = "rm")]
    Delete(delete::Args),
    /// List what was deleted, and is not imported again
    Deleted(deleted::Args),
    /// Tell how much is in the store, by agent
    Stats(stats::Args),
    /// Tell what tokens were used, and what they cost
    Usage(usage::Args),
    /// Compare the store with the places where agents keep sessions
    Status(status::Args),
    /// Read and check everything in the store
    Verify(verify::Args),
    /// Read sessions again that an older version has read
    Reread(reread::Args),
    /// Save what can be read of a damaged store into a new one
    Repair(repair::Args),
    /// Write a copy of the store to a file, while others use it
    Backup(backup::Args),
    /// Copy everything of one store into another: files, or servers
    Copy(copy::Args),
    /// Make a store from a backup, or put a backup in place of what a store holds
    Restore(restore::Args),
    /// Remove databases that earlier versions kept, and every byte of what was deleted
    Scrub(scrub::Args),
    /// Print what a shell needs to complete commands
    Completions(completions::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
}

/// Runs a command. `whole` is the command line that it is of, for those that describe it.
pub(crate) fn run(command: &Command, whole: fn() -> clap::Command, tool: &mut Tool) -> Outcome {
    match command {
        Command::Import(args) => import::run(args, tool),
        Command::List(args) => list::run(args, tool),
        Command::Show(args) => show::run(args, tool),
        Command::Search(args) => search::run(args, tool),
        Command::Resume(args) => resume::run(args, tool),
        Command::PutBack(args) => put_back::run(args, tool),
        Command::Index(args) => index::run(args, tool),
        Command::Export(args) => export::run(args, tool),
        Command::Rename(args) => rename::run(args, tool),
        Command::Alias(args) => alias::run(args, tool),
        Command::Pin(args) => mark::run(args, Mark::Pinned(true), tool),
        Command::Unpin(args) => mark::run(args, Mark::Pinned(false), tool),
        Command::Archive(args) => mark::run(args, Mark::Archived(true), tool),
        Command::Unarchive(args) => mark::run(args, Mark::Archived(false), tool),
        Command::Fork(args) => fork::run(args, tool),
        Command::Truncate(args) => truncate::run(args, tool),
        Command::Compact(args) => compact::run(args, tool),
        Command::Cleanup(args) => cleanup::run(args, tool),
        Command::Delete(args) => delete::run(args, tool),
        Command::Deleted(args) => deleted::run(args, tool),
        Command::Stats(args) => stats::run(args, tool),
        Command::Usage(args) => usage::run(args, tool),
        Command::Status(args) => status::run(args, tool),
        Command::Verify(args) => verify::run(args, tool),
        Command::Reread(args) => reread::run(args, tool),
        Command::Repair(args) => repair::run(args, tool),
        Command::Backup(args) => backup::run(args, tool),
        Command::Copy(args) => copy::run(args, tool),
        Command::Restore(args) => restore::run(args, tool),
        Command::Scrub(args) => scrub::run(args, tool),
        Command::Completions(args) => completions::run(args, whole(), tool),
        Command::Man(args) => man::run(args, whole(), tool),
    }
}
