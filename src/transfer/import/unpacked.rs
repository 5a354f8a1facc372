//! Files that are compressed: which ones, by their names, and their lines, unpacked as they are read,
//! never to disk.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::jsonl::Unpacked;

/// How the names of compressed files end.
pub(super) const PACKED_ENDING: &str = ".zst";

/// Bytes of what a file unpacks to that show whether it does.
const LOOK_BYTES: u64 = 64 * 1024;

/// What is said of a file that is called like a compressed one, and is none.
pub(super) const NOT_PACKED: &str = "is called .zst, and cannot be unpacked";

/// Whether a file of lines is compressed, by its name.
pub(super) fn is_packed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".jsonl.zst") || name.ends_with(".ndjson.zst")
}

/// The name that a file has when it is not compressed.
pub(super) fn unpacked_name(path: &Path) -> PathBuf {
    if is_packed(path) {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}

/// Whether a file can be unpacked as far as its first line, or to its end; its position is its start
/// then.
pub(super) fn unpacks(file: &mut File) -> io::Result<bool> {
    file.rewind()?;
    let is_line = Unpacked::new(&mut *file).and_then(|unpacked| {
        let mut start = BufReader::new(unpacked.take(LOOK_BYTES));
        start.skip_until(b'\n')
    });
    file.rewind()?;
    Ok(is_line.is_ok())
}

/// The lines of a file from a byte of them on, unpacked if need be, up to the limit.
pub(super) fn lines_from(
    file: &mut File,
    packed: bool,
    start: u64,
) -> io::Result<Box<dyn Read + '_>> {
    if !packed {
        file.seek(SeekFrom::Start(start))?;
        return Ok(Box::new(file));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut unpacked = Unpacked::new(file)?;
    // No byte of the packed file leads there: all before it has to be unpacked.
    io::copy(&mut unpacked.by_ref().take(start), &mut io::sink())?;
    Ok(Box::new(unpacked))
}
