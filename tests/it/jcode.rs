//! Recording sessions as jcode does: each method, and each hazard of its recorder.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::{
    Entry, EntryImage, EntryKind, Error, ListQuery, MemoryStore, Message, NewRecord, Options,
    RawJson, Recorder, Recordings, ReplayOptions, Role, ScanQuery, SessionKey, Store, StoreExt,
    TodoItem, reconstruct_state, validate_session_id,
};
use uuid::Uuid;

const PROJECT: &str = "/home/dev/shop";

/// Options with a clock that stands at a second of a day.
fn at(second: i64) -> Options {
    let start: DateTime<Utc> = "2026-04-03T11:15:00.9Z".parse().unwrap();
    let now = start + TimeDelta::seconds(second);
    let id = u128::try_from(second).unwrap();
    Options {
        clock: Arc::new(move || now),
        ids: Arc::new(move || Uuid::from_u128(id)),
        ..Options::default()
    }
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(at(0)))
}

fn recorder(store: &Arc<MemoryStore>, second: i64) -> Recorder {
    Recorder::new(store.clone(), PROJECT, "zhipu", "glm-5.2").with_options(&at(second))
}

/// The lines of a session.
fn lines(store: &MemoryStore, id: &str) -> Vec<String> {
    let key = SessionKey::new("jcode", id).unwrap();
    store
        .records(&key, ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

fn sessions(store: &MemoryStore) -> usize {
    store.list(&ListQuery::default()).unwrap().sessions.len()
}

#[test]
fn lazy_creation_on_first_record() {
    let store = store();
    let recorder = recorder(&store, 1);
    assert!(!recorder.has_recording());
    assert_eq!(
        sessions(&store),
        0,
        "a session that is never used is never there"
    );
    recorder.record_user("Fix <it>").unwrap();
    assert!(recorder.has_recording());
    let id = recorder.uuid();
    let expected = [
        format!(
            r#"{{"type":"session_start","uuid":"{id}","project":"/home/dev/shop","provider":"zhipu","model":"glm-5.2","timestamp":"2026-04-03T11:15:01Z"}}"#
        ) + "\n",
        r#"{"type":"user","content":"Fix \u003cit\u003e","timestamp":"2026-04-03T11:15:01Z"}"#
            .to_owned()
            + "\n",
    ];
    assert_eq!(lines(&store, &id), expected);
    let summary = store.summary(&recorder.key().unwrap()).unwrap();
    assert_eq!(summary.title, "Fix <it>");
    assert_eq!(summary.project.as_deref(), Some(PROJECT));
    assert_eq!(summary.model.as_deref(), Some("glm-5.2"));
    assert_eq!(summary.message_count, 1);
}

#[test]
fn the_id_is_a_random_uuid_and_the_header_has_the_time_of_the_construction() {
    let store = store();
    let made = Recorder::new(store.clone(), "", "", "");
    assert_eq!(Uuid::parse_str(&made.uuid()).unwrap().get_version_num(), 4);
    let late = Recorder::new(store.clone(), PROJECT, "zhipu", "glm-5.2").with_options(&at(9));
    late.set_uuid("named").unwrap();
    late.record_mode_change("planning").unwrap();
    assert!(lines(&store, "named")[0].contains("11:15:09Z"));
}

#[test]
fn every_event_is_recorded_and_read_back() {
    let store = store();
    let recorder = recorder(&store, 1);
    let image = EntryImage {
        media_type: "image/png".into(),
        data: "AA==".into(),
    };
    let todo = TodoItem {
        id: 1,
        title: "t".into(),
        status: "done".into(),
    };
    let left = ("left".to_owned(), RawJson::parse("1.50").unwrap());
    recorder
        .record_system_prompt("You are jcode.", "os=linux")
        .unwrap();
    recorder
        .record_user_with_images("look", vec![image.clone()])
        .unwrap();
    recorder.record_assistant("I will.").unwrap();
    recorder.record_tool_call("read", "{}", "t1").unwrap();
    recorder
        .record_tool_result("read", "half", "t1", Some("broke"))
        .unwrap();
    recorder.record_plan_update("draft", "T", "C", "F").unwrap();
    recorder.record_todo_snapshot(vec![todo.clone()]).unwrap();
    recorder.record_subagent_start("scout", "explore").unwrap();
    recorder
        .record_subagent_result("scout", "out", None)
        .unwrap();
    recorder
        .record_subagent_async("scout", "task-1", "explore")
        .unwrap();
    recorder.record_mode_change("planning").unwrap();
    recorder.record_compact("S", 4, 1).unwrap();
    recorder.record_budget_warning(vec![left.clone()]).unwrap();
    recorder.record_goal_update("ship", "active", 10).unwrap();
    let new = Entry {
        extra: vec![left.clone()],
        ..Entry::from(EntryKind::Other { name: "new".into() })
    };
    recorder.record(new).unwrap();

    let entries = Recordings::new(store)
        .load_entries(&recorder.uuid())
        .unwrap();
    let s = |text: &str| text.to_owned();
    let kinds: Vec<EntryKind> = entries
        .iter()
        .skip(1)
        .map(|entry| entry.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        [
            EntryKind::SystemPrompt {
                content: s("You are jcode."),
                env_info: s("os=linux")
            },
            EntryKind::User {
                content: s("look"),
                images: vec![image]
            },
            EntryKind::Assistant {
                content: s("I will.")
            },
            EntryKind::ToolCall {
                name: s("read"),
                args: s("{}"),
                id: s("t1")
            },
            EntryKind::ToolResult {
                name: s("read"),
                output: s("half"),
                error: s("broke"),
                id: s("t1")
            },
            EntryKind::PlanUpdate {
                status: s("draft"),
                title: s("T"),
                content: s("C"),
                feedback: s("F")
            },
            EntryKind::TodoSnapshot { todos: vec![todo] },
            EntryKind::SubagentStart {
                name: s("scout"),
                agent_type: s("explore")
            },
            EntryKind::SubagentResult {
                name: s("scout"),
                output: s("out"),
                error: s("")
            },
            EntryKind::SubagentAsync {
                name: s("scout"),
                task_id: s("task-1"),
                agent_type: s("explore")
            },
            EntryKind::ModeChange {
                mode: s("planning")
            },
            EntryKind::Compact {
                summary: s("S"),
                compacted_n: 4,
                kept_n: 1
            },
            EntryKind::BudgetWarning,
            EntryKind::GoalUpdate {
                objective: s("ship"),
                status: s("active"),
                tokens_used: 10
            },
            EntryKind::Other { name: s("new") },
        ]
    );
    assert_eq!(entries[13].extra, [left.clone()]);
    assert_eq!(entries[15].extra, [left]);
    assert!(
        entries
            .iter()
            .all(|entry| entry.timestamp == "2026-04-03T11:15:01Z")
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

#[test]
fn hazard_5_6_1_a_record_after_close_is_refused_and_changes_nothing() {
    let store = store();
    let recorder = recorder(&store, 1);
    recorder.record_user("one").unwrap();
    recorder.record_assistant("two").unwrap();
    let before = lines(&store, &recorder.uuid());
    recorder.close();
    recorder.close();
    assert!(!recorder.has_recording());
    assert!(matches!(
        recorder.record_user("three"),
        Err(Error::Closed { .. })
    ));
    assert!(matches!(
        recorder.set_uuid("other"),
        Err(Error::Closed { .. })
    ));
    assert_eq!(lines(&store, &recorder.uuid()), before);
    assert_eq!(sessions(&store), 1);
}

#[test]
fn fire_and_forget_writes_can_be_asked_for_the_last_error() {
    let store = store();
    let recorder = recorder(&store, 1);
    assert_eq!(recorder.last_error(), None);
    recorder.close();
    recorder.record_user("lost").ok();
    assert!(recorder.last_error().unwrap().contains("is closed"));
}

#[test]
fn hazard_5_6_2_sessions_started_together_are_all_listed() {
    let store = store();
    let threads: Vec<_> = (1..=50)
        .map(|second| {
            let recorder = recorder(&store, second);
            std::thread::spawn(move || recorder.record_user("hello").unwrap())
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let listed = Recordings::new(store).list_sessions(PROJECT).unwrap();
    assert_eq!(listed.len(), 50);
    assert!(listed.iter().all(|session| session.title == "hello"));
    assert!(
        listed.is_sorted_by_key(|session| session.created_at),
        "newest last"
    );
}

#[test]
fn hazard_5_6_6_set_uuid_to_an_old_and_then_a_new_session_records_both() {
    let store = store();
    let first = recorder(&store, 1);
    first.record_user("Title of the first").unwrap();
    let second = recorder(&store, 2);
    second.set_uuid(&first.uuid()).unwrap();
    assert!(!second.has_recording());
    second.record_user("resumed").unwrap();
    assert!(second.has_recording());
    second.set_uuid("a new one").unwrap();
    second.record_user("fresh").unwrap();

    let resumed = lines(&store, &first.uuid());
    assert_eq!(resumed.len(), 3, "no second header, nothing cut off");
    assert!(resumed[2].contains("resumed"));
    let title = store.summary(&first.key().unwrap()).unwrap().title;
    assert_eq!(title, "Title of the first");
    let fresh = lines(&store, "a new one");
    assert_eq!(fresh.len(), 2);
    assert!(fresh[0].contains(r#""uuid":"a new one""#));
}

#[test]
fn hazard_5_6_8_ids_that_are_no_file_of_a_session_are_refused() {
    let store = store();
    let recorder = recorder(&store, 1);
    let before = recorder.uuid();
    for id in [
        "", ".", "..", "a/b", "a\\b", "../x", "a..b", "session", "projects", "Session",
    ] {
        assert!(
            matches!(validate_session_id(id), Err(Error::InvalidKey { .. })),
            "{id}"
        );
        assert!(recorder.set_uuid(id).is_err(), "{id}");
        assert!(
            Recorder::teammate(store.clone(), id, "bob", "m").is_err(),
            "{id}"
        );
        assert!(
            Recorder::teammate(store.clone(), "lead", id, "m").is_err(),
            "{id}"
        );
    }
    assert_eq!(recorder.uuid(), before);
    validate_session_id("has space").unwrap();
    assert!(matches!(
        Recordings::new(store).delete("../x"),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn teammates_are_sessions_of_their_own_and_not_listed() {
    let store = store();
    let leader = recorder(&store, 1);
    leader.record_user("lead").unwrap();
    let bob = Recorder::teammate(store.clone(), &leader.uuid(), "bob", "glm-5.2").unwrap();
    let bob = bob.with_options(&at(2));
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
fn hazard_5_6_9_a_teammate_made_again_goes_on() {
    let store = store();
    for text in ["one", "two"] {
        let bob = Recorder::teammate(store.clone(), "lead", "bob", "glm-5.2").unwrap();
        bob.record_user(text).unwrap();
        bob.close();
    }
    let lines = lines(&store, "lead/bob");
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains("one") && lines[2].contains("two"));
}

#[test]
fn sessions_are_listed_by_project_newest_last() {
    let store = store();
    for (second, project) in [(3, PROJECT), (1, PROJECT), (2, "/home/dev/infra"), (4, "")] {
        let recorder = Recorder::new(store.clone(), project, "zhipu", "m");
        recorder
            .with_options(&at(second))
            .record_user("hi")
            .unwrap();
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
fn hazard_5_6_11_records_of_one_second_keep_their_order() {
    let store = store();
    let recorder = recorder(&store, 1);
    for number in 0..100 {
        recorder.record_user(&number.to_string()).unwrap();
    }
    let entries = Recordings::new(store)
        .load_entries(&recorder.uuid())
        .unwrap();
    let state = reconstruct_state(&entries, ReplayOptions::default());
    let texts: Vec<String> = state.messages.iter().map(Message::plain_text).collect();
    assert_eq!(
        texts,
        (0..100)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_batch_is_recorded_whole() {
    let store = store();
    let recorder = recorder(&store, 1);
    let call = EntryKind::ToolCall {
        name: "read".into(),
        args: "{}".into(),
        id: "t".into(),
    };
    let said = EntryKind::Assistant {
        content: "a".into(),
    };
    recorder
        .record_all(vec![said.into(), Entry::new(call, "2026-01-01T00:00:00Z")])
        .unwrap();
    let lines = lines(&store, &recorder.uuid());
    assert_eq!(lines.len(), 3);
    assert!(lines[2].contains("2026-01-01T00:00:00Z"));
    recorder.record_all(Vec::new()).unwrap();
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
fn messages_can_be_appended_through_the_store() {
    let store = store();
    let recorder = recorder(&store, 1);
    recorder.record_user("one").unwrap();
    let key = recorder.key().unwrap();
    let answer = NewRecord::message(Message::text(Role::Assistant, "two"));
    store
        .append(&key, scrollback::Expect::Any, None, &[answer])
        .unwrap();
    let entries = Recordings::new(store)
        .load_entries(&recorder.uuid())
        .unwrap();
    assert!(matches!(&entries[2].kind, EntryKind::Assistant { content } if content == "two"));
}

#[test]
fn a_recorder_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Recorder>();
    shared::<Recordings>();
    let store = store();
    let recorder = recorder(&store, 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| recorder.record_user("x").unwrap()));
        }
    });
    assert_eq!(lines(&store, &recorder.uuid()).len(), 101);
}
