//! The root of the git work tree that a folder lies in, found without running `git`.
//!
//! It is what `git rev-parse --show-toplevel` prints in plain cases: links are resolved, and a
//! `.git` file counts as well as a folder. Not looked at: `GIT_DIR` and the other variables,
//! `core.worktree`, who owns the repository, and bare repositories, which have no work tree.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What a `.git` file of a linked work tree or a submodule starts with.
const GIT_FILE: &[u8] = b"gitdir: ";

/// The folder of the work tree that `folder` lies in, with links resolved; `None` if it lies in
/// none, or cannot be found.
pub(super) fn git_root(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    for candidate in folder.ancestors() {
        // Within the repository itself there is no work tree.
        if candidate.file_name().is_some_and(|name| name == ".git") {
            return None;
        }
        let git = candidate.join(".git");
        match std::fs::metadata(&git) {
            Ok(found) if found.is_dir() => return Some(candidate.to_owned()),
            // git refuses to go on behind a file that it cannot read.
            Ok(found) if found.is_file() => {
                return is_git_file(&git).then(|| candidate.to_owned());
            }
            _ => {}
        }
    }
    None
}

fn is_git_file(path: &Path) -> bool {
    let mut start = [0; GIT_FILE.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == GIT_FILE
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_folder_with_a_git_folder_or_file_is_the_root() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let deep = home.join("shop/src/deep");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(git_root(&deep), None);
        fs::create_dir_all(home.join("shop/.git/hooks")).unwrap();
        assert_eq!(git_root(&deep), Some(home.join("shop")));
        assert_eq!(git_root(&home.join("shop")), Some(home.join("shop")));
        assert_eq!(git_root(&home.join("shop/.git/hooks")), None);
        fs::write(home.join("shop/src/.git"), "gitdir: ../../else\n").unwrap();
        assert_eq!(git_root(&deep), Some(home.join("shop/src")));
        fs::write(home.join("shop/src/.git"), "notes").unwrap();
        assert_eq!(git_root(&deep), None, "git stops there");
        assert_eq!(git_root(&home.join("gone")), None);
    }
}
