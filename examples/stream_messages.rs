//! A long session as messages, from either end, without holding it.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use scrollback::{
    Expect, Message, NewRecord, Options, RedbStore, Role, SessionKey, Store, StoreExt,
};

/// How many messages the session has.
const MESSAGES: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    let key = SessionKey::native("long")?;
    let records: Vec<NewRecord> = (1..=MESSAGES)
        .map(|number| NewRecord::message(Message::text(Role::User, format!("message {number}"))))
        .collect();
    for batch in records.chunks(1000) {
        store.append(&key, Expect::Any, None, batch)?;
    }

    // Forwards: one page of records is held at a time.
    let (mut count, mut letters) = (0, 0);
    for stored in store.messages(&key, ..) {
        count += 1;
        letters += stored?.message.plain_text().len();
    }
    assert_eq!(count, MESSAGES);
    println!("{count} messages of {letters} letters");

    // Backwards: the last three, without reading what is before them.
    let last: Vec<_> = store
        .messages(&key, ..)
        .rev()
        .take(3)
        .collect::<Result<_, _>>()?;
    let newest = last.first().map(|stored| stored.message.plain_text());
    assert_eq!(newest.as_deref(), Some("message 20000"));
    for stored in last.iter().rev() {
        println!("{}: {}", stored.sequence, stored.message.plain_text());
    }

    // Only what a truncation left visible, as a model would get it.
    store.truncate(&key, 2)?;
    let mark = store.summary(&key)?.mark;
    assert_eq!(store.messages(&key, mark..).count(), 2);
    Ok(())
}
