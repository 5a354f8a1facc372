//! For those who come from ggcode's `internal/session` package: its calls, and what to write here.
//!
//! ```text
//! cargo run --example from_ggcode
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use chrono::TimeDelta;
use scrollback::ggcode::ggcode_session;
use scrollback::{Block, ListQuery, Message, Options, RawJson, RedbStore, Role, Store, StoreExt};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    // session.NewJSONLStore(dir)
    let options = Options::default();
    let path = folder.path().join("sessions.redb");
    let store = RedbStore::open(path, options.clone())?;
    // session.NewSession(vendor, endpoint, model): nothing is stored yet.
    let mut session = ggcode_session(&options.stamps, "zai", "coding", "glm-5")?;

    // store.EnsureMeta(ses): the header, if the session is not there; nothing is ever cut off.
    println!("made: {}", store.ensure_meta(&session)?);

    // store.AppendMessage(ses, msg): on disk when it returns, and in `session` too.
    store.append_message(&mut session, Message::text(Role::User, "Explain the loop"))?;
    let mut answer = Message::text(Role::Assistant, "Look:");
    answer.content.push(Block::ToolUse {
        id: Some("t1".to_owned()),
        name: "read_file".to_owned(),
        input: Some(RawJson::parse(r#"{"path":"a.go"}"#)?),
    });
    store.append_message(&mut session, answer)?;

    // ses.CostJSON = ...; store.Save(ses): adds what is new, and removes nothing.
    let cost = RawJson::parse(r#"{"usd":0.010}"#)?;
    session.extra.push(("cost".to_owned(), cost));
    store.save(&mut session)?;

    // store.Load(id)
    let loaded = store.load(&session.key)?;
    for (name, value) in &loaded.extra {
        println!("{name}: {}", value.as_str());
    }

    // store.List(): newest first, by rows; no session is read.
    let query = ListQuery::default().with_agent("ggcode");
    for row in store.list(&query)?.sessions {
        println!("{}: {} ({})", row.key.id(), row.title, row.message_count);
    }

    // store.ExportMarkdown(id)
    let mut markdown = Vec::new();
    store.export_markdown(&session.key, &mut markdown)?;
    println!("{}", String::from_utf8_lossy(&markdown));

    // store.CleanupOlderThan(before): strictly before.
    let month = TimeDelta::days(30);
    let removed = store.cleanup_older_than((options.stamps.clock)() - month)?;
    println!("{} sessions were older", removed.sessions);

    // store.Delete(id)
    store.delete(&session.key)?;
    println!("left: {}", store.list(&query)?.sessions.len());
    Ok(())
}
