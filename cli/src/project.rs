//! Projects as arguments: a folder, a part of its path, or the one that the process is in.

use std::path::{Path, PathBuf};

use scrollback::{Error, Result};

/// A project as sessions state it: a path that starts with `.` is made absolute.
pub(crate) fn project_path(project: &str) -> Result<String> {
    let relative = project == "." || project.starts_with("./") || project.starts_with("..");
    if !relative {
        return Ok(project.to_owned());
    }
    let path = Path::new(project).canonicalize();
    let path = path.map_err(|source| Error::Io {
        action: "find",
        path: PathBuf::from(project),
        source,
    })?;
    Ok(path.to_string_lossy().into_owned())
}

/// The folders of a project as sessions state them: its own, and those of its git worktrees, wherever these lie.
pub(crate) fn folders_of(project: &str) -> Result<Vec<String>> {
    let folder = project_path(project)?;
    let worktrees = worktrees(&folder);
    Ok(std::iter::once(folder).chain(worktrees).collect())
}

/// The folders that a person may mean by "here": this one, then the repository that it lies in.
pub(crate) fn around_here() -> Result<Vec<String>> {
    let here = project_path(".")?;
    let above = Path::new(&here).ancestors().skip(1);
    let repository = above
        .into_iter()
        .find(|folder| folder.join(".git").exists());
    let repository = repository.map(|folder| folder.to_string_lossy().into_owned());
    Ok(std::iter::once(here).chain(repository).collect())
}

/// The folders of the git worktrees of a repository: git notes in each one's folder below
/// `.git/worktrees` where its `.git` file is. Without a repository there are none.
fn worktrees(repository: &str) -> Vec<String> {
    let noted = Path::new(repository).join(".git").join("worktrees");
    let Ok(entries) = std::fs::read_dir(noted) else {
        return Vec::new();
    };
    let folder = |entry: std::fs::DirEntry| {
        let noted = std::fs::read_to_string(entry.path().join("gitdir")).ok()?;
        let folder = Path::new(noted.trim()).parent()?.to_str()?.to_owned();
        folder.starts_with('/').then_some(folder)
    };
    let mut found: Vec<String> = entries.filter_map(|entry| folder(entry.ok()?)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_this_folder() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let found = folders_of(".").unwrap();
        assert_eq!(found.first().map(String::as_str), here.to_str());
        assert_eq!(folders_of("work/x").unwrap(), ["work/x"]);
        assert!(folders_of("./none-of-that-name").is_err());
    }

    #[test]
    fn a_repository_has_the_folders_of_its_worktrees() {
        let home = tempfile::tempdir().unwrap();
        let shop = home.path().join("shop");
        for (name, noted) in [
            ("b", "/w/trees/b/.git\n"),
            ("a", "/w/trees/a/.git\n"),
            ("c", "c"),
        ] {
            let folder = shop.join(".git/worktrees").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("gitdir"), noted).unwrap();
        }
        std::fs::create_dir_all(shop.join(".git/worktrees/empty")).unwrap();
        let shop = shop.to_str().unwrap();
        assert_eq!(
            folders_of(shop).unwrap(),
            [shop, "/w/trees/a", "/w/trees/b"]
        );
    }
}
