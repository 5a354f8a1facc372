//! Folders of sessions in and out of a server.

use std::fs;
use std::path::{Path, PathBuf};

use scrollback::{
    CleanupQuery, ExportFormat, ImportOptions, ListQuery, Store as _, chrono, export_all, import,
    unwatched,
};

use crate::cluster::shared;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn what_a_folder_holds_comes_out_byte_for_byte() {
    let Some(cluster) = shared() else {
        return;
    };
    let store = cluster.open(cluster.options());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sessions");
    let options = ImportOptions::default();
    let report = import(
        &store,
        std::slice::from_ref(&samples),
        &options,
        &mut unwatched,
    )
    .unwrap();
    assert!(
        report.sessions >= 10 && report.problems.len() < 5,
        "{report:?}"
    );
    let again = import(
        &store,
        std::slice::from_ref(&samples),
        &options,
        &mut unwatched,
    )
    .unwrap();
    assert_eq!((again.records, again.sessions), (0, 0), "{again:?}");
    let out = tempfile::tempdir().unwrap();
    let format = ExportFormat::Jsonl;
    let exported = export_all(&store, None, format, out.path(), &mut unwatched).unwrap();
    assert!(exported.problems.is_empty(), "{:?}", exported.problems);
    let mut compared = 0;
    let came: Vec<Vec<u8>> = files_below(out.path())
        .iter()
        .map(|file| fs::read(file).unwrap())
        .collect();
    for file in files_below(&samples) {
        if file.extension().is_some_and(|kind| kind == "jsonl") {
            assert!(
                came.contains(&fs::read(&file).unwrap()),
                "{}",
                file.display()
            );
            compared += 1;
        }
    }
    assert!(compared >= 10);
    // Gone, and passed over from then on.
    let all = chrono::DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let cleaned = store.cleanup(&CleanupQuery::older_than(all)).unwrap();
    assert!(cleaned.removed.sessions >= 10, "{cleaned:?}");
    assert!(
        store
            .list(&ListQuery::default())
            .unwrap()
            .sessions
            .is_empty()
    );
    let later = import(&store, &[samples], &options, &mut unwatched).unwrap();
    assert_eq!(later.sessions, 0, "{later:?}");
}
