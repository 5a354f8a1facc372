//! The titles that Codex's lines offer: the names of threads, and the user's first words. What the user
//! typed stands in events; in the items that go to the model others speak in the user's name too.

use crate::agents::described::TitleOffer;
use crate::agents::parts::fields::{elements, fields_of, text};
use crate::agents::parts::titles;
use crate::json::Json;
use crate::model::message::Role;

/// What a user's message starts with when Codex wrote it.
const NOT_WRITTEN: [&str; 18] = [
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md",
    "<permissions",
    "<turn_aborted>",
    "<INSTRUCTIONS>",
    "<skill>",
    "<user_action>",
    "<recommended_plugins>",
    "<skills_instructions>",
    "<apps_instructions>",
    "<plugins_instructions>",
    "<collaboration_mode>",
    "<multi_agent_mode>",
    "<personality_spec>",
    "<subagent_notification>",
    "<model_switch>",
    "<memories>",
];

/// What the editor puts before the user's words.
const REQUEST: &str = "## My request for Codex:";

/// What an item of the model's input offers, where no event says what the user typed.
pub(super) fn of_item(role: Role, content: Option<Json<'_>>) -> Option<TitleOffer<'_>> {
    titles::of_message(role, content, written).map(|offer| TitleOffer {
        rank: titles::DOUBTFUL_MESSAGE,
        ..offer
    })
}

/// What an event offers.
pub(super) fn of_event<'a>(kind: &str, payload: Json<'a>) -> Option<TitleOffer<'a>> {
    let [message, name, item] = fields_of(Some(payload), &["message", "thread_name", "item"]);
    match kind {
        "user_message" => {
            let said = text(message).and_then(|said| titles::cleaned(said, written));
            titles::offer(said, titles::FIRST_MESSAGE)
        }
        "thread_name_updated" => titles::changed(text(name), titles::CHOSEN),
        "item_completed" => {
            let [kind, content] = fields_of(item, &["type", "content"]);
            // The model's words and its calls come in such events too.
            let is_users = text(kind).as_deref() == Some("UserMessage");
            let content = content.filter(|_| is_users)?;
            let said = elements(content).into_iter().find_map(|part| {
                let [said] = fields_of(Some(part), &["text"]);
                text(said).and_then(|said| titles::cleaned(said, written))
            });
            titles::offer(said, titles::FIRST_MESSAGE)
        }
        _ => None,
    }
}

/// What the user wrote of a text: nothing of what Codex wrote in the user's name.
fn written(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = match text.split_once(REQUEST) {
        Some((before, request)) if before.starts_with('#') => request.trim_start(),
        _ => text,
    };
    let is_written = !text.is_empty() && !NOT_WRITTEN.iter().any(|start| text.starts_with(start));
    is_written.then_some(text)
}
