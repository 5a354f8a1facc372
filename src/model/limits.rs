//! Every limit of the store, with its unit and its reason.
//!
//! Each constant has a test at the limit and one past it (`tests/it/limits.rs`).

/// Longest session id, in bytes of UTF-8.
///
/// Ids are keys of the database; an id of this length still leaves room for several keys in
/// one 4 KiB page. A session whose file gives it a longer one is imported under the start of it,
/// `~`, and its hash.
pub const ID_BYTES_MAX: usize = 1024;

/// Longest agent name, in bytes of UTF-8.
pub const AGENT_BYTES_MAX: usize = 64;

/// Longest title kept in a summary row, in bytes of UTF-8. A longer title is cut at a character.
pub const TITLE_BYTES_MAX: usize = 324;

/// Longest project path, model, branch or parent kept in a summary row, in bytes of UTF-8. A
/// longer text is cut at a character.
pub const FACT_BYTES_MAX: usize = 1024;

/// Longest line that is kept as one record, in bytes with its terminator.
///
/// A longer line is kept all the same, as several records in a row flagged
/// [`RecordFlags::CONTINUES`](crate::RecordFlags::CONTINUES); it is not parsed, and import
/// reports it. This bounds the memory of an import whatever the file.
pub const LINE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Most messages read from one line (lines with several JSON objects are damaged lines).
pub const LINE_MESSAGES_MAX: usize = 1024;

/// Bytes of lines packed into one segment, at most, unless a single line is longer.
///
/// A segment is what damage takes at once, and what reading one message costs; a longer one packs
/// better: real sessions take 7 % less than in segments of 128 KiB, and 14 % less than of 64 KiB.
pub const SEGMENT_BYTES: usize = 256 * 1024;

/// Records packed into one segment, at most.
pub const SEGMENT_RECORDS: usize = 4096;

/// Bytes of lines in a session's tail at which an append seals the tail into a segment.
pub const TAIL_BYTES: u64 = 64 * 1024;

/// Records in a session's tail at which an append seals the tail into a segment.
pub const TAIL_RECORDS: u64 = 64;

/// Largest attachment, in bytes. A larger sidecar file is reported and left where it is.
pub const ATTACHMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Batches of a session whose ids are remembered however long ago they were appended, so that a retry
/// is recognised.
pub const BATCHES_REMEMBERED: usize = 16;

/// How long, in seconds, the ids of all other batches of a session are remembered: a day from when
/// there were [`BATCHES_REMEMBERED`] newer ones.
pub const BATCH_SECONDS_REMEMBERED: u64 = 24 * 60 * 60;

/// Most records that one call may append.
pub const APPEND_RECORDS_MAX: usize = 100_000;

/// Longest title, project or parent that can be given to a session beside its lines, in bytes of
/// UTF-8. A list shows the start of it, as of those that the lines state.
pub const GIVEN_BYTES_MAX: usize = 4096;

/// Longest summary of a conversation kept beside its lines, in bytes of UTF-8.
pub const SUMMARY_BYTES_MAX: usize = 1024 * 1024;

/// Most other names of one session; each is as long as an id at most.
pub const ALIASES_MAX: usize = 256;

/// Longest scope of a session, in bytes of JSON.
pub const SCOPE_BYTES_MAX: usize = 64 * 1024;

/// Most bytes that a compressed session of another agent is unpacked to. One that has more is an
/// error that names the file: a megabyte can unpack to terabytes. Once it is unpacked by hand, it is
/// read like any other.
pub const UNPACKED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Of so many hits, the newest ones, a search for the best ones picks.
pub const SEARCH_BEST_OF: usize = 1000;
