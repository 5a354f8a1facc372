//! Opening files of others.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file for reading, unless it has become something that is no file.
pub(in crate::transfer) fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    File::open(path)
}
