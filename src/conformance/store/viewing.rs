//! The view of a session: what only later lines tell of a message.

use crate::agents::{self, Agent};
use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, same};
use crate::conformance::subject::{OTHERS, Subject, at, key, key_of, message};
use crate::model::exception::ExceptionKind;
use crate::model::links::Act;
use crate::model::message::{Block, Message, Role};
use crate::store::NewRecord;

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
