//! Compressed files, read up to a limit: a megabyte can unpack to terabytes.

use std::io::{self, BufReader, Read};

use zstd::stream::read::Decoder;

use crate::model::limits::UNPACKED_BYTES_MAX;

/// What a file compressed with zstd unpacks to, up to [`UNPACKED_BYTES_MAX`].
pub(crate) struct Unpacked<R: Read> {
    decoder: Decoder<'static, BufReader<R>>,
    left: u64,
}

impl<R: Read> Unpacked<R> {
    /// Begins to unpack a file.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn new(file: R) -> io::Result<Self> {
        Ok(Self {
            decoder: Decoder::new(file)?,
            left: UNPACKED_BYTES_MAX,
        })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(room)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            let reason = format!(
                "it unpacks to more than {UNPACKED_BYTES_MAX} bytes, the limit; unpack it by hand \
                 (`zstd -d`) if that is what it should be"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        };
        self.left = left;
        Ok(read)
    }
}
