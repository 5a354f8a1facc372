//! A chat that is kept as it goes, and goes on where it was left, in another run of the program.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;

use scrollback::{Message, Options, RedbStore, Role, SessionKey, Store, StoreExt};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("chats.redb");
    assert_eq!(one_turn(&file, "Which port does the API use?", "8080.")?, 2);
    assert_eq!(one_turn(&file, "Since when?", "Since version 2.")?, 4);

    let store = RedbStore::open_read_only(&file, Options::default())?;
    let session = store.load(&SessionKey::native("chat-1")?)?;
    assert_eq!(session.title, "Which port does the API use?");
    let last = session.messages.last().map(Message::plain_text);
    assert_eq!(last.as_deref(), Some("Since version 2."));
    for message in &session.messages {
        println!("{}: {}", message.role.word(), message.plain_text());
    }
    Ok(())
}

/// One run of the program: loads the chat, or begins it, and adds a question and its answer.
/// Returns how many messages there are then.
fn one_turn(file: &Path, question: &str, answer: &str) -> Result<usize, Box<dyn Error>> {
    let store = RedbStore::open(file, Options::default())?;
    let mut chat = store.load_or_new(&SessionKey::native("chat-1")?)?;
    // Each of them is on disk when the call returns.
    store.append_message(&mut chat, Message::text(Role::User, question))?;
    store.append_message(&mut chat, Message::text(Role::Assistant, answer))?;
    Ok(chat.messages.len())
}
