//! Folders of sessions in and out of a server.

use std::fs;
use std::path::{Path, PathBuf};

use scrollback::{
    CleanupQuery, Expect, ExportFormat, ImportOptions, ListQuery, Message, NewRecord,
    PropertiesChange, Role, SessionKey, Store as _, StoreExt as _, chrono, export_all, import,
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

/// Names that no compression makes shorter.
fn long_name(bytes: usize, seed: u64) -> String {
    let mut state = seed;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    });
    letters.take(bytes).collect()
}

/// A path of exactly so many bytes below a folder.
fn deep(folder: &Path, bytes: usize) -> PathBuf {
    let mut path = folder.to_path_buf();
    let length = |path: &Path| path.as_os_str().len();
    while bytes - length(&path) > 400 {
        path.push(long_name(200, length(&path) as u64));
    }
    // Two more names, of which the last has its ending.
    path.push(long_name(150, 7));
    path.push("s");
    let rest = bytes - length(&path) - ".jsonl".len();
    let name = format!("s{}.jsonl", long_name(rest, 9));
    path.set_file_name(name);
    path
}

#[test]
fn a_path_as_long_as_the_store_keeps_is_taken_and_a_longer_one_is_told() {
    let Some(cluster) = shared() else {
        return;
    };
    let store = cluster.open(cluster.options());
    let home = tempfile::tempdir().unwrap();
    let line = "{\"role\":\"user\",\"content\":\"hi\"}\n";
    let fits = deep(&home.path().join("a"), 1500);
    let too_long = deep(&home.path().join("b"), 1501);
    for path in [&fits, &too_long, &home.path().join("short.jsonl")] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, line).unwrap();
    }
    let folder = [home.path().to_path_buf()];
    let options = ImportOptions::default();
    for sessions in [2, 0] {
        let report = import(&store, &folder, &options, &mut unwatched).unwrap();
        assert_eq!(
            (report.sessions, report.skipped, report.problems.len()),
            (sessions, 1, 1),
            "{report:?}"
        );
        let problem = &report.problems[0];
        assert_eq!(problem.path, too_long);
        assert!(problem.reason.contains("1501 bytes"), "{problem:?}");
    }
    let named = import(&store, &[too_long], &options, &mut unwatched).unwrap();
    assert_eq!((named.sessions, named.paths_failed), (0, 1), "{named:?}");
}

#[test]
fn a_long_project_and_a_long_parent_are_kept_and_found() {
    let Some(cluster) = shared() else {
        return;
    };
    let store = cluster.open(cluster.options());
    let (project, parent) = (format!("/{}", long_name(1023, 1)), long_name(1024, 2));
    let said = [NewRecord::message(Message::text(Role::User, "hi"))];
    for id in ["one", "two"] {
        let key = SessionKey::native(id).unwrap();
        store.append(&key, Expect::Any, None, &said).unwrap();
        let mut project = project.clone();
        if id == "two" {
            project.pop();
            project.push('!');
        }
        let change = PropertiesChange::default()
            .with_project(project)
            .with_parent(parent.clone());
        store.update_properties(&key, &change).unwrap();
    }
    let query = ListQuery::default().with_project(project.clone());
    let found = store.list(&query).unwrap().sessions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].project.as_deref(), Some(&*project));
    let children = store
        .children(&SessionKey::native(&*parent).unwrap())
        .unwrap();
    assert_eq!(children.len(), 2);
}
