//! Whose a file beside picoclaw's sessions is.

use std::path::Path;

use super::layout::{is_own, lines_of, start_of};
use super::{legacy, meta};
use crate::agents::companions::Sidecar;
use crate::agents::dialect::Candidate;
use crate::agents::parts::paths;

/// Whose sidecar a file is. `is_lines` tells the lines of a session.
pub(super) fn sidecar(path: &Path, is_lines: &dyn Fn(&Candidate<'_>) -> bool) -> Option<Sidecar> {
    let name = paths::name(path);
    if paths::is_private(&name) || paths::is_lines(path) {
        return None;
    }
    let own = is_own(path);
    if let Some(lines) = lines_of(path) {
        let bytes = start_of(path);
        let is_ours = own || meta::is_meta(&bytes) || is_session(&lines, &bytes, is_lines);
        return is_ours.then(|| Sidecar::Session(meta::id_of(&lines, Some(&bytes))));
    }
    // Another name is no document's, so the file need not be opened to be passed over.
    let may_be_document = path
        .extension()
        .is_some_and(|extension| extension == "json");
    // What it was writing when it was stopped, and old sessions that it has read since.
    let is_kept = may_be_document
        || name.ends_with(".json.migrated")
        || name.starts_with(".tmp-")
        || (name.starts_with("session-") && name.strip_suffix(".tmp").is_some());
    if !own || !is_kept || (may_be_document && is_document(path)) {
        return None;
    }
    Some(Sidecar::Folder)
}

/// Whether a file is a session by itself beside a meta file that says too little.
fn is_session(lines: &Path, meta: &[u8], is_lines: &dyn Fn(&Candidate<'_>) -> bool) -> bool {
    let head = start_of(lines);
    let candidate = Candidate::new(lines, &head).beside(Some(meta));
    is_lines(&candidate)
}

/// Whether a file is a whole session in one document.
fn is_document(path: &Path) -> bool {
    let head = start_of(path);
    let candidate = Candidate::new(path, &head);
    legacy::document_id(&candidate, &String::from_utf8_lossy(&head)).is_some()
}
