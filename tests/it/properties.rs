//! What is kept of a session beside its lines, on both stores: names, marks, parents, forks, and
//! sessions found by them.

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::{
    Error, Expect, ListQuery, MemoryStore, Message, NewRecord, Options, Properties,
    PropertiesChange, RawJson, RedbStore, Role, ScanQuery, Session, SessionKey, Store,
    StoreExt as _,
};

use crate::harness::Home;

/// The same test on both stores; afterwards nothing is wrong with the one in a file.
fn on_both(test: impl Fn(&dyn Store)) {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    test(&store);
    let report = store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    test(&MemoryStore::default());
}

fn native(id: &str) -> SessionKey {
    SessionKey::native(id).unwrap()
}

fn said(role: Role, text: &str) -> Message {
    Message::text(role, text)
}

/// A session of so many messages of the user.
fn session(store: &dyn Store, id: &str, messages: usize) -> Session {
    let mut session = Session::new(native(id));
    for n in 0..messages {
        session
            .messages
            .push(said(Role::User, &format!("message {n}")));
    }
    store.save(&mut session).unwrap();
    session
}

fn texts(store: &dyn Store, key: &SessionKey) -> Vec<String> {
    let session = store.load(key).unwrap();
    session.messages.iter().map(Message::plain_text).collect()
}

fn lines(store: &dyn Store, key: &SessionKey) -> Vec<Vec<u8>> {
    store
        .records(key, ScanQuery::default())
        .map(|record| record.unwrap().line)
        .collect()
}

fn aliases(names: &[&str]) -> PropertiesChange {
    PropertiesChange::default().with_aliases(names.iter().copied())
}

#[test]
fn rename_pin_and_archive_change_no_line_and_can_be_taken_back() {
    on_both(|store| {
        let key = session(store, "a", 2).key;
        let before = (store.summary(&key).unwrap(), lines(store, &key));
        store.rename(&key, "Trip  to\nOslo").unwrap();
        store.pin(&key, true).unwrap();
        store.archive(&key, true).unwrap();
        let summary = store.summary(&key).unwrap();
        assert_eq!(summary.title, "Trip to Oslo");
        assert!(summary.pinned && summary.archived);
        assert_eq!(summary.updated_at, before.0.updated_at);
        assert_eq!(store.load(&key).unwrap().title, "Trip to Oslo");
        store.rename(&key, " ").unwrap();
        store.pin(&key, false).unwrap();
        store.archive(&key, false).unwrap();
        let mut after = (store.summary(&key).unwrap(), lines(store, &key));
        assert!(after.0.written_at > before.0.written_at);
        after.0.written_at = before.0.written_at;
        assert_eq!(after, before);
        assert_eq!(store.properties(&key).unwrap(), Properties::default());
    });
}

#[test]
fn a_given_title_wins_over_saves_and_is_never_written_into_lines() {
    on_both(|store| {
        let key = session(store, "a", 1).key;
        store.rename(&key, "Given").unwrap();
        let mut copy = store.load(&key).unwrap();
        copy.messages.push(said(Role::User, "more"));
        copy.model = Some("model-x".into());
        store.save(&mut copy).unwrap();
        let stored = lines(store, &key).concat();
        let stored = String::from_utf8(stored).unwrap();
        assert!(stored.contains("model-x") && !stored.contains("Given"));
        assert_eq!(store.summary(&key).unwrap().title, "Given");
        copy.title = "Chosen later".into();
        store.save(&mut copy).unwrap();
        assert_eq!(store.summary(&key).unwrap().title, "Given");
        store.rename(&key, "").unwrap();
        assert_eq!(store.summary(&key).unwrap().title, "Chosen later");
    });
}

#[test]
fn properties_are_changed_field_by_field() {
    on_both(|store| {
        let key = session(store, "a", 1).key;
        let change = aliases(&[" telegram:1 ", "", "a", "telegram:1"])
            .with_summary("They planned a trip.")
            .with_scope(RawJson::parse("{\"channel\":\"telegram\"}").unwrap())
            .with_parent("p");
        let changed = store.update_properties(&key, &change).unwrap();
        assert_eq!(changed.aliases, ["telegram:1"]);
        assert_eq!(changed, store.properties(&key).unwrap());
        assert_eq!(store.summary(&key).unwrap().parent.as_deref(), Some("p"));
        let change = PropertiesChange::default().with_summary(String::new());
        let kept = store.update_properties(&key, &change).unwrap();
        assert_eq!((kept.summary.as_str(), kept.scope), ("", changed.scope));
        let gone = store.update_properties(&native("gone"), &change);
        assert!(matches!(gone, Err(Error::NotFound { .. })));
    });
}

#[test]
fn an_alias_leads_to_its_first_session_until_that_lets_it_go() {
    on_both(|store| {
        let (one, two) = (session(store, "one", 1).key, session(store, "two", 1).key);
        store
            .update_properties(&one, &aliases(&["tg:1", "x"]))
            .unwrap();
        assert_eq!(store.by_alias(&native("tg:1")).unwrap(), Some(one.clone()));
        let other_agent = SessionKey::new("picoclaw", "tg:1").unwrap();
        assert_eq!(store.by_alias(&other_agent).unwrap(), None);
        let taken = store.update_properties(&two, &aliases(&["y", "tg:1"]));
        assert!(
            matches!(&taken, Err(Error::AliasTaken { alias, by }) if alias == "tg:1" && *by == one),
            "{taken:?}"
        );
        assert_eq!(store.by_alias(&native("y")).unwrap(), None);
        store.update_properties(&one, &aliases(&["x"])).unwrap();
        store.update_properties(&two, &aliases(&["tg:1"])).unwrap();
        assert_eq!(store.by_alias(&native("tg:1")).unwrap(), Some(two.clone()));
        store.delete(&two).unwrap();
        assert_eq!(store.by_alias(&native("tg:1")).unwrap(), None);
        session(store, "two", 1);
        assert_eq!(store.properties(&two).unwrap(), Properties::default());
    });
}

#[test]
fn an_alias_finds_a_session_where_no_id_does_and_never_hides_one() {
    on_both(|store| {
        let (one, two) = (session(store, "one", 1).key, session(store, "two", 1).key);
        store
            .update_properties(&one, &aliases(&["two", "telegram:7"]))
            .unwrap();
        assert_eq!(
            store.find("telegram:7", 5).unwrap(),
            std::slice::from_ref(&one)
        );
        assert_eq!(store.resolve("native:telegram:7").unwrap(), one);
        assert_eq!(store.find("telegram", 5).unwrap(), []);
        assert_eq!(store.find("two", 5).unwrap(), std::slice::from_ref(&two));
        assert_eq!(store.load(&two).unwrap().key, two);
        assert_eq!(store.by_alias(&two).unwrap(), Some(one));
    });
}

#[test]
fn lists_filter_by_pin_archive_parent_and_the_given_project() {
    on_both(|store| {
        for (id, project) in [("a", "/w/one"), ("b", "/w/one"), ("c", "/w/two")] {
            let mut session = Session::new(native(id));
            session.project = Some(project.into());
            store.save(&mut session).unwrap();
        }
        store.pin(&native("a"), true).unwrap();
        store.archive(&native("b"), true).unwrap();
        let change = PropertiesChange::default()
            .with_project("/w/one/")
            .with_parent("a");
        store.update_properties(&native("c"), &change).unwrap();
        let ids = |query: &ListQuery| {
            let page = store.list(query).unwrap();
            let ids = page.sessions.iter().map(|summary| summary.key.id());
            let mut ids: Vec<String> = ids.map(str::to_owned).collect();
            ids.sort();
            ids.concat()
        };
        let query = ListQuery::default;
        let pinned = |pinned| query().with_pinned(pinned);
        let archived = |archived| query().with_archived(archived);
        let of = |project: &str| query().with_project(project);
        let child = query().with_parent("a");
        assert_eq!(
            (ids(&pinned(true)), ids(&pinned(false))),
            ("a".into(), "bc".into())
        );
        assert_eq!(
            (ids(&archived(true)), ids(&archived(false))),
            ("b".into(), "ac".into())
        );
        assert_eq!(
            (ids(&of("/w/one")), ids(&of("/w/two"))),
            ("abc".into(), String::new())
        );
        assert_eq!((ids(&of("one")), ids(&child)), ("abc".into(), "c".into()));
        // The newest of the workspace, but for what was put away.
        assert_eq!(store.latest("/w/one").unwrap().unwrap().key, native("c"));
        store.archive(&native("c"), true).unwrap();
        let latest = store.latest("/w/one").unwrap().unwrap();
        assert_eq!(latest.key, native("a"));
        let age = TimeDelta::minutes(10);
        let recent = |now| store.recent("/w/one", age, now).unwrap().is_some();
        assert!(recent(latest.updated_at + age));
        assert!(!recent(
            latest.updated_at + age + TimeDelta::microseconds(1)
        ));
        assert_eq!(store.latest("/w/none").unwrap(), None);
    });
}

#[test]
fn hide_before_names_a_place_and_only_goes_forward() {
    on_both(|store| {
        let mut session = session(store, "a", 10);
        let key = session.key.clone();
        // The header line is record 0.
        let hidden = store.hide_before(&key, 5).unwrap();
        assert_eq!((hidden.mark, hidden.visible, hidden.hidden), (5, 6, 4));
        assert_eq!(store.hide_before(&key, 2).unwrap(), hidden);
        // What arrived since the caller looked stays, though more than all is to go.
        session.messages.push(said(Role::User, "arrived"));
        let seen = store.summary(&key).unwrap().next_sequence;
        store
            .append_message(&mut session, said(Role::User, "later"))
            .unwrap();
        let hidden = store.hide_before(&key, seen).unwrap();
        assert_eq!((hidden.visible, hidden.hidden), (1, 10));
        assert_eq!(texts(store, &key), ["later"]);
        assert_eq!(store.hide_before(&key, u64::MAX).unwrap().visible, 0);
        store
            .append(
                &key,
                Expect::Any,
                None,
                &[NewRecord::message(said(Role::User, "new"))],
            )
            .unwrap();
        assert_eq!(texts(store, &key), ["new"]);
        assert_eq!(store.truncate(&key, 100).unwrap().visible, 12);
    });
}

#[test]
fn replace_history_hides_the_old_one_and_removes_nothing() {
    on_both(|store| {
        let new = |text| NewRecord::message(said(Role::User, text));
        store
            .replace_history(&native("new"), &[new("first")])
            .unwrap();
        assert_eq!(texts(store, &native("new")), ["first"]);
        let key = session(store, "a", 3).key;
        // A torn last line does not fuse with what replaces it.
        store.replace_history(&key, &[new("x"), new("y")]).unwrap();
        assert_eq!(texts(store, &key), ["x", "y"]);
        let summary = store.summary(&key).unwrap();
        assert_eq!((summary.message_count, summary.hidden_count), (5, 3));
        let error = store
            .replace_history(&key, &[NewRecord::line("two\nlines")])
            .unwrap_err();
        assert!(matches!(error, Error::InvalidLine { .. }));
        assert_eq!(texts(store, &key), ["x", "y"]);
        store.replace_history(&key, &[]).unwrap();
        assert_eq!(texts(store, &key), [""; 0]);
        assert_eq!(store.truncate(&key, 100).unwrap().visible, 5);
    });
}

#[test]
fn a_batch_append_goes_into_the_copy_and_a_save_adds_nothing_twice() {
    on_both(|store| {
        let mut session = Session::native("a").unwrap();
        store.ensure_meta(&session).unwrap();
        let two = vec![
            said(Role::User, "Which port?"),
            said(Role::Assistant, "8080"),
        ];
        let appended = store.append_messages(&mut session, two).unwrap();
        assert_eq!((appended.first, appended.last), (1, 2));
        assert_eq!(session.title, "Which port?");
        assert!(session.messages.iter().all(|message| message.id.is_some()));
        store
            .append_message(&mut session, said(Role::User, "Thanks"))
            .unwrap();
        store.save(&mut session).unwrap();
        assert_eq!(
            texts(store, &session.key),
            ["Which port?", "8080", "Thanks"]
        );
        assert_eq!(store.load(&session.key).unwrap(), session);
    });
}

#[test]
fn messages_without_an_id_are_named_by_their_place_and_saved_once() {
    on_both(|store| {
        let key = native("a");
        let line = "{\"scrollback\":1,\"type\":\"message\",\"role\":\"user\",\"content\":\"hi\"}";
        let fused = format!("{line}{line}");
        let records = [NewRecord::line(line), NewRecord::line(fused)];
        store.append(&key, Expect::Any, None, &records).unwrap();
        let mut session = store.load(&key).unwrap();
        let ids: Vec<&str> = session
            .messages
            .iter()
            .filter_map(|m| m.id.as_deref())
            .collect();
        assert_eq!(ids, ["#0", "#1", "#1.1"]);
        store.save(&mut session).unwrap();
        assert_eq!(texts(store, &key), ["hi", "hi", "hi"]);
    });
}

#[test]
fn a_title_comes_with_the_first_words_of_the_user() {
    on_both(|store| {
        let key = native("a");
        assert!(store.ensure_meta(&Session::new(key.clone())).unwrap());
        assert!(!store.ensure_meta(&Session::new(key.clone())).unwrap());
        let say = |role, text| {
            let record = NewRecord::message(said(role, text));
            store.append(&key, Expect::Any, None, &[record]).unwrap();
            store.summary(&key).unwrap().title
        };
        assert_eq!(say(Role::Assistant, "Hello"), "");
        assert_eq!(
            say(Role::User, "Which port\ndoes it use?"),
            "Which port does it use?"
        );
        assert_eq!(say(Role::User, "And now?"), "Which port does it use?");
        assert_eq!(store.load(&key).unwrap().title, "Which port does it use?");
    });
}

#[test]
fn a_fork_is_a_session_of_its_own_up_to_a_message() {
    on_both(|store| {
        let key = session(store, "old", 6).key;
        store.truncate(&key, 4).unwrap();
        store
            .update_properties(
                &key,
                &aliases(&["name"]).with_summary("So far").with_pinned(true),
            )
            .unwrap();
        let before = (store.load(&key).unwrap(), store.summary(&key).unwrap());
        // The header line is record 0, so this is the fifth message.
        let fork = store.fork(&key, &native("new"), Some(5)).unwrap();
        assert_eq!(fork.parent.as_deref(), Some("old"));
        assert_eq!(
            (fork.message_count, fork.hidden_count, fork.pinned),
            (5, 2, false)
        );
        assert_eq!(fork.title, before.1.title);
        assert_eq!(
            texts(store, &fork.key),
            ["message 2", "message 3", "message 4"]
        );
        assert_eq!(store.properties(&fork.key).unwrap().summary, "So far");
        let stored = lines(store, &fork.key);
        assert!(String::from_utf8_lossy(&stored[0]).contains("\"id\":\"new\""));
        assert_eq!(stored[1..], lines(store, &key)[1..6]);
        // It goes on by itself.
        let mut copy = store.load(&fork.key).unwrap();
        store
            .append_message(&mut copy, said(Role::User, "another way"))
            .unwrap();
        assert_eq!(
            (store.load(&key).unwrap(), store.summary(&key).unwrap()),
            before
        );
        assert_eq!(
            store.summary(&fork.key).unwrap().parent.as_deref(),
            Some("old")
        );

        let again = store.fork(&key, &fork.key, None).unwrap_err();
        assert!(matches!(again, Error::InvalidKey { .. }), "{again}");
        let other = SessionKey::new("codex", "new").unwrap();
        let error = store.fork(&key, &other, None).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(matches!(
            store.fork(&native("none"), &native("x"), None),
            Err(Error::NotFound { .. })
        ));

        let codex = SessionKey::new("codex", "c").unwrap();
        store
            .append(
                &codex,
                Expect::Any,
                None,
                &[NewRecord::line("{}"), NewRecord::line("x")],
            )
            .unwrap();
        let fork = store.fork(&codex, &other, None).unwrap();
        assert_eq!(fork.parent.as_deref(), Some("c"));
        assert_eq!(lines(store, &other), lines(store, &codex));
    });
}

#[test]
fn empty_sessions_are_dropped_when_asked_and_no_others() {
    on_both(|store| {
        let later = Utc::now() + TimeDelta::hours(1);
        store.ensure_meta(&Session::new(native("empty"))).unwrap();
        store.ensure_meta(&Session::new(native("pinned"))).unwrap();
        store.pin(&native("pinned"), true).unwrap();
        session(store, "full", 1);
        store.truncate(&native("full"), 0).unwrap();
        // All that was said is gone, and what it came to is not.
        session(store, "summed up", 2);
        let summary = PropertiesChange::default().with_summary("They greeted.");
        store
            .update_properties(&native("summed up"), &summary)
            .unwrap();
        store.truncate(&native("summed up"), 0).unwrap();
        store.compact(&native("summed up"), None, None).unwrap();
        let broken = [NewRecord::line("not json")];
        store
            .append(&native("broken"), Expect::Any, None, &broken)
            .unwrap();
        store.list(&ListQuery::default()).unwrap();
        assert_eq!(
            store.delete_empty(DateTime::UNIX_EPOCH).unwrap().sessions,
            0
        );
        assert_eq!(store.delete_empty(later).unwrap().sessions, 1);
        assert!(matches!(
            store.summary(&native("empty")),
            Err(Error::NotFound { .. })
        ));
        for kept in ["pinned", "full", "summed up", "broken"] {
            store.summary(&native(kept)).unwrap();
        }
        let next = store.summary(&native("full")).unwrap().next_sequence;
        let error = store
            .delete_unchanged(&native("full"), next - 1)
            .unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
        store.delete_unchanged(&native("full"), next).unwrap();
    });
}
