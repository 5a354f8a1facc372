//! A folder of session files that grow while they are imported: by any number of bytes, so that an
//! import meets lines that are cut anywhere.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::random::Random;
use crate::harness::files_below;

/// Files whose sessions nobody touches, and files whose sessions are truncated and compacted.
const WHOLE: usize = 4;
pub(super) const SHRINKING: usize = 2;

/// The folder, and what is going to be written to its files.
#[derive(Debug)]
pub(super) struct Folder {
    files: Vec<Growing>,
}

#[derive(Debug)]
struct Growing {
    path: PathBuf,
    file: File,
    /// Of the last line, what is not written yet.
    pending: Vec<u8>,
    lines: u64,
}

/// The session of a file that is truncated and compacted.
pub(super) fn shrinking(number: usize) -> String {
    format!("shrink-{number}")
}

impl Folder {
    /// Makes the folder, with a line in each file.
    pub(super) fn new(path: &Path) -> Self {
        fs::create_dir_all(path).unwrap();
        let whole = (0..WHOLE).map(|number| format!("whole-{number}"));
        let files = whole.chain((0..SHRINKING).map(shrinking)).map(|name| {
            let path = path.join(format!("{name}.jsonl"));
            fs::write(&path, "{\"role\":\"user\",\"content\":\"first line\"}\n").unwrap();
            let file = OpenOptions::new().append(true).open(&path).unwrap();
            Growing {
                path,
                file,
                pending: Vec::new(),
                lines: 0,
            }
        });
        Self {
            files: files.collect(),
        }
    }

    /// Lets one of the files grow.
    pub(super) fn grow(&mut self, random: &mut Random) {
        let chosen = random.below(self.files.len());
        let growing = &mut self.files[chosen];
        let bytes = 1 + random.below(1500);
        while growing.pending.len() < bytes {
            let (lines, number) = (growing.lines, random.bits());
            growing.pending.extend_from_slice(
                format!("{{\"role\":\"user\",\"content\":\"{chosen} {lines} {number:x}\"}}\n")
                    .as_bytes(),
            );
            growing.lines += 1;
        }
        let rest = growing.pending.split_off(bytes);
        growing.file.write_all(&growing.pending).unwrap();
        growing.pending = rest;
    }

    /// Compares what was exported with the files. Of a session that was compacted the first lines
    /// are in the archive.
    pub(super) fn compare(&self, exported: &Path, archived: &BTreeSet<Vec<u8>>) {
        let found = files_below(exported);
        for growing in &self.files {
            let source = fs::read(&growing.path).unwrap();
            let name = growing.path.file_name().unwrap().to_str().unwrap();
            let copies: Vec<&PathBuf> = found.iter().filter(|path| path.ends_with(name)).collect();
            let [copy] = copies[..] else {
                panic!("{name:?}: {copies:?} of {found:?}");
            };
            let copy = fs::read(copy).unwrap();
            let is_whole = name.starts_with("whole");
            assert!(!is_whole || copy == source, "{name:?} came back changed");
            assert!(
                source.ends_with(&copy),
                "{name:?} is not the end of its file"
            );
            let removed = &source[..source.len() - copy.len()];
            for line in removed.split_inclusive(|byte| *byte == b'\n') {
                assert_eq!(
                    line.last(),
                    Some(&b'\n'),
                    "{name:?} begins inside of a line"
                );
                assert!(
                    archived.contains(line),
                    "{name:?}: neither there nor archived: {}",
                    String::from_utf8_lossy(line)
                );
            }
        }
        let known = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("whole-") || name.starts_with("shrink-")
        };
        assert_eq!(
            found.iter().filter(|path| known(path)).count(),
            self.files.len(),
            "a file was imported twice: {found:?}"
        );
    }
}
