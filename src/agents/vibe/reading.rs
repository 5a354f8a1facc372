//! What Mistral Vibe's lines say: messages in the shape that many agents share, and lines that are made here of its
//! newer sessions.

use super::layout::AGENT;
use super::said;
use crate::agents::fallback::Fallback;
use crate::agents::parts::fields::{fields_of, is_true};
use crate::agents::parts::lines::{Format, Reading};
use crate::agents::parts::{entries, titles};
use crate::json::Json;
use crate::model::links::{Links, Place};
use crate::model::message::{Message, Role};
use crate::model::record::RecordKind;

/// Mistral Vibe's sessions.
#[derive(Debug)]
pub(crate) struct Vibe;

/// Whether the program put a message into the talk.
fn is_put_in(object: Json<'_>) -> bool {
    let [injected] = fields_of(Some(object), &["injected"]);
    is_true(injected)
}

/// What was asked, of a text: a sub-agent is told of a folder before that.
fn asked(text: &str) -> Option<&str> {
    let is_told = text.starts_with("Scratchpad directory: ");
    let behind = text.split_once("\n\n").filter(|_| is_told);
    titles::any(behind.map_or(text, |(_, asked)| asked))
}

impl Format for Vibe {
    fn read<'a>(&self, object: Json<'a>) -> Reading<'a> {
        if let Some(entry) = entries::of(AGENT, object) {
            return said::read(&entry);
        }
        let mut reading = Fallback.read(object);
        if reading.kind == RecordKind::Message && reading.role == Some(Role::User) {
            if is_put_in(object) {
                reading.facts.title = None;
            } else {
                let [content] = fields_of(Some(object), &["content"]);
                reading.facts.title = titles::of_message(Role::User, content, asked);
                reading.facts.links = Links {
                    place: Place::Asked,
                    ..Links::default()
                };
            }
        }
        reading
    }

    fn message(&self, object: Json<'_>) -> Message {
        if let Some(entry) = entries::of(AGENT, object) {
            return said::message(&entry);
        }
        let mut message = Fallback.message(object);
        message.injected = message.role == Role::System || is_put_in(object);
        message
    }

    fn about(&self, object: Json<'_>) -> Option<Message> {
        let entry = entries::of(AGENT, object)?;
        entries::about(said::taken(&entry))
    }
}
