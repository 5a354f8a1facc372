//! The one integration binary of the library; the tests that run the tool are in `cli/tests/it`.
//! What is where:
//!
//! - `harness`: temporary homes and what lies in folders; `cases`: how many a property test runs
//! - `api`: what is public can grow, and be written as JSON; a list of it
//! - `tidy`: rules over the source text (layers, circles, module docs, file lengths); `source` reads it,
//!   `modules` finds which files name which, `circles` those that lead back to themselves;
//!   `front_door`: what the tool may use of the library
//! - `agents`: the one list of agents against the README, and no other code that names one
//! - `celeste`, `celeste_hazards`, `celeste_home`: celeste's `Manager` as `Project`, what went wrong
//!   there, its folder in and out
//! - `import`, `matrix`, `export`: folders in and out, every row of the matrix of damaged input;
//!   `import_again`: what an import again opens and commits; `in_and_out`: calls for tests that want
//!   a folder imported or exported and look elsewhere
//! - `ggcode`, `ggcode_hazards`: ggcode's sessions imported, continued, exported; its hazards;
//!   `go_ggcode` reads an export as the Go program would
//! - `homes`: whole homes of agents: what files beside sessions tell; `documents`: sessions in one
//!   document (`documents_moved`: in another place); `databases`: OpenCode's database; `meta_files`: picoclaw's
//! - `facts`: what a list says of a session is what its agent says
//! - `deleted`: what is deleted stays away from imports until it is asked for again
//! - `view`: the view of a session, however its lines come, and of old stores that are read again
//! - `document_agents`, `table_agents`: agents that keep sessions in documents and in databases by named tables
//! - `written_agents`: what agents' own programs wrote, in, out and grown
//! - `html`: pages of sessions, and of hostile ones
//! - `put_back`: sessions written again where their agents look for them, and the commands that go on with them
//! - `any_files`: files of any content, grown between two imports
//! - `written`: what agents' own programs wrote; `written_unified`: what Mistral Vibe wrote in many files a session
//! - `line_agents`: the same of further agents that write lines, with what lies beside their sessions
//! - `discover`: which files an import finds: links, odd names, pipes, what is no session
//! - `cancel`: long calls that are stopped, and what is there then
//! - `folders`: truncated JSONL folders rewritten in place; `archives`: what compactions archive
//! - `copying`: a store copied into another of any kind and back; `identity::copied`: after any history
//! - `kit`: stores on the kit take in and give back what the store in a file does
//! - `model`: any sequence of store operations against a model in memory
//! - `calls`: single calls of a store, by example; `between_steps`: what others do in the middle
//!   of a call; `taking_back`: messages that are taken back, by a line that says so
//! - `ids`: sessions whose lines hold no ids of messages, or no header
//! - `properties`: what is kept beside the lines, by example: names, marks, forks, sessions that
//!   are found by them
//! - `damaged_properties`: damage to that
//! - `picoclaw`: the session store of a chat program's loop; each hazard of the package it comes from
//! - `kept_files`: what is kept beside sessions, and how long; what is seen and not read
//! - `killed_grower`: a process killed after it has made the file longer
//! - `linearizable`: histories of several clients at once, and a check that they can be told as a sequence;
//!   `linearizable_stores`: those of the stores of this crate
//! - `group_commit`: several threads share commits; `fairness`: no process starves
//! - `size`: bytes on disk beside those of the sessions, and of what is stored
//! - `soak`: the same work for a long time at a steady size, in which nothing creeps
//! - `bad_bytes`: every kind of damage in every region of a store
//! - `jcode`, `jcode_recordings`: recording as jcode does; what becomes of the sessions
//! - `jcode_replay`, `jcode_repair`: its sessions replayed as it does, and repaired
//! - `identity`: which session a file is, wherever it lies and whatever was done to it
//! - `any_files`: files of any content, in, grown and out
//! - `search`: what a search finds, beside a reading of all messages
//! - `limits`, `limits_of_batches`, `limits_of_files`, `limits_of_searches`: every documented limit, at it and one past it; `limit_table` has
//!   all limits of the source, each with its test; `long_lines`: memory of an import that has some
//! - `opencode_forms`: what OpenCode keeps sessions in besides its first tables
//! - `providers`, `registry`, `opencode`: other agents' sessions where they lie, all agents
//!   together, and an OpenCode database, which is never changed
//! - `conformance`: the stores keep the public contracts, and for each contract a broken store
//!   that does not
//! - `older`: what an export has beside what is now, and what it tells
//! - `page`: pages of the documentation that name tests; `reliability` holds one of them
//! - `features`: what the five Go packages could do, one test a feature; `coming_from_go` holds
//!   the page about them, its tables of features and hazards, against the tree
//! - `security`: names, links, modes, transcripts and bombs of others
//! - `last_write`: when a store last wrote to a session, beside the times of its lines
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
mod any_files;
mod api;
mod archives;
mod bad_bytes;
mod between_steps;
mod calls;
mod cancel;
mod cases;
mod celeste;
mod celeste_hazards;
mod celeste_home;
mod circles;
mod coming_from_go;
mod compat;
mod conformance;
mod copying;
mod damaged_properties;
#[cfg(feature = "sqlite")]
mod databases;
mod deleted;
mod discover;
mod document_agents;
mod documents;
mod documents_moved;
mod export;
mod facts;
mod fairness;
mod features;
mod folders;
mod front_door;
#[path = "../../benches/generate/mod.rs"]
mod generate;
mod ggcode;
mod ggcode_hazards;
mod go_ggcode;
mod group_commit;
mod harness;
mod homes;
#[cfg(feature = "html")]
mod html;
mod identity;
mod ids;
mod import;
mod import_again;
mod in_and_out;
mod jcode;
mod jcode_recordings;
mod jcode_repair;
mod jcode_replay;
mod kept_files;
mod killed_grower;
mod kit;
mod last_write;
mod limit_table;
mod limits;
mod limits_of_batches;
mod limits_of_files;
mod limits_of_searches;
mod line_agents;
mod linearizable;
mod linearizable_stores;
mod long_lines;
mod matrix;
mod meta_files;
mod model;
mod modules;
mod older;
#[cfg(feature = "sqlite")]
mod opencode;
#[cfg(feature = "sqlite")]
mod opencode_forms;
mod page;
mod picoclaw;
mod properties;
mod providers;
mod put_back;
mod registry;
mod reliability;
mod search;
mod security;
mod size;
#[cfg(target_os = "linux")]
mod soak;
mod source;
#[cfg(feature = "sqlite")]
mod table_agents;
mod taking_back;
mod tidy;
mod view;
mod written;
#[cfg(feature = "sqlite")]
mod written_agents;
mod written_unified;
