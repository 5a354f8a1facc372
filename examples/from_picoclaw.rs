//! What the loop of a chat program writes that kept its sessions with picoclaw's `SessionStore`:
//! the same nine calls, a summary that loses nothing, and a look at what went wrong.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;

use scrollback::picoclaw::{SessionStore, StoreSessions, opaque_key};
use scrollback::{Block, Message, Options, RawJson, RedbStore, Role};

/// Messages at which the history is summarised.
const SUMMARISE_AT: usize = 6;

/// Messages that stay as they were.
const KEEP_LAST: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = RedbStore::open(folder.path().join("scrollback.redb"), Options::default())?;
    // Go: session.NewJSONLBackend(memory.NewJSONLStore(dir))
    let sessions = StoreSessions::new(Arc::new(store));

    // The chat has a key that says nothing of it, and is found under its old name too.
    let key = opaque_key("agent:main:telegram:123456");
    sessions.set_aliases(&key, &["agent:main:telegram:123456"])?;
    let chat = "agent:main:telegram:123456";

    sessions.add_message(chat, "user", "How is the weather in Oslo?");
    let mut call = Message::new(Role::Assistant);
    call.content.push(Block::ToolUse {
        id: Some("call_a".into()),
        name: "web_search".into(),
        input: Some(RawJson::parse("{\"q\":\"weather oslo\"}")?),
    });
    sessions.add_full_message(chat, &call);
    let mut answer = Message::new(Role::Tool);
    answer.content.push(Block::ToolResult {
        id: Some("call_a".into()),
        name: None,
        output: "4 °C, rain".into(),
        is_error: false,
        images: Vec::new(),
    });
    sessions.add_full_message(chat, &answer);
    sessions.add_message(chat, "assistant", "4 °C and rain.");
    sessions.add_message(chat, "user", "And in Rome?");
    sessions.add_message(chat, "assistant", "17 °C.");

    // Go: SetSummary, TruncateHistory(4), Save. Here what arrives while the model writes the
    // summary stays, and the tool's answer stays with its call.
    let seen = sessions.snapshot(chat)?;
    if seen.messages.len() >= SUMMARISE_AT {
        sessions.add_message(chat, "user", "Thanks!");
        let kept = sessions.summarize(&seen, "They compared the weather.", KEEP_LAST)?;
        println!("{} visible, {} hidden", kept.visible, kept.hidden);
        println!("{} more for a tool's call", kept.kept_for_pairs);
        sessions.save(chat)?;
    }

    println!("summary: {}", sessions.get_summary(chat));
    for message in sessions.get_history(chat) {
        println!("{}: {}", message.role.word(), message.plain_text());
    }

    // Go logs a write that failed. Here the loop can ask.
    if let Some(error) = sessions.take_error() {
        println!("not all was written: {error}");
    }
    sessions.close()?;
    Ok(())
}
