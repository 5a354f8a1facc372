//! The one integration binary. What is where:
//!
//! - `harness`: temporary homes, the built tool with a clean environment, generated data
//! - `tidy`: rules over the source text (layers, module docs, file lengths); `source` reads it
//! - `cli`, `cli_marks`, `cli_json`: the tool's output and exit codes; its JSON against docs/cli.md
//! - `celeste`, `celeste_hazards`, `celeste_home`: celeste's `Manager` as `Project`, what went wrong
//!   there, its folder in and out
//! - `import`, `matrix`, `export`: folders in and out, every row of the matrix of damaged input
//! - `ggcode`, `ggcode_hazards`: ggcode's sessions imported, continued, exported; its hazards;
//!   `go_ggcode` reads an export as the Go program would
//! - `homes`: whole homes of agents: documents, and what files beside sessions tell
//! - `homes`: whole homes of agents: what files beside sessions tell; `documents`: sessions in one
//!   document; `databases`: OpenCode's database; `meta_files`: picoclaw's
//! - `discover`: which files an import finds: links, odd names, pipes, what is no session
//! - `folders`: truncated JSONL folders rewritten in place
//! - `model`: any sequence of store operations against a model in memory
//! - `calls`: single calls of a store, by example
//! - `ids`: sessions whose lines hold no ids of messages, or no header
//! - `properties`: what is kept beside the lines, by example: names, marks, forks, sessions that
//!   are found by them
//! - `damaged_properties`: damage to that
//! - `picoclaw`: the session store of a chat program's loop; each hazard of the package it comes from
//! - `group_commit`: several threads share commits
//! - `processes`: several writers and readers on one store
//! - `kill`: the real binary, killed in the middle of an import
//! - `bad_store`, `full_disk`: files that are no stores, or not this version's, or damaged, or
//!   not writable; ids and paths that lead nowhere
//! - `damage`: rows and pages that a damaged disk has taken from a store
//! - `jcode`, `jcode_recordings`: recording as jcode does; what becomes of the sessions
//! - `jcode_replay`, `jcode_repair`: its sessions replayed as it does, and repaired
//! - `limits`: every documented limit, at it and one past it
//! - `providers`, `registry`, `opencode`: other agents' sessions where they lie, all agents
//!   together, and an OpenCode database, which is never changed
//! - `conformance`: the stores keep the public contracts, and for each contract a broken store
//!   that does not
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

mod bad_store;
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
mod damage;
mod damaged_properties;
#[cfg(feature = "opencode")]
mod databases;
mod discover;
mod documents;
mod export;
mod features;
mod folders;
mod full_disk;
mod ggcode;
mod ggcode_hazards;
mod go_ggcode;
mod group_commit;
mod harness;
mod homes;
mod ids;
mod import;
mod jcode;
mod jcode_recordings;
mod jcode_repair;
mod jcode_replay;
mod kill;
mod limits;
mod matrix;
mod meta_files;
mod model;
#[cfg(feature = "opencode")]
mod opencode;
mod picoclaw;
#[cfg(feature = "shared")]
mod processes;
mod properties;
mod providers;
mod registry;
mod security;
mod source;
mod tidy;
