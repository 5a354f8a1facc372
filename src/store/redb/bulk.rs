//! Bulk writing: many sessions in one transaction, with their sources.

use std::io::{Read, Write};
use std::marker::PhantomData;

use super::super::builder::SessionChunk;
use crate::error::Result;
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::model::session::Summary;

/// What was made of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// Its lines are records.
    Lines,
    /// It is kept whole.
    Attachment,
}

/// A file that was imported, with what is needed to go on later and to export it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Absolute path, as bytes.
    pub path: Vec<u8>,
    /// 1 for the first content that was imported from this path, 2 for the next one, ...
    pub generation: u32,
    /// The agent.
    pub agent: String,
    /// What was made of it.
    pub kind: SourceKind,
    /// Store number of the session; 0 for a file that belongs to a folder.
    pub session: u64,
    /// The attachment's name; empty for lines.
    pub name: String,
    /// Path relative to the folder that was imported, as bytes, `/` between components.
    pub relative: Vec<u8>,
    /// Size in bytes when it was last read.
    pub size: u64,
    /// Time of its last change then, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Bytes of it that are stored.
    pub offset: u64,
    /// Lines of it that are stored.
    pub lines: u64,
    /// Where its last line starts, if that has no terminator; else equal to `offset`.
    pub tail_offset: u64,
    /// Hash of its first `tail_offset` bytes.
    pub hash: u128,
    /// The session's next sequence number after these lines.
    pub next_sequence: u64,
    /// Whether all of the file was taken when it had that size.
    pub complete: bool,
}

/// A snapshot of the sources and their sessions.
#[derive(Debug)]
pub(crate) struct Sources<'s> { _p: PhantomData<&'s ()> }

impl Sources<'_> {
    /// The newest generation of a path.
    pub(crate) fn newest(&self, _path: &[u8]) -> Result<Option<Source>> { unimplemented!() }
    /// Every source, by path and generation, in turn; stops at the first error.
    pub(crate) fn for_each(&self, _visit: &mut dyn FnMut(Source) -> Result<()>) -> Result<()> { unimplemented!() }
    /// The summary of a session by its number.
    pub(crate) fn summary(&self, _number: u64) -> Result<Option<Summary>> { unimplemented!() }
    /// The last record of a session, if it has any.
    pub(crate) fn last_record(&self, _number: u64) -> Result<Option<Record>> { unimplemented!() }
    /// Writes an attachment to `out`: of a session, or (number 0) of a folder, where the name is
    /// the one in its source.
    pub(crate) fn read_attachment(&self, _number: u64, _name: &str, _out: &mut dyn Write) -> Result<()> { unimplemented!() }
}

/// One write transaction of a bulk import. Dropping it without a commit writes nothing.
#[derive(Debug)]
pub(crate) struct Bulk<'s> { _p: PhantomData<&'s ()> }

impl Bulk<'_> {
    /// The newest generation of a path, as this transaction sees it.
    pub(crate) fn newest(&self, _path: &[u8]) -> Result<Option<Source>> { unimplemented!() }
    /// Creates a session named `wanted`, or `wanted~2`, `wanted~3`, ... if that name is taken.
    /// Returns its number and name.
    pub(crate) fn create(&mut self, _wanted: &SessionKey) -> Result<(u64, SessionKey)> { unimplemented!() }
    /// The session of that name, if there is one.
    pub(crate) fn number_of(&self, _key: &SessionKey) -> Result<Option<u64>> { unimplemented!() }
    /// Writes a chunk. [`Error::Conflict`](crate::Error::Conflict) if the session is not as the
    /// builder found it.
    pub(crate) fn write_chunk(&mut self, _number: u64, _chunk: SessionChunk) -> Result<()> { unimplemented!() }
    /// Writes an attachment from a reader, replacing one of the same name. Returns its bytes and
    /// their hash.
    pub(crate) fn write_attachment(&mut self, _number: u64, _name: &str, _content: &mut dyn Read) -> Result<(u64, u128)> { unimplemented!() }
    /// Writes a source row.
    pub(crate) fn write_source(&mut self, _source: &Source) -> Result<()> { unimplemented!() }
    /// Bytes written since the transaction began.
    pub(crate) fn written_bytes(&self) -> u64 { unimplemented!() }
    /// Makes it durable.
    pub(crate) fn commit(self) -> Result<()> { unimplemented!() }
}
