//! The one integration binary of the tool: what runs it as people do. What is where:
//!
//! - `harness`: temporary homes, the library's own file, so that there is one; `tool`: the built tool
//!   in a clean environment; `tree`: what lies in a folder, the library's too
//! - `cli`, `cli_marks`, `cli_json`: the tool's output and exit codes; its JSON against docs/cli.md
//! - `families`: sub-agents in lists; `status`: default places, imported and compared
//! - `search`: the command, its pages and filters
//! - `reading`: one message, the newest session of a folder, orders of lists, errors as JSON, the pager
//! - `browser`: pages of HTML in a real browser, where there is one
//! - `usage`: tokens and money
//! - `way_back`: `resume` and `put-back`
//! - `digests`: digest chains, and what a list of them shows later
//! - `processes`: several writers and readers on one store
//! - `handles`: one store under several handles, names and rights; `no_locks`: on a file system
//!   without locks
//! - `kept`: what is kept of files, and a scrub
//! - `kill`: the real binary, killed in the middle of an import; `signals`: interrupted
//! - `hands`: several compactions at once of a folder or a store, killed, beside deletions;
//!   `archive_disk`: on a full disk
//! - `mixed_versions`: a store between the last build with other locks and this one
//! - `many_processes`: all kinds of processes on one store, killed at random; one that holds the lock
//! - `backup`, `restore`: copies of a store, and back; `backup_beside` makes them beside writers of
//!   other processes, `copies_killed` kills them
//! - `copy`: one store into another, killed too; `server`: the tool on a PostgreSQL server, with `cluster`, that
//!   package's own file
//! - `bad_store`, `full_disk`: files that are no stores, or not this version's, or damaged, or
//!   not writable; ids and paths that lead nowhere
//! - `scarce`: too few open files, too little memory
//! - `damage`: rows and pages that a damaged disk has taken from a store; `repair`: the command
//! - `security`: modes of files, and a real terminal

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::allow_attributes,
    clippy::disallowed_methods,
    reason = "test code stops at the first surprise"
)]

#[cfg(target_os = "linux")]
mod archive_disk;
mod backup;
mod backup_beside;
mod bad_store;
mod browser;
mod cli;
mod cli_json;
mod cli_marks;
#[cfg(feature = "postgres")]
#[path = "../../../postgres/tests/it/cluster.rs"]
#[allow(dead_code, reason = "shared with the package's own tests")]
mod cluster;
mod copies_killed;
mod copy;
mod damage;
mod digests;
mod families;
mod full_disk;
mod handles;
mod hands;
#[path = "../../../tests/it/harness.rs"]
mod harness;
mod kept;
mod kill;
mod many_processes;
mod mixed_versions;
#[cfg(target_os = "linux")]
mod no_locks;
mod processes;
mod reading;
mod repair;
mod restore;
#[cfg(unix)]
mod scarce;
mod search;
#[cfg(unix)]
mod security;
#[cfg(feature = "postgres")]
mod server;
#[cfg(unix)]
mod signals;
mod status;
mod tool;
#[cfg(unix)]
#[path = "../../../tests/it/security/tree.rs"]
mod tree;
mod usage;
#[cfg(unix)]
mod way_back;
