//! Keeps what people and AI agents said to each other, in one embedded database file, with JSONL
//! as the interchange format.

mod codec;
mod dialect;
mod error;
mod jsonl;
mod model;
mod render;
mod store;
mod transfer;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

pub use error::{Cause, Error, Result};
pub use model::key::{NATIVE, SessionKey};
pub use model::limits;
pub use model::message::{Block, Message, Role, Usage};
pub use model::raw_json::RawJson;
pub use model::record::{Record, RecordFlags, RecordHeader, RecordKind};
pub use model::session::{Session, Summary};
pub use store::{
    AgentStats, Appended, AttachmentInfo, Compacted, Cursor, CursorError, Direction, Expect,
    ListQuery, MemoryStore, Mode, NewRecord, Options, Reclaimed, RecordPage, Records, RedbStore,
    Removed, ScanQuery, SessionPage, Store, StoreExt, StoreProblem, StoreStats, TableReads,
    Truncated, VerifyReport,
};
pub use transfer::{
    ExportFormat, ExportReport, FolderCompactReport, ImportOptions, ImportProblem, ImportReport,
    Progress, compact_folder, export_all, export_session, import,
};
