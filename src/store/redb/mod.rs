//! The store over redb.

mod bulk;

use std::io::Write;
use std::path::Path;

pub(crate) use self::bulk::{Bulk, Source, SourceKind, Sources};
use super::{AttachmentInfo, Options, StoreStats, TableReads, VerifyReport};
use crate::error::Result;
use crate::model::key::SessionKey;

/// A store in one database file.
#[derive(Debug)]
pub struct RedbStore { _p: () }

impl RedbStore {
    /// Opens a store for reading and writing; creates it if the file is not there or empty.
    pub fn open(_path: impl AsRef<Path>, _options: Options) -> Result<Self> { unimplemented!() }
    /// Opens a store that is there for reading only.
    pub fn open_read_only(_path: impl AsRef<Path>, _options: Options) -> Result<Self> { unimplemented!() }
    /// The file.
    pub fn path(&self) -> &Path { unimplemented!() }
    /// How it was opened.
    pub fn options(&self) -> &Options { unimplemented!() }
    /// How much there is in the store, by agent.
    pub fn stats(&self) -> Result<StoreStats> { unimplemented!() }
    /// Reads and checks everything; `progress` is told bytes of lines read, and those in all.
    pub fn verify(&self, _progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport> { unimplemented!() }
    /// Rows read since the store was opened.
    pub fn table_reads(&self) -> TableReads { unimplemented!() }
    /// Files kept beside the lines of a session.
    pub fn attachments(&self, _key: &SessionKey) -> Result<Vec<AttachmentInfo>> { unimplemented!() }
    /// Writes an attachment to `out`.
    pub fn read_attachment(&self, _key: &SessionKey, _name: &str, _out: &mut dyn Write) -> Result<()> { unimplemented!() }
    /// Starts a write transaction for a bulk import.
    pub(crate) fn bulk(&self) -> Result<Bulk<'_>> { unimplemented!() }
    /// A snapshot of the sources, for planning an import or an export.
    pub(crate) fn sources(&self) -> Result<Sources<'_>> { unimplemented!() }
}
