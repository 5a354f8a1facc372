//! The calls that somebody who used jcode's `internal/session` writes: a recorder, a teammate,
//! resuming, and the replay for the model.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;

use scrollback::jcode::{
    Recorder, Recordings, ReplayOptions, TodoItem, last_environment, reconstruct_state,
};
use scrollback::{Options, RedbStore, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("scrollback.redb");
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(path, Options::default())?);

    // NewRecorder: nothing is in the store before the first record.
    let recorder = Recorder::new(Arc::clone(&store), "/home/dev/shop", "zhipu", "glm-5.2");
    recorder.record_user("Fix the login timeout")?;
    recorder.record_tool_call("read", r#"{"path":"login.go"}"#, "t1")?;
    recorder.record_tool_result("read", "", "t1", Some("open login.go: no such file"))?;
    recorder.record_todo_snapshot(vec![TodoItem::new(1, "Find the file", "pending")])?;
    // A record whose loss the agent would rather bear than stop for.
    recorder.record_mode_change("executing").ok();

    // NewTeammateRecorder: a session of its own, whose parent is the leader's.
    let reviewer = Recorder::teammate(Arc::clone(&store), &recorder.uuid(), "bob", "glm-5.2")?;
    reviewer.record_user("Review the fix")?;
    reviewer.close();

    // The agent crashes in the middle of a call: no result is recorded.
    recorder.record_tool_call("grep", r#"{"pattern":"timeout"}"#, "t2")?;
    let id = recorder.uuid();
    recorder.close();
    println!("after close: {:?}", recorder.record_user("lost?").is_err());

    // ListSessions, LoadSession, ReconstructState.
    let recordings = Recordings::new(Arc::clone(&store));
    for session in recordings.list_sessions("/home/dev/shop")? {
        println!("{} ({} messages)", session.title, session.message_count);
    }
    let entries = recordings.load_entries(&id)?;
    let state = reconstruct_state(&entries, ReplayOptions::default());
    for message in &state.messages {
        println!("{}: {:?}", message.role.word(), message.content);
    }
    for repair in &state.repairs {
        println!("mended: {repair:?}");
    }
    println!("mode {}, {} tasks", state.mode, state.todos.len());
    println!("environment {}", last_environment(&entries));

    // SetUUID: goes on with the session, without a second header.
    let resumed = Recorder::new(store, "/home/dev/shop", "zhipu", "glm-5.2");
    resumed.set_uuid(&id)?;
    resumed.record_user("Where were we?")?;
    println!("{} entries now", recordings.load_entries(&id)?.len());
    Ok(())
}
