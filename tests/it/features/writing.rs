//! What is written, how far it is then, and what goes.

use std::time::Duration;

use scrollback::celeste::Project;
use scrollback::jcode::{Recorder, Recordings};
use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{
    Error, Expect, MemoryStore, Message, NewRecord, RawJson, RedbStore, Role, Session, Stamps,
    Store, StoreExt,
};

use super::{WRITTEN, file, key, lines, memory, say, texts};
use crate::harness::Home;

#[test]
fn feature_append_one_message() {
    let store = memory();
    for agent in WRITTEN {
        let mut session = Session::new(key(agent, "s"));
        let one = Message::text(Role::User, "one");
        store.append_message(&mut session, one).unwrap();
        let two = Message::text(Role::Assistant, "two");
        store.append_message(&mut session, two).unwrap();
        assert_eq!(texts(&*store, &session.key), ["one", "two"], "{agent}");
        assert_eq!(session.messages.len(), 2, "{agent}");
        assert_eq!(store.summary(&session.key).unwrap().message_count, 2);
    }
}

#[test]
fn feature_append_batch() {
    let store = memory();
    for agent in WRITTEN {
        let mut session = Session::new(key(agent, "s"));
        let batch = ["one", "two", "three"].map(|text| Message::text(Role::User, text));
        store.append_messages(&mut session, batch.to_vec()).unwrap();
        assert_eq!(texts(&*store, &session.key), ["one", "two", "three"]);
        let bad = [
            NewRecord::message(Message::text(Role::User, "four")),
            NewRecord::line("{}\n{}\n"),
        ];
        assert!(store.append(&session.key, Expect::Any, None, &bad).is_err());
        assert_eq!(
            texts(&*store, &session.key).len(),
            3,
            "all or none: {agent}"
        );
    }
}

#[test]
fn feature_save_whole_session_atomic() {
    let store = memory();
    for agent in ["ggcode", "picoclaw"] {
        let mut session = Session::new(key(agent, "s"));
        session.messages = ["one", "two"]
            .map(|text| Message::text(Role::User, text))
            .to_vec();
        store.save(&mut session).unwrap();
        assert_eq!(store.load(&session.key).unwrap().messages, session.messages);
    }
    // A vendor that is no text cannot be written: nothing of the whole session is.
    let mut session = store.load(&key("ggcode", "s")).unwrap();
    session.messages.push(Message::text(Role::User, "three"));
    session.extra = vec![("vendor".into(), RawJson::parse("5").unwrap())];
    let before = lines(&*store, &session.key);
    let error = store.save(&mut session).unwrap_err();
    assert!(matches!(error, Error::InvalidJson { .. }), "{error}");
    assert_eq!(lines(&*store, &session.key), before);
}

#[test]
fn feature_replace_history() {
    let store = memory();
    for agent in ["ggcode", "picoclaw"] {
        let key = key(agent, "s");
        say(&*store, &key, "old");
        let new = NewRecord::message(Message::text(Role::User, "new"));
        store.replace_history(&key, &[new]).unwrap();
        assert_eq!(texts(&*store, &key), ["new"], "{agent}");
        assert_eq!(store.summary(&key).unwrap().message_count, 2, "{agent}");
    }
}

#[test]
fn feature_resume_and_append() {
    for agent in WRITTEN {
        let home = Home::new();
        say(&file(&home), &key(agent, "s"), "one");
        // Another run of the program.
        let store = file(&home);
        say(&store, &key(agent, "s"), "two");
        assert_eq!(texts(&store, &key(agent, "s")), ["one", "two"], "{agent}");
    }
}

#[test]
fn feature_errors_returned_from_writes() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        let two = NewRecord::line("{}\n{}\n");
        let error = store.append(&key, Expect::Any, None, &[two]).unwrap_err();
        assert!(
            matches!(error, Error::InvalidLine { .. }),
            "{agent}: {error}"
        );
        let one = NewRecord::line("{}");
        let error = store.append(&key, Expect::Sequence(7), None, &[one]);
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{agent}: {error}");
        assert!(matches!(store.summary(&key), Err(Error::NotFound { .. })));
    }
}

/// Copies the store as it lies on the disk, and opens the copy.
fn as_on_disk(home: &Home) -> (Home, RedbStore) {
    let copy = Home::new();
    std::fs::create_dir_all(copy.store_path().parent().unwrap()).unwrap();
    std::fs::copy(home.store_path(), copy.store_path()).unwrap();
    let store = file(&copy);
    (copy, store)
}

#[test]
fn feature_fsync_per_append_leaves_nothing_in_memory() {
    let home = Home::new();
    let store = std::sync::Arc::new(file(&home));
    let project = Project::open(store.clone(), "/w");
    let id = project.start();
    project.log_turn("user", "celeste").unwrap();
    let (_copy, seen) = as_on_disk(&home);
    assert_eq!(texts(&seen, &key("celeste", &id)), ["celeste"]);
    StoreSessions::new(store.clone()).add_message("k", "user", "picoclaw");
    let (_copy, seen) = as_on_disk(&home);
    assert_eq!(texts(&seen, &key("picoclaw", "k")), ["picoclaw"]);
    let recorder = Recorder::new(store, "/w", "p", "m");
    recorder.record_user("jcode").unwrap();
    let (_copy, seen) = as_on_disk(&home);
    assert_eq!(texts(&seen, &recorder.key().unwrap()), ["jcode"]);
}

#[test]
fn feature_in_process_locking() {
    let store = memory();
    for agent in WRITTEN {
        let key = key(agent, "s");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| say(&*store, &key, "x")));
            }
        });
        assert_eq!(texts(&*store, &key), vec!["x"; 40], "{agent}");
        assert_eq!(store.summary(&key).unwrap().malformed_count, 0, "{agent}");
    }
}

#[test]
fn feature_delete_session() {
    let store = memory();
    let recorder = Recorder::new(store.clone(), "/w", "p", "m");
    recorder.record_user("x").unwrap();
    let recordings = Recordings::new(store.clone());
    assert_eq!(recordings.delete(&recorder.uuid()).unwrap().sessions, 1);
    assert_eq!(recordings.list_sessions("/w").unwrap(), []);
    let key = key("ggcode", "s");
    say(&*store, &key, "x");
    store.delete(&key).unwrap();
    assert!(matches!(store.load(&key), Err(Error::NotFound { .. })));
    assert!(matches!(store.delete(&key), Err(Error::NotFound { .. })));
}

#[test]
fn feature_in_memory_get_or_create() {
    let store = memory();
    let sessions = StoreSessions::new(store.clone());
    assert_eq!(sessions.get_history("k"), []);
    assert_eq!(
        sessions.list_sessions().unwrap(),
        [],
        "reading creates nothing"
    );
    sessions.add_message("k", "user", "x");
    assert_eq!(sessions.get_history("k").len(), 1);
    assert_eq!(sessions.list_sessions().unwrap().len(), 1);
    // For those who want an empty session in any case.
    assert!(
        store
            .ensure_meta(&Session::new(key("picoclaw", "e")))
            .unwrap()
    );
    assert!(
        !store
            .ensure_meta(&Session::new(key("picoclaw", "e")))
            .unwrap()
    );
}

#[test]
fn feature_has_anything_been_recorded() {
    let store = memory();
    let recorder = Recorder::new(store.clone(), "/w", "p", "m");
    assert!(!recorder.has_recording());
    recorder.record_user("x").unwrap();
    assert!(recorder.has_recording());
    recorder.close();
    assert!(!recorder.has_recording());
    let session = Session::new(key("ggcode", "s"));
    store.ensure_meta(&session).unwrap();
    assert_eq!(store.summary(&session.key).unwrap().message_count, 0);
    say(&*store, &session.key, "x");
    assert_eq!(store.summary(&session.key).unwrap().message_count, 1);
}

#[test]
fn feature_drop_empty_sessions() {
    let store = MemoryStore::default();
    store
        .ensure_meta(&Session::new(key("ggcode", "empty")))
        .unwrap();
    say(&store, &key("ggcode", "full"), "x");
    let later = (Stamps::default().clock)() + Duration::from_secs(60);
    assert_eq!(store.delete_empty(later).unwrap().sessions, 1);
    assert!(store.summary(&key("ggcode", "empty")).is_err());
    assert!(store.summary(&key("ggcode", "full")).is_ok());
}
