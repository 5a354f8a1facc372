//! Whether a file is there, and whether it has a content that is only written, never held.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use crate::model::error::{Error, Result};
use crate::transfer::files::atomic::io_error;

/// What is under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A file with this content, of so many bytes.
    Same(u64),
    /// Anything else.
    Other,
}

/// Compares what is under a name with what `fill` writes.
pub(super) fn bytes_of_same(
    path: &Path,
    fill: &mut dyn FnMut(&mut dyn Write) -> Result<u64>,
) -> Result<Found> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(Found::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        // A file where a folder has to be: the writing says so.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Found::Nothing),
        Err(error) => return Err(io_error("look at", path)(error)),
    }
    let file = File::open(path).map_err(io_error("read", path))?;
    let mut comparing = Comparing {
        there: BufReader::new(file),
        failed: None,
    };
    let bytes = match fill(&mut comparing) {
        Ok(bytes) => bytes,
        Err(Error::Output { .. }) => {
            return match comparing.failed {
                Some(error) => Err(io_error("read", path)(error)),
                None => Ok(Found::Other),
            };
        }
        Err(error) => return Err(error),
    };
    // The file may go on behind all that was compared.
    let mut rest = [0];
    let ended = comparing
        .there
        .read(&mut rest)
        .map_err(io_error("read", path))?
        == 0;
    Ok(if ended {
        Found::Same(bytes)
    } else {
        Found::Other
    })
}

/// Takes bytes, and compares them with those of a file; refuses the first that differ.
struct Comparing {
    there: BufReader<File>,
    failed: Option<io::Error>,
}

impl Write for Comparing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        match self.there.read_exact(&mut there) {
            Ok(()) if there == bytes => return Ok(bytes.len()),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => self.failed = Some(error),
            _ => {}
        }
        Err(io::Error::other("it differs"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
