//! Verification as the store's calls.

use super::depth::Depth;
use super::slices::verify_in_slices;
use crate::model::error::Result;
use crate::store::Watcher;
use crate::store::query::{SessionDigest, VerifyReport};
use crate::store::redb::engine::panics::guard;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::snapshot::Snapshot;

impl RedbStore {
    /// Reads everything and checks every checksum, count and index entry, both ways. What is
    /// wrong with the store is in the report.
    ///
    /// What others write meanwhile is no problem: about every second the store is looked at anew, so that
    /// what they remove gives its space back, also within a session and while the pages are walked.
    /// Indexes, attachments and sources are compared at one moment. Kept databases, and a scrub that is
    /// due, are told and no problem.
    ///
    /// # Errors
    ///
    /// Only if reading as such fails, or [`Error::Cancelled`](crate::Error::Cancelled): then nothing is known.
    pub fn verify(&self, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        self.verify_to(Depth::Plain, progress)
    }

    fn verify_to(&self, depth: Depth<'_>, progress: &mut Watcher<'_>) -> Result<VerifyReport> {
        guard(|| {
            let take = || {
                let txn = self.engine.begin_read()?;
                Ok(Snapshot::new(txn, &self.counts, self.engine.pages()))
            };
            verify_in_slices(&take, depth, progress)
        })
    }

    /// What [`verify`](Self::verify) does, and recomputes the digest chain of every session's lines:
    /// a line that was changed, removed, added or moved shows, also where every checksum was made
    /// to fit again. The report has the head of each chain. Costs the time of a SHA-256 over all
    /// lines more.
    ///
    /// Whoever can write the store can make the chains anew as well. So keep the heads elsewhere, and
    /// give them as `against` later: a session that is not there any more, or whose chain had
    /// another digest at that length, is a problem. One that has only grown since is fine. One of
    /// which records were removed or replaced in the meantime cannot be compared, and is named in
    /// [`VerifyReport::rewritten`].
    ///
    /// # Errors
    ///
    /// Only if reading as such fails, or [`Error::Cancelled`](crate::Error::Cancelled): what is wrong
    /// with the store is in the report.
    ///
    /// ```
    /// use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let key = SessionKey::native("chat-1")?;
    /// let say = || store.append(&key, Expect::Any, None, &[NewRecord::line("{}")]);
    /// say()?;
    /// let kept = store.verify_deep(&[], &mut scrollback::unwatched)?.digests;
    /// say()?;
    /// assert!(store.verify_deep(&kept, &mut scrollback::unwatched)?.is_clean());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_deep(
        &self,
        against: &[SessionDigest],
        progress: &mut Watcher<'_>,
    ) -> Result<VerifyReport> {
        let report = self.verify_to(Depth::Deep(against), progress)?;
        Ok(VerifyReport {
            deep: true,
            ..report
        })
    }
}
