//! Several compactions at once of one folder, or of one store into one archive; compactions that are
//! killed at random moments; sessions that are deleted beside them: each line is there once, in its
//! place or in the archive.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use scrollback::{Options, RedbStore, SessionKey, Store as _};

use crate::harness::{Home, files_below};

/// Lines of a history or session, and how many of them are hidden.
const LINES: usize = 40;
const HIDDEN: usize = 15;

fn line(name: usize, line: usize) -> String {
    format!("{{\"role\":\"user\",\"content\":\"{name} {line}\"}}\n")
}

fn lines(name: usize) -> String {
    (0..LINES).map(|number| line(name, number)).collect()
}

/// A folder of histories that hide lines.
fn write_histories(home: &Home, count: usize) {
    for name in 0..count {
        home.write(&format!("s/h{name}.jsonl"), lines(name));
        let meta = format!("{{\"key\":\"h{name}\",\"skip\":{HIDDEN},\"count\":{LINES}}}");
        home.write(&format!("s/h{name}.meta.json"), meta);
    }
}

/// A store of sessions that hide lines.
pub(crate) fn write_store(home: &Home, count: usize) {
    for name in 0..count {
        home.write(&format!("in/h{name}.jsonl"), lines(name));
    }
    home.ok(&["import", "in"]);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    for name in 0..count {
        let key = SessionKey::new("jsonl", format!("h{name}")).unwrap();
        store.truncate(&key, (LINES - HIDDEN) as u64).unwrap();
    }
    store.close().unwrap();
}

fn quiet(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// How often each line is in the files of lines below a folder.
pub(crate) fn counts(folder: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    if !folder.exists() {
        return counts;
    }
    for path in files_below(folder) {
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            for line in fs::read_to_string(path).unwrap().split_inclusive('\n') {
                *counts.entry(line.to_owned()).or_default() += 1;
            }
        }
    }
    counts
}

/// That the archive has the hidden lines of so many sessions, each once, and nothing else.
pub(crate) fn assert_archived(archive: &Path, count: usize) {
    let counts = counts(archive);
    for name in 0..count {
        for number in 0..HIDDEN {
            let found = counts.get(&line(name, number));
            assert_eq!(found, Some(&1), "line {number} of {name}");
        }
    }
    assert_eq!(counts.len(), count * HIDDEN, "lines in the archive");
}

fn assert_rewritten(home: &Home, count: usize) {
    let folder = home.path().join("s");
    for name in 0..count {
        let kept: String = (HIDDEN..LINES).map(|number| line(name, number)).collect();
        let there = fs::read_to_string(folder.join(format!("h{name}.jsonl"))).unwrap();
        assert!(there == kept, "history {name}");
        let meta = fs::read_to_string(folder.join(format!("h{name}.meta.json"))).unwrap();
        let expected = format!("\"skip\":0,\"count\":{}}}", LINES - HIDDEN);
        assert!(meta.ends_with(&expected), "{meta}");
    }
    assert_eq!(files_below(&folder).len(), 2 * count, "files in the folder");
}

#[test]
fn several_rewrites_of_one_folder_at_once_lose_no_line() {
    const HISTORIES: usize = 60;
    for (processes, archive) in [(2, true), (3, true), (4, false)] {
        let home = Home::new();
        write_histories(&home, HISTORIES);
        let mut arguments = vec!["compact", "--jsonl", "s"];
        if archive {
            arguments.extend(["--archive", "archive"]);
        }
        let start = |_| quiet(home.command().args(&arguments));
        let runs: Vec<Child> = (0..processes).map(start).collect();
        for mut run in runs {
            let code = run.wait().unwrap().code();
            assert!(matches!(code, Some(0 | 1)), "{code:?}");
        }
        home.ok(&arguments);
        assert_rewritten(&home, HISTORIES);
        if archive {
            assert_archived(&home.path().join("archive"), HISTORIES);
        }
    }
}

#[test]
fn several_compactions_at_once_archive_each_line_once() {
    const SESSIONS: usize = 30;
    let home = Home::new();
    write_store(&home, SESSIONS);
    let arguments = ["compact", "--all", "--archive", "archive"];
    let runs: Vec<Child> = (0..3)
        .map(|_| quiet(home.command().args(arguments)))
        .collect();
    for mut run in runs {
        assert_eq!(run.wait().unwrap().code(), Some(0));
    }
    home.ok(&arguments);
    assert_archived(&home.path().join("archive"), SESSIONS);
    home.ok(&["verify", "--deep"]);
}

/// Runs a command again and again, and kills it at other moments each time. Returns how often it was
/// killed.
fn kill_at_random(home: &Home, arguments: &[&str], before: &mut dyn FnMut(), times: u32) -> u32 {
    before();
    let began = Instant::now();
    home.ok(arguments);
    let whole = began.elapsed();
    let mut killed = 0;
    for moment in 0..times {
        before();
        // Twice, so that a run is killed that puts right what another one left.
        for turn in 0..2 {
            let mut run = quiet(home.command().args(arguments));
            let part = (moment * 7 + turn * 3) % times;
            std::thread::sleep(whole * part / times);
            killed += u32::from(run.try_wait().unwrap().is_none());
            run.kill().unwrap();
            run.wait().unwrap();
        }
        home.ok(arguments);
    }
    killed
}

#[test]
fn rewrites_that_are_killed_lose_no_line_and_archive_none_twice() {
    const HISTORIES: usize = 6;
    let home = Home::new();
    let arguments = ["compact", "--jsonl", "s", "--archive", "archive"];
    let mut is_first = true;
    let mut before = || {
        if !std::mem::take(&mut is_first) {
            assert_rewritten(&home, HISTORIES);
            assert_archived(&home.path().join("archive"), HISTORIES);
            fs::remove_dir_all(home.path().join("archive")).unwrap();
        }
        write_histories(&home, HISTORIES);
    };
    let killed = kill_at_random(&home, &arguments, &mut before, 25);
    println!("{killed} runs were killed");
    assert!(killed > 5, "{killed}");
    assert_rewritten(&home, HISTORIES);
    assert_archived(&home.path().join("archive"), HISTORIES);
}

#[test]
fn compactions_that_are_killed_archive_each_line_once() {
    const SESSIONS: usize = 6;
    let home = Home::new();
    write_store(&home, SESSIONS);
    let base = home.path().join("base.redb");
    fs::copy(home.store_path(), &base).unwrap();
    let archive = home.path().join("archive");
    let arguments = ["compact", "--all", "--archive", "archive"];
    let mut before = || {
        if archive.exists() {
            assert_archived(&archive, SESSIONS);
            fs::remove_dir_all(&archive).unwrap();
        }
        fs::copy(&base, home.store_path()).unwrap();
    };
    let killed = kill_at_random(&home, &arguments, &mut before, 25);
    println!("{killed} runs were killed");
    assert!(killed > 5, "{killed}");
    assert_archived(&archive, SESSIONS);
    home.ok(&["verify", "--deep"]);
}

#[test]
fn a_history_that_somebody_has_is_busy_and_says_who() {
    let home = Home::new();
    write_histories(&home, 2);
    let path = home.write("s/h1.compact-lock", format!("{:>10}\n", std::process::id()));
    let held = File::options().read(true).write(true).open(path).unwrap();
    held.try_lock().unwrap();
    let output = home.run(&["compact", "--jsonl", "s", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let who = format!(
        "busy: process {} is at work on this history",
        std::process::id()
    );
    assert!(
        said.contains(&who) && said.contains("\"rewritten\":1"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(home.path().join("s/h1.jsonl")).unwrap(),
        lines(1)
    );
    drop(held);
    home.ok(&["compact", "--jsonl", "s"]);
    assert_rewritten(&home, 2);
}

#[test]
fn a_compaction_of_all_goes_on_beside_deletions_and_gives_the_space_back() {
    const SESSIONS: usize = 60;
    let home = Home::new();
    write_store(&home, SESSIONS);
    let arguments = ["compact", "--all", "--archive", "archive", "--json"];
    let mut run = home
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // When it has begun, the sessions go that it comes to last: the list is newest first.
    let archive = home.path().join("archive");
    let began = Instant::now();
    while !archive.exists() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let first = counts(&archive).into_keys().next().unwrap_or_default();
    let is_going_up = first.is_empty() || first.contains("\"0 ");
    for number in 0..20 {
        let name = if is_going_up {
            SESSIONS - 1 - number
        } else {
            number
        };
        let key = SessionKey::new("jsonl", format!("h{name}")).unwrap();
        store.delete(&key).unwrap();
    }
    store.close().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(run.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(report["gone"].as_u64().unwrap() > 0, "{said}");
    assert!(report["disk_bytes_after"].as_u64().unwrap() > 0, "{said}");
    let counts = counts(&archive);
    assert!(counts.values().all(|count| *count == 1));
    let deleted = home.ok(&["list", "--json", "--limit", "1000"]);
    assert_eq!(deleted.lines().count(), SESSIONS - 20);
    let mut missing = String::new();
    for row in deleted.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let name: usize = row["id"].as_str().unwrap()[1..].parse().unwrap();
        for number in 0..HIDDEN {
            if counts.get(&line(name, number)) != Some(&1) {
                writeln!(missing, "line {number} of {name}").unwrap();
            }
        }
    }
    assert_eq!(missing, "");
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_told_and_nothing_is_changed() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let home = Home::new();
    write_histories(&home, 1);
    home.write("s/whole.jsonl", "1\n");
    home.write("s/whole.meta.json", "{\"skip\":0,\"count\":1}");
    let folder = home.path().join("s");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for path in files_below(&folder) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut command = home.command();
    command.args(["compact", "--jsonl", "s", "--json"]);
    // Root may write everywhere: somebody else then, where that can be.
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        command.uid(65_534).gid(65_534);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: the tool cannot be run by another user: {error}");
            return;
        }
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("\"files\":2,\"rewritten\":0"), "{said}");
    assert!(
        said.contains("cannot take the lock") && said.contains("denied"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(folder.join("h0.jsonl")).unwrap(),
        lines(0)
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}
