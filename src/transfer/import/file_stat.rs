//! Looks at many files: their sizes and times, by several threads where there are many.
//!
//! A look at a file that nobody has open takes a microsecond or two, and finding out that nothing
//! has changed is little else.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use super::found::{FoundFile, mtime_ns};
use crate::codec::source_row::SourceRow;

/// Files for which a thread is worth its start.
const FILES_A_THREAD: usize = 512;

/// A file's path, and its place below the folder that was named.
type Met = (PathBuf, Vec<u8>);

/// What a look at a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Its size in bytes.
    pub size: u64,
    /// Its last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its number in its file system; 0 where there is none.
    pub inode: u64,
    /// When anything of it changed last, its times among that: in nanoseconds since 1970; 0 where that is
    /// not known. Nobody can set it.
    pub changed_ns: i64,
}

impl Look {
    /// What metadata tells.
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let (inode, changed_ns) = {
            use std::os::unix::fs::MetadataExt as _;
            let seconds = metadata.ctime().saturating_mul(1_000_000_000);
            (
                metadata.ino(),
                seconds.saturating_add(metadata.ctime_nsec()),
            )
        };
        #[cfg(not(unix))]
        let (inode, changed_ns) = (0, 0);
        Self {
            size: metadata.len(),
            mtime_ns: mtime_ns(metadata),
            inode,
            changed_ns,
        }
    }

    /// What was seen of a file when it was found.
    pub(super) fn of_found(file: &FoundFile) -> Self {
        Self {
            size: file.size,
            mtime_ns: file.mtime_ns,
            inode: file.inode,
            changed_ns: file.changed_ns,
        }
    }

    /// Whether this is what was seen when a file was stored last, as far as that was noted.
    pub(super) fn is_noted_in(&self, row: &SourceRow) -> bool {
        row.size == self.size
            && row.mtime_ns == self.mtime_ns
            && (row.inode == 0 || self.inode == 0 || row.inode == self.inode)
            && (row.changed_ns == 0 || self.changed_ns == 0 || row.changed_ns == self.changed_ns)
    }

    /// Whether nothing of an open file has changed since: else what was read of it may be of two contents.
    pub(super) fn still_holds(&self, file: &fs::File) -> bool {
        file.metadata()
            .is_ok_and(|metadata| Self::of(&metadata) == *self)
    }

    /// Notes all of it but the size, which is what was read.
    pub(super) fn note_in(&self, row: &mut SourceRow) {
        row.mtime_ns = self.mtime_ns;
        row.inode = self.inode;
        row.changed_ns = self.changed_ns;
    }
}

/// A look at each file, in their order. A link is not followed.
pub(super) fn with_looks(files: Vec<Met>) -> impl Iterator<Item = (Met, io::Result<Look>)> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = files.len().div_ceil(threads).max(FILES_A_THREAD);
    let looks = thread::scope(|scope| {
        let mut shares = files.chunks(share);
        let first = shares.next().unwrap_or_default();
        // A thread that cannot be started leaves its share to this one.
        let others: Vec<_> = shares
            .map(|share| {
                let started = thread::Builder::new().spawn_scoped(scope, || look_at(share));
                (share, started)
            })
            .collect();
        let mut all = look_at(first);
        for (share, started) in others {
            let looked = started.ok().and_then(|thread| thread.join().ok());
            all.extend(looked.unwrap_or_else(|| look_at(share)));
        }
        all
    });
    files.into_iter().zip(looks)
}

fn look_at(files: &[Met]) -> Vec<io::Result<Look>> {
    let look = |(path, _): &Met| fs::symlink_metadata(path).map(|found| Look::of(&found));
    files.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_while_a_file_is_open_shows() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let file = fs::File::open(&path).unwrap();
        let look = Look::of(&file.metadata().unwrap());
        assert!(look.still_holds(&file));
        let mut writer = fs::File::options().append(true).open(&path).unwrap();
        writer.write_all(b"two").unwrap();
        assert!(!look.still_holds(&file));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_known_is_not_compared_and_what_is_known_is() {
        let look = Look {
            size: 1,
            mtime_ns: 2,
            inode: 3,
            changed_ns: 4,
        };
        let noted = |inode, changed_ns| {
            let mut row = crate::transfer::import::keep::source_of(
                &FoundFile {
                    path: PathBuf::new(),
                    link: None,
                    relative: Vec::new(),
                    size: 1,
                    mtime_ns: 2,
                    inode,
                    changed_ns,
                    named: false,
                    is_older: false,
                },
                1,
                ("a", 0, String::new()),
                (1, 0, look),
            )
            .row;
            (row.inode, row.changed_ns) = (inode, changed_ns);
            row
        };
        assert!(look.is_noted_in(&noted(3, 4)) && look.is_noted_in(&noted(0, 0)));
        assert!(!look.is_noted_in(&noted(3, 5)) && !look.is_noted_in(&noted(7, 4)));
    }

    #[test]
    fn each_file_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let count = 2 * FILES_A_THREAD + 3;
        let files: Vec<Met> = (0..count)
            .map(|size| (folder.path().join(size.to_string()), vec![]))
            .collect();
        for (size, (path, _)) in files.iter().enumerate().skip(1) {
            fs::write(path, vec![b'x'; size]).unwrap();
        }
        let looked: Vec<_> = with_looks(files).collect();
        assert_eq!(looked.len(), count);
        for (size, ((path, _), look)) in looked.iter().enumerate() {
            assert!(path.ends_with(size.to_string()));
            assert_eq!(
                look.as_ref().ok().map(|look| look.size),
                (size > 0).then_some(size as u64)
            );
        }
        assert_eq!(with_looks(Vec::new()).count(), 0);
    }
}
