//! STUB of the helper "import": to be dropped for the real one.

use std::path::Path;

use crate::dialect::DocumentLines;
use crate::error::Result;

/// A session of a database.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSession {
    /// Its id.
    pub id: String,
    /// Its folder.
    pub project: Option<String>,
    /// Its lines.
    pub document: DocumentLines,
}

/// Reads the sessions of a database.
pub(crate) fn read_database(
    _path: &Path,
    _visit: &mut dyn FnMut(DatabaseSession) -> Result<()>,
) -> Result<()> {
    Ok(())
}
