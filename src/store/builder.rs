//! Turns lines into packed segments and a summary, away from the store: the worker's half of a
//! bulk import.

use crate::dialect::Dialect;
use crate::error::Result;
use crate::jsonl::Line;
use crate::model::key::SessionKey;
use crate::model::record::RecordHeader;
use crate::model::session::Summary;

/// The last record of a session, which a grown file has completed and which is to be read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplacedTail {
    /// Its sequence number.
    pub sequence: u64,
    /// Its header.
    pub header: RecordHeader,
    /// Bytes of its line.
    pub bytes: u64,
}

/// A session under construction.
#[derive(Debug)]
pub(crate) struct SessionBuilder { _p: () }

/// What a builder has made since the last chunk, ready to be written in one transaction.
#[derive(Debug)]
pub(crate) struct SessionChunk { _p: () }

impl SessionBuilder {
    /// Starts a new session. `fallback_time_us` is its time as long as no line states one.
    pub(crate) fn new(_key: SessionKey, _dialect: &'static dyn Dialect, _fallback_time_us: i64) -> Self { unimplemented!() }
    /// Goes on with a stored session.
    pub(crate) fn resume(_summary: Summary, _dialect: &'static dyn Dialect, _replaced: Option<ReplacedTail>, _fallback_time_us: i64) -> Self { unimplemented!() }
    /// Takes one line. Returns what is wrong with it, if anything is.
    pub(crate) fn push(&mut self, _line: &Line<'_>) -> Result<Option<String>> { unimplemented!() }
    /// The session so far, as it will be stored.
    pub(crate) fn summary(&self) -> &Summary { unimplemented!() }
    /// Bytes of lines taken since the last chunk.
    pub(crate) fn pending_bytes(&self) -> u64 { unimplemented!() }
    /// Seals all that is pending, and hands it over.
    pub(crate) fn take_chunk(&mut self) -> Result<SessionChunk> { unimplemented!() }
}
