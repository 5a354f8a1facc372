//! Listing, loading, deleting and truncating the sessions of jcode's recorders.

use scrollback::jcode::{EntryKind, Recorder, Recordings};
use scrollback::{NewRecord, SessionKey, Store};
use uuid::Uuid;

use crate::jcode::{PROJECT, at, lines, recorder, sessions, store};

#[test]
fn teammates_are_sessions_of_their_own_and_not_listed() {
    let store = store();
    let leader = recorder(&store, 1);
    leader.record_user("lead").unwrap();
    let bob = Recorder::teammate(store.clone(), &leader.uuid(), "bob", "glm-5.2").unwrap();
    let bob = bob.with_stamps(at(2));
    bob.record_user("review").unwrap();
    let id = format!("{}/bob", leader.uuid());
    assert_eq!(bob.uuid(), id);
    let header = &lines(&store, &id)[0];
    assert!(
        header.contains(r#""project":"bob","provider":"teammate""#),
        "{header}"
    );

    let recordings = Recordings::new(store.clone());
    assert_eq!(recordings.list_sessions("bob").unwrap(), []);
    let all = recordings.list_all().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), [PROJECT]);
    let teammates = recordings.teammates(&leader.uuid()).unwrap();
    assert_eq!(teammates.len(), 1);
    assert_eq!(teammates[0].parent, Some(leader.uuid()));
    assert_eq!(recordings.load_entries(&id).unwrap().len(), 2);

    recordings.delete(&leader.uuid()).unwrap();
    assert_eq!(recordings.teammates(&leader.uuid()).unwrap().len(), 1);
    leader.record_user("again").unwrap();
    let removed = recordings.delete_with_teammates(&leader.uuid()).unwrap();
    assert_eq!((removed.sessions, sessions(&store)), (2, 0));
}

#[test]
fn sessions_are_listed_by_project_newest_last() {
    let store = store();
    for (second, project) in [(3, PROJECT), (1, PROJECT), (2, "/home/dev/infra"), (4, "")] {
        let recorder = Recorder::new(store.clone(), project, "zhipu", "m");
        recorder.with_stamps(at(second)).record_user("hi").unwrap();
    }
    let recordings = Recordings::new(store);
    let ids = |project: &str| -> Vec<String> {
        let listed = recordings.list_sessions(project).unwrap();
        listed
            .iter()
            .map(|session| session.key.id().to_owned())
            .collect()
    };
    let id = |second: u128| Uuid::from_u128(second).to_string();
    assert_eq!(ids(PROJECT), [id(1), id(3)]);
    assert_eq!(ids("/home/dev/shop/"), [id(1), id(3)]);
    assert_eq!(ids("shop"), [""; 0]);
    assert_eq!(ids(""), [id(4)]);
    assert_eq!(recordings.list_all().unwrap().len(), 3);
    let header = recordings.header(&id(2)).unwrap().unwrap();
    assert!(matches!(header.kind, EntryKind::SessionStart { provider, .. } if provider == "zhipu"));
}

#[test]
fn malformed_lines_are_skipped_and_what_is_fused_is_found() {
    let store = store();
    let recorder = recorder(&store, 1);
    recorder.record_user("one").unwrap();
    let key = recorder.key().unwrap();
    let bad = [
        NewRecord::line("{bad"),
        NewRecord::line(r#"{"type":"assistant","content":"cut{"type":"user","content":"after"}"#),
        NewRecord::line(""),
    ];
    store
        .append(&key, scrollback::Expect::Any, None, &bad)
        .unwrap();
    recorder.record_assistant("two").unwrap();
    let entries = Recordings::new(store.clone())
        .load_entries(&recorder.uuid())
        .unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.kind.name()).collect();
    assert_eq!(names, ["session_start", "user", "user", "assistant"]);
    assert_eq!(store.summary(&key).unwrap().malformed_count, 2);
}

#[test]
fn truncate_at_a_user_message_makes_a_session_of_what_stands_before() {
    let store = store();
    let recorder = recorder(&store, 1);
    recorder.record_system_prompt("p", "").unwrap();
    for text in ["one", "two", "three"] {
        recorder.record_user(text).unwrap();
        recorder.record_assistant("ok").unwrap();
    }
    let original = lines(&store, &recorder.uuid());
    for (n, kept) in [(0, 1), (1, 4), (2, 6), (9, 8)] {
        let recordings = Recordings::new(store.clone());
        let id = recordings
            .truncate_at_user_message(&recorder.uuid(), n)
            .unwrap();
        let fork = lines(&store, &id);
        assert_eq!(fork.len(), kept, "{n}");
        assert_eq!(fork[1..], original[1..kept]);
        assert_eq!(fork[0], original[0].replace(&recorder.uuid(), &id));
        let key = SessionKey::new("jcode", id).unwrap();
        assert_eq!(store.summary(&key).unwrap().parent, Some(recorder.uuid()));
    }
    assert_eq!(
        lines(&store, &recorder.uuid()),
        original,
        "nothing is cut off"
    );
}

#[test]
fn large_tool_outputs_are_kept_whole() {
    let store = store();
    let recorder = recorder(&store, 1);
    let output = "line of output\n".repeat(20_000);
    recorder
        .record_tool_result("execute", &output, "t1", None)
        .unwrap();
    let entries = Recordings::new(store)
        .load_entries(&recorder.uuid())
        .unwrap();
    assert!(
        matches!(&entries[1].kind, EntryKind::ToolResult { output: kept, .. } if *kept == output)
    );
}
