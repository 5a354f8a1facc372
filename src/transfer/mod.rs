//! Sessions in and out of a store: bulk import, and export to files; and folders of truncated
//! histories, rewritten in place.

mod archive;
mod atomic;
mod classify;
mod databases;
mod derived;
mod discover;
mod documents;
mod export;
mod facts;
mod folders;
mod hash;
mod history;
mod import;
mod journal;
mod keep;
mod lines;
mod looks;
mod names;
mod paths;
mod places;
mod plan;
mod progress;
mod report;
mod resume;
mod room;
#[cfg(feature = "sqlite")]
mod rows;
mod target;
mod transaction;
mod whole;
mod worker;

pub use self::archive::compact_archived;
pub use self::export::{ExportFormat, ExportReport, export_all, export_session};
pub use self::folders::{FolderCompactReport, compact_folder};
pub use self::import::{ImportOptions, import, import_places};
pub use self::report::{ImportProblem, ImportReport};
