//! The one integration binary. What is where:
//!
//! - `harness`: temporary homes, the built tool with a clean environment, generated data
//! - `agents`: the one list of agents against the README, and no other code that names one
//! - `tidy`: rules over the source text (layers, circles, module docs, file lengths); `source` reads
//!   it, `modules` finds which files name which
//! - `cli`, `cli_marks`, `cli_json`: the tool's output and exit codes; its JSON against docs/cli.md
//! - `celeste`, `celeste_hazards`, `celeste_home`: celeste's `Manager` as `Project`, what went wrong
//!   there, its folder in and out
//! - `import`, `matrix`, `export`: folders in and out, every row of the matrix of damaged input;
//!   `import_again`: what an import again opens and commits
//! - `ggcode`, `ggcode_hazards`: ggcode's sessions imported, continued, exported; its hazards;
//!   `go_ggcode` reads an export as the Go program would
//! - `homes`: whole homes of agents: documents, and what files beside sessions tell
//! - `homes`: whole homes of agents: what files beside sessions tell; `documents`: sessions in one
//!   document; `databases`: OpenCode's database; `meta_files`: picoclaw's
//! - `digests`: digest chains, and what a list of them shows later
//! - `discover`: which files an import finds: links, odd names, pipes, what is no session
//! - `folders`: truncated JSONL folders rewritten in place
//! - `model`: any sequence of store operations against a model in memory
//! - `calls`: single calls of a store, by example; `between_steps`: what others do in the middle
//!   of a call
//! - `ids`: sessions whose lines hold no ids of messages, or no header
//! - `properties`: what is kept beside the lines, by example: names, marks, forks, sessions that
//!   are found by them
//! - `damaged_properties`: damage to that
//! - `picoclaw`: the session store of a chat program's loop; each hazard of the package it comes from
//! - `group_commit`: several threads share commits
//! - `processes`: several writers and readers on one store; `fairness`: none of them starves
//! - `handles`: one store under several handles, names and rights; `no_locks`: on a file system
//!   without locks
//! - `kill`: the real binary, killed in the middle of an import; `signals`: interrupted
//! - `processes`: several writers and readers on one store
//! - `many_processes`: all kinds of processes on one store, killed at random; one that holds the lock
//! - `size`: bytes on disk beside those of the sessions, and of what is stored
//! - `soak`: the same work for a long time at a steady size, in which nothing creeps
//! - `backup`, `restore`: copies of a store, and back; `backup_beside` makes them beside writers of
//!   other processes, `copies_killed` kills them
//! - `kill`: the real binary, killed in the middle of an import
//! - `bad_store`, `full_disk`: files that are no stores, or not this version's, or damaged, or
//!   not writable; ids and paths that lead nowhere
//! - `scarce`: too few open files, too little memory
//! - `bad_bytes`: every kind of damage in every region of a store; `repair`: the command
//! - `damage`: rows and pages that a damaged disk has taken from a store
//! - `jcode`, `jcode_recordings`: recording as jcode does; what becomes of the sessions
//! - `jcode_replay`, `jcode_repair`: its sessions replayed as it does, and repaired
//! - `limits`, `limits_of_files`: every documented limit, at it and one past it; `limit_table` has
//!   all limits of the source, each with its test; `long_lines`: memory of an import that has some
//! - `providers`, `registry`, `opencode`: other agents' sessions where they lie, all agents
//!   together, and an OpenCode database, which is never changed
//! - `conformance`: the stores keep the public contracts, and for each contract a broken store
//!   that does not
//! - `page`: pages of the documentation that name tests; `reliability` holds one of them
//! - `features`: what the five Go packages could do, one test a feature; `coming_from_go` holds
//!   the page about them, its tables of features and hazards, against the tree
//! - `security`: names, links, modes, terminals, transcripts and bombs of others
//! - `compat`: a stored store of each released format

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

mod agents;
mod backup;
#[cfg(feature = "shared")]
mod backup_beside;
mod bad_bytes;
mod bad_store;
mod between_steps;
mod calls;
mod celeste;
mod celeste_hazards;
mod celeste_home;
mod cli;
mod cli_json;
mod cli_marks;
mod coming_from_go;
mod compat;
mod conformance;
mod copies_killed;
mod damage;
mod damaged_properties;
#[cfg(feature = "opencode")]
mod databases;
mod digests;
mod discover;
mod documents;
mod export;
#[cfg(feature = "shared")]
mod fairness;
mod features;
mod folders;
mod full_disk;
#[path = "../../benches/generate/mod.rs"]
mod generate;
mod ggcode;
mod ggcode_hazards;
mod go_ggcode;
mod group_commit;
#[cfg(feature = "shared")]
mod handles;
mod harness;
mod homes;
mod ids;
mod import;
mod import_again;
mod jcode;
mod jcode_recordings;
mod jcode_repair;
mod jcode_replay;
mod kill;
mod limit_table;
mod limits;
mod limits_of_files;
mod long_lines;
#[cfg(feature = "shared")]
mod many_processes;
mod matrix;
mod meta_files;
mod model;
mod modules;
#[cfg(all(feature = "shared", target_os = "linux"))]
mod no_locks;
#[cfg(feature = "opencode")]
mod opencode;
mod page;
mod picoclaw;
#[cfg(feature = "shared")]
mod processes;
mod properties;
mod providers;
mod registry;
mod reliability;
mod repair;
mod restore;
#[cfg(unix)]
mod scarce;
mod security;
#[cfg(unix)]
mod signals;
mod size;
#[cfg(all(feature = "shared", target_os = "linux"))]
mod soak;
mod source;
mod tidy;
