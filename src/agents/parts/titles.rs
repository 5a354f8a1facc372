//! Titles that lines offer, and what each is worth.

use std::borrow::Cow;

use crate::json::Json;

use super::fields;
use crate::agents::described::TitleOffer;
use crate::model::message::Role;

/// What the agent noted as its last prompt, where no message tells more.
pub(crate) const LAST_PROMPT: u8 = 5;
/// The first words that something else than the user may have put into the user's name, or that were
/// said to somebody else in the same file.
pub(crate) const DOUBTFUL_MESSAGE: u8 = 9;
/// The first message of the user.
pub(crate) const FIRST_MESSAGE: u8 = 10;
/// A summary that the agent wrote.
pub(crate) const SUMMARY: u8 = 40;
/// A title that the agent wrote for the session.
pub(crate) const GENERATED: u8 = 50;
/// A title that the user gave.
pub(crate) const CHOSEN: u8 = 60;

/// An offer that holds unless a better one comes; `None` for a text without anything in it.
pub(crate) fn offer(text: Option<Cow<'_, str>>, rank: u8) -> Option<TitleOffer<'_>> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    Some(TitleOffer {
        text,
        rank,
        latest_wins: false,
        about: None,
        session: None,
    })
}

/// An offer that also replaces earlier ones of the same rank.
pub(crate) fn latest(text: Option<Cow<'_, str>>, rank: u8) -> Option<TitleOffer<'_>> {
    offer(text, rank).map(|offer| TitleOffer {
        latest_wins: true,
        ..offer
    })
}

/// The same, of a text that takes the title of that rank back where it is blank.
pub(crate) fn changed(text: Option<Cow<'_, str>>, rank: u8) -> Option<TitleOffer<'_>> {
    Some(TitleOffer {
        text: text?,
        rank,
        latest_wins: true,
        about: None,
        session: None,
    })
}

/// What a message offers: the user's words, as far as `clean` leaves some of them.
pub(crate) fn of_message(
    role: Role,
    content: Option<Json<'_>>,
    clean: fn(&str) -> Option<&str>,
) -> Option<TitleOffer<'_>> {
    if role != Role::User {
        return None;
    }
    offer(first_text(content, clean), FIRST_MESSAGE)
}

/// The first text of a message's content (a string, or blocks) of which `clean` leaves something.
fn first_text(content: Option<Json<'_>>, clean: fn(&str) -> Option<&str>) -> Option<Cow<'_, str>> {
    let content = content?;
    if let Some(text) = fields::text(Some(content)) {
        return cleaned(text, clean);
    }
    fields::elements(content).into_iter().find_map(|block| {
        let [kind, text] = fields::fields_of(Some(block), &["type", "text"]);
        let is_text = match kind.map(Json::get) {
            Some(kind) => matches!(kind, "\"text\"" | "\"input_text\""),
            None => true,
        };
        is_text
            .then(|| fields::text(text).and_then(|text| cleaned(text, clean)))
            .flatten()
    })
}

/// What `clean` leaves of a text, borrowed where the text is.
pub(crate) fn cleaned(text: Cow<'_, str>, clean: fn(&str) -> Option<&str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => clean(text).map(Cow::Borrowed),
        Cow::Owned(text) => clean(&text).map(|text| Cow::Owned(text.to_owned())),
    }
}

/// Any text that is not blank.
pub(crate) fn any(text: &str) -> Option<&str> {
    let text = text.trim_start();
    (!text.is_empty()).then_some(text)
}

/// A text without what stands in front of it in these tags, which perhaps have attributes; `None` if
/// nothing is left, or one of the tags is not closed.
pub(crate) fn behind_tags<'t>(text: &'t str, tags: &[&str]) -> Option<&'t str> {
    let mut text = text.trim_start();
    let opens = |text: &str, tag: &str| {
        let rest = text
            .strip_prefix('<')
            .and_then(|text| text.strip_prefix(tag));
        rest.is_some_and(|rest| rest.starts_with(['>', ' ', '\n']))
    };
    while let Some(tag) = tags.iter().find(|tag| opens(text, tag)) {
        let (_, after) = text.split_once(&format!("</{tag}>"))?;
        text = after.trim_start();
    }
    any(text)
}
