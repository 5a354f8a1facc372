//! What several layers ask of the operating system: which file a file is, files for their owner alone,
//! whether a process is there. It must not know what the files are for.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Which file it is, whatever its name. Elsewhere than on Unix the time of its creation stands for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl FileId {
    /// Of what is known of a file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Self {
                device_and_inode: (metadata.dev(), metadata.ino()),
            }
        }
        #[cfg(not(unix))]
        Self {
            created: metadata.created().ok(),
        }
    }

    /// Of the file that a path leads to.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|found| Self::of(&found))
    }
}

/// Whether a path still leads to the file that was opened.
pub(crate) fn is_same_file(left: &Metadata, right: &Metadata) -> bool {
    FileId::of(left) == FileId::of(right)
}

/// Whether no other name leads to the file, as far as that can be told.
pub(crate) fn has_one_name(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata) <= 1;
    #[cfg(not(unix))]
    return metadata.is_file();
}

/// With the mode of files that are for their owner alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Whether no such process can be seen, where processes can be.
pub(crate) fn is_gone(process: u32) -> bool {
    Path::new("/proc/self/stat").exists() && !Path::new(&format!("/proc/{process}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_the_same_under_another_name_and_not_its_copy() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other, copy] = ["one", "other", "copy"].map(|name| folder.path().join(name));
        std::fs::write(&one, "x").unwrap();
        std::fs::copy(&one, &copy).unwrap();
        assert!(has_one_name(&one.metadata().unwrap()));
        std::fs::hard_link(&one, &other).unwrap();
        assert_eq!(FileId::at(&one).unwrap(), FileId::at(&other).unwrap());
        assert_ne!(FileId::at(&one).unwrap(), FileId::at(&copy).unwrap());
        assert!(!has_one_name(&one.metadata().unwrap()));
        assert!(FileId::at(&folder.path().join("none")).is_err());
    }

    #[test]
    fn this_process_is_there() {
        assert!(!is_gone(std::process::id()));
        // More than any system gives out.
        assert_eq!(is_gone(u32::MAX), cfg!(target_os = "linux"));
    }
}
