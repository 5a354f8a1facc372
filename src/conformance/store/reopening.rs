//! What is there when a store is opened again.

use uuid::Uuid;

use crate::conformance::check::{Checked, done, same};
use crate::conformance::subject::{Subject, at, key, message, said, session};
use crate::conformance::{MakePlace, OpenStore};
use crate::model::properties::PropertiesChange;
use crate::store::{Expect, ListQuery};

fn open(place: &OpenStore) -> Subject {
    Subject { store: place() }
}

pub(crate) fn what_was_acknowledged_is_there_again(make: &MakePlace) -> Checked {
    let place = make();
    let store = open(&place);
    let mut saved = session("saved", &[message(1, "a"), message(2, "b")])?;
    "A title".clone_into(&mut saved.title);
    saved.project = Some("/home/ada".to_owned());
    store.save(&mut saved)?;
    store.say(&key("appended")?, 3, &["c", "d"])?;
    store.delete(&key("appended")?)?;
    store.say(&key("other")?, 4, &["e"])?;
    let records = store.records(&saved.key)?;
    let listed = store.list(&ListQuery::default())?;
    // Closed first: it may have locked its files.
    drop(store);
    let store = open(&place);
    same("list", &store.list(&ListQuery::default())?, &listed)?;
    same("records", &store.records(&saved.key)?, &records)?;
    same("load", &store.load(&saved.key)?, &saved)
}

pub(crate) fn marks_and_compactions_are_there_again(make: &MakePlace) -> Checked {
    let place = make();
    let (first, second) = (key("one")?, key("two")?);
    let store = open(&place);
    store.say(&first, 1, &["a", "b", "c"])?;
    store.truncate(&first, 1)?;
    store.say(&second, 1, &["a", "b", "c"])?;
    store.hide_before(&second, 2)?;
    store.compact(&second, None)?;
    drop(store);
    let store = open(&place);
    same("visible messages", &store.texts(&first)?, &["c"])?;
    same("records of it", &store.records(&first)?.len(), &3)?;
    let left: Vec<u64> = store.records(&second)?.iter().map(|r| r.sequence).collect();
    same("records of a compacted one", &left, &[2])
}

pub(crate) fn numbers_go_on_when_opened_again(make: &MakePlace) -> Checked {
    let place = make();
    let (first, second) = (key("one")?, key("two")?);
    let store = open(&place);
    store.say(&first, 1, &["a", "b"])?;
    store.truncate(&first, 0)?;
    store.compact(&first, None)?;
    store.say(&second, 1, &["x"])?;
    let number = store.summary(&second)?.number;
    // The highest number goes: one that is counted from what is there would be given again.
    store.delete(&second)?;
    drop(store);
    let store = open(&place);
    let appended = store.say(&first, 3, &["c"])?;
    same("the next record", &appended.first, &2)?;
    let third = key("three")?;
    store.say(&third, 1, &["y"])?;
    let next = store.summary(&third)?.number;
    crate::conformance::check::holds(
        "the number of a new session",
        next > number,
        "one that no session had",
        &(number, next),
    )
}

pub(crate) fn batches_are_known_when_opened_again(make: &MakePlace) -> Checked {
    let place = make();
    let key = key("s")?;
    let id = Some(Uuid::from_u128(1));
    let records = [said(1, "a")];
    let store = open(&place);
    let first = store.store.append(&key, Expect::Any, id, &records);
    done("append", first)?;
    drop(store);
    let store = open(&place);
    let again = store.store.append(&key, Expect::Any, id, &records);
    let again = done("the same append again", again)?;
    same("it", &(again.first, again.replayed), &(0, true))?;
    same("messages", &store.texts(&key)?, &["a"])
}

pub(crate) fn properties_are_there_again(make: &MakePlace) -> Checked {
    let place = make();
    let store = open(&place);
    let own = key("s")?;
    store.say(&own, 1, &["a"])?;
    let change = PropertiesChange {
        title: Some(Some("Given".to_owned())),
        summary: Some("They spoke.".to_owned()),
        pinned: Some(true),
        aliases: Some(vec!["x".to_owned()]),
        ..PropertiesChange::default()
    };
    let properties = store.update(&own, &change)?;
    drop(store);
    let store = open(&place);
    same("properties", &store.properties(&own)?, &properties)?;
    same("by_alias", &store.by_alias(&key("x")?)?, &Some(own.clone()))?;
    let summary = store.summary(&own)?;
    let shown = (&*summary.title, summary.pinned, summary.updated_at);
    same("summary", &shown, &("Given", true, at(1)))
}
