//! Links and special files: in folders that are written to, none is followed; in folders that are
//! read, none is waited for. More of it, with the tool: `cli/tests/it/security/links.rs`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use scrollback::{
    Error, Expect, ExportFormat, Message, NewRecord, RedbStore, Role, SessionKey, Store,
    compact_folder, export_all,
};

use super::traps::{PLACES, pipe};
use super::tree;
use crate::harness::Home;
use crate::import::open;
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
            export_all(&store, None, format, &out, &mut scrollback::unwatched).unwrap();
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
            let refused = export_all(&store, None, format, &folder, &mut scrollback::unwatched);
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
            &mut scrollback::unwatched,
        )
        .unwrap();
        assert!(home.path().join("real/native").join(file).is_file());
    }
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
        let report =
            compact_folder(&home.path().join("s"), None, &mut scrollback::unwatched).unwrap();
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
        let report =
            compact_folder(&home.path().join("s"), None, &mut scrollback::unwatched).unwrap();
        assert_eq!(
            (report.rewritten, report.problems.len()),
            (0, 1),
            "{report:?}"
        );
        assert_eq!(tree::of(&home.path().join("outside"), &[]), before);
    }
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
