//! What the lines made of a history say.

use std::borrow::Cow;

use super::history::{AGENT, MODEL, PROGRAM, USER};
use crate::agents::described::Facts;
use crate::agents::parts::entries::{self, SESSION};
use crate::agents::parts::fields::{fields_of, text};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{blocks, times, titles};
use crate::json::Json;
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// aider's histories.
#[derive(Debug)]
pub(crate) struct Aider;

fn speaker(kind: &str) -> Option<Role> {
    match kind {
        USER => Some(Role::User),
        MODEL => Some(Role::Assistant),
        PROGRAM => Some(Role::System),
        _ => None,
    }
}

impl Format for Aider {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        let Some(entry) = entries::of(AGENT, object) else {
            return Reading::of(RecordKind::Unknown);
        };
        if entry.kind == SESSION {
            let [started] = fields_of(Some(entry.entry), &["started"]);
            let time = times::sql_time_us(started);
            return Reading {
                time_us: time,
                facts: Facts {
                    created_us: time,
                    ..Facts::default()
                },
                ..Reading::of(RecordKind::Meta)
            };
        }
        let Some(role) = speaker(&entry.kind).filter(|_| text(Some(entry.entry)).is_some()) else {
            return Reading::of(RecordKind::Event);
        };
        let mut reading = Reading::of(RecordKind::Message);
        reading.role = Some(role);
        // A command of the program says little of what a session is about.
        let is_title = |said: &Cow<'_, str>| role == Role::User && !said.starts_with('/');
        let said = text(Some(entry.entry)).filter(is_title);
        reading.facts.title = titles::offer(said, titles::FIRST_MESSAGE);
        // A piece that grows begins as it did.
        let first = text(Some(entry.entry)).and_then(|said| said.lines().next().map(str::to_owned));
        reading.facts.record_id = first.map(Cow::Owned);
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        let Some(entry) = entries::of(AGENT, object) else {
            return Message::new(Role::Other);
        };
        let role = speaker(&entry.kind).unwrap_or(Role::Other);
        let said = text(Some(entry.entry)).unwrap_or_default();
        Message {
            content: vec![blocks::said(said.into_owned())],
            injected: role == Role::System,
            ..Message::new(role)
        }
    }
}
