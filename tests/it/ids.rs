//! Sessions whose lines hold no ids of messages, or no header: loaded, saved and appended to
//! through the calls of a store. ggcode stands for the first, picoclaw and celeste for both.

use scrollback::{
    Expect, MemoryStore, Message, NewRecord, Role, ScanQuery, Session, SessionKey, Store,
    StoreExt as _,
};

fn texts(session: &Session) -> Vec<String> {
    session.messages.iter().map(Message::plain_text).collect()
}

fn ids(session: &Session) -> Vec<&str> {
    let ids = session.messages.iter().map(|message| message.id.as_deref());
    ids.map(Option::unwrap_or_default).collect()
}

fn lines(store: &dyn Store, key: &SessionKey) -> Vec<Vec<u8>> {
    store
        .records(key, ScanQuery::default())
        .map(|record| record.unwrap().line)
        .collect()
}

fn said(text: &str) -> Message {
    Message::text(Role::User, text)
}

#[test]
fn hazard_3_5_3_a_stale_copy_of_a_session_without_ids_destroys_and_repeats_nothing() {
    for agent in ["ggcode", "picoclaw"] {
        let store = MemoryStore::default();
        let key = SessionKey::new(agent, "20260401-120000-00aa00aa00aa00aa").unwrap();
        let mut session = Session::new(key.clone());
        session.messages = ["one", "two"].map(said).to_vec();
        store.save(&mut session).unwrap();
        let mut stale = store.load(&key).unwrap();
        assert_eq!(ids(&stale), ids(&session), "{agent}");
        assert!(ids(&stale).iter().all(|id| id.starts_with('#')), "{agent}");

        session.messages.push(said("three"));
        store.save(&mut session).unwrap();
        // The same words again are another message.
        stale.messages.remove(0);
        stale.messages.push(said("three"));
        store.save(&mut stale).unwrap();
        store.save(&mut stale).unwrap();
        let mut all = store.load(&key).unwrap();
        assert_eq!(texts(&all), ["one", "two", "three", "three"], "{agent}");

        // A compaction since the copy was loaded brings nothing back either.
        store.truncate(&key, 1).unwrap();
        store.compact(&key, None, None).unwrap();
        store.save(&mut all).unwrap();
        assert_eq!(texts(&store.load(&key).unwrap()), ["three"], "{agent}");

        // A copy of a session that was deleted is new to the store.
        store.delete(&key).unwrap();
        store.save(&mut all).unwrap();
        assert_eq!(texts(&store.load(&key).unwrap()).len(), 4, "{agent}");
    }
}

#[test]
fn a_session_without_a_header_is_made_and_saved_without_one() {
    for agent in ["picoclaw", "celeste"] {
        let store = MemoryStore::default();
        let mut session = Session::new(SessionKey::new(agent, "telegram:1").unwrap());
        assert!(store.ensure_meta(&session).unwrap());
        assert!(!store.ensure_meta(&session).unwrap());
        assert_eq!(lines(&store, &session.key).len(), 0);
        let made = store.summary(&session.key).unwrap();
        store.save(&mut session).unwrap();
        let saved = store.summary(&session.key).unwrap();
        assert!(saved.updated_at > made.updated_at, "{agent}");
        assert_eq!(saved.record_count, 0);
        assert_eq!(session.updated_at, Some(saved.updated_at));
        store.append_message(&mut session, said("hello")).unwrap();
        assert_eq!(ids(&session), ["#0"], "{agent}");
        assert_eq!(store.summary(&session.key).unwrap().title, "hello");
        store.save(&mut session).unwrap();
        assert_eq!(lines(&store, &session.key).len(), 1, "{agent}");
    }
}

#[test]
fn a_session_whose_fields_are_spread_keeps_them_when_all_is_hidden() {
    let store = MemoryStore::default();
    let mut session = Session::new(SessionKey::new("ggcode", "s").unwrap());
    session.title = "Explain the loop".into();
    session.model = Some("glm-5".into());
    session.messages.push(said("one"));
    store.save(&mut session).unwrap();
    store.truncate(&session.key, 0).unwrap();
    let loaded = store.load(&session.key).unwrap();
    assert_eq!(loaded.messages, []);
    assert_eq!(
        (loaded.title.as_str(), loaded.model.as_deref()),
        ("Explain the loop", Some("glm-5"))
    );
    let torn = "{\"type\":\"mess";
    store
        .append(&session.key, Expect::Any, None, &[NewRecord::line(torn)])
        .unwrap();
    assert_eq!(
        store.load(&session.key).unwrap().model.as_deref(),
        Some("glm-5")
    );
}
