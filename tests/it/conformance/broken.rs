//! A store that does all as another one does, but for what is broken in it.

use std::io::Write;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use scrollback::report::{
    Appended, Cleaned, Compacted, Reclaimed, Removed, SearchCounts, StoreId, Truncated,
};
use scrollback::{
    CleanupQuery, Exception, Expect, ListQuery, MemoryStore, NewRecord, Properties,
    PropertiesChange, RecordPage, Result, ScanQuery, SearchPage, SearchQuery, Session, SessionKey,
    SessionPage, Store, Summary, Watcher,
};
use uuid::Uuid;

/// What the calls of a broken store do; each is a function that may be put in place of another.
#[expect(clippy::type_complexity, reason = "as the calls of the trait are")]
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    pub(crate) save: fn(&Broken, &mut Session) -> Result<()>,
    pub(crate) load: fn(&Broken, &SessionKey) -> Result<Session>,
    pub(crate) summary: fn(&Broken, &SessionKey) -> Result<Summary>,
    pub(crate) list: fn(&Broken, &ListQuery) -> Result<SessionPage>,
    pub(crate) find: fn(&Broken, &str, usize) -> Result<Vec<SessionKey>>,
    pub(crate) delete: fn(&Broken, &SessionKey) -> Result<Removed>,
    pub(crate) delete_unchanged: fn(&Broken, &SessionKey, u64) -> Result<Removed>,
    pub(crate) cleanup: fn(&Broken, &CleanupQuery) -> Result<Cleaned>,
    pub(crate) export: fn(&Broken, &SessionKey, &mut dyn Write) -> Result<()>,
    pub(crate) append:
        fn(&Broken, &SessionKey, Expect, Option<Uuid>, &[NewRecord]) -> Result<Appended>,
    pub(crate) ensure_meta: fn(&Broken, &Session) -> Result<bool>,
    pub(crate) truncate: fn(&Broken, &SessionKey, u64) -> Result<Truncated>,
    pub(crate) hide_before: fn(&Broken, &SessionKey, u64) -> Result<Truncated>,
    pub(crate) replace: fn(&Broken, &SessionKey, &[NewRecord]) -> Result<()>,
    pub(crate) properties: fn(&Broken, &SessionKey) -> Result<Properties>,
    pub(crate) update: fn(&Broken, &SessionKey, &PropertiesChange) -> Result<Properties>,
    pub(crate) by_alias: fn(&Broken, &SessionKey) -> Result<Option<SessionKey>>,
    pub(crate) compact:
        fn(&Broken, &SessionKey, Option<u64>, Option<&mut dyn Write>) -> Result<Compacted>,
    pub(crate) reclaim: fn(&Broken) -> Result<Reclaimed>,
    pub(crate) id: fn(&Broken) -> Result<Option<StoreId>>,
    pub(crate) scan: fn(&Broken, &SessionKey, &ScanQuery) -> Result<RecordPage>,
    pub(crate) exceptions: fn(&Broken, &SessionKey, u64, u64) -> Result<Vec<Exception>>,
    pub(crate) search: fn(&Broken, &SearchQuery, &mut Watcher<'_>) -> Result<SearchPage>,
    pub(crate) counts: fn(&Broken, &SearchQuery, &mut Watcher<'_>) -> Result<SearchCounts>,
    pub(crate) find_message: fn(&Broken, &SessionKey, &str) -> Result<Option<u64>>,
}

/// The calls of a store in which nothing is broken.
const WHOLE: Calls = Calls {
    save: |b, session| b.store.save(session),
    load: |b, key| b.store.load(key),
    summary: |b, key| b.store.summary(key),
    list: |b, query| b.store.list(query),
    find: |b, prefix, limit| b.store.find(prefix, limit),
    delete: |b, key| b.store.delete(key),
    delete_unchanged: |b, key, next| b.store.delete_unchanged(key, next),
    cleanup: |b, query| b.store.cleanup(query),
    export: |b, key, out| b.store.export_markdown(key, out),
    append: |b, key, expect, id, records| b.store.append(key, expect, id, records),
    ensure_meta: |b, session| b.store.ensure_meta(session),
    truncate: |b, key, keep| b.store.truncate(key, keep),
    hide_before: |b, key, sequence| b.store.hide_before(key, sequence),
    replace: |b, key, records| b.store.replace_history(key, records),
    properties: |b, key| b.store.properties(key),
    update: |b, key, change| b.store.update_properties(key, change),
    by_alias: |b, alias| b.store.by_alias(alias),
    compact: |b, key, through, archive| b.store.compact(key, through, archive),
    reclaim: |b| b.store.reclaim(),
    id: |b| b.store.id(),
    scan: |b, key, query| b.store.scan(key, query),
    exceptions: |b, key, first, last| b.store.exceptions(key, first, last),
    search: |b, query, watcher| b.store.search(query, watcher),
    counts: |b, query, watcher| b.store.search_counts(query, watcher),
    find_message: |b, key, id| b.store.find_message(key, id),
};

/// A store that does all as the one below it, but for the calls that were replaced.
pub(crate) struct Broken {
    /// The store below.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) calls: Calls,
    /// For calls that count.
    pub(crate) count: AtomicU64,
    /// For calls that remember something of a session.
    pub(crate) noted: Mutex<Vec<(SessionKey, u128)>>,
}

impl Broken {
    /// With nothing broken yet.
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            calls: WHOLE,
            count: AtomicU64::new(0),
            noted: Mutex::default(),
        }
    }

    /// Over a store in memory, broken by a function.
    pub(crate) fn new(breaks: fn(&mut Self)) -> Self {
        let mut broken = Self::over(Arc::new(MemoryStore::default()));
        breaks(&mut broken);
        broken
    }
}

impl Store for Broken {
    fn save(&self, session: &mut Session) -> Result<()> {
        (self.calls.save)(self, session)
    }

    fn load(&self, key: &SessionKey) -> Result<Session> {
        (self.calls.load)(self, key)
    }

    fn summary(&self, key: &SessionKey) -> Result<Summary> {
        (self.calls.summary)(self, key)
    }

    fn list(&self, query: &ListQuery) -> Result<SessionPage> {
        (self.calls.list)(self, query)
    }

    fn find(&self, prefix: &str, limit: usize) -> Result<Vec<SessionKey>> {
        (self.calls.find)(self, prefix, limit)
    }

    fn delete(&self, key: &SessionKey) -> Result<Removed> {
        (self.calls.delete)(self, key)
    }

    fn delete_unchanged(&self, key: &SessionKey, next_sequence: u64) -> Result<Removed> {
        (self.calls.delete_unchanged)(self, key, next_sequence)
    }

    fn cleanup(&self, query: &CleanupQuery) -> Result<Cleaned> {
        (self.calls.cleanup)(self, query)
    }

    fn export_markdown(&self, key: &SessionKey, out: &mut dyn Write) -> Result<()> {
        (self.calls.export)(self, key, out)
    }

    fn append(
        &self,
        key: &SessionKey,
        expect: Expect,
        batch_id: Option<Uuid>,
        records: &[NewRecord],
    ) -> Result<Appended> {
        (self.calls.append)(self, key, expect, batch_id, records)
    }

    fn ensure_meta(&self, session: &Session) -> Result<bool> {
        (self.calls.ensure_meta)(self, session)
    }

    fn truncate(&self, key: &SessionKey, keep_last: u64) -> Result<Truncated> {
        (self.calls.truncate)(self, key, keep_last)
    }

    fn hide_before(&self, key: &SessionKey, sequence: u64) -> Result<Truncated> {
        (self.calls.hide_before)(self, key, sequence)
    }

    fn replace_history(&self, key: &SessionKey, records: &[NewRecord]) -> Result<()> {
        (self.calls.replace)(self, key, records)
    }

    fn properties(&self, key: &SessionKey) -> Result<Properties> {
        (self.calls.properties)(self, key)
    }

    fn update_properties(&self, key: &SessionKey, change: &PropertiesChange) -> Result<Properties> {
        (self.calls.update)(self, key, change)
    }

    fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        (self.calls.by_alias)(self, alias)
    }

    fn compact(
        &self,
        key: &SessionKey,
        through: Option<u64>,
        archive: Option<&mut dyn Write>,
    ) -> Result<Compacted> {
        (self.calls.compact)(self, key, through, archive)
    }

    fn reclaim(&self) -> Result<Reclaimed> {
        (self.calls.reclaim)(self)
    }

    fn id(&self) -> Result<Option<StoreId>> {
        (self.calls.id)(self)
    }

    fn scan(&self, key: &SessionKey, query: &ScanQuery) -> Result<RecordPage> {
        (self.calls.scan)(self, key, query)
    }

    fn exceptions(&self, key: &SessionKey, first: u64, last: u64) -> Result<Vec<Exception>> {
        (self.calls.exceptions)(self, key, first, last)
    }

    fn search(&self, query: &SearchQuery, watcher: &mut Watcher<'_>) -> Result<SearchPage> {
        (self.calls.search)(self, query, watcher)
    }

    fn search_counts(
        &self,
        query: &SearchQuery,
        watcher: &mut Watcher<'_>,
    ) -> Result<SearchCounts> {
        (self.calls.counts)(self, query, watcher)
    }

    fn find_message(&self, key: &SessionKey, id: &str) -> Result<Option<u64>> {
        (self.calls.find_message)(self, key, id)
    }
}
