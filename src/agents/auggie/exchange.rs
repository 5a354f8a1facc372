//! What Auggie's lines say. An exchange is what was asked and what was answered, as texts and as nodes: two
//! messages, and one more for what tools had answered.

use std::borrow::Cow;

use crate::agents::described::Facts;
use crate::agents::parts::entries::{Entry, EntryFormat};
use crate::agents::parts::fields::{elements, fields_of, is_true, owned, text, text_filled};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::{blocks, times, titles};
use crate::json::Json;
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// The agent's name.
pub(super) const AGENT: &str = "auggie";

/// Auggie's sessions.
#[derive(Debug)]
pub(crate) struct Auggie;

/// The member that holds the exchanges.
pub(super) const EXCHANGES: &str = "chatHistory";

impl EntryFormat for Auggie {
    const AGENT: &'static str = AGENT;
    const SAID: &'static [&'static str] = &[EXCHANGES];

    /// What is said of a session.
    fn session(about: Json<'_>) -> Reading<'_> {
        let [created, modified, chosen, title] = fields_of(
            Some(about),
            &["created", "modified", "customTitle", "title"],
        );
        let chosen = text_filled(chosen);
        let rank = match chosen {
            Some(_) => titles::CHOSEN,
            None => titles::GENERATED,
        };
        Reading::meta(Facts {
            created_us: times::time_us(created),
            updated_us: times::time_us(modified),
            title: titles::latest(chosen.or_else(|| text_filled(title)), rank),
            ..Facts::default()
        })
    }

    /// What an exchange says, for a header.
    fn said<'a>(entry: &Entry<'a>) -> Reading<'a> {
        let item = entry.entry;
        let said = messages(item);
        let Some(first) = said.first() else {
            return Reading::of(RecordKind::Event);
        };
        let [exchange, number, finished] =
            fields_of(Some(item), &["exchange", "sequenceId", "finishedAt"]);
        let [id, nodes] = fields_of(exchange, &["request_id", "request_nodes"]);
        let asked = said.iter().find(|message| message.role == Role::User);
        let title = asked.map(|message| Cow::Owned(message.plain_text()));
        let mut reading = Reading::said(first.role);
        reading.messages = said.len();
        reading.time_us = times::time_us(finished);
        reading.facts = Facts {
            record_id: text_filled(id).or_else(|| number.map(|number| Cow::Borrowed(number.get()))),
            title: titles::offer(title, titles::FIRST_MESSAGE),
            project: nodes.and_then(folder),
            ..Facts::default()
        };
        reading
    }

    fn messages(entry: &Entry<'_>) -> Vec<Message> {
        messages(entry.entry)
    }
}

/// The folder that was open when something was asked: the first of the workspace.
fn folder(nodes: Json<'_>) -> Option<Cow<'_, str>> {
    elements(nodes).into_iter().find_map(|node| {
        let [state] = fields_of(Some(node), &["ide_state_node"]);
        let [folders] = fields_of(state, &["workspace_folders"]);
        let first = elements(folders?).into_iter().next();
        let [folder, root] = fields_of(first, &["folder_root", "repository_root"]);
        text_filled(folder).or_else(|| text_filled(root))
    })
}

/// The messages of an exchange.
fn messages(item: Json<'_>) -> Vec<Message> {
    let [exchange, finished] = fields_of(Some(item), &["exchange", "finishedAt"]);
    let [id, asked, answered, request, response] = fields_of(
        exchange,
        &[
            "request_id",
            "request_message",
            "response_text",
            "request_nodes",
            "response_nodes",
        ],
    );
    let request = request.map(nodes).unwrap_or_default();
    let response = response.map(nodes).unwrap_or_default();
    // What tools answered is sent with the next question, as if the user had said it.
    let (answers, mut question): (Vec<Block>, Vec<Block>) = request
        .into_iter()
        .partition(|block| matches!(block, Block::ToolResult { .. }));
    let mut answer = response;
    // The texts say what the nodes say, where there are some.
    let has_text = |said: &[Block]| said.iter().any(|block| matches!(block, Block::Text { .. }));
    if let Some(asked) = owned(asked).filter(|_| !has_text(&question)) {
        question.insert(0, blocks::said(asked));
    }
    if let Some(answered) = owned(answered).filter(|_| !has_text(&answer)) {
        answer.insert(0, blocks::said(answered));
    }
    let said = [
        (Role::Tool, answers),
        (Role::User, question),
        (Role::Assistant, answer),
    ];
    let said = said.into_iter().filter(|(_, content)| !content.is_empty());
    said.map(|(role, content)| Message {
        id: owned(id),
        content,
        time: times::time(finished),
        ..Message::new(role)
    })
    .collect()
}

/// The blocks in nodes: of texts, of tools' answers and calls; others say how the program works.
fn nodes(list: Json<'_>) -> Vec<Block> {
    elements(list).into_iter().filter_map(node).collect()
}

fn node(node: Json<'_>) -> Option<Block> {
    let [own, text_node, result, call, thinking] = fields_of(
        Some(node),
        &[
            "content",
            "text_node",
            "tool_result_node",
            "tool_use",
            "thinking",
        ],
    );
    // By the member that it has, and not by the number of its kind: which numbers there are is not
    // known.
    if let Some(call) = call.filter(|call| call.is_object()) {
        let [id, name, input] = fields_of(Some(call), &["tool_use_id", "tool_name", "input_json"]);
        return Some(blocks::call(id, name, input));
    }
    if let Some(result) = result.filter(|result| result.is_object()) {
        let [id, content, is_error] =
            fields_of(Some(result), &["tool_use_id", "content", "is_error"]);
        return Some(blocks::result(owned(id), None, content, is_true(is_error)));
    }
    let [thought] = fields_of(thinking, &["summary"]);
    if let Some(thought) = owned(thought) {
        return Some(blocks::thought(thought));
    }
    let [inner] = fields_of(text_node, &["content"]);
    let said = text(inner).or_else(|| text(own))?;
    (!said.is_empty()).then(|| blocks::said(said.into_owned()))
}
