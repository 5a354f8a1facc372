//! Keeps what people and AI agents said to each other, in one embedded database file, with JSONL
//! as the interchange format.
//!
//! ```
//! use scrollback::{Expect, Message, NewRecord, Options, RedbStore, Role, SessionKey, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
//! let key = SessionKey::native("chat-1")?;
//! let hello = NewRecord::message(Message::text(Role::User, "hello"));
//! store.append(&key, Expect::Any, None, &[hello])?; // on disk when this returns
//! assert_eq!(store.load(&key)?.messages[0].plain_text(), "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Store`] is the trait: save, load, list, append, truncate, compact, scan, delete, clean up.
//!   [`RedbStore`] keeps a store in a file, [`MemoryStore`] in memory.
//! - [`import`] takes the JSONL files and folders of other agents, [`export_all`] and
//!   [`export_session`] give them back byte for byte, and [`compact_folder`] rewrites a folder of
//!   truncated histories in place.
//! - [`provider`] reads the sessions of other agents where they lie; [`KnownAgent`] lists the agents.
//! - A [`Record`] is one line, with its bytes as they were; a [`Message`] is what it says.
//!
//! # Features
//!
//! - `shared` (default): any number of processes use one file at the same time. It stands on an
//!   experimental feature of redb, and changes redb's API for every crate of the same build.
//! - `conformance`: the contracts of [`Store`] and [`SessionStore`] as tests for stores of your own
//!   (the module `conformance`).
//! - `cli` (default): the command line tool. A library does without it.
//! - `opencode` (default): OpenCode's database, read with SQLite.
//!
//! The library prints nothing, reads no environment but for [`provider::Places`], and takes its
//! clock and its ids from [`Options`].

mod agents;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod facade;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod json;
mod jsonl;
mod model;
pub mod provider;
mod render;
mod store;
mod transfer;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

pub use agents::KnownAgent;
pub use facade::{
    Compatibility, Entry, EntryImage, EntryKind, Goal, PlanSnapshot, RecordedState, Recorder,
    Recordings, Repair, ReplayOptions, Replayed, TodoItem, ggcode_session, last_environment,
    reconstruct_history, reconstruct_state, validate_session_id,
};
pub use facade::{History, Kept, SessionStore, StoreSessions, opaque_key};
pub use facade::{LogEntry, Project};
pub use model::error::{Cause, Error, Result};
pub use model::key::{NATIVE, SessionKey};
pub use model::limits;
pub use model::message::{Block, Message, Role, Usage};
pub use model::properties::{Properties, PropertiesChange};
pub use model::raw_json::RawJson;
pub use model::record::{Record, RecordFlags, RecordHeader, RecordKind};
pub use model::session::{Session, Summary};
pub use store::{
    AgentStats, Appended, AttachmentInfo, BackedUp, Compacted, CopyProgress, CopyStep, Cursor,
    CursorError, Direction, Existing, Expect, ListQuery, Loss, MemoryStore, Mode, NewRecord,
    Options, Reclaimed, RecordPage, Records, RedbStore, Removed, RepairReport, Restored, ScanQuery,
    SessionDigest, SessionPage, Store, StoreCounts, StoreExt, StoreProblem, StoreStats, TableReads,
    Truncated, VerifyReport,
};
pub use transfer::{
    ExportFormat, ExportReport, FolderCompactReport, ImportOptions, ImportProblem, ImportReport,
    Progress, compact_folder, export_all, export_session, import,
};

// The program in the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
