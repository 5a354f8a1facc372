//! Folders of arbitrary files, with any names, through a store on disk and out again.
//!
//! An input is files behind each other: a byte 0x1d, the file's path up to a line feed, and its
//! content. The first byte says what happens between two imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::model::session::Summary;
use crate::store::{ListQuery, Options, RedbStore, Store};
use crate::transfer::{ExportFormat, ImportOptions, ImportReport, export_all, import};

/// What stands before the path of each file.
const FILE: u8 = 0x1d;

/// Imports, imports what became of it, exports, and compares byte for byte.
pub(super) fn run(data: &[u8]) {
    let (how, rest) = data.split_first().unwrap_or((&0, &[]));
    let files = files_of(rest);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("in");
    fs::create_dir(&folder).unwrap();
    let store = RedbStore::open(home.path().join("a.redb"), Options::default()).unwrap();
    let mut earlier = BTreeMap::new();
    for (at, (path, content)) in files.iter().enumerate() {
        // In the first import a file has its start alone, as one that grows, or its end alone, as
        // one that is rewritten later.
        let start = match how % 4 {
            1 => &content[..content.len() * (1 + at % 3) / 4],
            2 => &content[content.len() / 2..],
            _ => continue,
        };
        if write(&folder, path, start) {
            earlier.insert(path.clone(), start.to_vec());
        }
    }
    take(&store, &folder);
    let mut written = BTreeMap::new();
    for (path, content) in &files {
        if write(&folder, path, content) {
            written.insert(path.clone(), content.clone());
        }
    }
    let report = take(&store, &folder);
    // Nothing has changed: an import that takes something again would grow the store for ever.
    let again = take(&store, &folder);
    assert_eq!(
        (again.records, again.sessions, again.generations),
        (0, 0, 0),
        "{again:?}"
    );
    assert_eq!(again.skipped, report.skipped, "{again:?}\n{report:?}");
    let report = store.verify(&mut crate::store::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);

    let out = home.path().join("out");
    export_all(
        &store,
        None,
        ExportFormat::Jsonl,
        &out,
        &mut crate::store::unwatched,
    )
    .unwrap();
    let given = contents(&out);
    let bytes: BTreeSet<&Vec<u8>> = given.values().collect();
    for (path, content) in written.iter().filter(|(path, _)| is_taken(path)) {
        assert!(
            bytes.contains(content) || given.values().any(|file| has_lines(file, content)),
            "{} is in no file of {:?}",
            path.display(),
            given.keys()
        );
    }
    for path in given.keys() {
        // Names in the store come from elsewhere: an export must not write outside of its folder.
        let inside = path
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        assert!(inside, "{} leads elsewhere", path.display());
    }
    // What was imported in two contents is exported as two files.
    let alone = matches!(how % 4, 0 | 3);
    if alone {
        exported_again(home.path(), &store, &given);
    }
}

/// Whether a file has all whole lines of another one, each as often: that one is a piece of it, and brings nothing.
/// An open last line from elsewhere is not taken.
fn has_lines(file: &[u8], piece: &[u8]) -> bool {
    let lines = |file| {
        let mut there: BTreeMap<&[u8], usize> = BTreeMap::new();
        let lines = <[u8]>::split_inclusive(file, |byte: &u8| *byte == b'\n');
        for line in lines.filter(|line| line.ends_with(b"\n")) {
            *there.entry(line).or_default() += 1;
        }
        there
    };
    let there = lines(file);
    let mut wanted = lines(piece).into_iter();
    wanted.all(|(line, count)| there.get(line).is_some_and(|found| *found >= count))
}

/// An export is a folder like any other: an import of it gives the same sessions.
fn exported_again(home: &Path, store: &RedbStore, given: &BTreeMap<PathBuf, Vec<u8>>) {
    let other = RedbStore::open(home.join("b.redb"), Options::default()).unwrap();
    take(&other, &home.join("out"));
    let counts = |store: &RedbStore| -> BTreeMap<Vec<u64>, u64> {
        let mut counts = BTreeMap::new();
        for session in sessions(store) {
            let counted = vec![session.record_count, session.message_count, session.bytes];
            *counts.entry(counted).or_default() += 1;
        }
        counts
    };
    assert_eq!(counts(&other), counts(store), "{:?}", given.keys());
}

fn sessions(store: &RedbStore) -> Vec<Summary> {
    let page = store.list(&ListQuery {
        limit: 10_000,
        ..ListQuery::default()
    });
    page.unwrap().sessions
}

fn take(store: &RedbStore, folder: &Path) -> ImportReport {
    import(
        store,
        &[folder.to_owned()],
        &ImportOptions::default(),
        &mut crate::store::unwatched,
    )
    .unwrap()
}

/// Whether a file is a session by its name alone.
fn is_taken(path: &Path) -> bool {
    let passed = |name: &Component<'_>| {
        let name = name.as_os_str();
        name == ".git" || name == "node_modules"
    };
    let ending = path.extension().is_some_and(|ending| ending == "jsonl");
    ending && !path.components().any(|name| passed(&name))
}

fn files_of(data: &[u8]) -> Vec<(PathBuf, Vec<u8>)> {
    let pieces = data.split(|byte| *byte == FILE).skip(1).take(12);
    pieces
        .map(|piece| {
            let end = piece
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(piece.len());
            let content = piece.get(end + 1..).unwrap_or_default();
            (path_of(&piece[..end]), content.to_vec())
        })
        .collect()
}

/// A path of a few plain names.
fn path_of(bytes: &[u8]) -> PathBuf {
    let mut path = PathBuf::new();
    for name in bytes.split(|byte| *byte == b'/').take(8) {
        let name: Vec<u8> = name
            .iter()
            .copied()
            .filter(|byte| *byte != 0)
            .take(255)
            .collect();
        if !matches!(&*name, b"" | b"." | b"..") {
            path.push(os_name(name));
        }
    }
    path
}

#[cfg(unix)]
fn os_name(name: Vec<u8>) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(name)
}

#[cfg(not(unix))]
fn os_name(name: Vec<u8>) -> std::ffi::OsString {
    String::from_utf8_lossy(&name).into_owned().into()
}

/// Writes a file, unless the file system has none of that name.
fn write(folder: &Path, path: &Path, content: &[u8]) -> bool {
    let path = folder.join(path);
    let made = path.parent().map(fs::create_dir_all);
    made.is_some_and(|made| made.is_ok()) && fs::write(&path, content).is_ok()
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let files = entries
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_owned();
            (path, fs::read(entry.path()).unwrap())
        })
        .collect()
}
