//! Sessions in and out of a store: bulk import, export to files, and copies between stores; and folders of truncated
//! histories, rewritten in place.

mod archive;
mod copy;
mod export;
mod files;
mod histories;
mod import;
mod older;
mod progress;
mod put_back;
mod report;
mod status;

pub use self::archive::compact_archived;
pub use self::copy::{CopyRefusal, CopyReport, copy_store};
pub use self::export::{
    ExportFormat, ExportOptions, ExportReport, export_all, export_all_as, export_session,
};
pub use self::histories::{FolderCompactReport, compact_folder};
pub use self::import::{ImportOptions, import, import_places};
pub use self::put_back::{PutBack, PutBackFile, Resumption, put_back, resumption};
pub use self::report::{ImportProblem, ImportReport, NotRead};
pub use self::status::{AgentStatus, PlaceStatus, status};
