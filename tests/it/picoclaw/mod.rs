//! `SessionStore` as somebody who comes from picoclaw uses it: `calls` has what each call means,
//! `names` aliases and scopes, `hazards` what can no longer happen, `home` the same of files, `beside`
//! what an export makes of meta files.

mod beside;
mod calls;
mod hazards;
mod home;
mod names;

use std::sync::Arc;

use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{
    Block, MemoryStore, Message, RawJson, Role, ScanQuery, SessionKey, Store, StoreExt,
};

/// Sessions in memory, and the store below them.
fn sessions() -> (StoreSessions, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    (StoreSessions::new(store.clone()), store)
}

fn key(id: &str) -> SessionKey {
    SessionKey::new("picoclaw", id).unwrap()
}

/// The texts of the visible messages; no error was noted on the way.
#[track_caller]
fn history(sessions: &StoreSessions, key: &str) -> Vec<String> {
    let history = texts(&sessions.get_history(key));
    assert!(
        sessions.last_error().is_none(),
        "{:?}",
        sessions.last_error()
    );
    history
}

fn texts(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match &*message.content {
            [Block::ToolResult { output, .. }] => output.clone(),
            [Block::ToolUse { name, .. }] => name.clone(),
            _ => message.plain_text(),
        })
        .collect()
}

/// Adds messages of the user with these texts.
fn add(sessions: &StoreSessions, key: &str, texts: &[&str]) {
    for text in texts {
        sessions.add_message(key, "user", text);
    }
}

/// The lines of a session as text.
fn lines(store: &dyn Store, id: &str) -> Vec<String> {
    store
        .records(&key(id), ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

fn call(id: &str) -> Message {
    let mut message = Message::new(Role::Assistant);
    message.content.push(Block::ToolUse {
        id: Some(id.into()),
        name: format!("call {id}"),
        input: Some(RawJson::parse("{\"q\":\"oslo\"}").unwrap()),
    });
    message
}

fn result(id: &str) -> Message {
    let mut message = Message::new(Role::Tool);
    message.content.push(Block::ToolResult {
        id: Some(id.into()),
        name: None,
        output: format!("result {id}"),
        is_error: false,
        images: Vec::new(),
    });
    message
}
