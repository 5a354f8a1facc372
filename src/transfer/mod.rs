//! Sessions in and out of a store: bulk import, and export to files; and folders of truncated
//! histories, rewritten in place.

mod atomic;
mod discover;
mod export;
mod folders;
mod hash;
mod history;
mod import;
mod journal;
mod lines;
mod names;
mod paths;
mod plan;
mod progress;
mod report;
mod resume;
mod target;
mod transaction;
mod whole;
mod worker;

#[cfg(feature = "cli")]
pub(crate) use self::atomic::make_private;
pub use self::export::{ExportFormat, ExportReport, export_all, export_session};
pub use self::folders::{FolderCompactReport, compact_folder};
pub use self::import::{ImportOptions, import};
#[cfg(feature = "cli")]
pub(crate) use self::paths::file_safe;
pub use self::progress::Progress;
pub use self::report::{ImportProblem, ImportReport};
