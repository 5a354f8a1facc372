//! What others do between two steps of a call, and the edges of calls of several steps.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use scrollback::picoclaw::{SessionStore as _, StoreSessions};
use scrollback::{
    Block, Error, Expect, Message, NewRecord, Options, RawJson, RedbStore, Role, ScanQuery,
    SessionKey, Store, StoreExt as _,
};

use crate::conformance::broken::Broken;
use crate::harness::Home;

fn open(home: &Home, options: Options) -> RedbStore {
    RedbStore::open(home.store_path(), options).unwrap()
}

fn say(store: &dyn Store, key: &SessionKey, texts: &[&str]) {
    for text in texts {
        let message = NewRecord::message(Message::text(Role::User, *text));
        store.append(key, Expect::Any, None, &[message]).unwrap();
    }
}

fn said(store: &dyn Store, key: &SessionKey) -> Vec<String> {
    let records = store.records(key, ScanQuery::default().with_from(0));
    records
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

/// An archive during whose writing something happens.
struct Meanwhile<'a>(&'a dyn Fn(), Vec<u8>);

impl Write for Meanwhile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)();
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_archive_holds_what_a_compaction_removes_and_no_more() {
    let home = Home::new();
    let store = open(&home, Options::default());
    let key = SessionKey::native("s").unwrap();
    say(&store, &key, &["1", "2", "3", "4", "5"]);
    let lines = said(&store, &key);
    store.truncate(&key, 1).unwrap();
    let mut archive = Vec::new();
    let compacted = store.compact(&key, Some(2), Some(&mut archive)).unwrap();
    assert_eq!(compacted.records, 2);
    assert_eq!(String::from_utf8(archive).unwrap(), lines[..2].concat());
    assert_eq!(said(&store, &key), lines[2..]);
    // The mark bounds it, whatever is asked for.
    let mut archive = Vec::new();
    store.compact(&key, Some(9), Some(&mut archive)).unwrap();
    assert_eq!(String::from_utf8(archive).unwrap(), lines[2..4].concat());
    assert_eq!(said(&store, &key), lines[4..]);
}

#[test]
fn records_that_are_shown_again_during_a_compaction_stay() {
    let home = Home::new();
    let store = open(&home, Options::default());
    let key = SessionKey::native("s").unwrap();
    say(&store, &key, &["1", "2", "3", "4"]);
    let lines = said(&store, &key);
    store.truncate(&key, 1).unwrap();
    let show = || assert_eq!(store.truncate(&key, 3).unwrap().visible, 3);
    let mut archive = Meanwhile(&show, Vec::new());
    store.compact(&key, None, Some(&mut archive)).unwrap();
    assert_eq!(said(&store, &key), lines[1..]);
    assert_eq!(store.load(&key).unwrap().messages.len(), 3);
}

#[test]
fn an_empty_session_that_is_used_meanwhile_is_not_deleted() {
    let home = Home::new();
    let mut broken = Broken::over(Arc::new(open(&home, Options::default())));
    // The look at the properties comes between the list and the deletion.
    broken.calls.properties = |broken, key| {
        say(broken.store.as_ref(), key, &["hello"]);
        broken.store.properties(key)
    };
    let key = SessionKey::native("s").unwrap();
    let line = NewRecord::line("{\"type\":\"nothing\"}\n");
    broken.append(&key, Expect::Any, None, &[line]).unwrap();
    let removed = broken
        .delete_empty(Utc::now() + chrono::Days::new(1))
        .unwrap();
    assert_eq!(removed.sessions, 0);
    assert_eq!(broken.load(&key).unwrap().messages.len(), 1);
}

/// A session whose lines tell no time has the time of its calls, and an old line does not take
/// that back.
#[test]
fn a_line_of_long_ago_does_not_make_a_session_older() {
    let now = Arc::new(Mutex::new(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ));
    let clock = Arc::clone(&now);
    let options = Options::default().with_clock(move || *clock.lock().unwrap());
    let home = Home::new();
    let store = open(&home, options);
    let key = SessionKey::new("codex", "s").unwrap();
    let add = |line: &str| {
        store
            .append(&key, Expect::Any, None, &[NewRecord::line(line)])
            .unwrap();
        store.summary(&key).unwrap().updated_at.timestamp()
    };
    assert_eq!(add("{\"x\":1}\n"), 1_800_000_000);
    assert_eq!(
        add("{\"timestamp\":\"2001-09-09T01:46:40Z\",\"type\":\"event_msg\"}\n"),
        1_800_000_000
    );
}

fn sessions() -> (StoreSessions, Arc<scrollback::MemoryStore>) {
    let store = Arc::new(scrollback::MemoryStore::default());
    (StoreSessions::new(store.clone()), store)
}

fn call_and_result(id: &str) -> [Message; 2] {
    let (mut call, mut result) = (Message::new(Role::Assistant), Message::new(Role::Tool));
    call.content.push(Block::ToolUse {
        id: Some(id.to_owned()),
        name: "f".to_owned(),
        input: Some(RawJson::parse("{}").unwrap()),
    });
    result.content.push(Block::ToolResult {
        id: Some(id.to_owned()),
        name: None,
        output: "done".to_owned(),
        is_error: false,
        images: Vec::new(),
    });
    [call, result]
}

#[test]
fn a_result_that_arrives_during_a_summary_keeps_its_call() {
    let (sessions, _) = sessions();
    sessions.add_message("a", "user", "1");
    let [call, result] = call_and_result("t1");
    sessions.add_full_message("a", &call);
    let seen = sessions.snapshot("a").unwrap();
    sessions.add_full_message("a", &result);
    let kept = sessions.summarize(&seen, "S", 0).unwrap();
    assert_eq!((kept.visible, kept.hidden), (2, 1));
    assert_eq!((kept.kept_for_pairs, kept.orphan_results), (1, 0));
}

#[test]
fn a_summary_of_a_session_that_was_deleted_changes_nothing() {
    let (sessions, store) = sessions();
    for text in ["1", "2", "3"] {
        sessions.add_message("a", "user", text);
    }
    let seen = sessions.snapshot("a").unwrap();
    store
        .delete(&SessionKey::new("picoclaw", "a").unwrap())
        .unwrap();
    let summed = sessions.summarize(&seen, "old", 0);
    assert!(matches!(summed, Err(Error::Conflict { .. })), "{summed:?}");
    sessions.add_message("a", "user", "of another session");
    let summed = sessions.summarize(&seen, "old", 0);
    assert!(matches!(summed, Err(Error::Conflict { .. })), "{summed:?}");
    assert_eq!(sessions.get_summary("a"), "");
    assert_eq!(sessions.get_history("a").len(), 1);
}

#[test]
fn a_summary_is_not_promoted_into_a_session_that_is_in_use() {
    let (sessions, _) = sessions();
    sessions.add_message("tg:7", "user", "1");
    sessions.set_summary("tg:7", "what was said elsewhere");
    sessions.truncate_history("tg:7", 0);
    sessions.add_message("busy", "user", "own");
    let promoted = sessions.promote_alias_history("busy", &["tg:7"]);
    assert_eq!(promoted.unwrap(), None);
    assert_eq!(sessions.get_summary("busy"), "");
    let promoted = sessions.promote_alias_history("new", &["tg:7"]);
    assert!(promoted.unwrap().is_some());
    assert_eq!(sessions.get_summary("new"), "what was said elsewhere");
}
