//! Files that the tool writes where a person says: for their owner only, each there whole or not at all.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::path::Path;

use scrollback::{Error, Result};

/// Makes a folder, with those on the way to it, unless it is there.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.map_err(|source| failed("make the folder", folder, source))
}

/// Writes a file into a folder that is there; one of that name is replaced only if `replaces` says so.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8], replaces: bool) -> Result<()> {
    let path = folder.join(name);
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .map_err(|source| failed("write into", folder, source))?;
    file.write_all(bytes)
        .map_err(|source| failed("write", &path, source))?;
    let named = if replaces {
        file.persist(&path)
    } else {
        file.persist_noclobber(&path)
    };
    named
        .map(|_| ())
        .map_err(|error| failed("write", &path, error.error))
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
