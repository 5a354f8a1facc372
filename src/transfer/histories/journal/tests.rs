//! A rewrite that stops after any step, and what the next run makes of it.

use std::fs::OpenOptions;
use std::path::PathBuf;

use super::*;
use crate::transfer::compact_folder;

const LINES: &str = "one\ntwo\nthree\nfour\n";

fn meta(skip: u64, count: u64) -> String {
    format!("{{\"key\":\"k\",\"skip\":{skip},\"count\":{count},\"x\":1.0}}")
}

/// A history of four lines of which two are hidden, and a folder for an archive.
struct Folder {
    root: tempfile::TempDir,
    history: History,
    archive: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (folder, archive) = (root.path().join("s"), root.path().join("archive"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&archive).unwrap();
        let history = History {
            folder,
            name: "a".into(),
        };
        fs::write(history.lines(), LINES).unwrap();
        fs::write(history.meta(), meta(2, 4)).unwrap();
        Self {
            root,
            history,
            archive,
        }
    }

    /// Does the first steps, as a run that is then killed.
    fn crash_after(&self, steps: usize) {
        let mut rewrite = Rewrite::begin(&self.history, 2).unwrap();
        if steps >= 1 {
            rewrite.archive(&self.archive).unwrap();
        }
        if steps >= 2 {
            rewrite.write_remaining().unwrap();
        }
        if steps >= 3 {
            rewrite.replace_lines().unwrap();
        }
        if steps >= 4 {
            let journal = fs::read(self.history.with(JOURNAL_SUFFIX)).unwrap();
            finish(&self.history, 2).unwrap();
            fs::write(self.history.with(JOURNAL_SUFFIX), journal).unwrap();
        }
    }

    fn archived(&self) -> String {
        fs::read_to_string(self.archive.join("a.jsonl")).unwrap()
    }

    /// Runs again, and checks that all is as it should be, with `added` at the end.
    fn recovers(&self, added: &str) {
        let report = compact_folder(
            &self.history.folder,
            Some(&self.archive),
            &mut crate::store::unwatched,
        )
        .unwrap();
        assert_eq!(report.problems, []);
        let lines = fs::read_to_string(self.history.lines()).unwrap();
        assert_eq!(lines, "three\nfour\n".to_owned() + added);
        let count = lines.lines().count() as u64;
        assert_eq!(
            fs::read_to_string(self.history.meta()).unwrap(),
            meta(0, count)
        );
        assert_eq!(self.archived(), "one\ntwo\n");
        assert_eq!(fs::read_dir(&self.history.folder).unwrap().count(), 2);
    }
}

#[test]
fn a_history_that_grows_meanwhile_is_left_alone_with_all_that_it_has() {
    let folder = Folder::new();
    let mut rewrite = Rewrite::begin(&folder.history, 2).unwrap();
    rewrite.archive(&folder.archive).unwrap();
    rewrite.write_remaining().unwrap();
    let grown = format!("{LINES}five\n");
    fs::write(folder.history.lines(), &grown).unwrap();
    let refusal = rewrite.replace_lines().unwrap_err();
    assert!(refusal.contains("meanwhile"), "{refusal}");
    assert_eq!(fs::read_to_string(folder.history.lines()).unwrap(), grown);
    assert_eq!(folder.archived(), "");
}

#[cfg(unix)]
#[test]
fn the_journal_names_the_archive_for_any_folder_of_the_next_run() {
    let folder = Folder::new();
    let here = fs::canonicalize(".").unwrap();
    let up = "../".repeat(here.components().count() - 1);
    let relative = Path::new(&up).join(folder.archive.strip_prefix("/").unwrap());
    let mut rewrite = Rewrite::begin(&folder.history, 2).unwrap();
    rewrite.archive(&relative).unwrap();
    let journal = fs::read(folder.history.with(JOURNAL_SUFFIX)).unwrap();
    let journal: Journal = serde_json::from_slice(&journal).unwrap();
    assert!(paths::from_bytes(&journal.archive.unwrap().path).is_absolute());
}

#[test]
fn a_crash_after_any_step_is_put_right() {
    for steps in 0..=4 {
        let folder = Folder::new();
        folder.crash_after(steps);
        folder.recovers("");
    }
}

#[test]
fn what_is_added_after_a_crash_is_kept() {
    for steps in 1..=4 {
        let folder = Folder::new();
        folder.crash_after(steps);
        let mut lines = OpenOptions::new()
            .append(true)
            .open(folder.history.lines())
            .unwrap();
        lines.write_all(b"five\n").unwrap();
        folder.recovers("five\n");
    }
}

#[test]
fn a_crash_in_the_middle_of_a_step_is_put_right() {
    // An archive that was written in part.
    let folder = Folder::new();
    folder.crash_after(1);
    fs::write(folder.archive.join("a.jsonl"), "one\nt").unwrap();
    folder.recovers("");
    // Remaining lines that were written in part, without and with an archive.
    for steps in [0, 1] {
        let folder = Folder::new();
        folder.crash_after(steps);
        fs::write(folder.history.with(LINES_TEMPORARY), "thr").unwrap();
        folder.recovers("");
    }
}

#[test]
fn an_older_archive_is_not_shortened() {
    let folder = Folder::new();
    fs::write(folder.archive.join("a.jsonl"), "zero").unwrap();
    folder.crash_after(2);
    let report = compact_folder(
        &folder.history.folder,
        Some(&folder.archive),
        &mut crate::store::unwatched,
    )
    .unwrap();
    assert_eq!(report.records, 2);
    assert_eq!(folder.archived(), "zero\none\ntwo\n");
}

#[test]
fn a_journal_that_does_not_fit_its_history_touches_nothing() {
    let folder = Folder::new();
    folder.crash_after(3);
    fs::write(folder.history.lines(), "other\n").unwrap();
    let report =
        compact_folder(&folder.history.folder, None, &mut crate::store::unwatched).unwrap();
    assert_eq!((report.rewritten, report.problems.len()), (0, 1));
    assert_eq!(
        fs::read_to_string(folder.history.lines()).unwrap(),
        "other\n"
    );
    assert_eq!(
        fs::read_to_string(folder.history.meta()).unwrap(),
        meta(2, 4)
    );
    assert!(folder.root.path().exists());
}

#[test]
fn a_truncation_after_a_crash_is_respected() {
    let folder = Folder::new();
    folder.crash_after(3);
    // The agent hides one of the two lines that are there now.
    fs::write(folder.history.meta(), meta(1, 2)).unwrap();
    recover(&folder.history, Some(&folder.archive)).unwrap();
    assert_eq!(
        fs::read_to_string(folder.history.meta()).unwrap(),
        meta(1, 2)
    );
    assert_eq!(
        fs::read_to_string(folder.history.lines()).unwrap(),
        "three\nfour\n"
    );
}

#[test]
fn a_journal_that_names_an_archive_of_its_own_choice_shortens_no_file() {
    for bytes in [0, 1, 1 << 40] {
        let folder = Folder::new();
        // What a stranger may put beside lines: these are the start of a file that is elsewhere.
        let victim = folder.root.path().join("victim");
        fs::write(&victim, "one\n").unwrap();
        let archive = Some(Archived {
            path: paths::to_bytes(&victim),
            bytes,
        });
        let journal = Journal {
            archive,
            replace: None,
        };
        write_journal(&folder.history, &journal).unwrap();
        for archive in [None, Some(folder.archive.as_path())] {
            let report = compact_folder(
                &folder.history.folder,
                archive,
                &mut crate::store::unwatched,
            )
            .unwrap();
            assert_eq!((report.rewritten, report.problems.len()), (0, 1));
            let reason = &report.problems[0].reason;
            assert!(reason.contains("name the archive's folder"), "{reason}");
            assert_eq!(fs::read_to_string(&victim).unwrap(), "one\n");
        }
    }
}
