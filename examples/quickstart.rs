//! Keeps a conversation in a store, and reads it back.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use scrollback::{Expect, ListQuery, Message, NewRecord, Options, RedbStore, Role, Session, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = RedbStore::open(folder.path().join("scrollback.redb"), Options::default())?;

    let mut session = Session::native("chat-1")?;
    session
        .messages
        .push(Message::text(Role::User, "Which port does the API use?"));
    store.save(&mut session)?;

    let answer = NewRecord::message(Message::text(Role::Assistant, "Port 8080."));
    store.append(&session.key, Expect::Any, None, &[answer])?;

    for summary in store.list(&ListQuery::default())?.sessions {
        println!(
            "{}: {} ({} messages)",
            summary.key, summary.title, summary.message_count
        );
    }
    for message in store.load(&session.key)?.messages {
        println!("{}: {}", message.role.word(), message.plain_text());
    }
    Ok(())
}
