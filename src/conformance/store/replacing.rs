//! A history that is replaced: hidden, with another one after it.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, refused, same};
use crate::conformance::subject::{OTHERS, Subject, key, key_of, said};
use crate::model::error::Error;
use crate::store::NewRecord;

pub(crate) fn replace_history_shows_only_the_new_records(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.replace(&key, &[said(5, "d"), said(6, "e")])?;
    same("visible messages", &store.texts(&key)?, &["d", "e"])?;
    let summary = store.summary(&key)?;
    let counts = (
        summary.message_count,
        summary.hidden_count,
        summary.mark,
        summary.next_sequence,
    );
    same("stored, hidden, mark, next", &counts, &(5, 3, 3, 5))?;
    store.replace(&key, &[said(7, "f")])?;
    same("visible after another", &store.texts(&key)?, &["f"])
}

pub(crate) fn replace_history_removes_nothing(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let before = store.records(&key)?;
    store.replace(&key, &[said(5, "c")])?;
    let mut after = store.records(&key)?;
    same("records", &after.len(), &3)?;
    after.truncate(2);
    same("the records that were there", &after, &before)?;
    // Keeping more than there are moves the mark back to the start.
    store.truncate(&key, 9)?;
    same("shown again", &store.texts(&key)?, &["a", "b", "c"])
}

pub(crate) fn replace_history_creates_the_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.replace(&key, &[said(1, "a")])?;
    same("visible messages", &store.texts(&key)?, &["a"])?;
    let summary = store.summary(&key)?;
    let counts = (summary.message_count, summary.hidden_count);
    same("stored and hidden", &counts, &(1, 0))
}

pub(crate) fn replace_history_with_nothing_hides_all(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    store.replace(&key, &[])?;
    same("visible messages", &store.texts(&key)?.len(), &0)?;
    store.say(&key, 3, &["c"])?;
    same("what comes after it", &store.texts(&key)?, &["c"])
}

pub(crate) fn replace_history_is_all_or_none(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let broken = [said(3, "c"), NewRecord::line("{}\n{}\n")];
    let result = store.store.replace_history(&key, &broken);
    refused(
        "replace with a bad record",
        result,
        "InvalidLine",
        |error| matches!(error, Error::InvalidLine { .. }),
    )?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)?;
    let foreign = key_of(OTHERS, "s")?;
    let result = store.store.replace_history(&foreign, &[said(1, "a")]);
    refused(
        "replace in a format that is only read",
        result,
        "Unsupported",
        |error| matches!(error, Error::Unsupported { .. }),
    )
}
