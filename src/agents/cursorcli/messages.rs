//! The messages of Cursor's transcripts. What a person typed stands in a tag; what else is sent with it, in
//! others.

use crate::agents::parts::blocks;
use crate::agents::parts::fields::{fields_of, text};
use crate::agents::parts::injected::{PutIn, take_out};
use crate::agents::parts::lines::Reading;
use crate::agents::parts::titles;
use crate::json::Json;
use crate::model::message::{Block, Message, Role};
use crate::model::record::RecordKind;

/// What stands around a person's words.
const QUERY: (&str, &str) = ("<user_query>", "</user_query>");

/// What is sent with them, in tags.
const PUT_IN: PutIn = PutIn {
    tags: &[
        "user_info",
        "attached_files",
        "system_reminder",
        "rules",
        "agent_transcripts",
        "open_and_recently_viewed_files",
        "git_status",
        "timestamp",
    ],
    starts: &[],
};

/// What is left of a text that stands in a person's name once all around the words is gone.
fn typed(said: &str) -> Option<&str> {
    let rest = said.trim_start();
    let (_, query) = match rest.split_once(QUERY.0) {
        Some(parts) if PUT_IN.is_text(parts.0) || parts.0.is_empty() => parts,
        _ => return titles::behind_tags(rest, PUT_IN.tags),
    };
    let words = query.split_once(QUERY.1).map_or(query, |(words, _)| words);
    titles::any(words.trim())
}

/// What a line says.
pub(super) fn read(object: Json<'_>) -> Reading<'_> {
    let [role, message] = fields_of(Some(object), &["role", "message"]);
    let [content] = fields_of(message, &["content"]);
    let (Some(word), Some(content)) = (text(role), content) else {
        return Reading::of(RecordKind::Unknown);
    };
    let role = Role::from_word(&word);
    let mut reading = Reading::said(role);
    reading.facts.title = titles::of_message(role, Some(content), typed);
    reading
}

/// The message of a line.
pub(super) fn message(object: Json<'_>) -> Message {
    let [role, message] = fields_of(Some(object), &["role", "message"]);
    let [content] = fields_of(message, &["content"]);
    let role = Role::from_word(&text(role).unwrap_or_default());
    let mut content = blocks::content(content);
    // Put in is a text only where nobody typed any of it; else what was sent with the words is left
    // out.
    let is_all_put_in = role == Role::User && take_out(&mut content, |said| typed(said).is_none());
    if role == Role::User && !is_all_put_in {
        for block in &mut content {
            if let Block::Text { text } = block
                && let Some(words) = typed(text).map(str::to_owned)
            {
                *text = words;
            }
        }
    }
    Message {
        content,
        injected: is_all_put_in,
        ..Message::new(role)
    }
}
