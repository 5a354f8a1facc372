//! When a store last wrote to a session, beside the times that the lines state. A store may keep no such time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, holds, refused, same};
use crate::conformance::subject::{Subject, at, key, message, said};
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::store::Expect;

fn written(store: &Subject, key: &SessionKey) -> Checked<Option<DateTime<Utc>>> {
    Ok(store.summary(key)?.written_at)
}

/// A call that writes to a session moves the time on.
fn moves(store: &Subject, key: &SessionKey, step: &str, call: impl FnOnce() -> Checked) -> Checked {
    let before = written(store, key)?;
    call()?;
    let after = written(store, key)?;
    let is_kept = before.is_some() || after.is_some();
    let is_later = before.is_some() && before < after;
    let expected = format!("a written_at behind {before:?}");
    holds(step, is_later || !is_kept, &expected, &after)
}

/// A call that writes nothing to a session leaves the time as it is.
fn stays(store: &Subject, key: &SessionKey, step: &str, call: impl FnOnce() -> Checked) -> Checked {
    let before = written(store, key)?;
    call()?;
    same(step, &written(store, key)?, &before)
}

pub(crate) fn every_write_moves_written_at_on(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let summary = store.summary(&key)?;
    same("updated_at", &summary.updated_at, &at(2))?;
    let is_now = summary.written_at.is_none_or(|written| written > at(2));
    let expected = "a time behind those of the lines";
    holds("written_at", is_now, expected, &summary.written_at)?;
    moves(&store, &key, "append", || {
        store.say(&key, 3, &["c"]).map(drop)
    })?;
    moves(&store, &key, "append_with", || {
        let change = PropertiesChange::default().with_title("Given");
        let records = [said(4, "d")];
        let appended = store
            .store
            .append_with(&key, Expect::Any, None, &records, &change);
        done("append_with", appended).map(drop)
    })?;
    moves(&store, &key, "save", || {
        let mut session = store.load(&key)?;
        session.messages.push(message(5, "e"));
        store.save(&mut session)
    })?;
    moves(&store, &key, "truncate", || {
        store.truncate(&key, 2).map(drop)
    })?;
    moves(&store, &key, "compact", || {
        store.compact(&key, None).map(drop)
    })?;
    moves(&store, &key, "hide_before", || {
        let next = store.summary(&key)?.next_sequence;
        store.hide_before(&key, next).map(drop)
    })?;
    moves(&store, &key, "replace_history", || {
        store.replace(&key, &[said(6, "f")])
    })?;
    moves(&store, &key, "update_properties", || {
        let change = PropertiesChange::default().with_pinned(true);
        store.update(&key, &change).map(drop)
    })?;
    moves(&store, &key, "another name", || {
        let change = PropertiesChange::default().with_aliases(["s-too"]);
        store.update(&key, &change).map(drop)
    })?;
    moves(&store, &key, "take_back", || {
        let taken = store.store.take_back(&key, Expect::Any);
        done("take_back", taken).map(drop)
    })
}

pub(crate) fn what_writes_nothing_leaves_written_at(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let (key, other) = (key("s")?, key("other")?);
    let batch = Some(Uuid::from_u128(7));
    let send = || {
        let records = [said(3, "c")];
        let sent = store.store.append(&key, Expect::Any, batch, &records);
        done("append", sent).map(drop)
    };
    let pin = || {
        let change = PropertiesChange::default().with_pinned(true);
        store.update(&key, &change).map(drop)
    };
    let hide = || store.truncate(&key, 1).map(drop);
    let remove = || store.compact(&key, None).map(drop);
    store.say(&key, 1, &["a", "b"])?;
    send()?;
    pin()?;
    hide()?;
    stays(&store, &key, "a retry of a batch", send)?;
    stays(&store, &key, "a pin of what is pinned", pin)?;
    stays(&store, &key, "a truncation to what is visible", hide)?;
    remove()?;
    stays(&store, &key, "a compaction of nothing", remove)?;
    stays(&store, &key, "a load", || store.load(&key).map(drop))?;
    stays(&store, &key, "an append elsewhere", || {
        let is_conflict = |error: &Error| matches!(error, Error::Conflict { .. });
        let records = [said(4, "d")];
        let answer = store
            .store
            .append(&key, Expect::Sequence(0), None, &records);
        refused("append elsewhere", answer, "Conflict", is_conflict)
    })?;
    stays(&store, &key, "a write to another session", || {
        store.say(&other, 5, &["e"]).map(drop)
    })
}
