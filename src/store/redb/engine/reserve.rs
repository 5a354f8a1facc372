//! Space kept for the day when the disk is full: a file beside the store, given up when what frees
//! space finds no block for the pages that it has to write first.
//!
//! - It is made when the store's file grows, or is opened for writing, and has some size; again once
//!   what frees space is done. Where it cannot be made it is missing, and nothing else is.
//! - Nothing is stored in it: it may be deleted at any time, and a kill leaves it whole, short or missing.
//!   Its bytes are noise, so that no file system keeps them in less space.
//! - What else lies under its name (a link, somebody's file) is neither followed nor touched.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::system::private;

/// Bytes of the file: the pages that a deletion writes before the first of its own are free.
const BYTES: u64 = 1024 * 1024;

/// A smaller store has none: there is nothing in it that would free much.
const STORE_BYTES_MIN: u64 = 4 * BYTES;

/// How the file starts.
const START: &[u8] = b"scrollback: space kept for deletions on a full disk; may be deleted\n";

/// The file beside a store.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// None for a store that is read, or being made.
    path: Option<PathBuf>,
}

impl Reserve {
    /// Of the store at `path`: beside the file itself, whatever link leads to it.
    pub(crate) fn of(store: &Path) -> Self {
        let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
        let name = store.file_name().unwrap_or_default().to_string_lossy();
        // It is to be renamed.
        if name.starts_with(".scrollback-") {
            return Self::none();
        }
        let mut name = OsString::from(store);
        name.push("-reserve");
        Self {
            path: Some(PathBuf::from(name)),
        }
    }

    /// There is to be none.
    pub(crate) fn none() -> Self {
        Self { path: None }
    }

    /// Makes the file for a store of so many bytes, if it is not there.
    pub(crate) fn keep(&self, store_bytes: u64) {
        let Some(path) = &self.path else { return };
        if store_bytes < STORE_BYTES_MIN {
            return;
        }
        match fs::symlink_metadata(path) {
            // What a kill has left of it.
            Ok(there) if there.len() < BYTES && is_reserve(path) => drop(fs::remove_file(path)),
            Ok(_) => return,
            Err(_) => {}
        }
        // What was begun on a full disk frees too little later, and takes the last blocks now. A
        // file that another process was faster to make stays.
        if make(path).is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) {
            let _left = fs::remove_file(path);
        }
    }

    /// Gives the space back. Whether there was some.
    pub(crate) fn give_up(&self) -> bool {
        self.path
            .as_ref()
            .is_some_and(|path| is_reserve(path) && fs::remove_file(path).is_ok())
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    let mut bytes = START.to_vec();
    let mut state = 1_u64;
    while (bytes.len() as u64) < BYTES {
        // A generator of noise (xorshift), on which nothing depends.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(usize::try_from(BYTES).unwrap_or(usize::MAX));
    file.write_all(&bytes)?;
    // Until then a file system may only have promised the space.
    file.sync_data()
}

/// Whether that file is one.
fn is_reserve(path: &Path) -> bool {
    let is_plain =
        fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && there.len() <= BYTES);
    let mut start = Vec::new();
    is_plain
        && File::open(path)
            .and_then(|file| file.take(START.len() as u64).read_to_end(&mut start))
            .is_ok_and(|_| START.starts_with(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_for_large_stores_and_somebody_elses_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("s.redb");
        let (reserve, path) = (Reserve::of(&store), folder.path().join("s.redb-reserve"));
        reserve.keep(STORE_BYTES_MIN - 1);
        assert!(!path.exists() && !reserve.give_up());
        reserve.keep(STORE_BYTES_MIN);
        assert_eq!(fs::metadata(&path).unwrap().len(), BYTES);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(7)
            .unwrap();
        reserve.keep(STORE_BYTES_MIN);
        assert_eq!(fs::metadata(&path).unwrap().len(), BYTES, "a short one");
        assert!(reserve.give_up() && !path.exists());
        fs::write(&path, "mine").unwrap();
        reserve.keep(STORE_BYTES_MIN);
        assert!(!reserve.give_up());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        #[cfg(unix)]
        {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
            reserve.keep(STORE_BYTES_MIN);
            assert!(!reserve.give_up() && !folder.path().join("elsewhere").exists());
        }
        Reserve::none().keep(STORE_BYTES_MIN);
    }
}
