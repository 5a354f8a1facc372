//! Hostile paths in sources.

use super::*;
use crate::codec::source_row::SourceRow;
use crate::store::Options;

#[test]
fn a_hostile_relative_path_stays_in_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let store = RedbStore::open(root.path().join("s.redb"), Options::default()).unwrap();
    let mut bulk = store.bulk().unwrap();
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
    let report = export_all(&store, None, ExportFormat::Jsonl, &folder, &mut |_| {}).unwrap();
    assert_eq!(report.files, 6);
    let mut names: Vec<String> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            entry
                .path()
                .strip_prefix(&folder)
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
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
