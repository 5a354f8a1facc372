//! What a rewrite appends to an archive, and how that is taken back. Each history has a file of its
//! own there, of which a note says so: another folder's history of the same name has another one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::transfer::archive::{ArchiveFile, Owner, is_named};
use crate::transfer::files::paths;
use crate::transfer::histories::history::{History, JOURNAL_SUFFIX};
use crate::transfer::histories::refusal::{Refusal, failed, refusal};

/// An archive as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Archived {
    /// Its file, as bytes of the path. It is absolute: the next run, which may have to take back
    /// what was appended, can be in another folder.
    pub path: Vec<u8>,
    /// Its length before.
    pub bytes: u64,
}

/// The file of a history in an archive, noted as its own.
pub(super) fn claim(history: &History, archive: &Path) -> Result<ArchiveFile, Refusal> {
    let owner = owner(history)?;
    let folder = archive.canonicalize().map_err(failed("find", archive))?;
    if history.folder.canonicalize().is_ok_and(|own| own == folder) {
        return Err("the archive would lie among the histories; name another folder".to_owned());
    }
    let mut place = ArchiveFile::of(archive, &history.name, &owner).map_err(refusal)?;
    place.claim(&owner).map_err(refusal)?;
    Ok(place)
}

/// The file from which a journal's lines are to be taken back; `None` if there is none, or if it is
/// another history's: of a folder that this one was copied from, say.
///
/// Refuses a journal that tells of an archive which the caller does not name: taking lines back
/// from any file that a journal names would be in the hands of whoever wrote the journal.
pub(super) fn find(
    history: &History,
    archived: Option<&Archived>,
    archive: Option<&Path>,
) -> Result<Option<ArchiveFile>, Refusal> {
    let Some(archived) = archived else {
        return Ok(None);
    };
    let told = paths::from_bytes(&archived.path);
    let folder = |path: &Path| path.canonicalize().ok();
    let named = archive.filter(|archive| {
        let told = told.parent().and_then(folder);
        told.is_some() && told == folder(archive)
    });
    let Some(archive) = named.filter(|_| is_named(&told, &history.name)) else {
        return Err(format!(
            "journal `{}` is of a rewrite that was interrupted while lines went to the archive `{}`; \
             name the archive's folder again, or remove the journal and look for lines that are \
             there twice",
            history.with(JOURNAL_SUFFIX).display(),
            told.display()
        ));
    };
    let place = claim(history, archive)?;
    Ok((place.lines.file_name() == told.file_name()).then_some(place))
}

/// Takes back what was appended to an archive, if it is the start of the lines, which are all there.
pub(super) fn take_back(history: &History, archive: &Path, bytes: u64) -> Result<(), Refusal> {
    let (lines_path, action) = (history.lines(), "read");
    let Ok(there) = fs::symlink_metadata(archive) else {
        return Ok(());
    };
    if !there.is_file() || there.len() < bytes {
        return Err(format!(
            "the archive `{}` is no file, or shorter than before; left alone",
            archive.display()
        ));
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(archive)
        .map_err(failed("open", archive))?;
    let mut lines = File::open(&lines_path).map_err(failed(action, &lines_path))?;
    // Cut only where all that is behind are lines of this history: whatever else is there, somebody
    // else wrote.
    let is_start = file
        .seek(SeekFrom::Start(bytes))
        .and_then(|_| is_start_of(&mut file, &mut lines, bytes > 0))
        .map_err(failed(action, archive))?;
    if is_start {
        file.set_len(bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed("write", archive))?;
    }
    Ok(())
}

/// Whether all that is left of `part` is how `whole` starts; a line feed may come before.
fn is_start_of(
    part: &mut File,
    whole: &mut File,
    mut may_have_line_feed: bool,
) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = part.read(&mut left)?;
        let mut content = left.get(..read).unwrap_or_default();
        if content.is_empty() {
            return Ok(true);
        }
        // The line feed that was written to end what somebody else had left open.
        if std::mem::take(&mut may_have_line_feed) {
            content = content.strip_prefix(b"\n").unwrap_or(content);
        }
        let Some(same) = right.get_mut(..content.len()) else {
            return Ok(false);
        };
        match whole.read_exact(same) {
            Ok(()) if *same == *content => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

fn owner(history: &History) -> Result<Owner, Refusal> {
    let folder = &history.folder;
    let folder = folder.canonicalize().map_err(failed("find", folder))?;
    Ok(Owner::History {
        folder: paths::to_name(&folder),
        name: paths::to_name(Path::new(&history.name)),
    })
}
