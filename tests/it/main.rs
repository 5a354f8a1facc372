//! The one integration binary. What is where:
//!
//! - `harness`: temporary homes, the built tool with a clean environment, generated data
//! - `tidy`: rules over the source text (layers, module docs, file lengths); `source` reads it
//! - `cli`, `cli_json`: the tool's output and exit codes; its JSON against docs/cli.md
//! - `import`, `matrix`, `export`: folders in and out, every row of the matrix of damaged input
//! - `discover`: which files an import finds: links, odd names, pipes, what is no session
//! - `folders`: truncated JSONL folders rewritten in place
//! - `model`: any sequence of store operations against a model in memory
//! - `group_commit`: several threads share commits
//! - `processes`: several writers and readers on one store
//! - `kill`: the real binary, killed in the middle of an import
//! - `bad_store`, `full_disk`: files that are no stores, or not this version's, or damaged, or
//!   not writable; ids and paths that lead nowhere
//! - `damage`: rows and pages that a damaged disk has taken from a store
//! - `limits`: every documented limit, at it and one past it
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
mod cli;
mod cli_json;
mod compat;
mod damage;
mod discover;
mod export;
mod folders;
mod full_disk;
mod group_commit;
mod harness;
mod import;
mod kill;
mod limits;
mod matrix;
mod model;
#[cfg(feature = "shared")]
mod processes;
mod source;
mod tidy;
