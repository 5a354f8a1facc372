//! Recording sessions as jcode does: each method, and each hazard of its recorder.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::jcode::{
    Entry, EntryImage, EntryKind, Recorder, Recordings, ReplayOptions, TodoItem, reconstruct_state,
    validate_session_id,
};
use scrollback::{
    Error, ListQuery, MemoryStore, Message, NewRecord, RawJson, Role, ScanQuery, SessionKey,
    Stamps, Store, StoreExt,
};
use uuid::Uuid;

pub(crate) const PROJECT: &str = "/home/dev/shop";

/// Stamps with a clock that stands at a second of a day.
pub(crate) fn at(second: i64) -> Stamps {
    let start: DateTime<Utc> = "2026-04-03T11:15:00.9Z".parse().unwrap();
    let now = start + TimeDelta::seconds(second);
    let id = u128::try_from(second).unwrap();
    Stamps::default()
        .with_clock(move || now)
        .with_ids(move || Uuid::from_u128(id))
}

pub(crate) fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(at(0)))
}

pub(crate) fn recorder(store: &Arc<MemoryStore>, second: i64) -> Recorder {
    Recorder::new(store.clone(), PROJECT, "zhipu", "glm-5.2").with_stamps(at(second))
}

/// The lines of a session.
pub(crate) fn lines(store: &MemoryStore, id: &str) -> Vec<String> {
    let key = SessionKey::new("jcode", id).unwrap();
    store
        .records(&key, ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

pub(crate) fn sessions(store: &MemoryStore) -> usize {
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
    let late = Recorder::new(store.clone(), PROJECT, "zhipu", "glm-5.2").with_stamps(at(9));
    late.set_uuid("named").unwrap();
    late.record_mode_change("planning").unwrap();
    assert!(lines(&store, "named")[0].contains("11:15:09Z"));
}

/// One record of each kind.
fn record_everything(recorder: &Recorder) -> scrollback::Result<()> {
    let image = EntryImage::new("image/png", "AA==");
    let todo = TodoItem::new(1, "t", "done");
    let left = vec![("left".to_owned(), RawJson::parse("1.50")?)];
    recorder.record_system_prompt("You are jcode.", "os=linux")?;
    recorder.record_user_with_images("look", vec![image])?;
    recorder.record_assistant("I will.")?;
    recorder.record_tool_call("read", "{}", "t1")?;
    recorder.record_tool_result("read", "half", "t1", Some("broke"))?;
    recorder.record_plan_update("draft", "T", "", "F")?;
    recorder.record_todo_snapshot(vec![todo])?;
    recorder.record_subagent_start("scout", "explore")?;
    recorder.record_subagent_result("scout", "out", None)?;
    recorder.record_subagent_async("scout", "task-1", "explore")?;
    recorder.record_mode_change("planning")?;
    recorder.record_compact("S", 4, 1)?;
    recorder.record_budget_warning(left.clone())?;
    recorder.record_goal_update("ship", "active", 10)?;
    let kind = EntryKind::Other { name: "new".into() };
    recorder.record({
        let mut entry = Entry::from(kind);
        entry.extra = left;
        entry
    })
}

#[test]
fn every_event_is_recorded_and_read_back() {
    let store = store();
    let recorder = recorder(&store, 1);
    record_everything(&recorder).unwrap();
    let lines = lines(&store, &recorder.uuid());
    let timeless = |line: &String| line.replace(r#""2026-04-03T11:15:01Z""#, "0");
    let written: Vec<String> = lines.iter().skip(1).map(timeless).collect();
    assert_eq!(
        written.concat(),
        r#"{"type":"system_prompt","content":"You are jcode.","timestamp":0,"env_info":"os=linux"}
{"type":"user","content":"look","timestamp":0,"images":[{"media_type":"image/png","data":"AA=="}]}
{"type":"assistant","content":"I will.","timestamp":0}
{"type":"tool_call","name":"read","args":"{}","tool_call_id":"t1","timestamp":0}
{"type":"tool_result","name":"read","output":"half","error":"broke","tool_call_id":"t1","timestamp":0}
{"type":"plan_update","timestamp":0,"plan_status":"draft","plan_title":"T","feedback":"F"}
{"type":"todo_snapshot","timestamp":0,"todos":[{"id":1,"title":"t","status":"done"}]}
{"type":"subagent_start","timestamp":0,"subagent_name":"scout","subagent_type":"explore"}
{"type":"subagent_result","output":"out","timestamp":0,"subagent_name":"scout"}
{"type":"subagent_async","output":"task-1","timestamp":0,"subagent_name":"scout","subagent_type":"explore"}
{"type":"mode_change","timestamp":0,"mode":"planning"}
{"type":"compact","timestamp":0,"summary":"S","compacted_n":4,"kept_n":1}
{"type":"budget_warning","timestamp":0,"left":1.50}
{"type":"goal_update","timestamp":0,"goal_objective":"ship","goal_status":"active","goal_tokens_used":10}
{"type":"new","timestamp":0,"left":1.50}
"#
    );
    let entries = Recordings::new(store).load_entries(&recorder.uuid());
    let again: Vec<Vec<u8>> = entries.unwrap().iter().map(Entry::line).collect();
    assert_eq!(String::from_utf8(again.concat()).unwrap(), lines.concat());
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
