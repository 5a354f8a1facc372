//! What comes from others is material, never an instruction: names, links, modes,
//! transcripts, bombs. What is promised stands in docs/security.md. Each part counts its cases.
//!
//! - `names`: no name, id or path leads out of the folder of an export
//! - `links`: links and special files in folders that are written to or read
//! - `modes`: files and folders are for their owner alone, whatever the umask; that and a real
//!   terminal are tried with the tool, in `cli/tests/it/security`
//! - `transcripts`: text keeps to its place in Markdown
//! - `bombs`: little that unpacks to much, and JSON that is hard to read
//! - `quiet`: the library says nothing of what is in sessions unless it is asked
//! - `traps`: files that an import must not wait for
//! - `tree`: what lies in a folder, to be compared

pub(crate) mod bombs;
#[cfg(unix)]
mod links;
mod modes;
mod names;
mod quiet;
mod transcripts;
#[cfg(unix)]
mod traps;
mod tree;
