//! A folder of sessions is imported, with progress, cancelled half way, and imported again.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;

use scrollback::{ImportOptions, Options, RedbStore, Step, import, unwatched};

/// How many sessions there are to import.
const SESSIONS: u64 = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let sessions = folder.path().join("sessions");
    fs::create_dir(&sessions)?;
    let line = format!(
        "{{\"role\":\"user\",\"content\":\"{}\"}}\n",
        "words ".repeat(200)
    );
    for number in 0..SESSIONS {
        fs::write(sessions.join(format!("{number}.jsonl")), line.repeat(100))?;
    }
    let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    let (paths, options) = ([sessions], ImportOptions::default());

    // Somebody who has seen enough once the first file is read.
    let cancelled = import(&store, &paths, &options, &mut |now| {
        println!(
            "{:?}: {} of {} files, {} of {} bytes",
            now.step, now.files, now.files_total, now.done, now.total
        );
        if now.step == Step::Transferring && now.files > 0 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(cancelled, Err(scrollback::Error::Cancelled)));
    let found = store.verify(&mut unwatched)?;
    assert!(found.is_clean() && found.sessions < SESSIONS);

    // The next one goes on where the first was stopped.
    let report = import(&store, &paths, &options, &mut unwatched)?;
    println!(
        "{} sessions before, {} added now",
        found.sessions, report.sessions
    );
    assert_eq!(store.stats()?.total().sessions, SESSIONS);
    assert!(report.problems.is_empty());
    Ok(())
}
