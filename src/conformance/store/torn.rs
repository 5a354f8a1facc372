//! Sessions whose last line was torn: an import takes them as they are.

use uuid::Uuid;

use crate::conformance::MakeTorn;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::subject::{Subject, key, message, note, said};
use crate::model::error::Error;
use crate::model::key::SessionKey;
use crate::store::Expect;

/// A line that has no line feed at its end.
const TORN: &str = "{\"scrollback\":1,\"type\":\"note\",\"text\":\"torn";

/// A store with one session, of two lines: a whole one and a torn one.
fn torn(make: &MakeTorn) -> Checked<(Subject, SessionKey)> {
    let key = key("torn")?;
    let whole = "{\"scrollback\":1,\"type\":\"session\",\"id\":\"torn\"}\n";
    let store = Subject {
        store: make(&key, format!("{whole}{TORN}").as_bytes()),
    };
    same(
        "lines that were imported",
        &store.lines(&key)?,
        &[whole, TORN],
    )?;
    Ok((store, key))
}

pub(crate) fn an_append_never_fuses_with_a_torn_line(make: &MakeTorn) -> Checked {
    let (store, key) = torn(make)?;
    let appended = store.append(&key, &[note("1"), note("2")])?;
    let lines = store.lines(&key)?;
    let behind: Vec<&str> = lines.iter().skip(1).map(String::as_str).collect();
    let (first, second) = (
        "{\"scrollback\":1,\"type\":\"note\",\"text\":\"1\"}\n",
        "{\"scrollback\":1,\"type\":\"note\",\"text\":\"2\"}\n",
    );
    same("lines", &behind, &[TORN, "\n", first, second])?;
    // The numbers are those of the records that were asked for, the line feed left out.
    same("numbers", &(appended.first, appended.last), &(3, 4))?;
    store.append(&key, &[note("3")])?;
    same("records after another", &store.records(&key)?.len(), &6)
}

pub(crate) fn a_save_never_fuses_with_a_torn_line(make: &MakeTorn) -> Checked {
    let (store, key) = torn(make)?;
    let mut loaded = store.load(&key)?;
    loaded.messages.push(message(1, "a"));
    store.save(&mut loaded)?;
    let lines = store.lines(&key)?;
    let behind: Vec<&str> = lines.iter().skip(1).take(2).map(String::as_str).collect();
    same("lines", &behind, &[TORN, "\n"])?;
    same("messages", &store.texts(&key)?, &["a"])
}

pub(crate) fn a_retry_behind_a_torn_line_gives_the_same_numbers(make: &MakeTorn) -> Checked {
    let (store, key) = torn(make)?;
    let id = Some(Uuid::from_u128(1));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let records = [said(1, "a")];
        let result = store.store.append(&key, Expect::Any, id, &records);
        let appended = done("append behind a torn line", result)?;
        answers.push((appended.first, appended.last, appended.replayed));
    }
    // The first append also wrote the missing line feed, as record 2.
    same("both times", &answers, &[(3, 3, false), (3, 3, true)])
}

pub(crate) fn behind_a_torn_line_the_next_record_is_expected(make: &MakeTorn) -> Checked {
    let (store, key) = torn(make)?;
    let next = store.summary(&key)?.next_sequence;
    same("the next sequence number", &next, &2)?;
    let late = store
        .store
        .append(&key, Expect::Sequence(3), None, &[said(1, "a")]);
    refused("append with Sequence(3) at 2", late, "Conflict", |error| {
        matches!(error, Error::Conflict { actual: 2, .. })
    })?;
    let result = store
        .store
        .append(&key, Expect::Sequence(2), None, &[said(1, "a")]);
    let appended = done("append with Sequence(2)", result)?;
    same("numbers", &(appended.first, appended.last), &(3, 3))
}

pub(crate) fn an_append_of_nothing_leaves_a_torn_line_alone(make: &MakeTorn) -> Checked {
    let (store, key) = torn(make)?;
    let before = store.summary(&key)?;
    let appended = store.append(&key, &[])?;
    same("numbers", &(appended.first, appended.last), &(2, 1))?;
    same("the session", &store.summary(&key)?, &before)?;
    same("lines", &store.lines(&key)?.len(), &2)
}
