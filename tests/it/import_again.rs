//! What may not creep: the files that an import again opens, and its commits; and what it has to open.

use std::fs::{self, File};

use scrollback::{ImportOptions, import};

use crate::harness::Home;
use crate::import::{PROJECT, lines, open, says};
#[cfg(unix)]
use crate::import::{run_in, set_mtime};

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

    // Other bytes behind the same size and time: whoever opens one of them would tell of it. (Where the
    // system tells of any change, they would be opened for that.)
    let folder = home.path().join(PROJECT);
    let grown = folder.join("7.jsonl");
    let content = fs::read_to_string(&grown).unwrap();
    let numbers = if cfg!(unix) { 0..0 } else { 0..300 };
    for number in numbers {
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

/// Other bytes behind the same size and time: the system tells when anything of a file changed.
#[cfg(unix)]
#[test]
fn content_that_changed_while_size_and_time_stayed_is_noticed() {
    let home = Home::new();
    let path = home.write(&format!("{PROJECT}/a.jsonl"), lines(&["one", "two"]));
    set_mtime(&path, 1_700_000_000);
    let store = open(&home);
    run_in(&home, &store);
    home.write(&format!("{PROJECT}/a.jsonl"), lines(&["eno", "owt"]));
    set_mtime(&path, 1_700_000_000);
    let second = run_in(&home, &store);
    assert_eq!((second.unchanged, second.generations), (0, 1), "{second:?}");
    // The same bytes in another file of that name are read, and nothing comes of it.
    let copy = home.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    set_mtime(&path, 1_700_000_000);
    let third = run_in(&home, &store);
    assert_eq!((third.unchanged, third.records), (0, 0), "{third:?}");
    assert_eq!(run_in(&home, &store).unchanged, 1);
}
