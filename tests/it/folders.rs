//! Folders of truncated JSONL histories, rewritten in place.

use std::fs;
use std::path::Path;

use scrollback::compact_folder;
use scrollback::report::FolderCompactReport;

use crate::harness::Home;

fn meta(skip: u64, count: u64) -> String {
    format!(
        "{{\n  \"key\": \"telegram:1\",\n  \"summary\": \"\\u003cs\\u003e\",\n  \"skip\": {skip},\n  \
         \"count\": {count},\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
         \"updated_at\": \"2026-04-03T11:29:00.564738291+02:00\",\n  \"scope\": {{\"skip\": 9}}\n}}\n"
    )
}

fn compact(folder: &Path, archive: Option<&Path>) -> FolderCompactReport {
    compact_folder(folder, archive, &mut scrollback::unwatched).unwrap()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn hidden_lines_go_and_the_rest_stays_byte_for_byte() {
    let home = Home::new();
    let lines = "{\"a\":1}\n\n  \nbad line\n{\"b\":2}\r\n\n{\"c\": 3 }\n{\"torn";
    let path = home.write("s/t_1.jsonl", lines);
    home.write("s/t_1.meta.json", meta(3, 9));
    home.write("s/whole.jsonl", "x\n");
    home.write("s/whole.meta.json", meta(0, 1));
    let folder = path.parent().unwrap();
    let archive = home.path().join("archive");
    let report = compact(folder, Some(&archive));
    assert_eq!(
        (report.files, report.rewritten, report.records),
        (2, 1, 3),
        "{report:?}"
    );
    assert_eq!(report.problems, []);
    let cut = "{\"a\":1}\n\n  \nbad line\n".len();
    assert_eq!(report.bytes, cut as u64);
    assert_eq!(read(folder, "t_1.jsonl"), lines[cut..]);
    assert_eq!(read(folder, "t_1.meta.json"), meta(0, 3));
    assert_eq!(read(folder, "whole.meta.json"), meta(0, 1));
    assert_eq!(read(&archive, "t_1.jsonl"), lines[..cut]);
    let left = [
        "t_1.jsonl",
        "t_1.meta.json",
        "whole.jsonl",
        "whole.meta.json",
    ];
    assert_eq!(names(folder), left);

    // Again: nothing to do. Then more is truncated, and the archive goes on.
    assert_eq!(compact(folder, Some(&archive)).rewritten, 0);
    home.write("s/t_1.meta.json", meta(1, 3));
    assert_eq!(compact(folder, Some(&archive)).records, 1);
    assert_eq!(
        read(&archive, "t_1.jsonl"),
        lines[..cut].to_owned() + "{\"b\":2}\r\n"
    );
}

#[test]
fn lines_that_repeat_are_all_archived() {
    let home = Home::new();
    let path = home.write("s/a.jsonl", "ok\nok\n");
    let archive = home.path().join("archive");
    for _ in 0..2 {
        home.write("s/a.meta.json", meta(1, 2));
        compact(path.parent().unwrap(), Some(&archive));
    }
    assert_eq!(read(&archive, "a.jsonl"), "ok\nok\n");
    assert_eq!(fs::read_to_string(path).unwrap(), "");
}

#[test]
fn a_history_is_not_archived_into_itself() {
    let home = Home::new();
    let path = home.write("s/a.jsonl", "one\ntwo\n");
    home.write("s/a.meta.json", meta(1, 2));
    let folder = path.parent().unwrap();
    let report = compact(folder, Some(folder));
    assert_eq!(report.rewritten, 0);
    assert!(report.problems[0].reason.contains("another folder"));
    assert_eq!(names(folder), ["a.jsonl", "a.meta.json"]);
    assert_eq!(read(folder, "a.jsonl"), "one\ntwo\n");
}

#[test]
fn histories_that_make_no_sense_are_left_alone_and_reported() {
    let home = Home::new();
    let files = [
        ("s/corrupt.jsonl", "1\n2\n".to_owned()),
        ("s/corrupt.meta.json", "{\"skip\": 1, ".to_owned()),
        ("s/short.jsonl", "1\n2\n".to_owned()),
        ("s/short.meta.json", meta(3, 3)),
        ("s/lonely.meta.json", meta(1, 1)),
        ("s/agent-1.jsonl", "1\n".to_owned()),
        ("s/agent-1.meta.json", "{\"agentType\":\"x\"}".to_owned()),
    ];
    for (name, content) in &files {
        home.write(name, content);
    }
    let report = compact(&home.path().join("s"), None);
    assert_eq!((report.files, report.rewritten), (3, 0), "{report:?}");
    assert_eq!(report.problems.len(), 3);
    let short = report
        .problems
        .iter()
        .find(|p| p.path.ends_with("short.jsonl"))
        .unwrap();
    assert_eq!(
        short.reason,
        "`skip` is 3, but there are 2 lines; left alone"
    );
    for (name, content) in &files {
        assert_eq!(
            &fs::read_to_string(home.path().join(name)).unwrap(),
            content
        );
    }
}

#[test]
fn all_lines_can_be_hidden() {
    let home = Home::new();
    let path = home.write("s/.jsonl", "1\n2\n");
    home.write("s/.meta.json", meta(2, 2));
    let report = compact(path.parent().unwrap(), None);
    assert_eq!((report.rewritten, report.records), (1, 2), "{report:?}");
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert_eq!(read(path.parent().unwrap(), ".meta.json"), meta(0, 0));
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_links_are_left_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let home = Home::new();
    let path = home.write("s/a.jsonl", "1\n2\n");
    home.write("s/a.meta.json", meta(1, 2));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let real = home.write("real.jsonl", "1\n2\n");
    symlink(&real, home.path().join("s/b.jsonl")).unwrap();
    home.write("s/b.meta.json", meta(1, 2));
    let report = compact(path.parent().unwrap(), None);
    assert_eq!(
        (report.rewritten, report.problems.len()),
        (1, 1),
        "{report:?}"
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o644
    );
    assert_eq!(fs::read_to_string(real).unwrap(), "1\n2\n");
}

#[test]
fn histories_of_two_folders_have_a_file_each_in_one_archive() {
    let home = Home::new();
    let archive = home.path().join("archive");
    for round in ["1", "2"] {
        for folder in ["a", "b"] {
            let path = home.write(
                &format!("{folder}/s.jsonl"),
                format!("{folder}{round}\nx\n"),
            );
            home.write(&format!("{folder}/s.meta.json"), meta(1, 2));
            assert_eq!(compact(path.parent().unwrap(), Some(&archive)).problems, []);
        }
    }
    assert_eq!(read(&archive, "s.jsonl"), "a1\na2\n");
    assert_eq!(read(&archive, "s~2.jsonl"), "b1\nb2\n");
    // Nor does it become a file that another folder's program reads.
    home.write("c/s.jsonl", "c\nx\n");
    home.write("c/s.meta.json", meta(1, 2));
    let report = compact(&home.path().join("a"), Some(&home.path().join("c")));
    assert_eq!(report.rewritten, 0);
    home.write("a/s.meta.json", meta(1, 2));
    let report = compact(&home.path().join("a"), Some(&home.path().join("c")));
    let reason = &report.problems[0].reason;
    assert!(reason.contains("another folder"), "{reason}");
    assert_eq!(names(&home.path().join("c")), ["s.jsonl", "s.meta.json"]);
    assert_eq!(read(&home.path().join("c"), "s.jsonl"), "c\nx\n");
}

/// As an old run leaves it that was killed while it had the lock.
#[test]
fn a_lock_that_was_left_locks_nobody_out_and_goes() {
    let home = Home::new();
    for (name, skip) in [("a", 1), ("b", 0)] {
        home.write(&format!("s/{name}.jsonl"), "1\n2\n");
        home.write(&format!("s/{name}.meta.json"), meta(skip, 2));
        home.write(
            &format!("s/{name}.compact-lock"),
            format!("{:>10}\n", u32::MAX),
        );
    }
    let folder = home.path().join("s");
    let report = compact(&folder, None);
    assert_eq!((report.files, report.rewritten), (2, 1), "{report:?}");
    let left = ["a.jsonl", "a.meta.json", "b.jsonl", "b.meta.json"];
    assert_eq!(names(&folder), left);
}

/// Threads are to each other as processes are.
#[test]
fn runs_at_once_lose_no_line_and_name_who_is_at_a_history() {
    let home = Home::new();
    let folder = home.path().join("s");
    let (mut rewritten, mut busy) = (0, 0);
    for round in 0..3 {
        for number in 0..40 {
            let lines: String = (0..30)
                .map(|line| format!("{number} {line}\n"))
                .collect::<Vec<String>>()
                .concat();
            home.write(&format!("s/{number}.jsonl"), lines);
            home.write(&format!("s/{number}.meta.json"), meta(10, 30));
        }
        let archive = home.path().join(format!("archive-{round}"));
        let reports: Vec<FolderCompactReport> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| compact(&folder, Some(&archive))))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for report in &reports {
            rewritten += report.rewritten;
            for problem in &report.problems {
                let who = format!("busy: process {} is at work", std::process::id());
                let named = problem.reason.starts_with(&who)
                    || problem.reason.starts_with("busy: another process");
                assert!(named, "{}", problem.reason);
                busy += 1;
            }
        }
        for number in 0..40 {
            let line = |line: u64| format!("{number} {line}\n");
            let (gone, kept) = (0..10, 10..30);
            let name = format!("{number}.jsonl");
            assert_eq!(
                read(&archive, &name),
                gone.map(line).collect::<Vec<String>>().concat()
            );
            assert_eq!(
                read(&folder, &name),
                kept.map(line).collect::<Vec<String>>().concat()
            );
        }
        assert_eq!(names(&folder).len(), 80);
    }
    assert_eq!(rewritten, 120, "{busy} busy");
}
