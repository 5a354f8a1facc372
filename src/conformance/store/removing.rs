//! Deletions and cleanups.

use uuid::Uuid;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::subject::{Subject, at, ids, key, said};
use crate::model::error::Error;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::{Expect, ListQuery, Removed};

pub(crate) fn delete_removes_the_session_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
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
        .append(&key, Expect::Sequence(0), batch, &[said(5, "new")]);
    let appended = done("append to a new one of that name", second)?;
    let came = (appended.first, appended.replayed, appended.updated_at);
    same("that append", &came, &(0, false, at(5)))?;
    same("its messages", &store.texts(&key)?, &["new"])?;
    let properties = store.properties(&key)?;
    same("its properties", &properties, &Properties::default())
}

pub(crate) fn cleanup_is_strictly_before(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for (id, second) in [("a", 10), ("b", 20), ("c", 30)] {
        store.say(&key(id)?, second, &["x"])?;
    }
    let bytes = store.summary(&key("a")?)?.bytes;
    let expected = Removed {
        sessions: 1,
        records: 1,
        bytes,
    };
    same("cleanup before 20", &store.cleanup(at(20))?, &expected)?;
    let left = store.ids(&ListQuery::default())?;
    same("what is left", &left, &["c", "b"])?;
    let nothing = store.cleanup(at(20))?;
    same("the same cleanup again", &nothing, &Removed::default())
}

pub(crate) fn cleanup_takes_what_the_list_answers(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for number in 0..8 {
        // Made in another order than updated, and some of them updated later on.
        let id = key(&format!("s{number}"))?;
        store.say(&id, number * 5 % 8, &["x"])?;
        if number % 4 == 0 {
            store.say(&id, 100, &["again"])?;
        }
    }
    let pinned = PropertiesChange {
        pinned: Some(true),
        ..PropertiesChange::default()
    };
    store.update(&key("s1")?, &pinned)?;
    let before = ListQuery {
        before: Some(at(6)),
        ..ListQuery::default()
    };
    let going = ids(&store.list(&before)?);
    let mut staying = store.ids(&ListQuery::default())?;
    staying.retain(|id| !going.contains(id));
    let removed = store.cleanup(at(6))?;
    same("sessions removed", &removed.sessions, &(going.len() as u64))?;
    let left = store.ids(&ListQuery::default())?;
    same("what is left", &left, &staying)
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
