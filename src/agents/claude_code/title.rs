//! The titles that Claude Code's lines offer: those that it writes, and the user's first words, as far as
//! they are the user's.

use std::borrow::Cow;

use crate::agents::described::TitleOffer;
use crate::agents::parts::fields::{self, fields_of, text};
use crate::agents::parts::titles;
use crate::json::Json;
use crate::model::message::Role;

/// Kinds of lines that give the session a title.
pub(super) const KINDS: [&str; 3] = ["summary", "custom-title", "ai-title"];

/// The worth of what was said to a sub-agent: in the sub-agent's own file it is the title, in another
/// nearly anything else is better.
const SAID_TO_SUBAGENT: u8 = titles::LAST_PROMPT + 1;

const _: () =
    assert!(titles::LAST_PROMPT < SAID_TO_SUBAGENT && SAID_TO_SUBAGENT < titles::DOUBTFUL_MESSAGE);

/// Tags around text that the user did not write. What follows the last of them is the user's.
const NOT_WRITTEN: [&str; 16] = [
    "system-reminder",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "new-diagnostics",
    "local-command-caveat",
    "local-command-stdout",
    "local-command-stderr",
    "bash-input",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "teammate-message",
    "cross-session-message",
    "user-prompt-submit-hook",
    "channel",
];

/// How other such texts begin.
const BEGINNINGS: [&str; 4] = [
    "Caveat: The messages below",
    "[Request interrupted",
    "[Image: source",
    "This session is being continued from a previous conversation",
];

/// Commands of the program itself, which say nothing of what a session is about.
const OF_THE_PROGRAM: [&str; 40] = [
    "add-dir",
    "agents",
    "bashes",
    "bug",
    "cd",
    "clear",
    "color",
    "compact",
    "config",
    "context",
    "cost",
    "doctor",
    "effort",
    "exit",
    "export",
    "fast",
    "feedback",
    "help",
    "hooks",
    "ide",
    "login",
    "logout",
    "mcp",
    "memory",
    "model",
    "output-style",
    "permissions",
    "plugin",
    "privacy-settings",
    "quit",
    "release-notes",
    "remote-control",
    "rename",
    "resume",
    "stats",
    "status",
    "statusline",
    "theme",
    "usage",
    "vim",
];

/// What a line of one of [`KINDS`] offers. A blank title takes the one before it back.
pub(super) fn given<'a>(
    kind: &str,
    object: Json<'a>,
    session: Option<Json<'a>>,
) -> Option<TitleOffer<'a>> {
    let [custom, generated, summary, leaf] = fields_of(
        Some(object),
        &["customTitle", "aiTitle", "summary", "leafUuid"],
    );
    // It may be that of another session, which was resumed in this one's file.
    let of_session = |offer: TitleOffer<'a>| TitleOffer {
        session: fields::text_filled(session),
        ..offer
    };
    match kind {
        "custom-title" => titles::changed(text(custom), titles::CHOSEN).map(of_session),
        "ai-title" => titles::changed(text(generated), titles::GENERATED),
        _ => titles::latest(text(summary), titles::SUMMARY).map(|offer| TitleOffer {
            about: fields::text_filled(leaf),
            ..offer
        }),
    }
}

/// What a message offers: the user's words, or the command that the user called.
pub(super) fn said(
    role: Role,
    content: Option<Json<'_>>,
    is_side_talk: bool,
) -> Option<TitleOffer<'_>> {
    let offer = titles::of_message(role, content, written).or_else(|| command(role, content))?;
    let rank = if is_side_talk {
        SAID_TO_SUBAGENT
    } else {
        offer.rank
    };
    Some(TitleOffer { rank, ..offer })
}

/// What the last prompt offers, as the agent has noted it.
pub(super) fn last_prompt(object: Json<'_>) -> Option<TitleOffer<'_>> {
    let [prompt] = fields_of(Some(object), &["lastPrompt"]);
    let prompt = text(prompt).and_then(|prompt| titles::cleaned(prompt, written));
    titles::latest(prompt, titles::LAST_PROMPT)
}

/// What the user wrote of a text; `None` if it is nothing, or the call of a command.
fn written(text: &str) -> Option<&str> {
    let text = titles::behind_tags(text, &NOT_WRITTEN)?;
    let is_written =
        !text.starts_with("<command-") && !BEGINNINGS.iter().any(|start| text.starts_with(start));
    is_written.then_some(text)
}

/// What the call of a command offers: its name with what the user wrote behind it.
fn command(role: Role, content: Option<Json<'_>>) -> Option<TitleOffer<'_>> {
    fn called(text: &str) -> Option<&str> {
        titles::behind_tags(text, &NOT_WRITTEN).filter(|text| text.starts_with("<command-"))
    }
    let call = titles::of_message(role, content, called)?.text;
    let of_tag = |tag: &str| {
        let (_, rest) = call.split_once(&format!("<{tag}>"))?;
        let (inner, _) = rest.split_once(&format!("</{tag}>"))?;
        Some(inner.trim())
    };
    let name = of_tag("command-name").filter(|name| !name.is_empty())?;
    let name = name.strip_prefix('/').unwrap_or(name);
    let arguments = of_tag("command-args").unwrap_or_default();
    let title = format!("/{name} {arguments}");
    // A command of the program itself (`/clear`, `/model`) says nothing of what the session is
    // about.
    let rank = if OF_THE_PROGRAM.contains(&name) {
        titles::DOUBTFUL_MESSAGE
    } else {
        titles::FIRST_MESSAGE
    };
    titles::offer(Some(Cow::Owned(title.trim_end().to_owned())), rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, is_side_talk: bool) -> Option<(String, u8)> {
        let json = serde_json::Value::from(text).to_string();
        let offer = said(Role::User, Json::parse(&json).ok(), is_side_talk)?;
        Some((offer.text.into_owned(), offer.rank))
    }

    #[test]
    fn what_stands_behind_a_closing_tag_is_the_users() {
        for (text, expected) in [
            (
                "<system-reminder>\nx\n</system-reminder>\n why?",
                Some("why?"),
            ),
            (
                "<ide_selection>x</ide_selection><system-reminder>y</system-reminder>why?",
                Some("why?"),
            ),
            (
                "<teammate-message teammate_id=\"lead\">do it</teammate-message>",
                None,
            ),
            (
                "<task-notification>\n<task-id>b</task-id>\n</task-notification>",
                None,
            ),
            ("<system-reminder>never closed", None),
            ("[Image: source: /x.png]", None),
            (
                "<div>is this valid?</div>",
                Some("<div>is this valid?</div>"),
            ),
            (
                "<channels> what are they?",
                Some("<channels> what are they?"),
            ),
        ] {
            let expected = expected.map(|title| (title.to_owned(), titles::FIRST_MESSAGE));
            assert_eq!(of(text, false), expected, "{text}");
        }
    }

    #[test]
    fn a_command_is_what_was_typed() {
        let call = |name: &str, arguments: &str| {
            format!(
                "<command-message>m</command-message>\n<command-name>{name}</command-name>\n<command-args>{arguments}</command-args>"
            )
        };
        let title = |text: &str, rank| Some((text.to_owned(), rank));
        assert_eq!(
            of(&call("/goal", " Make it green "), false),
            title("/goal Make it green", 10)
        );
        assert_eq!(of(&call("review", ""), false), title("/review", 10));
        assert_eq!(of(&call("/model", "x"), false), title("/model x", 9));
        assert_eq!(of(&call("", "x"), false), None);
        assert_eq!(of("<command-name>/goal", false), None);
        let caveat = "<local-command-caveat>c</local-command-caveat>\n";
        assert_eq!(
            of(&format!("{caveat}{}", call("/goal", "x")), false),
            title("/goal x", 10)
        );
    }

    #[test]
    fn what_is_said_to_a_sub_agent_is_worth_little() {
        assert_eq!(
            of("Warmup", true),
            Some(("Warmup".to_owned(), SAID_TO_SUBAGENT))
        );
    }
}
