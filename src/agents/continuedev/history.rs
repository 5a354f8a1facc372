//! What Continue's lines say. An item of the history is a message with what happened to its calls: where no
//! message of a tool follows, what the tool answered stands there alone.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::agents::described::Facts;
use crate::agents::parts::compact::{compact, object};
use crate::agents::parts::entries::{self as made, Entry, EntryFormat};
use crate::agents::parts::fields::{count, elements, entries, fields_of, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, paths, pieces, titles};
use crate::json::Json;
use crate::model::links::{Links, id_hash};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "continue";

/// Continue's sessions.
#[derive(Debug)]
pub(crate) struct ContinueDev;

/// The kind of the lines of what the history holds.
pub(super) const ITEM: &str = "item";

/// The member of an item with what happened to its calls.
const STATES: &str = "toolCallStates";

/// Titles of sessions that have none yet.
const NO_TITLE: [&str; 3] = ["New Session", "Untitled Session", "Untitled"];

/// Whether a title is that of a session without one.
pub(super) fn is_no_title(title: &str) -> bool {
    NO_TITLE.contains(&title)
}

/// Items of a history, on one line each. Where a message of a tool has an answer, it is not there once more
/// with the call.
pub(super) fn items(history: &[Json<'_>]) -> Vec<String> {
    let answers: HashSet<String> = history
        .iter()
        .filter_map(|item| {
            let [message] = fields_of(Some(*item), &["message"]);
            let [role, call] = fields_of(message, &["role", "toolCallId"]);
            owned(call).filter(|_| text(role).as_deref() == Some("tool"))
        })
        .collect();
    let is_answered = |states: Json<'_>| {
        elements(states).into_iter().any(|state| {
            let [id] = fields_of(Some(state), &["toolCallId"]);
            text(id).is_some_and(|id| answers.contains(&*id))
        })
    };
    let each = history.iter();
    each.map(|item| {
        let [states] = fields_of(Some(*item), &[STATES]);
        // A line is made once: had it both, the answer would be shown twice.
        if !states.is_some_and(is_answered) {
            return compact(item.get());
        }
        let members: Vec<(String, String)> = entries(*item)
            .into_iter()
            .filter(|(key, _)| key != STATES)
            .map(|(key, value)| (key, compact(value.get())))
            .collect();
        let members = members.iter();
        object(members.map(|(key, value)| (key.as_str(), value.as_str())))
    })
    .collect()
}

impl EntryFormat for ContinueDev {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[ITEM];

    /// What is said of a session.
    fn session(about: Json<'_>) -> Reading<'_> {
        let [id, title, folder, model] = fields_of(
            Some(about),
            &["sessionId", "title", "workspaceDirectory", "chatModelTitle"],
        );
        let title = text_filled(title).filter(|title| !is_no_title(title));
        Reading::meta(Facts {
            project: text_filled(folder).and_then(paths::folder_of_uri),
            title: titles::latest(title, titles::GENERATED),
            model: text_filled(model),
            links: Links {
                answer: made::taken(AGENT, id, taken(about)),
                ..Links::default()
            },
            ..Facts::default()
        })
    }

    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        said(entry.entry)
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        vec![message(entry.entry)]
    }

    fn usage(about: Json<'_>) -> Option<Usage> {
        taken(about)
    }
}

/// What a session took: the sum of all its calls.
fn taken(about: Json<'_>) -> Option<Usage> {
    let [usage] = fields_of(Some(about), &["usage"]);
    let [input, output, details] = fields_of(
        usage,
        &["promptTokens", "completionTokens", "promptTokensDetails"],
    );
    let [read, written] = fields_of(details, &["cachedTokens", "cacheWriteTokens"]);
    input.or(output).map(|_| Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cache_read_tokens: count(read),
        cache_write_tokens: count(written),
    })
}

/// Who speaks; thoughts are the model's.
fn speaker(role: &str) -> Role {
    match role {
        "thinking" => Role::Assistant,
        word => Role::from_word(word),
    }
}

/// What an item says, for a header. It has no id: it is known by who says what, and what happens to its calls
/// may change.
fn said(item: Json<'_>) -> Reading<'_> {
    let [message] = fields_of(Some(item), &["message"]);
    let [role, content] = fields_of(message, &["role", "content"]);
    let Some(word) = text(role) else {
        return Reading::of(RecordKind::Event);
    };
    let role = speaker(&word);
    let known_by = format!("{word} {}", content.map_or("", Json::get));
    let mut reading = Reading::said(role);
    reading.facts = Facts {
        record_id: Some(Cow::Owned(format!("{:016x}", id_hash(&known_by)))),
        model: model(message),
        title: titles::of_message(role, content, titles::any),
        ..Facts::default()
    };
    reading
}

fn message(item: Json<'_>) -> Message {
    let [message, states] = fields_of(Some(item), &["message", STATES]);
    let [role, said, calls, call] =
        fields_of(message, &["role", "content", "toolCalls", "toolCallId"]);
    let word = text(role).unwrap_or_default();
    let role = speaker(&word);
    let mut content = Vec::new();
    match &*word {
        "tool" => content.push(blocks::result(owned(call), None, said, false)),
        "thinking" => content.extend(owned(said).map(blocks::thought)),
        _ => content.extend(said.map(parts).unwrap_or_default()),
    }
    content.extend(calls.into_iter().flat_map(elements).map(pieces::call));
    content.extend(states.into_iter().flat_map(elements).filter_map(answered));
    Message {
        content,
        model: model(message).map(Cow::into_owned),
        ..Message::new(role)
    }
}

/// The model that answered, as the count of its tokens names it.
fn model(message: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    let [usage] = fields_of(message, &["usage"]);
    let [model] = fields_of(usage, &["model"]);
    text_filled(model)
}

/// The parts of a content: a text, or texts and images.
fn parts(content: Json<'_>) -> Vec<Block> {
    if !content.get().starts_with('[') {
        return blocks::content(Some(content));
    }
    let mut found = Vec::new();
    for part in elements(content) {
        let [kind, image] = fields_of(Some(part), &["type", "imageUrl"]);
        let [url] = fields_of(image, &["url"]);
        match owned(url).filter(|_| text(kind).as_deref() == Some("imageUrl")) {
            Some(url) => found.push(blocks::image_of(url)),
            None => found.extend(blocks::content(Some(part))),
        }
    }
    found
}

/// What a tool answered to a call, if it has.
fn answered(state: Json<'_>) -> Option<Block> {
    let [id, status, output] = fields_of(Some(state), &["toolCallId", "status", "output"]);
    // A call that still runs, or waits to be allowed, has a state without output.
    let output = output.filter(|output| output.get().starts_with('['))?;
    let texts: Vec<String> = elements(output)
        .into_iter()
        .filter_map(|item| {
            let [content] = fields_of(Some(item), &["content"]);
            text(content).map(Cow::into_owned)
        })
        .collect();
    let is_error = matches!(text(status).as_deref(), Some("errored" | "canceled"));
    Some(Block::ToolResult {
        id: owned(id),
        name: None,
        output: texts.join("\n"),
        is_error,
        images: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_times_is_known_by_what_it_says() {
        let id = |item: &str| {
            let item = Json::parse(item).unwrap();
            said(item).facts.record_id.map(Cow::into_owned)
        };
        let calling = r#"{"message":{"role":"assistant","content":"a"},"toolCallStates":[]}"#;
        let called =
            r#"{"message":{"role":"assistant","content":"a"},"toolCallStates":[{"output":[]}]}"#;
        let other = r#"{"message":{"role":"assistant","content":"b"}}"#;
        assert_eq!(id(calling), id(called));
        assert_ne!(id(calling), id(other));
    }
}
