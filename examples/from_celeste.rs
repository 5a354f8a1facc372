//! For those who come from celeste's `sessions` package: its calls, and what to write here.
//!
//! ```text
//! cargo run --example from_celeste
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use scrollback::celeste::{LogEntry, Project};
use scrollback::{Options, RedbStore, Store, StoreExt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    let store: Arc<dyn Store> = Arc::new(store);

    // manager, err := sessions.NewManager(cwd)
    let project = Project::open(Arc::clone(&store), ".");
    println!("project {} at {}", project.id(), project.root().display());

    // manager.StartSession()
    let id = project.start();

    // manager.LogTurn("user", "Which port does the API use?")
    project.log_turn("user", "Which port does the API use?")?;

    // writer.WriteEntry(LogEntry{Type: "tool_call", ...})
    let arguments = "{\"cmd\":\"ss -ltn\"}";
    project.log_entry(&LogEntry::new("tool_call", arguments).of_tool("bash", "call_1"))?;
    project.log_entry(&LogEntry::new("tool_result", "LISTEN 8080").of_tool("bash", "call_1"))?;
    project.log_entry(&LogEntry::new("progress", "90%"))?; // not stored, as there
    project.log_turn("assistant", "Port 8080.")?;

    // manager.Close()
    project.close();

    // recent, err := manager.GetRecentSession(24 * time.Hour)
    let recent = project.recent(Duration::from_secs(24 * 60 * 60))?;
    let recent = recent.ok_or("no session today")?;

    // entries, err := manager.ResumeSession(recent.ID)
    let session = project.resume(recent.key.id())?;
    for message in &session.messages {
        println!("{}: {:?}", message.role.word(), message.content);
    }
    project.log_turn("user", "Thank you.")?;

    // infos, err := sessions.ListSessions(dir)
    for info in project.list()? {
        println!(
            "{}  {} entries  {}",
            info.key.id(),
            info.record_count,
            info.title
        );
    }

    // What the package has not: names, and an end.
    store.rename(&recent.key, "The port")?;
    assert_eq!((recent.key.id(), project.list()?.len()), (id.as_str(), 1));
    store.delete(&recent.key)?;
    Ok(())
}
