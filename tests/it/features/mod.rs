//! What the five Go packages can do, feature by feature, for every agent whose package had it:
//! docs/coming-from-go.md names these tests. `layout` has names, folders and identity, `writing`
//! what is written, `content` what a record holds, `reading` what is read and asked.

mod content;
mod layout;
mod reading;
mod writing;

use std::sync::Arc;

use scrollback::provider::ProviderSession;
use scrollback::{
    Expect, MemoryStore, Message, NewRecord, RedbStore, Role, ScanQuery, SessionKey, Store,
    StoreExt,
};

use crate::harness::Home;
use crate::providers::provider_at;
use crate::providers::{FOLDER, REAL};

/// The packages whose formats are written.
const WRITTEN: [&str; 4] = ["celeste", "ggcode", "picoclaw", "jcode"];

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::default())
}

/// A store in a file of this home.
fn file(home: &Home) -> RedbStore {
    RedbStore::open(home.store_path(), scrollback::Options::default()).unwrap()
}

fn key(agent: &str, id: &str) -> SessionKey {
    SessionKey::new(agent, id).unwrap()
}

fn append(store: &dyn Store, key: &SessionKey, message: Message) {
    let record = NewRecord::message(message);
    store.append(key, Expect::Any, None, &[record]).unwrap();
}

/// The user says this.
fn say(store: &dyn Store, key: &SessionKey, text: &str) {
    append(store, key, Message::text(Role::User, text));
}

fn lines(store: &dyn Store, key: &SessionKey) -> Vec<String> {
    store
        .records(key, ScanQuery::default())
        .map(|record| String::from_utf8(record.unwrap().line).unwrap())
        .collect()
}

/// The texts of the visible messages.
fn texts(store: &dyn Store, key: &SessionKey) -> Vec<String> {
    let messages = store.load(key).unwrap().messages;
    messages.iter().map(Message::plain_text).collect()
}

/// A line of each package in which the user says this, without the line feed.
fn line(agent: &str, text: &str) -> String {
    match agent {
        "celeste" => format!(
            "{{\"type\":\"user\",\"content\":\"{text}\",\"timestamp\":\"2026-04-03T09:30:00Z\"}}"
        ),
        "ggcode" => format!(
            "{{\"type\":\"message\",\"session_id\":\"s\",\"created_at\":\"0001-01-01T00:00:00Z\",\
             \"updated_at\":\"0001-01-01T00:00:00Z\",\"message\":{{\"role\":\"user\",\"content\":\
             [{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}"
        ),
        "picoclaw" => format!("{{\"role\":\"user\",\"content\":\"{text}\"}}"),
        _ => format!(
            "{{\"type\":\"user\",\"content\":\"{text}\",\"timestamp\":\"2026-04-03T11:15:04+02:00\"}}"
        ),
    }
}

/// Stores lines as they are.
fn store_lines(store: &dyn Store, key: &SessionKey, lines: &[&str]) {
    let records: Vec<_> = lines.iter().map(|line| NewRecord::line(*line)).collect();
    store.append(key, Expect::Any, None, &records).unwrap();
}

/// A session of Claude Code, as `provider` reads it.
fn claude() -> ProviderSession {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    let provider = provider_at("claude-code", home.path().join(".claude"));
    provider.read_session("s1").unwrap()
}
