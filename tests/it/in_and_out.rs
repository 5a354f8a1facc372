//! Folders of a home into its store and out of it, at a fixed time.

use chrono::{DateTime, Utc};
use scrollback::{
    ExportFormat, ImportOptions, ListQuery, Options, RedbStore, Store as _, Summary, export_all,
    import,
};

use crate::harness::Home;

impl Home {
    /// The store of this home, whose time stands still.
    fn store(&self) -> RedbStore {
        let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let options = Options::default().with_clock(move || now);
        RedbStore::open(self.store_path(), options).unwrap()
    }

    /// Imports a folder or file of this home; everything of it has to be taken.
    pub(crate) fn import(&self, path: &str) {
        let paths = [self.path().join(path)];
        let options = ImportOptions::default();
        let report = import(&self.store(), &paths, &options, &mut scrollback::unwatched).unwrap();
        assert_eq!(
            report.skipped + report.paths_failed,
            0,
            "{:?}",
            report.problems
        );
    }

    /// Exports everything as lines to a folder of this home.
    pub(crate) fn export(&self, to: &str) {
        let to = self.path().join(to);
        let format = ExportFormat::Jsonl;
        let report =
            export_all(&self.store(), None, format, &to, &mut scrollback::unwatched).unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    /// Verifies the store, which has to be clean.
    pub(crate) fn verify(&self) {
        let report = self.store().verify(&mut scrollback::unwatched).unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
    }

    /// The sessions, the newest first.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        self.store().list(&ListQuery::default()).unwrap().sessions
    }
}
