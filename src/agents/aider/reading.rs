//! What the lines made of a history say.

use std::borrow::Cow;

use super::history::{AGENT, MODEL, PROGRAM, USER};
use crate::agents::described::Facts;
use crate::agents::parts::entries::{Entry, EntryFormat};
use crate::agents::parts::fields::{fields_of, text};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, titles};
use crate::json::Json;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// aider's histories.
#[derive(Debug)]
pub(crate) struct Aider;

fn speaker(kind: &str) -> Role {
    match kind {
        USER => Role::User,
        MODEL => Role::Assistant,
        _ => Role::System,
    }
}

impl EntryFormat for Aider {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[USER, MODEL, PROGRAM];

    fn session(about: Json<'_>) -> Reading<'_> {
        let [started] = fields_of(Some(about), &["started"]);
        let time_us = times::sql_time_us(started);
        Reading {
            time_us,
            ..Reading::meta(Facts {
                created_us: time_us,
                ..Facts::default()
            })
        }
    }

    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let Some(said) = text(Some(entry.entry)) else {
            return Reading::of(RecordKind::Event);
        };
        let role = speaker(&entry.kind);
        let mut reading = Reading::said(role);
        // A piece that grows begins as it did.
        let first = said.lines().next().map(str::to_owned);
        reading.facts.record_id = first.map(Cow::Owned);
        // A command of the program says little of what a session is about.
        let is_title = role == Role::User && !said.starts_with('/');
        reading.facts.title = titles::offer(Some(said).filter(|_| is_title), titles::FIRST_MESSAGE);
        reading
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        let role = speaker(&entry.kind);
        let said = text(Some(entry.entry)).unwrap_or_default();
        vec![Message {
            content: vec![blocks::said(said.into_owned())],
            injected: role == Role::System,
            ..Message::new(role)
        }]
    }
}
