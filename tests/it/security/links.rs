//! Links and special files: in folders that are written to, none is followed; in folders that are
//! read, none is waited for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use scrollback::{
    Error, Expect, ExportFormat, Message, NewRecord, RedbStore, Role, SessionKey, Store,
    compact_folder, export_all,
};

use super::tree;
use crate::harness::Home;
use crate::import::{open, says};
use crate::providers::provider_at;

/// How long a command may take that meets something that never ends.
const PATIENCE: Duration = Duration::from_secs(30);

fn with_session(home: &Home) -> (RedbStore, SessionKey) {
    let store = open(home);
    let key = SessionKey::native("s").unwrap();
    let said = ["one", "two"].map(|text| NewRecord::message(Message::text(Role::User, text)));
    store.append(&key, Expect::Any, None, &said).unwrap();
    (store, key)
}

/// Runs the tool, and gives up if it hangs.
fn run_in_time(home: &Home, arguments: &[&str]) -> Output {
    let began = Instant::now();
    let mut child = home
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn nothing_is_written_through_a_link_in_an_export() {
    for (format, file) in [
        (ExportFormat::Jsonl, "s.jsonl"),
        (ExportFormat::Markdown, "s.md"),
    ] {
        let home = Home::new();
        let (store, _) = with_session(&home);
        let victim = home.write("outside/victim.txt", "keep");
        let before = tree::of(&home.path().join("outside"), &[]);
        // A link in the place of a file is replaced, wherever it leads.
        for (number, target) in [
            victim.as_path(),
            Path::new("nowhere"),
            Path::new("/dev/full"),
        ]
        .into_iter()
        .enumerate()
        {
            let out = home.path().join(format!("out{number}"));
            fs::create_dir_all(out.join("native")).unwrap();
            symlink(target, out.join("native").join(file)).unwrap();
            export_all(&store, None, format, &out, &mut |_| {}).unwrap();
            let written = fs::symlink_metadata(out.join("native").join(file)).unwrap();
            assert!(written.is_file(), "{target:?}");
        }
        // A link in the place of a folder is refused, a file and a pipe too.
        let out = home.path().join("linked");
        fs::create_dir_all(&out).unwrap();
        symlink(home.path().join("outside"), out.join("native")).unwrap();
        let dangling = home.path().join("dangling");
        fs::create_dir_all(&dangling).unwrap();
        symlink(home.path().join("outside/new"), dangling.join("native")).unwrap();
        let blocked = home.path().join("blocked");
        home.write("blocked/native", "a file");
        pipe(&home.path().join("piped/native"));
        for folder in [out, dangling, blocked, home.path().join("piped")] {
            let refused = export_all(&store, None, format, &folder, &mut |_| {});
            assert!(
                matches!(&refused, Err(Error::Io { path, .. }) if path.ends_with("native")),
                "{folder:?}: {refused:?}"
            );
        }
        assert_eq!(tree::of(&home.path().join("outside"), &[]), before);
        // The folder that was named may be a link: whoever names it means where it leads.
        fs::create_dir(home.path().join("real")).unwrap();
        symlink("real", home.path().join("named")).unwrap();
        export_all(
            &store,
            None,
            format,
            &home.path().join("named"),
            &mut |_| {},
        )
        .unwrap();
        assert!(home.path().join("real/native").join(file).is_file());
    }
}

#[test]
fn an_archive_is_not_written_through_a_link() {
    let home = Home::new();
    let (store, key) = with_session(&home);
    store.truncate(&key, 1).unwrap();
    drop(store);
    let victim = home.write("outside/victim.jsonl", "keep\n");
    let outside = victim.parent().unwrap();
    let before = tree::of(outside, &[]);
    for (number, (link, target)) in [
        ("native", outside),
        ("native", Path::new("../outside/new")),
        ("native/s.jsonl", &victim),
        ("native/s.jsonl", Path::new("../../outside/new")),
        ("native/s.jsonl", Path::new("/dev/full")),
    ]
    .into_iter()
    .enumerate()
    {
        let archive = format!("archive{number}");
        let link = home.path().join(&archive).join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, &link).unwrap();
        let output = run_in_time(&home, &["compact", "s", "--archive", &archive]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{link:?} -> {target:?}: {output:?}"
        );
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.contains(&archive) && told.contains("links are not followed"),
            "{told}"
        );
        assert_eq!(tree::of(outside, &[]), before);
    }
    pipe(&home.path().join("piped/native/s.jsonl"));
    let output = run_in_time(&home, &["compact", "s", "--archive", "piped"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (store, key) = (open(&home), key);
    assert_eq!(
        store.summary(&key).unwrap().record_count,
        2,
        "nothing was removed"
    );
}

const META: &str = "{\"key\":\"k\",\"skip\":1,\"count\":2}";

#[test]
fn a_folder_rewritten_in_place_keeps_to_itself() {
    let names = [
        "t.jsonl.compact-new",
        "t.meta.json.compact-new",
        "t.compact-journal.compact-new",
    ];
    for name in names {
        let home = Home::new();
        home.write("s/t.jsonl", "one\ntwo\n");
        home.write("s/t.meta.json", META);
        let victim = home.write("outside/victim", "keep");
        symlink(&victim, home.path().join("s").join(name)).unwrap();
        let before = tree::of(victim.parent().unwrap(), &[]);
        let report = compact_folder(&home.path().join("s"), None, &mut |_| {}).unwrap();
        assert_eq!(
            (report.rewritten, report.problems.len()),
            (1, 0),
            "{report:?}"
        );
        assert_eq!(tree::of(victim.parent().unwrap(), &[]), before, "{name}");
        assert_eq!(
            fs::read_to_string(home.path().join("s/t.jsonl")).unwrap(),
            "two\n"
        );
    }
    for (file, target) in [
        ("t.jsonl", "outside/lines"),
        ("t.meta.json", "outside/meta"),
    ] {
        let home = Home::new();
        home.write("s/t.jsonl", "one\ntwo\n");
        home.write("s/t.meta.json", META);
        home.write("outside/lines", "one\ntwo\n");
        home.write("outside/meta", META);
        fs::remove_file(home.path().join("s").join(file)).unwrap();
        symlink(home.path().join(target), home.path().join("s").join(file)).unwrap();
        let before = tree::of(&home.path().join("outside"), &[]);
        let report = compact_folder(&home.path().join("s"), None, &mut |_| {}).unwrap();
        assert_eq!(
            (report.rewritten, report.problems.len()),
            (0, 1),
            "{report:?}"
        );
        assert_eq!(tree::of(&home.path().join("outside"), &[]), before);
    }
}

#[test]
fn a_folder_rewritten_in_place_waits_for_nothing() {
    let home = Home::new();
    for name in ["a", "b", "c", "d"] {
        home.write(&format!("s/{name}.jsonl"), "one\ntwo\n");
    }
    pipe(&home.path().join("s/a.meta.json"));
    symlink("/dev/zero", home.path().join("s/b.meta.json")).unwrap();
    home.write("s/c.meta.json", META);
    pipe(&home.path().join("s/c.compact-journal"));
    fs::remove_file(home.path().join("s/d.jsonl")).unwrap();
    pipe(&home.path().join("s/d.jsonl"));
    home.write("s/d.meta.json", META);
    let output = run_in_time(&home, &["compact", "--jsonl", "s", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), 4, "{report}");
    assert_eq!(report["rewritten"], 0);
}

/// Where files that agents keep beside sessions lie, and sessions themselves.
const PLACES: [&str; 9] = [
    "x.jsonl",
    "x.json",
    ".claude/projects/-w/x.jsonl",
    ".claude/projects/-w/sessions-index.json",
    ".picoclaw/workspace/sessions/x.meta.json",
    ".ggcode/sessions/index.json",
    ".codex/sessions/2026/01/01/rollout-2026-01-01T00-00-00-1.jsonl",
    ".gemini/tmp/p/chats/session-1.json",
    ".local/share/opencode/opencode.db",
];

/// What a link may lead to that never ends, or that nothing may come of.
const TARGETS: [&str; 5] = [
    "/dev/zero",
    "/dev/full",
    "/dev/null",
    "/proc/self/mem",
    "/dev/stdin",
];

#[test]
fn an_import_waits_for_nothing_and_never_ends_up_in_a_device() {
    let home = Home::new();
    home.write("in/good/a.jsonl", says("good"));
    let mut cases = 0;
    for place in PLACES {
        pipe(&home.path().join("in/pipes").join(place));
        let socket = home.path().join(format!("in/sockets{cases}")).join(place);
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        // A socket's path may have 108 bytes: it is bound by a short name.
        let short = home.path().join(format!("s{cases}"));
        let listener = std::os::unix::net::UnixListener::bind(&short).unwrap();
        fs::rename(&short, &socket).unwrap();
        drop(listener);
        for (number, target) in TARGETS.iter().enumerate() {
            let link = home.path().join(format!("in/links{number}")).join(place);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, &link).unwrap();
            cases += 1;
        }
        cases += 2;
    }
    assert!(cases >= 60, "{cases}");
    let output = run_in_time(&home, &["import", "in", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = i32::from(report["skipped"].as_u64().unwrap() > 0);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(report["sessions"].as_u64().unwrap() >= 1, "{report}");
    assert!(report["bytes"].as_u64().unwrap() < 10_000, "{report}");
    assert!(home.ok(&["list"]).contains("good"));
    // Named themselves, they are refused.
    for path in ["in/pipes/x.jsonl", "/dev/zero", "in/sockets0/x.jsonl"] {
        let output = run_in_time(&home, &["import", path]);
        assert_eq!(output.status.code(), Some(1), "{path}: {output:?}");
    }
    home.ok(&["verify"]);
}

#[test]
fn readers_of_other_agents_wait_for_nothing() {
    let home = Home::new();
    for place in PLACES {
        pipe(&home.path().join(place));
    }
    let (sent, ended) = std::sync::mpsc::channel();
    let folder = home.path().to_owned();
    std::thread::spawn(move || {
        let providers = [
            provider_at("claude-code", folder.join(".claude")),
            provider_at("codex", folder.join(".codex")),
            provider_at("gemini", folder.join(".gemini")),
        ];
        for provider in &providers {
            provider.list_projects().unwrap();
            let listed = provider.list_all().unwrap();
            assert_eq!(listed.sessions.len(), 0);
        }
        sent.send(()).unwrap();
    });
    ended.recv_timeout(PATIENCE).unwrap();
}
