//! Import: which files are found, and which are left where they are.

use std::fs;
use std::path::PathBuf;

use scrollback::{
    Error, ImportOptions, Options, RedbStore, SessionKey, Store as _, import, import_places,
};

use scrollback::provider::Places;

use crate::harness::{Home, export_as_lines, files_below};
use crate::import::{PROJECT, content_of, lines, open, run, run_in, says, sessions};

#[cfg(unix)]
#[test]
fn links_are_followed_once_and_never_in_circles() {
    use std::os::unix::fs::symlink;
    let home = Home::new();
    let real = home.write(&format!("{PROJECT}/real.jsonl"), lines(&["one"]));
    let outside = home.write("elsewhere/deep/outside.jsonl", lines(&["two"]));
    let folder = home.path().join("in");
    symlink(&real, folder.join("again.jsonl")).unwrap();
    symlink(&folder, folder.join("loop")).unwrap();
    symlink(home.path(), folder.join(".claude/above")).unwrap();
    symlink(outside.parent().unwrap(), folder.join("a-link")).unwrap();
    symlink(outside.parent().unwrap(), folder.join("b-link")).unwrap();
    symlink("nowhere.jsonl", folder.join("dangling.jsonl")).unwrap();
    symlink("nowhere", folder.join("dangling")).unwrap();
    symlink("self", folder.join("self")).unwrap();
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.files, report.sessions, report.skipped),
        (2, 2, 1),
        "{report:?}"
    );
    let told: Vec<_> = report
        .problems
        .iter()
        .map(|p| p.path.strip_prefix(&folder).unwrap().to_owned())
        .collect();
    assert!(told.contains(&PathBuf::from("loop")), "{told:?}");
    assert!(told.contains(&PathBuf::from(".claude/above")), "{told:?}");
    assert!(told.contains(&PathBuf::from("dangling.jsonl")), "{told:?}");

    let out = home.path().join("out");
    export_as_lines(&store, &out);
    assert!(
        out.join("claude-code/.claude/projects/-w/real.jsonl")
            .is_file()
    );
    assert!(
        files_below(&out)
            .iter()
            .any(|path| path.ends_with("a-link/outside.jsonl"))
    );
    assert_eq!(run_in(&home, &store).unchanged, 2);
}

#[cfg(unix)]
#[test]
fn odd_names_are_taken_and_given_back() {
    use std::os::unix::ffi::OsStrExt as _;
    let names: [&[u8]; 7] = [
        b"with space.jsonl",
        b"line\nfeed.jsonl",
        b"bad-\xff\xfe-utf8.jsonl",
        "資料 é.jsonl".as_bytes(),
        b".hidden.jsonl",
        b".jsonl",
        b"UPPER.JSONL",
    ];
    let home = Home::new();
    let folder = home.path().join("in/odd");
    fs::create_dir_all(&folder).unwrap();
    for (number, name) in names.iter().enumerate() {
        let path = folder.join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, says(&number.to_string())).unwrap();
    }
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(report.files + report.skipped, 7, "{report:?}");
    assert_eq!(report.skipped, 0, "{report:?}");
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let found = files_below(&out);
    for (number, name) in names.iter().enumerate() {
        let name = std::ffi::OsStr::from_bytes(name);
        let path = found.iter().find(|path| path.file_name() == Some(name));
        let path = path.unwrap_or_else(|| panic!("{} is missing in {found:?}", name.display()));
        assert_eq!(fs::read_to_string(path).unwrap(), says(&number.to_string()));
    }
}

#[test]
fn hidden_folders_are_searched_and_what_is_no_session_is_passed_over() {
    let home = Home::new();
    home.write("in/.a/.b/x.jsonl", says("x"));
    home.write("in/.git/y.jsonl", says("y"));
    home.write("in/p/node_modules/z.jsonl", says("z"));
    home.write("in/package.json", "{\"name\":\"x\"}");
    home.write("in/notes.txt", "hello");
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!(
        (report.files, report.sessions, report.skipped),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(report.problems, []);
}

#[test]
fn secrets_beside_sessions_are_never_taken() {
    let home = Home::new();
    home.write(&format!("{PROJECT}/a.jsonl"), says("one"));
    home.write(&format!("{PROJECT}/sessions-index.json"), "{}");
    let secrets = [
        ".credentials.json",
        "credentials.json",
        "auth.json",
        ".env",
        ".env.local",
        ".netrc",
    ];
    for name in secrets {
        home.write(&format!("{PROJECT}/{name}"), "secret");
        home.write(&format!("in/.codex/sessions/{name}"), "secret");
        home.write(&format!("in/.ggcode/sessions/{name}"), "secret");
    }
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.attachments), (1, 1), "{report:?}");
}

#[test]
fn a_path_that_is_not_there_is_reported_and_the_others_go_on() {
    let home = Home::new();
    let there = home.write("in/a.jsonl", says("x"));
    let store = open(&home);
    let missing = home.path().join("missing");
    let report = run(&store, &[missing.clone(), there]);
    assert_eq!(
        (report.paths_failed, report.skipped, report.sessions),
        (1, 1, 1)
    );
    assert_eq!(report.problems[0].path, missing);
    assert_eq!(report.problems[0].reason, "no such file or folder");
}

#[test]
fn a_store_is_not_imported_as_a_session() {
    let home = Home::new();
    let store = open(&home);
    let other = home.path().join("other.redb");
    drop(RedbStore::open(&other, Options::default()).unwrap());
    let report = run(
        &store,
        &[other, store.path().to_owned(), home.path().to_owned()],
    );
    assert_eq!(
        (report.paths_failed, report.skipped, report.files),
        (2, 2, 0),
        "{report:?}"
    );
    for problem in &report.problems {
        assert_eq!(
            problem.reason,
            "is a Scrollback store; export it first: \
             `scrollback --store FILE export --all --to DIR`"
        );
    }
}

#[test]
fn a_file_of_no_known_form_needs_an_agent() {
    let home = Home::new();
    let text = home.write("in/foo.txt", says("x"));
    let store = open(&home);
    let paths = [text];
    let report = run(&store, &paths);
    if report.sessions == 0 {
        let reason = "not recognised as sessions; name its agent";
        assert_eq!(report.problems[0].reason, reason);
        assert_eq!((report.paths_failed, report.skipped), (1, 1));
        let options = ImportOptions::default().with_agent("claude-code");
        let report = import(&store, &paths, &options, &mut scrollback::unwatched).unwrap();
        assert_eq!((report.sessions, report.records), (1, 1), "{report:?}");
    }
    assert_eq!(sessions(&store)[0].key.agent(), "claude-code");
    let options = ImportOptions::default().with_agent("no-such-agent");
    let error = import(&store, &paths, &options, &mut scrollback::unwatched).unwrap_err();
    // What was meant is among the names that there are.
    assert!(
        matches!(&error, Error::UnknownAgent { known, .. } if known.iter().any(|name| name == "codex")),
        "{error}"
    );
    assert!(error.to_string().contains("`claude-code`"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_never_opened() {
    let home = Home::new();
    home.write("in/a.jsonl", says("x"));
    let pipe = home.path().join("in/pipe.jsonl");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.files, report.skipped), (1, 0), "{report:?}");
    // It is told all the same, since a session could have that name.
    assert!(report.problems[0].path.ends_with("pipe.jsonl"));
    assert!(report.problems[0].reason.contains("a pipe"), "{report:?}");
    let report = run(&store, &[pipe]);
    assert_eq!((report.paths_failed, report.skipped), (1, 1));
}

#[test]
fn files_of_one_id_are_its_contents_in_their_order() {
    let home = Home::new();
    // The first one is by far the slower to read.
    let long: String = (0..40_000)
        .map(|number| says(&number.to_string()))
        .collect();
    home.write("in/1/.claude/projects/-w/a.jsonl", &long);
    for folder in 2..6 {
        let path = format!("in/{folder}/.claude/projects/-w/a.jsonl");
        home.write(&path, says(&format!("in {folder}")));
    }
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.sessions, report.generations), (1, 4));
    let key = |id: &str| SessionKey::new("claude-code", id).unwrap();
    assert!(content_of(&store, &key("a~1")) == long.as_bytes());
    assert_eq!(store.summary(&key("a")).unwrap().contents, 5);
    for (id, folder) in [("a~2", "2"), ("a~3", "3"), ("a~4", "4"), ("a~5", "5")] {
        let said = says(&format!("in {folder}"));
        assert_eq!(content_of(&store, &key(id)), said.as_bytes());
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_a_linked_folder_does_not_lead_above_it() {
    use std::os::unix::fs::symlink;
    let home = Home::new();
    home.write("in/a.jsonl", says("a"));
    let linked = home.write("out/x/b.jsonl", says("b"));
    let beside = home.write("out/c.jsonl", says("c"));
    let linked = linked.parent().unwrap();
    symlink(linked, home.path().join("in/link")).unwrap();
    symlink(beside.parent().unwrap(), linked.join("up")).unwrap();
    let store = open(&home);
    let report = run_in(&home, &store);
    assert_eq!((report.files, report.problems.len()), (2, 1), "{report:?}");
}

#[test]
fn the_store_itself_is_passed_over_whatever_its_name() {
    let home = Home::new();
    home.write("in/a.jsonl", says("a"));
    let store = home.path().join("in/store.jsonl");
    let store = RedbStore::open(store, Options::default()).unwrap();
    let report = run_in(&home, &store);
    assert_eq!((report.files, report.malformed), (1, 0), "{report:?}");
}

#[test]
fn an_import_of_default_places_takes_nothing_else_of_a_home() {
    let home = Home::new();
    let line = "{\"role\":\"user\",\"content\":\"hi\"}\n";
    home.write(
        ".jcode/sessions/0a1b2c3d-0000-4000-8000-000000000001.json",
        line,
    );
    for beside in [
        ".jcode/history.jsonl",
        ".jcode/auth.json",
        ".codex/log.jsonl",
        "notes.jsonl",
    ] {
        home.write(beside, line);
    }
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let places = Places::under(home.path());
    let options = ImportOptions::default();
    let report = import_places(&store, &places, &options, &mut scrollback::unwatched).unwrap();
    assert_eq!(
        (report.files, report.sessions, report.attachments),
        (1, 1, 0)
    );
}
