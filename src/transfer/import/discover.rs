//! Finds the files that an import may take, by name alone: nothing is opened here.
//!
//! - Folders are walked whole, hidden ones included, except `.git` and `node_modules`.
//! - Order is by name, so that two runs meet the files in the same order; older contents of an export
//!   come last.
//! - A file counts once, under its canonical path, however many links and arguments lead to it;
//!   what lies in a folder itself goes before what a link in it leads to.
//! - Links are followed, also out of the folder, but never to a folder that holds the imported
//!   one: every folder is walked once, so loops end.
//! - Only regular files are taken; a pipe or a device is never touched, and told where its name is that
//!   of a file which would be taken.
//! - Files of agents whose sessions are not read are counted.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::file_stat::{self, Look};
use super::found::{FoundFile, cannot_read};
use crate::agents;
use crate::transfer::files::paths;
use crate::transfer::older;
use crate::transfer::report::ImportReport;

/// Folders that are not walked, unless they are named themselves.
const SKIPPED_FOLDERS: [&str; 2] = [".git", "node_modules"];

/// Which files may be of interest.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Tells by its name whether a file may be.
    pub(super) matters: &'a dyn Fn(&Path) -> bool,
    /// The longest path that the store can remember, in bytes.
    pub(super) path_bytes_max: usize,
}

/// Finds files below `paths`. `progress` is told how many there are so far, and says whether to go on.
pub(super) fn find(
    paths: &[PathBuf],
    wanted: Wanted<'_>,
    report: &mut ImportReport,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Vec<FoundFile> {
    let mut finder = Finder {
        wanted,
        report,
        progress,
        arguments: Vec::new(),
        walked: HashSet::new(),
        links: VecDeque::new(),
        seen: None,
        files: Vec::new(),
        older: HashMap::new(),
        is_stopped: false,
    };
    for path in paths {
        finder.begin();
        finder.argument(path);
    }
    while let Some(link) = finder.links.pop_front()
        && !finder.is_stopped
    {
        finder.begin();
        finder.follow(&link);
    }
    // What is older comes after what is newer: the names are for this.
    let (mut files, older): (Vec<FoundFile>, Vec<FoundFile>) =
        finder.files.into_iter().partition(|file| !file.is_older);
    files.extend(older);
    files
}

/// A symbolic link that is still to be followed.
struct Link {
    path: PathBuf,
    relative: Vec<u8>,
}

struct Finder<'a> {
    wanted: Wanted<'a>,
    report: &'a mut ImportReport,
    progress: &'a mut dyn FnMut(u64) -> bool,
    /// Folders that were named.
    arguments: Vec<PathBuf>,
    /// Folders that were walked from their top.
    walked: HashSet<PathBuf>,
    links: VecDeque<Link>,
    /// The files so far, once they may be met again; one walk meets none twice.
    seen: Option<HashSet<PathBuf>>,
    files: Vec<FoundFile>,
    /// Folders that are called as those of older contents, and whether they are.
    older: HashMap<PathBuf, bool>,
    /// Whether nobody waits for more.
    is_stopped: bool,
}

impl Finder<'_> {
    /// Goes on with another argument or link.
    fn begin(&mut self) {
        // Only for a second walk: most imports have one, and need no set of all their paths.
        if self.seen.is_none() && !self.files.is_empty() {
            self.seen = Some(self.files.iter().map(|file| file.path.clone()).collect());
        }
    }

    /// Takes one argument: a file or a folder.
    fn argument(&mut self, path: &Path) {
        let resolved = fs::canonicalize(path).and_then(|found| Ok((fs::metadata(&found)?, found)));
        let (metadata, canonical) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return self.refuse(path, no_such(&error)),
        };
        if metadata.is_dir() {
            self.arguments.push(canonical.clone());
            if !self.walked.contains(&canonical) {
                self.walk(&canonical, &[]);
            }
        } else if metadata.is_file() {
            // Known by the path that it leads to, so that no other way to it makes a second
            // session; recognised and exported by the name that was given.
            let name = path
                .file_name()
                .or(canonical.file_name())
                .unwrap_or_default();
            let link = std::path::absolute(path)
                .ok()
                .filter(|link| *link != canonical);
            let relative = paths::to_bytes(Path::new(name));
            self.note_unread(&canonical);
            self.add(canonical, link, relative, Look::of(&metadata), true);
        } else {
            self.refuse(path, "not a regular file or folder".to_owned());
        }
    }

    fn refuse(&mut self, path: &Path, reason: String) {
        self.report.paths_failed += 1;
        self.report.add_skipped(path, reason);
    }

    /// Walks a folder, given by its canonical path, and notes its links for later.
    fn walk(&mut self, root: &Path, prefix: &[u8]) {
        self.walked.insert(root.to_owned());
        // Nothing is added while the walk goes on, and a copy for each of many links is slow.
        let walked = std::mem::take(&mut self.walked);
        let enter = |entry: &walkdir::DirEntry| {
            let skipped = SKIPPED_FOLDERS
                .iter()
                .any(|name| entry.file_name() == *name);
            // A folder that was named itself is walked whatever it is called.
            !entry.file_type().is_dir()
                || entry.depth() == 0
                || !(skipped || walked.contains(entry.path()))
        };
        let entries = WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(enter);
        let mut met = Vec::new();
        for entry in entries {
            let found = self.files.len() + met.len();
            self.is_stopped |= !(self.progress)(found as u64);
            if self.is_stopped {
                break;
            }
            match entry {
                Ok(entry) => met.extend(self.entry(entry, root, prefix)),
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    // A folder that was named and cannot be read is a failure of the call; one
                    // somewhere below it is only told.
                    if self.arguments.contains(&path) {
                        self.report.paths_failed += 1;
                    }
                    self.report
                        .add_skipped(&path, cannot_read(error.io_error()));
                }
            }
        }
        self.walked = walked;
        // All together, since looks at many files are shared out to threads.
        for ((path, relative), look) in file_stat::with_looks(met) {
            match look {
                Ok(look) => self.add(path, None, relative, look, false),
                Err(error) => self.report.add_skipped(&path, cannot_read(Some(&error))),
            }
        }
    }

    /// Takes what a walk has met: a file that may be of interest, with its place below the folder
    /// that was named. Links are noted for later.
    fn entry(
        &mut self,
        entry: walkdir::DirEntry,
        root: &Path,
        prefix: &[u8],
    ) -> Option<(PathBuf, Vec<u8>)> {
        let relative = || {
            let (path, root) = (paths::to_bytes(entry.path()), paths::to_bytes(root));
            let below = path.strip_prefix(root.as_slice()).unwrap_or(&path);
            let below = below.strip_prefix(b"/").unwrap_or(below);
            match prefix {
                [] => below.to_vec(),
                _ => [prefix, b"/", below].concat(),
            }
        };
        if entry.path_is_symlink() {
            // Followed when all folders were walked: what lies in one goes before what a link leads
            // to.
            let link = Link {
                path: entry.path().to_owned(),
                relative: relative(),
            };
            self.links.push_back(link);
        } else if entry.file_type().is_file() {
            self.note_unread(entry.path());
            if (self.wanted.matters)(entry.path()) {
                let relative = relative();
                return Some((entry.into_path(), relative));
            }
        } else if !entry.file_type().is_dir() && (self.wanted.matters)(entry.path()) {
            // Opening a pipe waits for its writer, perhaps for ever.
            let reason = "a pipe, a socket or a device; passed over";
            self.report.add_file_problem(entry.path(), reason);
        }
        None
    }

    /// Counts a file of an agent whose sessions are not read.
    fn note_unread(&mut self, path: &Path) {
        if let Some(sort) = agents::unread(path) {
            self.report.add_not_read(sort, path);
        }
    }

    fn follow(&mut self, link: &Link) {
        let matters = (self.wanted.matters)(&link.path);
        let resolved =
            fs::canonicalize(&link.path).and_then(|target| Ok((fs::metadata(&target)?, target)));
        let (metadata, target) = match resolved {
            Ok(resolved) => resolved,
            // A home folder is full of dangling links that are none of our business.
            Err(_) if !matters => return,
            Err(error) => {
                let reason = format!("a symbolic link that leads nowhere: {error}");
                return self.report.add_skipped(&link.path, reason);
            }
        };
        if metadata.is_file() {
            if matters || (self.wanted.matters)(&target) {
                let (path, relative) = (link.path.clone(), link.relative.clone());
                self.add(target, Some(path), relative, Look::of(&metadata), false);
            }
        } else if metadata.is_dir() {
            // It would bring in all that lies around the folder that was named.
            let holds = |folder: &PathBuf| folder.starts_with(&target);
            if link.path.starts_with(&target) || self.arguments.iter().any(holds) {
                let reason = "a symbolic link to a folder that holds it; not followed";
                self.report.add_file_problem(&link.path, reason);
            } else if !target
                .ancestors()
                .any(|folder| self.walked.contains(folder))
            {
                self.walk(&target, &link.relative);
            }
        }
    }

    /// Whether a file lies among the older contents of an export.
    fn is_older(&mut self, path: &Path) -> bool {
        let has_name =
            |folder: &&Path| folder.file_name().is_some_and(|name| name == older::FOLDER);
        let Some(folder) = path.ancestors().skip(1).find(has_name) else {
            return false;
        };
        if let Some(known) = self.older.get(folder) {
            return *known;
        }
        let is_older = older::is_folder(folder);
        self.older.insert(folder.to_owned(), is_older);
        is_older
    }

    fn add(
        &mut self,
        path: PathBuf,
        link: Option<PathBuf>,
        relative: Vec<u8>,
        look: Look,
        named: bool,
    ) {
        if let Some(seen) = &mut self.seen
            && !seen.insert(path.clone())
        {
            return;
        }
        // Paths are keys, and a server's index takes keys up to a length: written later, this one
        // would end the whole import.
        let length = paths::to_bytes(&path).len();
        let limit = self.wanted.path_bytes_max;
        if length > limit {
            self.report.paths_failed += u64::from(named);
            let reason =
                format!("its path has {length} bytes, and this store keeps {limit} at most");
            return self.report.add_skipped(&path, reason);
        }
        let Look {
            size,
            mtime_ns,
            inode,
            changed_ns,
        } = look;
        let is_older = self.is_older(&path);
        self.files.push(FoundFile {
            path,
            link,
            relative,
            size,
            mtime_ns,
            inode,
            changed_ns,
            named,
            is_older,
        });
        self.is_stopped |= !(self.progress)(self.files.len() as u64);
    }
}

/// Why an argument cannot be used.
fn no_such(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        _ => cannot_read(Some(error)),
    }
}
