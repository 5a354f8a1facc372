//! What is told of long calls; and what is there when whoever is told stops them.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use scrollback::{
    Error, Existing, Expect, ExportFormat, ImportOptions, NewRecord, Options, Progress, RedbStore,
    SessionKey, Step, Store, compact_folder, export_all, import, unwatched,
};

use crate::harness::{Home, files_below};
use crate::import::{PROJECT, lines, open};

/// Goes on until a step is at so much. The call is told of its progress every 50 ms: it is kept for so
/// long the first time, so that the next step of its work, however fast, is told too.
fn until(step: Step, done: u64) -> impl FnMut(Progress) -> ControlFlow<()> {
    let mut is_first = true;
    move |now| {
        if now.step == step && std::mem::take(&mut is_first) {
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        if now.step == step && now.done >= done {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn is_cancelled<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Cancelled))
}

/// A home with so many sessions of 100 lines of 1 kB in `in`, and its store.
fn home_of(sessions: usize) -> (Home, RedbStore) {
    let home = Home::new();
    let line = format!(
        "{{\"role\":\"user\",\"content\":\"{}\"}}\n",
        "x".repeat(1000)
    );
    for number in 0..sessions {
        home.write(&format!("in/{number}.jsonl"), line.repeat(100));
    }
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    (home, store)
}

/// How many sessions a store has, which has to be clean.
fn sessions(store: &RedbStore) -> u64 {
    let report = store.verify(&mut unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    report.sessions
}

/// The names of all files in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn progress_ends_with_everything_done() {
    let home = Home::new();
    for number in 0..20 {
        home.write(&format!("{PROJECT}/{number}.jsonl"), lines(&["one", "two"]));
    }
    home.write(&format!("{PROJECT}/sessions-index.json"), "{}");
    let store = open(&home);
    let mut last = None;
    let paths = [home.path().join("in")];
    import(&store, &paths, &ImportOptions::default(), &mut |now| {
        last = Some(now);
        ControlFlow::Continue(())
    })
    .unwrap();
    let last = last.unwrap();
    assert_eq!((last.files, last.files_total), (21, 21));
    assert_eq!(last.step, Step::Transferring);
    assert!(last.done > 0);
    assert_eq!(last.done, last.total);
}

#[test]
fn a_cancelled_import_leaves_whole_parts_and_the_next_one_goes_on() {
    // Many: an import is stopped at one telling, and those are 50 ms apart.
    let (home, store) = home_of(400);
    let paths = [home.path().join("in")];
    let options = ImportOptions::default();
    let mut steps = Vec::new();
    let stopped = import(&store, &paths, &options, &mut |now| {
        steps.push(now.step);
        until(Step::Transferring, 1)(now)
    });
    assert!(is_cancelled(&stopped), "{steps:?}");
    assert_eq!(steps.first(), Some(&Step::Searching));
    assert_eq!(steps.last(), Some(&Step::Transferring));
    assert!(sessions(&store) < 400);
    let report = import(&store, &paths, &options, &mut unwatched).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(report.generations, 0);
    assert_eq!(sessions(&store), 400);
}

#[test]
fn a_search_can_be_cancelled() {
    let (home, store) = home_of(3);
    let paths = [home.path().join("in")];
    let options = ImportOptions::default();
    let mut told = 0;
    let stopped = import(&store, &paths, &options, &mut |_| {
        told += 1;
        ControlFlow::Break(())
    });
    assert!(is_cancelled(&stopped));
    assert_eq!((told, sessions(&store)), (1, 0));
}

#[test]
fn a_cancelled_export_leaves_whole_files() {
    let (home, store) = home_of(200);
    home.import("in");
    let out = home.path().join("out");
    let stopped = export_all(
        &store,
        None,
        ExportFormat::Jsonl,
        &out,
        &mut until(Step::Transferring, 1),
    );
    assert!(is_cancelled(&stopped));
    let written = files_below(&out);
    assert!(
        !written.is_empty() && written.len() < 200,
        "{}",
        written.len()
    );
    let whole = fs::read(home.path().join("in/0.jsonl")).unwrap();
    for file in written {
        assert_eq!(fs::read(&file).unwrap(), whole, "{}", file.display());
    }
    let format = ExportFormat::Jsonl;
    let report = export_all(&store, None, format, &out, &mut unwatched).unwrap();
    assert_eq!((report.files, files_below(&out).len()), (200, 200));
}

#[test]
fn a_cancelled_verification_says_nothing_and_a_cancelled_folder_is_whole() {
    let (home, store) = home_of(3);
    home.import("in");
    let mut stop = until(Step::Verifying, 1);
    assert!(is_cancelled(&store.verify(&mut stop)));
    assert!(is_cancelled(&store.verify_deep(&[], &mut stop)));
    assert_eq!(sessions(&store), 3);
    home.write("s/t.jsonl", "one\ntwo\n");
    home.write("s/t.meta.json", "{\"key\":\"k\",\"skip\":1,\"count\":2}");
    let folder = home.path().join("s");
    let stopped = compact_folder(&folder, None, &mut |_| ControlFlow::Break(()));
    assert!(is_cancelled(&stopped));
    let lines = fs::read_to_string(folder.join("t.jsonl")).unwrap();
    assert_eq!(lines, "one\ntwo\n");
}

#[test]
fn a_cancelled_copy_leaves_no_file_and_changes_nothing() {
    let (home, store) = home_of(30);
    home.import("in");
    let folder = home.path().join("copies");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("b.redb");
    for (step, done) in [(Step::Copying, 1), (Step::Verifying, 1)] {
        let stopped = store.backup(&file, Existing::Refuse, &mut until(step, done));
        assert!(is_cancelled(&stopped), "{step:?}");
        assert_eq!(names(&folder), [""; 0], "{step:?}");
    }
    store
        .backup(&file, Existing::Refuse, &mut unwatched)
        .unwrap();
    let other = folder.join("other.redb");
    for (step, done) in [(Step::Copying, 1), (Step::Verifying, 1)] {
        let options = Options::default();
        let stopped = RedbStore::restore(&other, &file, &options, &mut until(step, done));
        assert!(is_cancelled(&stopped), "{step:?}");
        assert_eq!(names(&folder), ["b.redb"], "{step:?}");
    }
    // What was appended since the backup is still there.
    let key = SessionKey::native("new").unwrap();
    let line = NewRecord::line("{}");
    store.append(&key, Expect::Any, None, &[line]).unwrap();
    for (step, done) in [(Step::Copying, 1), (Step::Verifying, 1)] {
        let stopped = store.replace_with(&file, &mut until(step, done));
        assert!(is_cancelled(&stopped), "{step:?}");
        assert!(store.summary(&key).is_ok(), "{step:?}");
        assert_eq!(sessions(&store), 31, "{step:?}");
    }
    let options = Options::default();
    let stopped =
        RedbStore::rehearse_restore(&other, &file, &options, &mut until(Step::Verifying, 1));
    assert!(is_cancelled(&stopped));
}

#[test]
fn a_cancelled_repair_leaves_no_store() {
    let (home, store) = home_of(5);
    home.import("in");
    drop(store);
    let folder = home.path().join("repaired");
    fs::create_dir(&folder).unwrap();
    let target = folder.join("new.redb");
    let mut last = 0;
    let options = Options::default;
    let report = RedbStore::repair(home.store_path(), &target, options(), &mut |now| {
        last = now.done;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(report.is_whole());
    fs::remove_file(&target).unwrap();
    for done in [1, last / 2 + 1, last] {
        let mut stop = until(Step::Repairing, done);
        let stopped = RedbStore::repair(home.store_path(), &target, options(), &mut stop);
        assert!(is_cancelled(&stopped), "{done}");
        assert_eq!(names(&folder), [""; 0], "{done}");
    }
}
