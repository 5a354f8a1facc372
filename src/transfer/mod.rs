//! Sessions in and out of a store: bulk import, and export to files; and folders of truncated
//! histories, rewritten in place.

mod export;
mod files;
mod histories;
mod import;
mod progress;
mod report;

pub use self::export::{ExportFormat, ExportReport, export_all, export_session};
#[cfg(feature = "cli")]
pub(crate) use self::files::atomic::{append_private, make_private, private_folder};
#[cfg(feature = "cli")]
pub(crate) use self::files::paths::file_safe;
pub use self::histories::{FolderCompactReport, compact_folder};
pub use self::import::{ImportOptions, import};
pub use self::progress::Progress;
pub use self::report::{ImportProblem, ImportReport};
