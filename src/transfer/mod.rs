//! Sessions in and out of a store: bulk import, and export to files.

mod export;
mod folders;
mod import;
mod report;

pub use self::export::{ExportFormat, ExportReport, export_all, export_session};
pub use self::folders::{FolderCompactReport, compact_folder};
pub use self::import::{ImportOptions, Progress, import};
pub use self::report::{ImportProblem, ImportReport};
