//! What is there, what is old and goes, and the space that comes back.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use scrollback::chrono::{TimeDelta, Utc};
use scrollback::{ListQuery, Message, Options, RedbStore, Role, Session, Store, StoreExt};

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own asks the system"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    for number in 0..200 {
        let mut session = Session::native(format!("chat-{number}"))?;
        let text = format!("{number}: {}", "words ".repeat(2000));
        store.append_message(&mut session, Message::text(Role::User, text))?;
        if number == 7 {
            store.pin(&session.key, true)?;
        }
    }

    // A list reads no message; it comes in pages, the newest first.
    let mut query = ListQuery::default().with_limit(50);
    let mut listed = 0;
    loop {
        let page = store.list(&query)?;
        listed += page.sessions.len();
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(listed, 200);

    // All that was last updated before a time goes; what is pinned stays.
    let before = Utc::now() + TimeDelta::days(1);
    let removed = store.cleanup_older_than(before)?;
    assert_eq!(removed.sessions, 199);
    let left = store.list(&ListQuery::default())?.sessions;
    let left: Vec<&str> = left.iter().map(|session| session.key.id()).collect();
    assert_eq!(left, ["chat-7"]);

    // The file is as large as before until its space is given back.
    let space = store.reclaim()?;
    assert!(space.bytes_after < space.bytes_before, "{space:?}");
    println!(
        "removed {} sessions; the file had {} bytes and has {}",
        removed.sessions, space.bytes_before, space.bytes_after
    );
    Ok(())
}
