//! The folder of older contents in an export, and how an import knows it.

use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::files::open::open_regular;

/// The folder of older contents.
pub(super) const FOLDER: &str = ".older";

/// The list in it.
pub(super) const LIST: &str = "list.json";

/// The format of the list.
pub(super) const LIST_FORMAT: u32 = 1;

/// Bytes of a list that are read, at most.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What makes a list.
#[derive(Deserialize)]
struct Head {
    scrollback_older: u32,
}

/// Whether a folder is one of older contents: it has the name, and the list.
pub(super) fn is_folder(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FOLDER) && has_list(path)
}

fn has_list(folder: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = open_regular(&folder.join(LIST))
        .and_then(|file| file.take(LIST_BYTES_MAX).read_to_end(&mut bytes));
    let head = read.map(|_| serde_json::from_slice::<Head>(&bytes));
    matches!(head, Ok(Ok(head)) if head.scrollback_older == LIST_FORMAT)
}

/// What lies below the folder of older contents in a path that was imported, if it was one.
pub(super) fn below(components: &[Vec<u8>]) -> Option<&[Vec<u8>]> {
    let at = components
        .iter()
        .position(|name| name == FOLDER.as_bytes())?;
    match components.get(at + 1..)? {
        [number, rest @ ..] if number.iter().all(u8::is_ascii_digit) => Some(rest),
        rest => Some(rest),
    }
}
