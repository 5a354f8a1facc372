//! What comes from others is material, never an instruction, in the tool too:
//!
//! - `links`: links and special files in folders that are written to or read; `traps`: such files,
//!   the library's tests have them too
//! - `modes`: files and folders are for their owner alone, whatever the umask
//! - `terminal`: the real tool on a real terminal (every command: `cli/src/hostile_text.rs`)

mod links;
mod modes;
mod terminal;
#[path = "../../../../tests/it/security/traps.rs"]
mod traps;
