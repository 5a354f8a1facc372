//! The view of a session: what only later lines tell of a message.

use crate::agents::{self, Agent};
use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, one, refused, same};
use crate::conformance::subject::{OTHERS, Subject, at, key, key_of, message, note, said};
use crate::model::error::Error;
use crate::model::exception::ExceptionKind;
use crate::model::links::Act;
use crate::model::message::{Block, Message, Role};
use crate::store::{Expect, NewRecord};

/// A message that is written again, in the lines of an agent that does so.
const AGAIN: [&str; 4] = [
    r#"{"id":"m1","type":"user","content":"which port?"}"#,
    r#"{"id":"m2","type":"user","content":"80"}"#,
    r#"{"id":"m3","type":"user","content":"why?"}"#,
    r#"{"id":"m2","type":"user","content":"8080"}"#,
];

/// An agent that writes messages again under their ids.
fn rewriting() -> &'static str {
    let is_it = |agent: &&&'static dyn Agent| {
        let described = agent.describe(AGAIN[0].as_bytes());
        described.header.messages == 1 && described.facts.links.act == Act::Again
    };
    let found = agents::all().iter().find(is_it);
    found.map_or(OTHERS, |agent| agent.agent())
}

pub(crate) fn a_message_that_is_written_again_is_one(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key_of(rewriting(), "s")?;
    store.append(&key, &AGAIN.map(NewRecord::line))?;
    let said = ["which port?", "8080", "why?"];
    same("load", &store.texts(&key)?, &said)?;
    same("message_count", &store.summary(&key)?.message_count, &3)?;
    let told = store.store.exceptions(&key, 0, u64::MAX);
    let mut told: Vec<_> = done("exceptions", told)?
        .into_iter()
        .map(|exception| (exception.kind, exception.first, exception.by))
        .collect();
    told.sort_unstable();
    let expected = [
        (ExceptionKind::Replaced, 1, Some(3)),
        (ExceptionKind::Moved, 3, Some(1)),
    ];
    same("exceptions", &told, &expected)?;
    let of_one = done("exceptions", store.store.exceptions(&key, 2, 2))?;
    same("exceptions of a record without any", &of_one, &[])
}

pub(crate) fn find_message_leads_to_its_first_place(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key_of(rewriting(), "s")?;
    store.append(&key, &AGAIN.map(NewRecord::line))?;
    // What is hidden is found as well.
    store.truncate(&key, 1)?;
    let find = |id| done("find_message", store.store.find_message(&key, id));
    same("a message that was written again", &find("m2")?, &Some(1))?;
    same("another one", &find("m3")?, &Some(2))?;
    same("one that is not there", &find("m4")?, &None)?;
    let plain = self::key("plain")?;
    store.say(&plain, 1, &["a", "b"])?;
    let found = done("find_message", store.store.find_message(&plain, "b"))?;
    same("a message of another format", &found, &Some(1))
}

pub(crate) fn take_back_appends_a_line_that_says_so(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.append(&key, &[said(1, "a"), said(2, "b"), note("x"), said(3, "c")])?;
    let before = store.lines(&key)?;
    for (left, first) in [(2, 4), (1, 5)] {
        let appended = done("take_back", store.store.take_back(&key, Expect::Any))?;
        let appended = one("what take_back did", appended)?;
        same(
            "its place",
            &(appended.first, appended.last),
            &(first, first),
        )?;
        let session = store.load(&key)?;
        let live = session.messages.iter().filter(|message| message.live);
        same("messages that are live", &live.count(), &left)?;
    }
    store.say(&key, 4, &["d"])?;
    let messages = store.load(&key)?.messages;
    let live: Vec<bool> = messages.iter().map(|message| message.live).collect();
    same("which are live", &live, &[true, false, false, true])?;
    let lines = store.lines(&key)?;
    same("the lines before", &lines.get(..4), &before.get(..4))?;
    same("the messages", &store.texts(&key)?, &["a", "b", "c", "d"])
}

pub(crate) fn take_back_writes_where_it_is_expected_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    store.hide_before(&key, 1)?;
    let is_conflict = |error: &Error| matches!(error, Error::Conflict { actual: 2, .. });
    let elsewhere = store.store.take_back(&key, Expect::Sequence(1));
    refused("take_back elsewhere", elsewhere, "Conflict", is_conflict)?;
    let there = done(
        "take_back",
        store.store.take_back(&key, Expect::Sequence(2)),
    )?;
    same("take_back", &there.is_some(), &true)?;
    let none = done("take_back", store.store.take_back(&key, Expect::Any))?;
    same("take_back of what is hidden", &none, &None)?;
    same("records", &store.records(&key)?.len(), &3)?;
    let theirs = key_of(rewriting(), "s")?;
    store.append(&theirs, &AGAIN.map(NewRecord::line))?;
    let is_unsupported = |error: &Error| matches!(error, Error::Unsupported { .. });
    let answer = store.store.take_back(&theirs, Expect::Any);
    refused(
        "take_back of another's",
        answer,
        "Unsupported",
        is_unsupported,
    )
}

pub(crate) fn truncate_keeps_a_tools_answer_with_its_call(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let with = |second, text: &str, role, block| Message {
        role,
        content: vec![block],
        ..message(second, text)
    };
    let id = || Some("t".to_owned());
    let call = Block::ToolUse {
        id: id(),
        name: "run".to_owned(),
        input: None,
    };
    let answer = Block::ToolResult {
        id: id(),
        name: None,
        output: "done".to_owned(),
        is_error: false,
        images: Vec::new(),
    };
    let records = [
        message(1, "ask"),
        with(2, "call", Role::Assistant, call),
        with(3, "answer", Role::Tool, answer),
        message(4, "last"),
    ];
    store.append(&key, &records.map(NewRecord::message))?;
    let visible = |keep| {
        let truncated = store.truncate(&key, keep)?;
        let ids = store.load(&key)?.messages.into_iter();
        Ok((
            truncated.visible,
            ids.filter_map(|one| one.id).collect::<Vec<_>>(),
        ))
    };
    let expected = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        (ids.len() as u64, ids)
    };
    same(
        // An answer without its call is one that models refuse: so the call stays too.
        "truncate to 2",
        &visible(2)?,
        &expected(&["call", "answer", "last"]),
    )?;
    same("truncate to 1", &visible(1)?, &expected(&["last"]))?;
    same("truncate to 0", &visible(0)?, &expected(&[]))?;
    same(
        "the time of the last",
        &store.summary(&key)?.updated_at,
        &at(4),
    )
}
