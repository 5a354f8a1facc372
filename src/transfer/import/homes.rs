//! What an id is known by beside itself: the folder of its file, the first lines of it, and the plain id
//! that all contents share.

use std::path::Path;

use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::transfer::files::paths;

/// First byte of the key of a home.
const HOME: u8 = b'h';

/// First byte of the key of a beginning.
const BEGINNING: u8 = b'l';

/// The key of a home among those of an id: the folder of the file.
pub(super) fn home_of(path: &Path) -> Vec<u8> {
    let folder = path.parent().map(paths::to_bytes).unwrap_or_default();
    [&[HOME], folder.as_slice()].concat()
}

/// The key of a beginning among the homes of an id.
pub(super) fn beginning_of(digest: &[u8]) -> Vec<u8> {
    [&[BEGINNING], digest].concat()
}

/// The plain key of the session whose content a row is.
pub(super) fn plain_key(row: &SessionRow) -> Result<SessionKey> {
    SessionKey::new(row.agent.as_str(), row.plain_id())
}
