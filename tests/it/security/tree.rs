//! What lies in a folder: every name with its kind, mode, time of change and content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What lies under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its kind and, on Unix, its mode.
    pub(crate) mode: u32,
    /// When it was changed.
    modified: SystemTime,
    /// The bytes of a file, the target of a link.
    content: Vec<u8>,
}

/// Everything below a folder but what lies in `except`; links are not followed.
pub(crate) fn of(root: &Path, except: &[&str]) -> BTreeMap<PathBuf, Node> {
    let mut tree = BTreeMap::new();
    let except: Vec<PathBuf> = except.iter().map(|name| root.join(name)).collect();
    collect(root, &except, &mut tree);
    tree
}

fn collect(path: &Path, except: &[PathBuf], tree: &mut BTreeMap<PathBuf, Node>) {
    let found = fs::symlink_metadata(path).unwrap();
    let content = if found.is_file() {
        fs::read(path).unwrap()
    } else if found.is_symlink() {
        let target = fs::read_link(path).unwrap();
        target.into_os_string().into_encoded_bytes()
    } else {
        Vec::new()
    };
    #[cfg(unix)]
    let mode = std::os::unix::fs::MetadataExt::mode(&found);
    #[cfg(not(unix))]
    let mode = u32::from(found.is_dir());
    let node = Node {
        mode,
        modified: found.modified().unwrap(),
        content,
    };
    tree.insert(path.to_owned(), node);
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if !except.contains(&path) {
                collect(&path, except, tree);
            }
        }
    }
}
