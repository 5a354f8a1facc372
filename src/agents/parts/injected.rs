//! Text that an agent puts into the user's name: in tags, or with a known beginning. What stands behind
//! the closing tag is the user's.

use super::fields::{fields_of, text};
use crate::json::Json;
use crate::model::message::{Block, Message, Role};

/// What an agent puts in.
pub(crate) struct PutIn {
    /// Tags around it.
    pub tags: &'static [&'static str],
    /// What it begins with where it has no tags.
    pub starts: &'static [&'static str],
}

impl PutIn {
    /// Whether all of a text was put in.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        let rest = behind(text, self.tags);
        rest.is_none_or(|rest| {
            (rest.is_empty() && !text.trim().is_empty())
                || self.starts.iter().any(|start| rest.starts_with(start))
        })
    }

    /// Whether all of a content was put in, before it is read: a text, or blocks with nothing but text.
    pub(crate) fn is_content(&self, content: Option<Json<'_>>) -> bool {
        let Some(content) = content else {
            return false;
        };
        if let Some(said) = text(Some(content)) {
            return self.is_text(&said);
        }
        let mut blocks = content.elements().peekable();
        blocks.peek().is_some()
            && blocks.all(|block| {
                let [said] = fields_of(Some(block), &["text"]);
                text(said).is_some_and(|said| self.is_text(&said))
            })
    }

    /// Whether all of a message in the user's name was put in.
    pub(crate) fn is_message(&self, message: &Message) -> bool {
        message.role == Role::User
            && !message.content.is_empty()
            && message.content.iter().all(|block| match block {
                Block::Text { text } => self.is_text(text),
                _ => false,
            })
    }
}

/// Takes texts that were put in out of what stands in the user's name. Where there is nothing else they stay,
/// and the answer is `true`.
pub(crate) fn take_out(content: &mut Vec<Block>, is_put_in: impl Fn(&str) -> bool) -> bool {
    let is_other = |block: &Block| match block {
        Block::Text { text } => !is_put_in(text),
        _ => true,
    };
    if content.iter().any(is_other) {
        content.retain(is_other);
        return false;
    }
    !content.is_empty()
}

/// What stands behind the tags that a text begins with; `None` if one of them is never closed.
fn behind<'t>(text: &'t str, tags: &[&str]) -> Option<&'t str> {
    let mut rest = text.trim();
    while let Some(tag) = tags.iter().find(|tag| opens(rest, tag)) {
        let close = format!("</{tag}>");
        let (_, after) = rest.split_once(close.as_str())?;
        rest = after.trim_start();
    }
    Some(rest)
}

/// Whether a text begins with a tag.
fn opens(text: &str, tag: &str) -> bool {
    let name = text
        .strip_prefix('<')
        .and_then(|text| text.strip_prefix(tag));
    name.is_some_and(|rest| rest.starts_with(['>', ' ', '\n', '\t', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_behind_a_closing_tag_is_the_users() {
        for (text, put_in) in [
            ("<note>be nice</note>", true),
            ("<note kind=\"a\">be nice</note>\n<more>x</more>  ", true),
            ("<note>be nice</note>\nWhat now?", false),
            ("<note>be nice", true),
            ("<notes>mine</notes>", false),
            ("What is a <note>?", false),
            ("[Stopped by the user]", true),
            ("<note>a</note> [Stopped by the user]", true),
            ("", false),
            ("  ", false),
        ] {
            let notes = PutIn {
                tags: &["note", "more"],
                starts: &["[Stopped"],
            };
            assert_eq!(notes.is_text(text), put_in, "{text}");
        }
    }
}
