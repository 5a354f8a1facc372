//! What is read, listed and asked.

use std::sync::Arc;

use chrono::TimeDelta;
use scrollback::celeste::Project;
use scrollback::jcode::{Recorder, Recordings, validate_session_id};
use scrollback::picoclaw::StoreSessions;
use scrollback::provider::{Places, ProviderRegistry};
use scrollback::{
    Error, ImportOptions, ListQuery, MemoryStore, ScanQuery, Session, Store, StoreExt, import,
};

use super::{WRITTEN, claude, file, key, line, lines, memory, say, store_lines, texts};
use crate::harness::Home;
use crate::providers::provider_at;
use crate::providers::{FOLDER, REAL};

/// The id of every session that is imported here.
const ID: &str = "7f9c0000-0000-4000-8000-000000000001";

/// Imports a file of each package, which holds `content` of its lines.
fn imported(content: fn(&str) -> String) -> (Home, scrollback::RedbStore) {
    let home = Home::new();
    for agent in WRITTEN {
        let (folder, ending) = match agent {
            "celeste" => (".celeste/sessions/8f09a69e9fed88db", "jsonl"),
            "ggcode" => (".ggcode/sessions", "jsonl"),
            "picoclaw" => (".picoclaw/workspace/sessions", "jsonl"),
            _ => (".jcode/sessions", "json"),
        };
        home.write(&format!("home/{folder}/{ID}.{ending}"), content(agent));
    }
    let store = file(&home);
    let folder = [home.path().join("home")];
    import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    (home, store)
}

/// What a provider reads of Claude Code's session of this content: texts and unread lines.
fn of_claude(content: &str) -> (Vec<String>, u64) {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s.jsonl"), content);
    let session = provider_at("claude-code", home.path().join(".claude"));
    let session = session.read_session("s").unwrap();
    let texts = session.messages.into_iter().map(|message| message.content);
    (texts.collect(), session.summary.unread_lines)
}

fn claude_line(text: &str) -> String {
    format!("{{\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}\n")
}

#[test]
fn feature_load_all_records() {
    let store = memory();
    for agent in WRITTEN {
        let said: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        for text in &said {
            say(&*store, &key(agent, "s"), text);
        }
        assert_eq!(texts(&*store, &key(agent, "s")), said, "{agent}");
        let records = store.records(&key(agent, "s"), ScanQuery::default());
        let count = store.summary(&key(agent, "s")).unwrap().record_count;
        assert_eq!(records.count() as u64, count, "{agent}");
    }
    assert_eq!(claude().messages.len(), 4);
}

#[test]
fn feature_malformed_lines_are_skipped() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        let (one, two) = (line(agent, "one"), line(agent, "two"));
        store_lines(&*store, &key, &[&one, "{not json", "[1]", &two]);
        assert_eq!(texts(&*store, &key), ["one", "two"], "{agent}");
        assert_eq!(store.summary(&key).unwrap().malformed_count, 2, "{agent}");
        assert_eq!(lines(&*store, &key)[1], "{not json\n", "kept all the same");
    }
    let content = claude_line("one") + "{not json\n" + &claude_line("two");
    assert_eq!(of_claude(&content), (vec!["one".into(), "two".into()], 1));
}

#[test]
fn feature_torn_last_line_is_tolerated() {
    let (_home, store) = imported(|agent| line(agent, "one") + "\n{\"type\":\"us");
    for agent in WRITTEN {
        assert_eq!(texts(&store, &key(agent, ID)), ["one"], "{agent}");
    }
    let content = claude_line("one") + "{\"type\":\"us";
    assert_eq!(of_claude(&content), (vec!["one".into()], 1));
}

#[test]
fn feature_torn_tail_is_repaired_before_an_append() {
    let (_home, store) = imported(|agent| line(agent, "one") + "\n{\"type\":\"us");
    for agent in WRITTEN {
        say(&store, &key(agent, ID), "two");
        let file = lines(&store, &key(agent, ID)).concat();
        assert!(file.contains("\n{\"type\":\"us\n{"), "{agent}: {file}");
        assert_eq!(texts(&store, &key(agent, ID)), ["one", "two"], "{agent}");
    }
}

#[test]
fn feature_lines_of_any_length() {
    let (_home, store) =
        imported(|agent| line(agent, "one") + "\n" + &line(agent, &"x".repeat(11 << 20)) + "\n");
    for agent in WRITTEN {
        let texts = texts(&store, &key(agent, ID));
        let lengths: Vec<usize> = texts.iter().map(String::len).collect();
        assert_eq!(lengths, [3, 11 << 20], "{agent}");
    }
}

#[test]
fn feature_list_sessions() {
    let store = memory();
    for agent in WRITTEN {
        for id in ["a", "b"] {
            say(&*store, &key(agent, id), "x");
        }
        let query = ListQuery::default().with_agent(agent);
        let listed = store.list(&query).unwrap().sessions;
        let ids: Vec<&str> = listed.iter().map(|session| session.key.id()).collect();
        assert_eq!(ids, ["b", "a"], "{agent}");
    }
    assert_eq!(StoreSessions::new(store).list_sessions().unwrap().len(), 2);
}

#[test]
fn feature_list_across_projects_and_agents() {
    let store = memory();
    for project in ["/w/a", "/w/b"] {
        Recorder::new(store.clone(), project, "p", "m")
            .record_user("x")
            .unwrap();
    }
    for agent in ["ggcode", "picoclaw"] {
        say(&*store, &key(agent, "s"), "x");
    }
    let all = Recordings::new(store.clone()).list_all().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["/w/a", "/w/b"]);
    assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 4);
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let registry = ProviderRegistry::with_places(&Places::under(home.path()));
    assert_eq!(
        registry.list_all_sessions().sessions["claude-code"].len(),
        1
    );
}

#[test]
fn feature_list_projects() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let other = REAL.replace("/w/my-shop", "/w/my/shop");
    home.write(".claude/projects/-w-my-shop2/s2.jsonl", other);
    let provider = provider_at("claude-code", home.path().join(".claude"));
    assert_eq!(
        provider.list_projects().unwrap(),
        ["/w/my-shop", "/w/my/shop"]
    );
}

#[test]
fn feature_most_recent_younger_than_max_age() {
    let store = MemoryStore::default();
    let mut session = Session::new(key("ggcode", "s"));
    session.project = Some("/w".to_owned());
    store.save(&mut session).unwrap();
    let updated = store.summary(&session.key).unwrap().updated_at;
    let (day, hour) = (TimeDelta::days(1), TimeDelta::hours(1));
    assert!(store.recent("/w", day, updated + day).unwrap().is_some());
    assert!(store.recent("/w", hour, updated + day).unwrap().is_none());
    let project = Project::open(Arc::new(store), "/x");
    assert!(
        project
            .recent(std::time::Duration::from_secs(60))
            .unwrap()
            .is_none()
    );
}

#[test]
fn feature_title_from_first_user_message() {
    let long = "word ".repeat(30);
    let (_home, store) =
        imported(|agent| line(agent, &"word ".repeat(30)) + "\n" + &line(agent, "later") + "\n");
    for (agent, bytes) in [("celeste", 60), ("ggcode", 60), ("jcode", 83)] {
        let title = store.summary(&key(agent, ID)).unwrap().title;
        let start = title.trim_end_matches(['.', '…']);
        assert!(long.starts_with(start), "{agent}: {title}");
        assert!(
            title.len() <= bytes + 3 && title.len() > 50,
            "{agent}: {title}"
        );
    }
    assert_eq!(
        claude().summary.first_prompt.as_deref(),
        Some("read the file")
    );
}

#[test]
fn feature_entry_and_message_count() {
    let (_home, store) =
        imported(|agent| line(agent, "one") + "\nnot json\n" + &line(agent, "two") + "\n");
    for agent in WRITTEN {
        let summary = store.summary(&key(agent, ID)).unwrap();
        let counts = (
            summary.message_count,
            summary.record_count,
            summary.malformed_count,
        );
        assert_eq!(counts, (2, 3, 1), "{agent}");
    }
    assert_eq!(claude().summary.message_count, 4);
}

#[test]
fn feature_created_and_updated_times() {
    let store = memory();
    for agent in ["celeste", "jcode"] {
        store_lines(&*store, &key(agent, "s"), &[&line(agent, "x")]);
        let summary = store.summary(&key(agent, "s")).unwrap();
        assert_eq!(
            summary.created_at.to_rfc3339()[..10],
            *"2026-04-03",
            "{agent}"
        );
        assert_eq!(summary.created_at, summary.updated_at, "{agent}");
    }
    let meta = r#"{"type":"meta","title":"t","created_at":"2026-04-03T09:45:00Z","updated_at":"2026-04-04T09:45:00Z"}"#;
    store_lines(&*store, &key("ggcode", "s"), &[meta]);
    let summary = store.summary(&key("ggcode", "s")).unwrap();
    assert_eq!((summary.updated_at - summary.created_at).num_days(), 1);
    let summary = claude().summary;
    let minutes = summary.updated_at.unwrap() - summary.created_at.unwrap();
    assert_eq!(minutes.num_minutes(), 4);
}

#[test]
fn feature_history_without_the_truncated_part_and_in_full() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        for text in ["one", "two", "three"] {
            say(&*store, &key, text);
        }
        store.truncate(&key, 1).unwrap();
        assert_eq!(texts(&*store, &key), ["three"], "{agent}");
        let mut transcript = Vec::new();
        store.export_markdown(&key, &mut transcript).unwrap();
        let transcript = String::from_utf8(transcript).unwrap();
        assert!(
            transcript.contains("one") && transcript.contains("three"),
            "{agent}"
        );
        store.truncate(&key, 3).unwrap();
        assert_eq!(texts(&*store, &key), ["one", "two", "three"], "{agent}");
    }
}

#[test]
fn feature_stale_index_rows_are_not_listed() {
    let home = Home::new();
    let folder = "home/.ggcode/sessions";
    home.write(&format!("{folder}/a.jsonl"), line("ggcode", "x") + "\n");
    let row = |id| {
        format!(
            "{{\"id\":\"{id}\",\"title\":\"T {id}\",\"created_at\":\"2026-04-03T11:45:00Z\",\
             \"updated_at\":\"2026-04-03T11:52:00Z\",\"msg_count\":1}}"
        )
    };
    let index = format!("[{},{}]", row("gone"), row("a"));
    home.write(&format!("{folder}/index.json"), index);
    let store = file(&home);
    let folder = [home.path().join("home")];
    import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    let listed = store.list(&ListQuery::default()).unwrap().sessions;
    let ids: Vec<&str> = listed.iter().map(|session| session.key.id()).collect();
    assert_eq!(ids, ["a"]);
}

#[test]
fn feature_typed_errors() {
    let store = memory();
    let missing = store.load(&key("ggcode", "s")).unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }));
    assert!(matches!(
        validate_session_id("../x"),
        Err(Error::InvalidKey { .. })
    ));
    let home = Home::new();
    let registry = ProviderRegistry::with_places(&Places::under(home.path()));
    let unknown = registry.provider_for("none").err().unwrap();
    assert!(matches!(unknown, Error::ProviderNotFound { .. }));
    let provider = registry.provider_for("claude-code").unwrap();
    let error = provider.list_sessions("/nowhere").unwrap_err();
    assert!(matches!(error, Error::ProjectNotFound { .. }));
    assert!(matches!(
        provider.read_session("none"),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn feature_reader_of_the_format_version() {
    assert_eq!(claude().version.as_deref(), Some("2.1.63"));
}
