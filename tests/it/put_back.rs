//! Sessions put back where their agents look for them: the same bytes, for their owner only, over nothing, and an import
//! sees the same sessions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scrollback::provider::Places;
use scrollback::{
    Error, Expect, ImportOptions, ListQuery, NewRecord, Options, RedbStore, SessionKey, Store as _,
    Summary, import, put_back, resumption, unwatched,
};

use crate::harness::{Home, files_below};

const UUID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

/// What an agent has in its home: the session's id, and files with their contents.
struct Sample {
    agent: &'static str,
    home: &'static str,
    id: &'static str,
    files: Vec<(String, String)>,
    command: Option<&'static str>,
}

fn claude() -> Sample {
    let line = |id: &str, more: &str| {
        format!(
            "{{\"type\":\"user\",\"uuid\":\"{id}\",\"sessionId\":\"{UUID}\",\"cwd\":\"/none/my_app\",{more}\
             \"timestamp\":\"2026-05-01T10:00:00Z\",\"message\":{{\"role\":\"user\",\"content\":\"hi {id}\"}}}}\n"
        )
    };
    let folder = "projects/-none-my-app";
    let child = line("u2", "\"isSidechain\":true,\"agentId\":\"a7\",");
    Sample {
        agent: "claude-code",
        home: ".claude",
        id: UUID,
        files: vec![
            (format!("{folder}/{UUID}.jsonl"), line("u1", "") + "{\"torn"),
            (format!("{folder}/{UUID}/subagents/agent-a7.jsonl"), child),
            (
                format!("{folder}/{UUID}/subagents/agent-a7.meta.json"),
                "{\"agentType\":\"x\"}".to_owned(),
            ),
            (
                format!("{folder}/{UUID}/tool-results/54aa8ea2.txt"),
                "long\r\noutput".to_owned(),
            ),
        ],
        command: Some("claude --resume"),
    }
}

fn codex() -> Sample {
    let meta = format!(
        "{{\"timestamp\":\"2026-08-25T20:31:07.000Z\",\"type\":\"session_meta\",\"payload\":{{\"id\":\"{UUID}\",\
         \"timestamp\":\"2026-08-25T20:31:07.000Z\",\"cwd\":\"/none\"}}}}\n"
    );
    let said = "{\"timestamp\":\"2026-08-25T20:31:08.000Z\",\"type\":\"response_item\",\"payload\":{\"type\":\"message\",\
                \"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"hi\"}]}}\n";
    let name = format!("sessions/2026/08/25/rollout-2026-08-25T20-31-07-{UUID}.jsonl");
    Sample {
        agent: "codex",
        home: ".codex",
        id: UUID,
        files: vec![(name, meta + said)],
        command: Some("codex resume"),
    }
}

fn gemini() -> Sample {
    let document = format!(
        "{{\n  \"sessionId\": \"{UUID}\", \"projectHash\": \"ab\", \"startTime\": \"2026-04-03T09:00:00.000Z\", \"lastUpdated\": \
         \"2026-04-03T09:00:00.000Z\",\n  \"messages\": [{{\"id\": \"m1\", \"timestamp\": \"2026-04-03T09:00:00.000Z\", \
         \"type\": \"user\", \"content\": \"hi\"}}]\n}}"
    );
    Sample {
        agent: "gemini",
        home: ".gemini",
        id: UUID,
        files: vec![(
            "tmp/ab/chats/session-2026-04-03T09-00-0a1b2c3d.json".to_owned(),
            document,
        )],
        command: Some("gemini --resume"),
    }
}

fn ggcode() -> Sample {
    let id = "20260403-094500-4ef5ec8110305427";
    let meta = format!(
        "{{\"type\":\"meta\",\"session_id\":\"{id}\",\"title\":\"T\",\"model\":\"m\",\"created_at\":\"2026-04-03T11:45:00+02:00\",\
         \"updated_at\":\"2026-04-03T11:52:00+02:00\"}}\n"
    );
    Sample {
        agent: "ggcode",
        home: ".ggcode",
        id,
        files: vec![(format!("sessions/{id}.jsonl"), meta)],
        command: None,
    }
}

fn samples() -> [Sample; 4] {
    [claude(), codex(), gemini(), ggcode()]
}

impl Sample {
    fn key(&self) -> SessionKey {
        SessionKey::new(self.agent, self.id).unwrap()
    }

    /// Writes the agent's home, and imports it.
    fn imported(&self) -> (Home, RedbStore, PathBuf) {
        let home = Home::new();
        for (name, content) in &self.files {
            home.write(&format!("{}/{name}", self.home), content);
        }
        let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
        let its = home.path().join(self.home);
        assert_eq!(
            taken(&store, &its).0,
            self.files.len() as u64,
            "{}",
            self.agent
        );
        (home, store, its)
    }
}

/// Imports a home: files, and what was new of them.
fn taken(store: &RedbStore, home: &Path) -> (u64, u64) {
    let report = import(
        store,
        &[home.to_owned()],
        &ImportOptions::default(),
        &mut unwatched,
    )
    .unwrap();
    assert_eq!(
        report.skipped + report.paths_failed,
        0,
        "{:?}",
        report.problems
    );
    let new = report.sessions + report.sessions_grown + report.records + report.generations;
    (report.files, new)
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files_below(folder).into_iter();
    files
        .map(|path| {
            (
                path.strip_prefix(folder).unwrap().to_owned(),
                fs::read(path).unwrap(),
            )
        })
        .collect()
}

fn sessions(store: &RedbStore) -> Vec<Summary> {
    store.list(&ListQuery::default()).unwrap().sessions
}

#[test]
fn a_session_comes_back_byte_for_byte_and_is_the_same_session() {
    for sample in samples() {
        let (home, store, its) = sample.imported();
        let (before, known) = (contents(&its), sessions(&store));
        // As old as an agent's clean-up would take for waste.
        fs::remove_dir_all(&its).unwrap();
        let done = put_back(&store, &sample.key(), &its).unwrap();
        let agent = sample.agent;
        assert_eq!(contents(&its), before, "{agent}");
        assert_eq!(done.files.len(), sample.files.len(), "{agent}: {done:?}");
        assert_eq!(done.files[0].path, its.join(&sample.files[0].0), "{agent}");
        for file in &done.files {
            let found = fs::metadata(&file.path).unwrap();
            assert!(file.written && found.len() == file.bytes, "{agent}");
            let age = SystemTime::now().duration_since(found.modified().unwrap());
            assert!(
                age.unwrap_or_default() < Duration::from_secs(600),
                "{agent}"
            );
            #[cfg(unix)]
            assert_eq!(
                std::os::unix::fs::MetadataExt::mode(&found) & 0o777,
                0o600,
                "{agent}"
            );
        }
        assert_eq!(
            taken(&store, &its),
            (sample.files.len() as u64, 0),
            "{agent}"
        );
        assert_eq!(sessions(&store), known, "{agent}");
        // A second time everything is there.
        let again = put_back(&store, &sample.key(), &its).unwrap();
        assert!(again.files.iter().all(|file| !file.written), "{agent}");
        // Another home, wherever it is, is laid out the same way.
        let other = home.path().join("elsewhere/deep/home");
        put_back(&store, &sample.key(), &other).unwrap();
        assert_eq!(contents(&other), before, "{agent}");
    }
}

#[test]
fn nothing_is_written_where_anything_else_is_in_the_way() {
    for sample in samples() {
        let (_home, store, its) = sample.imported();
        for (name, content) in &sample.files {
            for other in [
                content.clone() + "more",
                content[..content.len() - 1].to_owned(),
                "x".to_owned(),
            ] {
                fs::remove_dir_all(&its).unwrap();
                let path = its.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &other).unwrap();
                let refused = put_back(&store, &sample.key(), &its);
                assert!(matches!(refused, Err(Error::FileExists { path: named }) if named == path));
                assert_eq!(contents(&its).len(), 1, "{name}");
                assert_eq!(fs::read_to_string(&path).unwrap(), other);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn no_link_below_a_home_is_followed() {
    let sample = claude();
    let (home, store, its) = sample.imported();
    fs::remove_dir_all(&its).unwrap();
    let outside = home.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&its).unwrap();
    std::os::unix::fs::symlink(&outside, its.join("projects")).unwrap();
    assert!(put_back(&store, &sample.key(), &its).is_err());
    fs::remove_file(its.join("projects")).unwrap();
    let place = its.join(&sample.files[0].0);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(outside.join("new"), &place).unwrap();
    assert!(put_back(&store, &sample.key(), &its).is_err());
    assert_eq!(files_below(&outside), [""; 0].map(PathBuf::from));
}

#[test]
fn what_was_appended_here_stands_at_the_end() {
    let sample = ggcode();
    let (_home, store, its) = sample.imported();
    let line = format!(
        "{{\"type\":\"message\",\"session_id\":\"{}\",\"message\":{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"more\"}}]}}}}\n",
        sample.id
    );
    store
        .append(
            &sample.key(),
            Expect::Any,
            None,
            &[NewRecord::line(line.clone())],
        )
        .unwrap();
    fs::remove_dir_all(&its).unwrap();
    put_back(&store, &sample.key(), &its).unwrap();
    let (name, content) = &sample.files[0];
    assert_eq!(
        fs::read_to_string(its.join(name)).unwrap(),
        format!("{content}{line}")
    );
    assert_eq!(taken(&store, &its).1, 0);
}

#[test]
fn a_session_of_a_copied_home_goes_where_the_agent_looks() {
    let sample = codex();
    let home = Home::new();
    let (name, content) = &sample.files[0];
    home.write(&format!("old-disk/{name}"), content);
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    taken(&store, &home.path().join("old-disk"));
    let its = home.path().join(".codex");
    put_back(&store, &sample.key(), &its).unwrap();
    assert_eq!(fs::read_to_string(its.join(name)).unwrap(), *content);
    // One whose file lay just anywhere is named as its agent would have named it.
    let loose = Home::new();
    let file = loose.write(&format!("{UUID}.jsonl"), content);
    let store = RedbStore::open(loose.store_path(), Options::default()).unwrap();
    taken(&store, &file);
    put_back(&store, &sample.key(), &loose.path().join(".codex")).unwrap();
    assert!(
        loose.path().join(".codex").join(name).exists(),
        "{:?}",
        files_below(loose.path())
    );
}

#[test]
fn what_cannot_be_put_back_or_resumed_says_so() {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let native = SessionKey::native("chat").unwrap();
    let line = NewRecord::line("{\"role\":\"user\",\"content\":\"hi\"}");
    for key in [&native, &SessionKey::new("opencode", "ses_1").unwrap()] {
        store
            .append(key, Expect::Any, None, std::slice::from_ref(&line))
            .unwrap();
        let refused = put_back(&store, key, &home.path().join("to"));
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "{key}");
    }
    assert!(!home.path().join("to").exists());
    assert!(matches!(
        resumption(&store, &native, None),
        Err(Error::Unsupported { .. })
    ));
    let missing = SessionKey::native("none").unwrap();
    assert!(matches!(
        put_back(&store, &missing, home.path()),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn a_resumption_knows_its_command_its_folder_and_whether_the_file_is_there() {
    for sample in samples() {
        let (home, store, its) = sample.imported();
        let places = Places::under(home.path());
        let place = places.home(sample.agent).unwrap();
        let found = resumption(&store, &sample.key(), Some(place));
        let Some(command) = sample.command else {
            assert!(
                matches!(found, Err(Error::Unsupported { .. })),
                "{}",
                sample.agent
            );
            continue;
        };
        let found = found.unwrap();
        assert_eq!(found.command.join(" "), format!("{command} {}", sample.id));
        assert!(found.is_there, "{}", sample.agent);
        fs::remove_dir_all(&its).unwrap();
        assert!(
            !resumption(&store, &sample.key(), Some(place))
                .unwrap()
                .is_there
        );
        assert!(!resumption(&store, &sample.key(), None).unwrap().is_there);
    }
    let (_home, store, its) = claude().imported();
    let child = SessionKey::new("claude-code", "a7").unwrap();
    assert!(
        resumption(&store, &child, Some(&its)).is_err(),
        "a sub-agent"
    );
}
