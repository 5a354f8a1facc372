//! Every table: keys, values and who keeps them in step. `docs/format.md` explains them.

use redb::TableDefinition;

/// The format that this version writes.
pub(crate) const FORMAT: u32 = 7;

/// The format that the tables of properties and aliases came with.
pub(crate) const FORMAT_WITH_PROPERTIES: u32 = 2;

/// The first format whose processes all lock a shared store as redb 4.5 and later do. Those of older
/// formats may lock it otherwise, and neither sees the other.
pub(crate) const FORMAT_WITH_STABLE_LOCKS: u32 = 4;

/// The format that the tables beside the log came with: older batches, file orders,
/// contents, homes, families, deletion marks, exceptions, courses.
pub(crate) const FORMAT_BESIDE_THE_LOG: u32 = 5;

/// The oldest format that this version reads.
pub(crate) const FORMAT_OLDEST: u32 = 1;

/// Facts about the store by name: see the constants below.
pub(crate) const STORE_INFO: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("store_info");

/// In [`STORE_INFO`]: the format, u32.
pub(crate) const INFO_FORMAT: &str = "format";

/// In [`STORE_INFO`]: the oldest format whose readers can read this store, u32.
pub(crate) const INFO_FORMAT_READABLE: &str = "format_readable";

/// In [`STORE_INFO`]: the number of the next session, u64.
pub(crate) const INFO_NEXT_SESSION: &str = "next_session";

/// In [`STORE_INFO`]: the store's own id, a uuid.
pub(crate) const INFO_STORE_ID: &str = "store_id";

/// In [`STORE_INFO`]: an id made by the last restore that replaced what was in this file; missing
/// if there was none.
pub(crate) const INFO_RESTORED: &str = "restored";

/// In [`STORE_INFO`]: there while a scrub is due; missing otherwise.
pub(crate) const INFO_SCRUB: &str = "scrub";

/// In [`STORE_INFO`]: the version of the crate that wrote last in this format, as text.
pub(crate) const INFO_WRITER: &str = "writer";

/// Session number -> summary row.
pub(crate) const SESSIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("sessions");

/// Agent, id -> session number.
pub(crate) const SESSION_KEYS: TableDefinition<'_, (&str, &str), u64> =
    TableDefinition::new("session_keys");

/// Time of update in microseconds, session number.
pub(crate) const BY_UPDATED: TableDefinition<'_, (i64, u64), ()> =
    TableDefinition::new("by_updated");

/// Project, time of update, session number.
pub(crate) const BY_PROJECT: TableDefinition<'_, (&str, i64, u64), ()> =
    TableDefinition::new("by_project");

/// Agent, the parent's id, the child's session number.
pub(crate) const BY_PARENT: TableDefinition<'_, FamilyKey, ()> = TableDefinition::new("by_parent");

/// The key of [`BY_PARENT`].
pub(crate) type FamilyKey = (&'static str, &'static str, u64);

/// Session number, first sequence number, part -> a part of a segment.
pub(crate) const RECORDS: TableDefinition<'_, (u64, u64, u32), &[u8]> =
    TableDefinition::new("records");

/// Session number (0 for a folder's), name, part -> a part of an attachment.
pub(crate) const ATTACHMENTS: TableDefinition<'_, (u64, &str, u32), &[u8]> =
    TableDefinition::new("attachments");

/// Session number -> what is kept of the session beside its lines.
pub(crate) const PROPERTIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("properties");

/// Agent, alias, place in line -> session number. The first in line has the alias.
pub(crate) const ALIASES: TableDefinition<'_, (&str, &str, u64), &[u8]> =
    TableDefinition::new("aliases");

/// Session number, the caller's id of a batch -> where it is: batches that the row has no room for.
pub(crate) const BATCHES: TableDefinition<'_, (u64, u128), &[u8]> = TableDefinition::new("batches");

/// Session number, code of a kind, first record -> what only other lines tell of it.
pub(crate) const EXCEPTIONS: TableDefinition<'_, (u64, u8, u64), &[u8]> =
    TableDefinition::new("exceptions");

/// Session number, first record -> a block of what leads from ids to records.
pub(crate) const COURSES: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("courses");
/// Session number -> which records its file has, in which order.
pub(crate) const FILE_ORDERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("file_orders");

/// Agent, id, number of a content -> session number: of ids that have several contents.
pub(crate) const CONTENTS: TableDefinition<'_, (&str, &str, u32), u64> =
    TableDefinition::new("contents");

/// Agent, an id that is not unique by itself, a home or a beginning -> the id under which the
/// session of that home is kept.
pub(crate) const HOMES: TableDefinition<'_, (&str, &str, &[u8]), &str> =
    TableDefinition::new("homes");

/// Path, generation -> import state.
pub(crate) const SOURCES: TableDefinition<'_, (&[u8], u32), &[u8]> =
    TableDefinition::new("sources");

/// Session number, path, generation: the sources of a session.
pub(crate) const SESSION_SOURCES: TableDefinition<'_, (u64, &[u8], u32), ()> =
    TableDefinition::new("session_sources");

/// Agent, id, folder (or nothing) -> the mark of a session that was deleted.
pub(crate) const DELETED: TableDefinition<'_, DeletedKey, &[u8]> = TableDefinition::new("deleted");

/// The key of [`DELETED`].
pub(crate) type DeletedKey = (&'static str, &'static str, &'static [u8]);

/// Run -> what the run of the index of messages is.
pub(crate) const SEARCH_RUNS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("search_runs");

/// Run, block -> documents of the run.
pub(crate) const SEARCH_DOCUMENTS: TableDefinition<'_, (u32, u32), &[u8]> =
    TableDefinition::new("search_documents");

/// Run, first bucket -> lists of consecutive buckets: which documents have what is in them.
pub(crate) const SEARCH_GRAMS: TableDefinition<'_, (u32, u32), &[u8]> =
    TableDefinition::new("search_grams");

/// Session number -> from which record on the session is not indexed.
pub(crate) const SEARCH_TAILS: TableDefinition<'_, u64, &[u8]> =
    TableDefinition::new("search_tails");

/// Every table of a store.
pub(crate) const NAMES: [&str; 23] = [
    "store_info",
    "sessions",
    "session_keys",
    "by_updated",
    "by_project",
    "by_parent",
    "records",
    "attachments",
    "properties",
    "aliases",
    "batches",
    "exceptions",
    "courses",
    "file_orders",
    "contents",
    "homes",
    "sources",
    "session_sources",
    "deleted",
    "search_runs",
    "search_documents",
    "search_grams",
    "search_tails",
];

/// Those of them that a store of an older format does not have.
pub(crate) const OF_LATER_FORMATS: [&str; 14] = [
    "properties",
    "aliases",
    "batches",
    "file_orders",
    "contents",
    "homes",
    "by_parent",
    "deleted",
    "exceptions",
    "courses",
    "search_runs",
    "search_documents",
    "search_grams",
    "search_tails",
];

/// The name of a table of a store, as an error has it.
pub(crate) fn name_of(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}
