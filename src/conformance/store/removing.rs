//! Deletions.

use uuid::Uuid;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::subject::{Subject, at, key, said};
use crate::model::error::Error;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::{Expect, ListQuery, Removed};

pub(crate) fn delete_removes_the_session_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    // One id begins with the other: a deletion by a prefix would take both.
    let (goes, stays) = (key("goes")?, key("goes-not")?);
    store.say(&goes, 1, &["a", "b"])?;
    store.say(&stays, 2, &["c"])?;
    let bytes: usize = store.lines(&goes)?.iter().map(String::len).sum();
    let expected = Removed {
        sessions: 1,
        records: 2,
        bytes: bytes as u64,
    };
    same("what delete answers", &store.delete(&goes)?, &expected)?;
    for (step, result) in [
        ("load afterwards", store.store.load(&goes).map(drop)),
        ("delete again", store.store.delete(&goes).map(drop)),
    ] {
        refused(step, result, "NotFound", |error| {
            matches!(error, Error::NotFound { .. })
        })?;
    }
    let listed = store.ids(&ListQuery::default())?;
    same("list afterwards", &listed, &["goes-not"])?;
    same("the other session", &store.texts(&stays)?, &["c"])
}

pub(crate) fn a_deleted_session_leaves_nothing_behind(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let batch = Some(Uuid::from_u128(7));
    let first = store
        .store
        .append(&key, Expect::Any, batch, &[said(9, "old")]);
    done("append", first)?;
    let change = PropertiesChange {
        pinned: Some(true),
        aliases: Some(vec!["other".to_owned()]),
        ..PropertiesChange::default()
    };
    store.update(&key, &change)?;
    store.truncate(&key, 0)?;
    store.delete(&key)?;
    let alias = crate::conformance::subject::key("other")?;
    same("its alias", &store.by_alias(&alias)?, &None)?;
    let second = store
        .store
        // The same batch: were it still known, this would be a retry, and nothing would be written.
        .append(&key, Expect::Sequence(0), batch, &[said(5, "new")]);
    let appended = done("append to a new one of that name", second)?;
    let came = (appended.first, appended.replayed, appended.updated_at);
    same("that append", &came, &(0, false, at(5)))?;
    same("its messages", &store.texts(&key)?, &["new"])?;
    let properties = store.properties(&key)?;
    same("its properties", &properties, &Properties::default())
}

pub(crate) fn delete_unchanged_leaves_what_has_changed(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let seen = store.summary(&key)?.next_sequence;
    store.say(&key, 2, &["b"])?;
    refused(
        "delete_unchanged after an append",
        store.store.delete_unchanged(&key, seen),
        "Conflict with expected 1 and actual 2",
        |error| {
            matches!(error, Error::Conflict { expected, actual, .. }
                if (*expected, *actual) == (1, 2))
        },
    )?;
    same("messages", &store.texts(&key)?, &["a", "b"])?;
    let removed = done("delete_unchanged", store.store.delete_unchanged(&key, 2))?;
    same("records removed", &removed.records, &2)?;
    let again = store.store.delete_unchanged(&key, 2);
    refused("delete_unchanged again", again, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })
}
