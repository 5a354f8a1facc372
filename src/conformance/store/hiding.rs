//! The mark: what is hidden without being removed.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, same};
use crate::conformance::subject::{Subject, at, key, note, said};
use crate::store::{NewRecord, Truncated};

fn truncated(mark: u64, visible: u64, hidden: u64) -> Truncated {
    Truncated {
        mark,
        visible,
        hidden,
    }
}

pub(crate) fn truncate_keeps_the_last_messages(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c", "d"])?;
    let answer = store.truncate(&key, 2)?;
    same("truncate to 2 of 4", &answer, &truncated(2, 2, 2))?;
    same("visible messages", &store.texts(&key)?, &["c", "d"])?;
    store.say(&key, 5, &["e"])?;
    same("after an append", &store.texts(&key)?, &["c", "d", "e"])?;
    let answer = store.truncate(&key, 1)?;
    same("truncate to 1 of 5", &answer, &truncated(4, 1, 4))
}

pub(crate) fn truncate_to_nothing_hides_all(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    // The mark lies behind all records, and not only behind the last message.
    store.append(&key, &[note("n")])?;
    let answer = store.truncate(&key, 0)?;
    same("truncate to 0", &answer, &truncated(3, 0, 2))?;
    same("visible messages", &store.texts(&key)?.len(), &0)?;
    store.say(&key, 3, &["c"])?;
    same("what comes after it", &store.texts(&key)?, &["c"])
}

pub(crate) fn truncate_to_more_shows_messages_again(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.truncate(&key, 1)?;
    let two = store.truncate(&key, 2)?;
    same("truncate to 2 of 3", &two, &truncated(1, 2, 1))?;
    same("visible messages", &store.texts(&key)?, &["b", "c"])?;
    for keep in [3, 4, u64::MAX] {
        let all = store.truncate(&key, keep)?;
        same(
            &format!("truncate to {keep} of 3"),
            &all,
            &truncated(0, 3, 0),
        )?;
    }
    same("visible messages", &store.texts(&key)?, &["a", "b", "c"])
}

pub(crate) fn truncate_counts_messages_and_not_records(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [
        said(1, "a"),
        note("1"),
        said(2, "b"),
        note("2"),
        // A blank line is a record too.
        NewRecord::line("\n"),
        said(3, "c"),
        note("3"),
    ];
    store.append(&key, &records)?;
    let answer = store.truncate(&key, 2)?;
    same("truncate to 2 of 3", &answer, &truncated(2, 2, 1))?;
    same("visible messages", &store.texts(&key)?, &["b", "c"])
}

pub(crate) fn truncate_deletes_nothing(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    store.truncate(&key, 1)?;
    let mut after = (store.records(&key)?, store.summary(&key)?);
    let moved = (after.1.mark, after.1.hidden_count);
    same("mark and hidden_count", &moved, &(2, 2))?;
    (after.1.mark, after.1.hidden_count) = (before.1.mark, before.1.hidden_count);
    // That it moved it is a write.
    after.1.written_at = before.1.written_at;
    same("all else", &after, &before)
}

pub(crate) fn hide_before_names_a_place(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c", "d"])?;
    // What the caller has seen ends before 3; what comes meanwhile has to stay visible.
    store.say(&key, 5, &["arrived meanwhile"])?;
    let answer = store.hide_before(&key, 3)?;
    same("hide before 3 of 5", &answer, &truncated(3, 2, 3))?;
    let texts = store.texts(&key)?;
    same("visible messages", &texts, &["d", "arrived meanwhile"])?;
    let summary = store.summary(&key)?;
    let row = (summary.mark, summary.hidden_count, summary.message_count);
    same("summary", &row, &(3, 3, 5))?;
    same("time of update", &summary.updated_at, &at(5))?;
    same("records that are stored", &store.records(&key)?.len(), &5)
}

pub(crate) fn hide_before_never_moves_backward(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.hide_before(&key, 2)?;
    for sequence in [0, 1, 2] {
        let answer = store.hide_before(&key, sequence)?;
        let step = format!("hide before {sequence}, at a mark of 2");
        same(&step, &answer, &truncated(2, 1, 2))?;
    }
    same("visible messages", &store.texts(&key)?, &["c"])
}

pub(crate) fn hide_before_a_place_to_come_hides_what_is_there(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let answer = store.hide_before(&key, 1_000_000)?;
    let counts = (answer.visible, answer.hidden);
    same("visible and hidden", &counts, &(0, 2))?;
    store.say(&key, 3, &["c"])?;
    same("what comes after it", &store.texts(&key)?, &["c"])
}
