//! The store: the [`Store`] trait, its reference in memory, and the one over redb.

mod addition;
mod archive;
mod beginnings;
mod builder;
mod callers;
mod calls;
mod carried;
mod chunks;
mod cleanup;
mod contents;
mod copies;
mod course;
pub(crate) mod deleted;
mod exceptions;
mod extension;
mod families;
mod file_lines;
mod file_parts;
mod fold;
mod fork;
mod ingest;
mod json_form;
mod json_names;
pub mod kit;
mod lines;
mod loading;
mod making;
mod marks;
mod memory;
mod message_ids;
mod messages;
mod on_calls;
mod options;
mod order;
mod path_bytes;
mod progress;
mod properties;
mod query;
mod queue;
mod rechain;
mod records;
mod redb;
pub(crate) mod row_title;
mod saving;
mod search;
mod select;
mod sessions;
mod shared_commit;
mod source;
mod take_back;
mod usage_sums;
mod view;
pub(crate) mod written;

pub(crate) use self::builder::{ReplacedTail, SessionBuilder, SessionChunk, Totals};
pub use self::calls::Store;
pub(crate) use self::carried::{Beside, Carried, Destination, normal_row};
pub use self::cleanup::{Cleaned, CleanupQuery};
pub use self::copies::{BackedUp, Existing, Restored, Scrubbed, StoreCounts, StoreId};
#[cfg(any(test, fuzzing))]
pub(crate) use self::course::{Course, StoredCourse};
pub use self::deleted::DeletedSession;
pub(crate) use self::deleted::folder_of;
#[cfg(any(test, fuzzing))]
pub(crate) use self::exceptions::Exceptions;
pub use self::extension::StoreExt;
pub use self::ingest::Ingest;
pub(crate) use self::ingest::{Bulk, Filed, IngestStore, Known, RestoredMark, Source, Sources};
pub(crate) use self::marks::mark_of;
pub use self::memory::MemoryStore;
pub(crate) use self::message_ids::messages_of;
pub use self::messages::{Messages, StoredMessage};
pub use self::options::{Mode, Options, Stamps};
pub use self::progress::{Progress, Step, Watcher, unwatched};
pub(crate) use self::properties::{Claims, changed as changed_properties};
pub use self::query::{
    AgentStats, Appended, AttachmentInfo, Compacted, Cursor, CursorError, Direction, Expect,
    ListQuery, NewRecord, Reclaimed, RecordPage, Removed, Reread, ScanQuery, SessionDigest,
    SessionPage, StoreProblem, StoreStats, StoredFile, TableReads, Truncated, VerifyReport,
};
pub use self::records::Records;
pub(crate) use self::redb::guard;
pub use self::redb::{Indexed, Loss, RedbStore, RepairReport};
pub use self::search::{
    Hit, SearchCounts, SearchCursor, SearchPage, SearchQuery, Sort, UnreadSession,
};
pub use self::usage_sums::{SessionUsage, UsageSum};
pub use self::view::{Shown, View};
