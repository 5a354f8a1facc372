//! What an import and an export ask of a store, by this one.

use std::path::Path;

use redb::ReadableTableMetadata as _;

use super::bulk::RedbBulk;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::deleted::DeletedSession;
use crate::store::ingest::{Bulk, Ingest, IngestParts, IngestStore, RestoredMark, Sources};
use crate::store::progress::Watcher;
use crate::store::query::{AttachmentInfo, StoreStats, VerifyReport};
use crate::store::redb::copies::restore::{check_mark, mark_of};
use crate::store::redb::copies::scrub_due;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::engine::panics::guard;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::{SESSIONS, STORE_INFO};

impl Ingest for RedbStore {
    fn ingest(&self) -> IngestParts<'_> {
        IngestParts(self)
    }
}

impl IngestStore for RedbStore {
    fn sources(&self) -> &dyn Sources {
        self
    }

    fn restored_mark(&self) -> Result<RestoredMark> {
        self.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(STORE_INFO)
                .map_err(storage("read `store_info`"))?;
            mark_of(&table)
        })
    }

    fn begin(&self, mark: &RestoredMark) -> Result<Box<dyn Bulk + '_>> {
        let bulk: RedbBulk<'_> = self.bulk()?;
        guard(|| check_mark(mark, &bulk.writer))?;
        Ok(Box::new(bulk))
    }

    fn visit_lines(
        &self,
        key: &SessionKey,
        from: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.visit_session_lines(key, from, each)
    }

    fn is_scrub_due(&self) -> Result<bool> {
        self.read(|snapshot| scrub_due::is_noted(snapshot.txn()))
    }

    fn reread(&self, number: u64) -> Result<()> {
        self.read_number_again(number).map(drop)
    }

    fn has_sessions(&self) -> Result<bool> {
        let action = storage("read the sessions");
        self.read(|snapshot| {
            let table = snapshot
                .txn()
                .open_table(SESSIONS)
                .map_err(storage("read the sessions"))?;
            Ok(!table.is_empty().map_err(action)?)
        })
    }

    fn marks_of_deleted(&self) -> Result<Vec<DeletedSession>> {
        Self::deleted(self)
    }

    fn verified(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        Self::verify(self, progress)
    }

    fn counted(&self) -> Result<StoreStats> {
        Self::stats(self)
    }

    fn attachments_of(&self, key: &SessionKey) -> Result<Vec<AttachmentInfo>> {
        Self::attachments(self, key)
    }

    fn own_file(&self) -> Option<&Path> {
        Some(self.path())
    }

    fn path_bytes_max(&self) -> usize {
        usize::MAX
    }
}
