//! Where picoclaw keeps what.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::meta;
pub(super) use crate::agents::parts::meta_file::META_ENDING;
use crate::agents::parts::paths;

/// Ending of a session file.
const LINES_ENDING: &str = ".jsonl";

/// Most bytes that are read of a file to find out what it is.
const LOOK_BYTES: u64 = 1024 * 1024;

/// Most files of a folder that are looked at for a meta file among them.
const LOOK_FILES: usize = 256;

/// The stem of the file of a session with this key, as picoclaw names it.
pub(super) fn file_stem(key: &str) -> String {
    key.replace([':', '/', '\\'], "_")
}

/// Whether a file lies in a folder of sessions below picoclaw's home.
pub(super) fn is_own(path: &Path) -> bool {
    let names = paths::names(path);
    let below = paths::below(&names, &[".picoclaw"]);
    matches!(below, Some([.., folder, _]) if folder == "sessions")
}

/// Whether a file lies in a folder named as picoclaw names it.
pub(super) fn is_in_sessions(path: &Path) -> bool {
    matches!(&*paths::names(path), [.., folder, _] if folder == "sessions")
}

/// The meta file beside a session file.
pub(super) fn meta_of(lines: &Path) -> Option<PathBuf> {
    let name = lines.file_name()?;
    if name == LINES_ENDING {
        // The session whose key is empty: to a path that is a name without an extension.
        return Some(lines.with_file_name(META_ENDING));
    }
    paths::is_lines(lines).then(|| lines.with_extension("meta.json"))
}

/// The session file that a file is the meta file of, by its name.
pub(super) fn lines_of(meta: &Path) -> Option<PathBuf> {
    let name = meta.file_name()?.as_encoded_bytes();
    if !name.ends_with(META_ENDING.as_bytes()) {
        return None;
    }
    if name.len() == META_ENDING.len() {
        return Some(meta.with_file_name(LINES_ENDING));
    }
    Some(meta.with_extension("").with_extension("jsonl"))
}

/// Whether one of the first files in the folder is a meta file of picoclaw's: sessions without
/// one of their own lie beside others that have one.
pub(super) fn has_meta_beside(path: &Path) -> bool {
    let Some(Ok(files)) = path.parent().map(std::fs::read_dir) else {
        return false;
    };
    files
        .take(LOOK_FILES)
        .filter_map(Result::ok)
        .map(|file| file.path())
        .find(|file| lines_of(file).is_some())
        .is_some_and(|file| meta::is_meta(&start_of(&file)))
}

/// The first bytes of a file; none if it cannot be read. A pipe is not opened.
pub(super) fn start_of(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if std::fs::metadata(path).is_ok_and(|file| file.is_file())
        && let Ok(file) = File::open(path)
        && file.take(LOOK_BYTES).read_to_end(&mut bytes).is_err()
    {
        bytes.clear();
    }
    bytes
}
