//! The hash of a file's content.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

/// Length and hash of all that a reader gives. Holds one buffer.
pub(in crate::transfer) fn hash_all(mut content: impl Read) -> io::Result<(u64, u128)> {
    let (mut hasher, mut bytes) = (Xxh3::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match content.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((bytes, hasher.digest128()));
        };
        hasher.update(part);
        bytes += part.len() as u64;
    }
}
