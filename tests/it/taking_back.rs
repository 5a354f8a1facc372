//! A message that was taken back stays so: behind it the talk goes on, out of the store and into another.

use scrollback::{
    Expect, Message, Mode, NewRecord, Options, RedbStore, Role, Session, SessionKey, Store,
};

use crate::harness::Home;

fn live(store: &dyn Store, key: &SessionKey) -> Vec<(String, bool)> {
    let messages = store.load(key).unwrap().messages.into_iter();
    { messages }
        .map(|message| (message.plain_text(), message.live))
        .collect()
}

#[test]
fn a_message_that_was_taken_back_is_so_after_a_save_an_export_and_an_import() {
    for mode in [Mode::Shared, Mode::Exclusive] {
        let (home, other) = (Home::new(), Home::new());
        let key = SessionKey::native("chat-1").unwrap();
        let expected = [("one", true), ("two", false), ("three", true)];
        let expected = expected.map(|(text, live)| (text.to_owned(), live));
        {
            let options = Options::default().with_mode(mode);
            let store = RedbStore::open(home.store_path(), options).unwrap();
            let mut session = Session::new(key.clone());
            for text in ["one", "two"] {
                session.messages.push(Message::text(Role::User, text));
            }
            store.save(&mut session).unwrap();
            // A header line stands behind the message that is taken back with it.
            session.title = "Numbers".to_owned();
            store.save(&mut session).unwrap();
            assert!(store.take_back(&key, Expect::Any).unwrap().is_some());
            // A copy that still has the message, and one more: neither is it stored twice, nor does it come back.
            session.messages.push(Message::text(Role::User, "three"));
            store.save(&mut session).unwrap();
            assert_eq!(live(&store, &key), expected);
            assert_eq!(store.load(&key).unwrap().title, "Numbers");
        }
        home.verify();
        home.export("out");
        let exported = std::fs::read(home.path().join("out/native/chat-1.jsonl")).unwrap();
        other.write("in/chat-1.jsonl", &exported);
        other.import("in");
        let store = RedbStore::open(other.store_path(), Options::default()).unwrap();
        assert_eq!(live(&store, &key), expected);
        let four = NewRecord::message(Message::text(Role::User, "four"));
        store.append(&key, Expect::Any, None, &[four]).unwrap();
        store.take_back(&key, Expect::Any).unwrap();
        let expected: Vec<_> = { expected }
            .into_iter()
            .chain([("four".to_owned(), false)])
            .collect();
        assert_eq!(live(&store, &key), expected);
    }
}

/// The last line has no end: the append ends it first, and that line lies between the two.
#[test]
fn a_message_whose_line_has_no_end_is_taken_back() {
    let home = Home::new();
    let line = |text: &str| {
        format!(
            "{{\"scrollback\":1,\"type\":\"message\",\"id\":\"{text}\",\"role\":\"user\",\
             \"content\":\"{text}\"}}"
        )
    };
    home.write("in/s.jsonl", [line("one"), line("two")].join("\n"));
    home.import("in");
    let key = SessionKey::native("s").unwrap();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    store.take_back(&key, Expect::Any).unwrap();
    let expected = [("one".to_owned(), true), ("two".to_owned(), false)];
    assert_eq!(live(&store, &key), expected);
}
