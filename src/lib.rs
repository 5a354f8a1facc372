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
//! - [`kit`] is what a store of your own is built on: `scrollback-postgres` keeps one on a server.
//! - A [`Record`] is one line, with its bytes as they were; a [`Message`] is what it says.
//!
//! Every call is synchronous; `docs/async.md` says how async programs use it.
//!
//! # Features
//!
//! - `conformance`: the contracts of [`Store`] and [`SessionStore`](picoclaw::SessionStore) as tests for
//!   stores of your own
//!   (the module `conformance`).
//! - `regex`: regular expressions in [`Pattern`].
//! - `html`: sessions as pages of HTML ([`ExportFormat`]).
//! - `sqlite`: the databases of agents that keep one (OpenCode, goose and others), read with a SQLite of its own.
//!
//! The library prints nothing, reads no environment but for [`provider::Places`], and takes its
//! clock and its ids from [`Stamps`].

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
mod search;
mod store;
mod system;
mod transfer;

pub use chrono;
pub use uuid;

pub use agents::KnownAgent;
pub use model::error::{Cause, Error, Result};
pub use model::exception::{Exception, ExceptionKind};
pub use model::key::{NATIVE, SessionKey};
pub use model::limits;
pub use model::message::{Block, Message, Role, Usage};
pub use model::properties::{Properties, PropertiesChange};
pub use model::raw_json::RawJson;
pub use model::record::{Record, RecordFlags, RecordHeader, RecordKind};
pub use model::session::{Session, Summary};
pub use render::call::{Call, DiffLine, PlanStep};
pub use render::colours::without_colours;
pub use render::hidden::spelled_out;
pub use render::shell_word::shell_word;
pub use search::{Pattern, Snippet};
pub use store::{
    CleanupQuery, Cursor, CursorError, Direction, Existing, Expect, Hit, Ingest, ListQuery,
    MemoryStore, Messages, Mode, NewRecord, Options, Progress, RecordPage, Records, RedbStore,
    ScanQuery, SearchCursor, SearchPage, SearchQuery, SessionPage, Shown, Sort, Stamps, Step,
    Store, StoreExt, StoredMessage, View, Watcher, unwatched,
};
pub use transfer::{
    ExportFormat, ExportOptions, ImportOptions, compact_archived, compact_folder, copy_store,
    export_all, export_all_as, export_session, import, import_places, put_back, resumption, status,
};

pub use store::kit;

/// What calls did and what they found. Each can be serialized, with stable names.
pub mod report {
    pub use crate::store::{
        AgentStats, Appended, AttachmentInfo, BackedUp, Cleaned, Compacted, DeletedSession,
        Indexed, Loss, Reclaimed, Removed, RepairReport, Reread, Restored, Scrubbed, SearchCounts,
        SessionDigest, SessionUsage, StoreCounts, StoreId, StoreProblem, StoreStats, StoredFile,
        TableReads, Truncated, UnreadSession, UsageSum, VerifyReport,
    };
    pub use crate::transfer::{
        AgentStatus, CopyRefusal, CopyReport, ExportReport, FolderCompactReport, ImportProblem,
        ImportReport, NotRead, PlaceStatus, PutBack, PutBackFile, Resumption,
    };
}

/// Recording as jcode does: a [`Recorder`](jcode::Recorder), replay, and repair.
pub mod jcode {
    pub use crate::facade::{
        Compatibility, Goal, PlanSnapshot, RecordedState, Recorder, Recordings, Repair,
        ReplayOptions, Replayed, last_environment, reconstruct_history, reconstruct_state,
        validate_session_id,
    };
    pub use crate::facade::{Entry, EntryImage, EntryKind, TodoItem};
}

/// A chat program's history as picoclaw keeps it: [`SessionStore`](picoclaw::SessionStore).
pub mod picoclaw {
    pub use crate::facade::{History, Kept, SessionStore, StoreSessions, opaque_key};
}

/// A log of each project's turns as celeste keeps it: [`Project`](celeste::Project).
pub mod celeste {
    pub use crate::facade::{LogEntry, Project};
}

/// Sessions as ggcode makes them.
pub mod ggcode {
    pub use crate::facade::ggcode_session;
}

// The program in the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

// So does what the page for async callers shows.
#[cfg(doctest)]
#[doc = include_str!("../docs/async.md")]
mod async_page {}
