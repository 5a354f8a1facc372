//! The lines of a file that may be compressed: unpacked as they are read, never to disk.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The lines of a file from a byte of them on, unpacked if need be.
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
    let mut unpacked = zstd::stream::read::Decoder::new(BufReader::new(file))?;
    io::copy(&mut unpacked.by_ref().take(start), &mut io::sink())?;
    Ok(Box::new(unpacked))
}
