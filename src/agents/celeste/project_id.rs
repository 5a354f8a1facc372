//! The project ids of celeste: a hash of the project's folder, as the name of a folder.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Bytes of the hash that are kept.
const HASH_BYTES: usize = 8;

/// The id of the project whose root has this path: the first 8 bytes of the path's SHA-256, in
/// lower hex.
pub(crate) fn project_id(root: &[u8]) -> String {
    let mut id = String::with_capacity(2 * HASH_BYTES);
    for byte in Sha256::digest(root).iter().take(HASH_BYTES) {
        // Writing to a string does not fail.
        let _written = write!(id, "{byte:02x}").is_ok();
    }
    id
}

/// Whether a text looks like a project id.
pub(crate) fn is_project_id(text: &str) -> bool {
    text.len() == 2 * HASH_BYTES
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
