//! Retries that write nothing twice.

use uuid::Uuid;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::subject::{Subject, at, key, said};
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::model::limits::BATCHES_REMEMBERED;
use crate::store::{Appended, Expect, NewRecord};

/// Appends a batch, and gives its numbers and whether it was there already.
fn batch(
    store: &Subject,
    key: &SessionKey,
    expect: Expect,
    number: u128,
    records: &[NewRecord],
) -> Checked<(u64, u64, bool)> {
    let id = Some(Uuid::from_u128(number));
    let appended: Appended = done(
        &format!("append of batch {number}"),
        store.store.append(key, expect, id, records),
    )?;
    Ok((appended.first, appended.last, appended.replayed))
}

pub(crate) fn a_batch_that_is_sent_again_is_written_once(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [said(1, "a"), said(2, "b")];
    let first = batch(&store, &key, Expect::Any, 1, &records)?;
    same("the first time", &first, &(0, 1, false))?;
    // Something else in between: a store that compares with its last records alone would write it
    // again.
    store.say(&key, 3, &["c"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let id = Some(Uuid::from_u128(1));
    let again = store.store.append(&key, Expect::Any, id, &records);
    let again = done("append of batch 1 again", again)?;
    let numbers = (again.first, again.last, again.replayed);
    same("the second time", &numbers, &(0, 1, true))?;
    same("the session's time of update", &again.updated_at, &at(3))?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)
}

pub(crate) fn a_batch_is_known_whatever_is_expected(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [said(1, "a")];
    batch(&store, &key, Expect::Sequence(0), 1, &records)?;
    store.say(&key, 2, &["b"])?;
    // Once it is written its expectation does not hold any more; to refuse the retry would tell its
    // sender that it was lost.
    for expect in [Expect::Sequence(0), Expect::Sequence(99)] {
        let again = batch(&store, &key, expect, 1, &records)?;
        same(&format!("again, with {expect:?}"), &again, &(0, 0, true))?;
    }
    same("messages", &store.texts(&key)?, &["a", "b"])
}

pub(crate) fn a_batch_is_known_by_its_id_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    batch(&store, &key, Expect::Any, 1, &[said(1, "a")])?;
    let other = [said(2, "b"), said(3, "c")];
    let again = batch(&store, &key, Expect::Any, 1, &other)?;
    same("other records under that id", &again, &(0, 0, true))?;
    let same_records = batch(&store, &key, Expect::Any, 2, &[said(1, "a")])?;
    same(
        "those records under another id",
        &same_records,
        &(1, 1, false),
    )?;
    // Without an id, nothing is a retry.
    store.append(&key, &[said(1, "a")])?;
    same("records", &store.records(&key)?.len(), &3)
}

pub(crate) fn the_last_sixteen_batches_are_known(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for number in 0..=BATCHES_REMEMBERED {
        let place = number as u64;
        let sent = batch(&store, &key, Expect::Any, number as u128, &[said(1, "x")])?;
        same("an append", &sent, &(place, place, false))?;
    }
    for number in 1..=BATCHES_REMEMBERED {
        let place = number as u64;
        let again = batch(&store, &key, Expect::Any, number as u128, &[said(1, "x")])?;
        let step = format!("batch {number} of 0 to {BATCHES_REMEMBERED}, sent again");
        same(&step, &again, &(place, place, true))?;
    }
    Ok(())
}

pub(crate) fn a_batch_is_known_whatever_others_append(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    // More than a summary row has room for: the older ones have to be kept elsewhere.
    let others = BATCHES_REMEMBERED * 4;
    for number in 0..others {
        let place = number as u64;
        let sent = batch(&store, &key, Expect::Any, number as u128, &[said(1, "x")])?;
        same("an append", &sent, &(place, place, false))?;
    }
    for number in [0, 1, others / 2] {
        let place = number as u64;
        let again = batch(&store, &key, Expect::Any, number as u128, &[said(1, "x")])?;
        let step = format!("batch {number} of {others}, sent again");
        same(&step, &again, &(place, place, true))?;
    }
    Ok(())
}

pub(crate) fn a_batch_belongs_to_one_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    batch(&store, &key("s")?, Expect::Any, 1, &[said(1, "a")])?;
    let other = batch(&store, &key("t")?, Expect::Any, 1, &[said(1, "a")])?;
    same("the same id in another session", &other, &(0, 0, false))?;
    same("its messages", &store.texts(&key("t")?)?, &["a"])
}

pub(crate) fn a_refused_batch_is_not_remembered(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let id = Some(Uuid::from_u128(1));
    let records = [said(2, "b")];
    let result = store.store.append(&key, Expect::Sequence(7), id, &records);
    refused(
        "append with Sequence(7) at 1",
        result,
        "Conflict",
        |error| matches!(error, Error::Conflict { .. }),
    )?;
    // Else the caller would hear that it is there, and it would not be.
    let again = batch(&store, &key, Expect::Sequence(1), 1, &records)?;
    same("the same batch as expected", &again, &(1, 1, false))?;
    same("messages", &store.texts(&key)?, &["a", "b"])
}

pub(crate) fn a_batch_of_nothing_is_not_remembered(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let empty = batch(&store, &key, Expect::Any, 1, &[])?;
    same("nothing, in a new session", &empty, &(0, 0, false))?;
    let records = [said(1, "a"), said(2, "b")];
    let real = batch(&store, &key, Expect::Any, 1, &records)?;
    same("records under the same id", &real, &(0, 1, false))?;
    // Its last number lies before its first: there is no record that it could name.
    let empty = batch(&store, &key, Expect::Any, 2, &[])?;
    same("nothing, behind them", &empty, &(2, 1, false))?;
    let real = batch(&store, &key, Expect::Any, 2, &[said(3, "c")])?;
    same("a record under the same id", &real, &(2, 2, false))?;
    same("messages", &store.texts(&key)?, &["a", "b", "c"])
}
