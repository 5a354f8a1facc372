//! What may not creep: the files that an import again opens, and its commits.

use std::fs::{self, File};

use scrollback::{ImportOptions, import};

use crate::harness::Home;
use crate::import::{PROJECT, lines, open, says};

/// What may not creep: an import again opens no file that is unchanged, and commits only for news.
#[test]
fn an_import_again_opens_no_unchanged_file_and_commits_once_for_a_line() {
    let home = Home::new();
    for number in 0..300 {
        let name = format!("{PROJECT}/{number}.jsonl");
        home.write(&name, lines(&["one", &number.to_string()]));
    }
    let store = open(&home);
    let commits = || {
        let before = store.commits();
        let report = import(
            &store,
            &[home.path().join("in")],
            &ImportOptions::default(),
            &mut scrollback::unwatched,
        )
        .unwrap();
        (report, store.commits() - before)
    };
    let (report, first) = commits();
    assert_eq!((report.files, report.records), (300, 600), "{report:?}");
    // One commit, unless this machine takes more than a quarter of a second for it.
    assert!((1..20).contains(&first), "{first} commits");

    // Other bytes behind the same size and time: whoever opens one of them would tell of it.
    let folder = home.path().join(PROJECT);
    let grown = folder.join("7.jsonl");
    let content = fs::read_to_string(&grown).unwrap();
    for number in 0..300 {
        let path = folder.join(format!("{number}.jsonl"));
        let metadata = fs::metadata(&path).unwrap();
        let file = File::create(&path).unwrap();
        file.set_len(metadata.len()).unwrap();
        file.set_modified(metadata.modified().unwrap()).unwrap();
    }
    let (report, again) = commits();
    assert_eq!((report.unchanged, report.records), (300, 0), "{report:?}");
    assert_eq!((report.problems.len(), again), (0, 0), "{report:?}");

    let more = content + &says("three");
    fs::write(&grown, more).unwrap();
    let (report, again) = commits();
    assert_eq!((report.unchanged, report.records), (299, 1), "{report:?}");
    assert_eq!((report.sessions_grown, again), (1, 1), "{report:?}");
}
