//! Hostile paths in sources.

use super::*;
use crate::codec::source_row::SourceRow;
use crate::store::{Bulk as _, Options, RedbStore, Store as _};

#[test]
fn a_hostile_relative_path_stays_in_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let store = RedbStore::open(root.path().join("s.redb"), Options::default()).unwrap();
    let mut bulk = Box::new(store.bulk().unwrap());
    for (number, relative) in [
        "../../../out.txt",
        "/etc/absolute",
        "a/../../b",
        "..",
        "",
        "x\0y/z",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("name {number}");
        let content = number.to_string();
        bulk.write_attachment(0, &name, &mut content.as_bytes())
            .unwrap();
        let row = SourceRow {
            agent: "jsonl".to_owned(),
            kind: SourceKind::Attachment,
            session: 0,
            name,
            relative: relative.as_bytes().to_vec(),
            size: 1,
            mtime_ns: -1,
            offset: 1,
            lines: 0,
            tail_offset: 1,
            hash: 0,
            next_sequence: 0,
            complete: true,
            revision: 0,
            inode: 0,
            changed_ns: 0,
        };
        let path = format!("/in/{number}").into_bytes();
        bulk.write_source(&Source {
            path,
            generation: 1,
            row,
        })
        .unwrap();
    }
    bulk.commit().unwrap();
    let folder = root.path().join("deep/out");
    let report = export_all(
        &store,
        None,
        ExportFormat::Jsonl,
        &folder,
        &mut crate::store::unwatched,
    )
    .unwrap();
    assert_eq!(report.files, 6);
    assert_eq!(
        files_below(&folder),
        [
            "jsonl/a/b",
            "jsonl/etc/absolute",
            "jsonl/name%203",
            "jsonl/name%204",
            "jsonl/out.txt",
            "jsonl/z",
        ]
    );
    let beside = std::fs::read_dir(root.path().join("deep")).unwrap().count();
    assert_eq!(beside, 1);
}

/// The files below a folder, by their paths in it, in order.
fn files_below(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            entry
                .path()
                .strip_prefix(folder)
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    names.sort();
    names
}

/// A source as an import writes it: a session of a database, or (number 0) a file kept whole.
fn note(store: &RedbStore, path: &str, session: u64, next_sequence: u64) {
    let mut bulk = Box::new(store.bulk().unwrap());
    let is_lines = session != 0;
    let name = if is_lines { "" } else { path };
    if !is_lines {
        bulk.write_attachment(0, name, &mut "database".as_bytes())
            .unwrap();
    }
    let row = SourceRow {
        agent: "opencode".to_owned(),
        kind: if is_lines {
            SourceKind::Lines
        } else {
            SourceKind::Attachment
        },
        session,
        name: name.to_owned(),
        relative: path.trim_start_matches("/in/").as_bytes().to_vec(),
        size: 8,
        mtime_ns: 1,
        offset: 8,
        lines: next_sequence,
        tail_offset: 8,
        hash: 0,
        next_sequence,
        complete: true,
        revision: 0,
        inode: 0,
        changed_ns: 0,
    };
    let path = path.as_bytes().to_vec();
    let generation = 1;
    bulk.write_source(&Source {
        path,
        generation,
        row,
    })
    .unwrap();
    bulk.commit().unwrap();
}

#[test]
fn a_session_of_a_database_is_exported_as_lines_and_the_database_never() {
    use crate::store::{Expect, NewRecord};

    let root = tempfile::tempdir().unwrap();
    let store = RedbStore::open(root.path().join("s.redb"), Options::default()).unwrap();
    let key = SessionKey::new("opencode", "ses_1").unwrap();
    let append = |text: &str| {
        let record = NewRecord::line(format!("{{\"id\":\"{text}\"}}"));
        store.append(&key, Expect::Any, None, &[record]).unwrap();
    };
    append("one");
    note(&store, "/in/x/opencode.db#ses_1", 1, 1);
    let files = |keys: Option<&[SessionKey]>, name: &str| {
        let folder = root.path().join(name);
        export_all(
            &store,
            keys,
            ExportFormat::Jsonl,
            &folder,
            &mut crate::store::unwatched,
        )
        .unwrap();
        let entries = walkdir::WalkDir::new(&folder).sort_by_file_name();
        let files = entries.into_iter().map(std::result::Result::unwrap);
        files
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&folder).unwrap();
                path.display().to_string()
            })
            .collect::<Vec<_>>()
    };
    let lines = "opencode/x/ses_1.jsonl";
    assert_eq!(files(None, "not kept"), [lines]);
    // An earlier version has kept the database, whose other tables may hold credentials.
    note(&store, "/in/x/opencode.db", 0, 0);
    note(&store, "/in/x/opencode.db-wal", 0, 0);
    assert_eq!(files(None, "kept"), [lines]);
    append("two");
    assert_eq!(files(None, "continued"), [lines]);
}
