//! Links and special files where the tool writes and reads: none is followed, none is waited for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use scrollback::{Expect, Message, NewRecord, Options, RedbStore, Role, SessionKey, Store as _};

use super::traps::{PLACES, pipe};
use crate::harness::Home;
use crate::tree;

/// How long a command may take that meets something that never ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// A meta file of a history that was truncated.
const META: &str = "{\"key\":\"k\",\"skip\":1,\"count\":2}";

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

#[test]
fn an_archive_is_not_written_through_a_link() {
    let home = Home::new();
    let open = || RedbStore::open(home.store_path(), Options::default()).unwrap();
    let store = open();
    let key = SessionKey::native("s").unwrap();
    let said = ["one", "two"].map(|text| NewRecord::message(Message::text(Role::User, text)));
    store.append(&key, Expect::Any, None, &said).unwrap();
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
    assert_eq!(
        open().summary(&key).unwrap().record_count,
        2,
        "nothing was removed"
    );
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
    home.write(
        "in/good/a.jsonl",
        "{\"role\":\"user\",\"content\":\"good\"}\n",
    );
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
