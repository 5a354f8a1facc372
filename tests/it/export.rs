//! Export: names that meet, links in the way, times, and sessions without a file.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use scrollback::{
    Error, Expect, ExportFormat, ImportOptions, Message, NewRecord, Options, RedbStore, Role,
    SessionKey, Store, export_all, export_session, import,
};

use crate::harness::{Home, export_as_lines, files_below};

fn open(home: &Home) -> RedbStore {
    RedbStore::open(home.store_path(), Options::default()).unwrap()
}

fn import_paths(store: &RedbStore, paths: &[PathBuf]) {
    let report = import(
        store,
        paths,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(report.skipped, 0, "{report:?}");
}

fn export_lines(store: &RedbStore, home: &Home) -> Vec<String> {
    let out = home.path().join("out");
    let report = export_as_lines(store, &out);
    let files = files_below(&out);
    assert_eq!(report.files, files.len() as u64);
    let below = |path: &PathBuf| {
        path.strip_prefix(&out)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    files.iter().map(below).collect()
}

#[test]
fn files_that_would_land_on_one_path_are_kept_apart() {
    let home = Home::new();
    let first = home.write("one/s/a.jsonl", "1\n");
    let second = home.write("two/s/a.jsonl", "2\n");
    let third = home.write("three/S/A.jsonl", "3\n");
    let store = open(&home);
    for path in [first, second, third] {
        import_paths(
            &store,
            &[path.parent().unwrap().parent().unwrap().to_owned()],
        );
    }
    let names = export_lines(&store, &home);
    assert_eq!(names.len(), 3, "{names:?}");
    let lower: std::collections::HashSet<_> = names.iter().map(|n| n.to_lowercase()).collect();
    assert_eq!(lower.len(), 3, "{names:?}");
    let mut contents: Vec<_> = names
        .iter()
        .map(|name| fs::read_to_string(home.path().join("out").join(name)).unwrap())
        .collect();
    contents.sort();
    assert_eq!(contents, ["1\n", "2\n", "3\n"]);
}

#[test]
fn a_file_and_a_folder_of_one_name_are_kept_apart() {
    let home = Home::new();
    let file = home.write("one/x.jsonl", "1\n");
    let below = home.write("two/x.jsonl/y.jsonl", "2\n");
    let store = open(&home);
    import_paths(&store, &[file.parent().unwrap().to_owned()]);
    import_paths(
        &store,
        &[below.parent().unwrap().parent().unwrap().to_owned()],
    );
    assert_eq!(
        export_lines(&store, &home),
        ["jsonl/x.jsonl", "jsonl/x.jsonl~2/y.jsonl"]
    );
}

#[test]
fn an_export_can_be_repeated_and_restores_times_and_privacy() {
    let home = Home::new();
    let source = home.write("in/a.jsonl", "1\n");
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    fs::File::options()
        .write(true)
        .open(&source)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    for _ in 0..2 {
        assert_eq!(export_lines(&store, &home), ["jsonl/a.jsonl"]);
    }
    let metadata = fs::metadata(home.path().join("out/jsonl/a.jsonl")).unwrap();
    assert_eq!(metadata.modified().unwrap(), time);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_folder_are_not_followed() {
    use std::os::unix::fs::symlink;
    let home = Home::new();
    home.write("in/a.jsonl", "1\n");
    home.write("in/sub/b.jsonl", "2\n");
    let outside = home.write("outside/keep.txt", "keep");
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    let out = home.path().join("out");
    fs::create_dir_all(out.join("jsonl")).unwrap();
    symlink(&outside, out.join("jsonl/a.jsonl")).unwrap();
    symlink(outside.parent().unwrap(), out.join("jsonl/sub")).unwrap();
    let error = export_all(
        &store,
        None,
        ExportFormat::Jsonl,
        &out,
        &mut scrollback::unwatched,
    )
    .unwrap_err();
    assert!(
        matches!(&error, Error::Io { path, .. } if path.ends_with("jsonl/sub")),
        "{error:?}"
    );
    // A link in the place of a file was replaced, not followed.
    assert_eq!(fs::read_to_string(&outside).unwrap(), "keep");
    assert_eq!(files_below(outside.parent().unwrap()).len(), 1);
    assert_eq!(
        fs::read_to_string(out.join("jsonl/a.jsonl")).unwrap(),
        "1\n"
    );
}

#[test]
fn a_session_of_the_api_is_exported_under_a_safe_name_and_comes_back_equal() {
    let home = Home::new();
    let store = open(&home);
    let key = SessionKey::native("telegram:../1/2").unwrap();
    let hello = NewRecord::message(Message::text(Role::User, "hello"));
    store.append(&key, Expect::Any, None, &[hello]).unwrap();
    let name = "native/telegram%3A..%2F1%2F2.jsonl";
    assert_eq!(export_lines(&store, &home), [name]);

    let again = Home::new();
    let other = open(&again);
    import_paths(&other, &[home.path().join("out/native")]);
    let sessions = other
        .list(&scrollback::ListQuery::default())
        .unwrap()
        .sessions;
    assert_eq!(sessions.len(), 1);
    let session = other.load(&sessions[0].key).unwrap();
    assert_eq!(session.messages, store.load(&key).unwrap().messages);
}

#[test]
fn chosen_sessions_go_alone_with_their_attachments() {
    let home = Home::new();
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    let line = "{\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{\"role\":\"user\",\"content\":\"x\"}}\n";
    home.write(&format!("in/.claude/projects/-w/{id}.jsonl"), line);
    home.write(
        &format!("in/.claude/projects/-w/{id}/tool-results/out.txt"),
        "out",
    );
    home.write("in/.claude/projects/-w/other.jsonl", line);
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    let keys = [SessionKey::new("claude-code", id).unwrap()];
    let out = home.path().join("some");
    let report = export_all(
        &store,
        Some(&keys),
        ExportFormat::Jsonl,
        &out,
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!((report.files, report.sessions), (2, 1));
    let folder = out.join("claude-code/.claude/projects/-w");
    assert_eq!(
        fs::read_to_string(folder.join(format!("{id}.jsonl"))).unwrap(),
        line
    );
    let attachment = folder.join(id).join("tool-results/out.txt");
    assert_eq!(fs::read_to_string(attachment).unwrap(), "out");

    let missing = [SessionKey::native("no").unwrap()];
    let error = export_all(
        &store,
        Some(&missing),
        ExportFormat::Jsonl,
        &out,
        &mut scrollback::unwatched,
    );
    assert!(matches!(error, Err(Error::NotFound { .. })));

    let out = home.path().join("markdown");
    let report = export_all(
        &store,
        None,
        ExportFormat::Markdown,
        &out,
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!((report.files, report.sessions), (2, 2));
    assert!(out.join(format!("claude-code/{id}.md")).is_file());
}

#[test]
fn a_document_comes_back_whole_in_every_content() {
    let home = Home::new();
    let path = "in/.gemini/tmp/slug/chats/session-2026-04-14T09-55-d0ed8c54.json";
    let document = |text: &str| {
        format!(
            "{{\"sessionId\":\"d0ed8c54-0000-4000-8000-000000000001\",\"projectHash\":\"h\",\
             \"startTime\":\"2026-04-14T09:55:00.000Z\",\"lastUpdated\":\"2026-04-14T09:56:00.000Z\",\
             \"messages\":[{{\"id\":\"1\",\"timestamp\":\"2026-04-14T09:55:00.000Z\",\
             \"type\":\"user\",\"content\":\"{text}\"}}]}}"
        )
    };
    home.write(path, document("one"));
    let store = open(&home);
    let folder = [home.path().join("in")];
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!((report.sessions, report.attachments), (1, 1), "{report:?}");
    home.write(path, document("another"));
    let report = import(
        &store,
        &folder,
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )
    .unwrap();
    assert_eq!(
        (report.generations, report.attachments),
        (1, 1),
        "{report:?}"
    );
    let id = "d0ed8c54-0000-4000-8000-000000000001";
    for (id, content) in [(format!("{id}~1"), "one"), (id.to_owned(), "another")] {
        let key = SessionKey::new("gemini", id).unwrap();
        let mut out = Vec::new();
        export_session(&store, &key, ExportFormat::Jsonl, &mut out).unwrap();
        assert_eq!(out, document(content).as_bytes());
    }
    // The older content lies apart, and is listed.
    let names = export_lines(&store, &home);
    assert_eq!(names.len(), 3, "{names:?}");
    let is_older = |name: &&String| name.starts_with(".older/");
    assert_eq!(names.iter().filter(is_older).count(), 2, "{names:?}");
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn of_the_contents_of_one_path_the_newer_ones_have_the_lower_numbers() {
    let home = Home::new();
    let store = open(&home);
    for content in ["first\n", "second\n", "third\n"] {
        let file = home.write("in/a.jsonl", content);
        import_paths(&store, &[file.parent().unwrap().to_owned()]);
    }
    let names = export_lines(&store, &home);
    let read = |name: &String| fs::read_to_string(home.path().join("out").join(name)).unwrap();
    assert_eq!(
        names
            .iter()
            .filter(|name| !name.ends_with("list.json"))
            .map(|name| (name.as_str(), read(name)))
            .collect::<Vec<_>>(),
        [
            (".older/1/jsonl/a.jsonl", "first\n".to_owned()),
            (".older/2/jsonl/a.jsonl", "second\n".to_owned()),
            ("jsonl/a.jsonl", "third\n".to_owned()),
        ]
    );
}

/// A line appended to an imported session of any agent.
fn continue_with(store: &RedbStore, key: &SessionKey, record: NewRecord) {
    store.append(key, Expect::Any, None, &[record]).unwrap();
}

fn text(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path().join("out").join(name)).unwrap()
}

#[test]
fn a_document_that_was_continued_has_its_lines_beside_it() {
    let home = Home::new();
    let document = "{\"sessionId\":\"d0ed8c54\",\"projectHash\":\"h\",\
         \"startTime\":\"2026-04-14T09:55:00.000Z\",\"lastUpdated\":\"2026-04-14T09:56:00.000Z\",\
         \"messages\":[{\"id\":\"1\",\"timestamp\":\"2026-04-14T09:55:00.000Z\",\
         \"type\":\"user\",\"content\":\"one\"}]}";
    home.write("in/chats/session-1.json", document);
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    assert_eq!(export_lines(&store, &home), ["gemini/chats/session-1.json"]);
    let key = SessionKey::new("gemini", "d0ed8c54").unwrap();
    let stream = || {
        let mut out = Vec::new();
        export_session(&store, &key, ExportFormat::Jsonl, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(store.summary(&key).unwrap().record_count > 0);
    assert_eq!(stream(), document);

    let more = "{\"id\":\"2\",\"type\":\"user\",\"content\":\"two\"}\n";
    continue_with(&store, &key, NewRecord::line(more));
    assert_eq!(
        export_lines(&store, &home),
        ["gemini/chats/d0ed8c54.jsonl", "gemini/chats/session-1.json"]
    );
    assert_eq!(text(&home, "gemini/chats/session-1.json"), document);
    let lines = text(&home, "gemini/chats/d0ed8c54.jsonl");
    assert!(lines.contains("one") && lines.ends_with(more), "{lines}");
    assert_eq!(stream(), lines);
}

const PICOCLAW: &str = ".picoclaw/workspace/sessions";

#[test]
fn hazard_4_5_1_an_old_chat_of_picoclaw_cannot_replace_what_was_said_since() {
    let home = Home::new();
    let legacy = "{\"key\":\"telegram:1\",\"messages\":[{\"role\":\"user\",\"content\":\"one\"}],\
         \"summary\":\"s\",\"created\":\"2026-04-03T11:20:00Z\",\"updated\":\"2026-04-03T11:29:00Z\"}";
    home.write(&format!("in/{PICOCLAW}/telegram_1.json"), legacy);
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    let at = |name: &str| format!("picoclaw/{PICOCLAW}/{name}");
    assert_eq!(export_lines(&store, &home), [at("telegram_1.json")]);
    let key = SessionKey::new("picoclaw", "telegram:1").unwrap();
    let message = NewRecord::message(Message::text(Role::User, "two"));
    continue_with(&store, &key, message);
    fs::remove_dir_all(home.path().join("out")).unwrap();
    // picoclaw reads every `.json` at its start, over the lines; not one that says it was read.
    assert_eq!(
        export_lines(&store, &home),
        [
            at("telegram_1.json.migrated"),
            at("telegram_1.jsonl"),
            at("telegram_1.meta.json")
        ]
    );
    assert_eq!(text(&home, &at("telegram_1.json.migrated")), legacy);
    assert_eq!(text(&home, &at("telegram_1.jsonl")).lines().count(), 2);
    let meta = text(&home, &at("telegram_1.meta.json"));
    assert!(
        meta.contains("\"key\": \"telegram:1\"") && meta.contains("\"count\": 2"),
        "{meta}"
    );
}

#[test]
fn a_meta_file_follows_its_session_and_only_then() {
    let home = Home::new();
    let meta = "{\n  \"key\": \"a:1\",\n  \"summary\": \"\",\n  \"skip\": 0,\n  \"count\": 2,\n  \
         \"created_at\": \"2026-04-03T11:20:00+02:00\",\n  \
         \"updated_at\": \"2026-04-03T11:29:00+02:00\"\n}";
    let lines =
        "{\"role\":\"user\",\"content\":\"one\"}\n{\"role\":\"user\",\"content\":\"two\"}\n";
    for name in ["a_1", "corrupt"] {
        home.write(&format!("in/{PICOCLAW}/{name}.jsonl"), lines);
    }
    home.write(&format!("in/{PICOCLAW}/a_1.meta.json"), meta);
    home.write(
        &format!("in/{PICOCLAW}/corrupt.meta.json"),
        "{\"key\": \"corr",
    );
    let store = open(&home);
    import_paths(&store, &[home.path().join("in")]);
    assert_eq!(export_lines(&store, &home).len(), 4);
    let of = |name: &str| text(&home, &format!("picoclaw/{PICOCLAW}/{name}"));
    assert_eq!(of("a_1.meta.json"), meta);
    assert_eq!(of("corrupt.meta.json"), "{\"key\": \"corr");

    for id in ["a:1", "corrupt"] {
        store
            .truncate(&SessionKey::new("picoclaw", id).unwrap(), 1)
            .unwrap();
    }
    assert_eq!(export_lines(&store, &home).len(), 4);
    for name in ["a_1", "corrupt"] {
        let written = of(&format!("{name}.meta.json"));
        assert!(written.contains("\"skip\": 1"), "{written}");
        assert_eq!(of(&format!("{name}.jsonl")), lines);
    }
}

#[test]
fn hazard_4_5_8_sessions_that_share_a_file_name_keep_files_of_their_own() {
    let home = Home::new();
    let store = open(&home);
    for id in ["telegram:9", "telegram_9", "café/9"] {
        let key = SessionKey::new("picoclaw", id).unwrap();
        continue_with(
            &store,
            &key,
            NewRecord::message(Message::text(Role::User, id)),
        );
    }
    let names = export_lines(&store, &home);
    assert_eq!(
        names,
        [
            "picoclaw/café_9.jsonl",
            "picoclaw/café_9.meta.json",
            "picoclaw/telegram_9.jsonl",
            "picoclaw/telegram_9.meta.json",
            "picoclaw/telegram_9~2.jsonl",
            "picoclaw/telegram_9~2.meta.json",
        ]
    );
    for meta in names.iter().filter(|name| name.ends_with(".meta.json")) {
        let lines = text(&home, &meta.replace(".meta.json", ".jsonl"));
        let meta = text(&home, meta);
        let id = ["telegram:9", "telegram_9", "café/9"]
            .into_iter()
            .find(|id| meta.contains(&format!("\"key\": \"{id}\"")));
        assert!(lines.contains(id.unwrap()), "{meta} {lines}");
    }
}
