//! A session as a page, message by message.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, PreEscaped, html};

use super::images::{self, Room};
use super::text::plain;
use super::{prose, shell};
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::session::Summary;
use crate::model::text::title_line;
use crate::render::call::{Call, DiffLine};
use crate::render::colours::without_colours;
use crate::render::number::{counted, grouped};

/// Bytes of a line that stands for what is folded.
const LINE_BYTES: usize = 160;
/// Lines of an answer that need no folding.
const SHORT_LINES: usize = 3;

/// A page that is written message by message.
#[derive(Debug, Default)]
pub(crate) struct Page {
    room: Room,
    is_taken_back: bool,
}

impl Page {
    /// Writes what comes before the messages.
    pub(crate) fn begin(out: &mut dyn Write, summary: &Summary) -> io::Result<Self> {
        let title = match summary.title.as_str() {
            "" => "Untitled session",
            title => title,
        };
        shell::begin(out, title)?;
        let rows = [
            ("session", Some(summary.key.to_string())),
            ("project", summary.project.clone()),
            ("branch", summary.branch.clone()),
            ("model", summary.model.clone()),
            ("parent", summary.parent.clone()),
            ("messages", Some(grouped(summary.message_count))),
        ];
        let rows = rows
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let head = html! {
            h1 { (plain(title)) }
            dl {
                @for (name, value) in rows { dt { (name) } dd { (plain(value)) } }
                dt { "time" } dd { (time(summary.created_at)) " to " (time(summary.updated_at)) }
            }
            (shell::search("this session", true))
            (PreEscaped("<main>"))
        };
        out.write_all(head.into_string().as_bytes())?;
        Ok(Self::default())
    }

    /// Writes what comes behind them: what the session took in all.
    pub(crate) fn end(out: &mut dyn Write, used: Usage) -> io::Result<()> {
        if used != Usage::default() {
            Self::note(out, &format!("Tokens in all: {}", tokens(used)))?;
        }
        out.write_all(b"</main>")?;
        shell::end(out)
    }

    /// Writes a line between messages.
    pub(crate) fn note(out: &mut dyn Write, text: &str) -> io::Result<()> {
        let note = html! { p.n { (plain(text)) } };
        out.write_all(note.into_string().as_bytes())
    }

    /// Writes a message. `anchor` is its record's number, where it is the first of it.
    pub(crate) fn message(
        &mut self,
        out: &mut dyn Write,
        message: &Message,
        anchor: Option<u64>,
    ) -> io::Result<()> {
        // Told where it begins and where it ends, and not at each message.
        if self.is_taken_back == message.live {
            self.is_taken_back = !message.live;
            let text = if message.live {
                "The talk goes on"
            } else {
                "Taken back: what follows was left behind"
            };
            Self::note(out, text)?;
        }
        let who = message.speaker().word();
        let class = format!("{who}{}", if message.live { "" } else { " back" });
        let at = anchor.map(|anchor| anchor.to_string());
        let article = html! {
            article id=[at.as_deref()] class=(class) {
                header {
                    @if let Some(at) = &at { a href={ "#" (at) } { "#" (at) } }
                    b { (who) }
                    @if let Some(when) = message.time { span.w { (time(when)) } }
                    @if let Some(model) = &message.model { span.w { (plain(model)) } }
                    @if let Some(agent) = &message.agent_id { span.w { "sub-agent " (plain(agent)) } }
                    @if let Some(usage) = message.usage { span.w { (tokens(usage)) } }
                }
                // Nobody said it, and it may be longer than all that was said.
                @if message.injected {
                    (folded("w", &format!("put in by the agent: {}", message.plain_text()), false, &html! {
                        div.t { (plain(&message.plain_text())) }
                    }))
                } @else {
                    @for block in &message.content { (self.block(block, message.role)) }
                }
            }
        };
        out.write_all(article.into_string().as_bytes())
    }

    fn block(&mut self, block: &Block, role: Role) -> Markup {
        match block {
            Block::Text { text } if text.trim().is_empty() => html! {},
            Block::Text { text } if role == Role::Assistant => {
                html! { div.p dir="auto" { (prose::of(text)) } }
            }
            Block::Text { text } => {
                html! { div.t dir="auto" { (plain(text.trim_matches(['\n', '\r']))) } }
            }
            Block::Thinking { text, .. } if text.trim().is_empty() => html! {},
            Block::Thinking { text, .. } => folded(
                "w",
                &format!("thinking: {text}"),
                false,
                &html! {
                    div.t { (plain(text.trim())) }
                },
            ),
            Block::Image { .. } => images::shown(block, &mut self.room),
            Block::ToolUse { name, input, .. } => call(name, &Call::of(input.as_ref())),
            Block::ToolResult {
                output,
                is_error,
                images,
                ..
            } => html! {
                (answer(output, *is_error))
                @for image in images { (images::shown(image, &mut self.room)) }
            },
            Block::Other { json } => folded(
                "c",
                json.as_str(),
                false,
                &html! { pre { (plain(json.as_str())) } },
            ),
        }
    }
}

/// What is folded under the first line of a text.
fn folded(class: &str, line: &str, is_open: bool, inner: &Markup) -> Markup {
    let line = title_line(line, LINE_BYTES);
    html! {
        details class=(class) open[is_open] { summary { (plain(&line)) } (inner) }
    }
}

fn call(name: &str, call: &Call) -> Markup {
    let line = call.headline(name);
    let inner = match call {
        Call::Run { command } if command.trim().contains('\n') || command.len() > LINE_BYTES => {
            html! { pre { (plain(command)) } }
        }
        Call::Edit { lines, .. } => html! { pre { @for line in lines { (of_diff(line)) } } },
        Call::Write { content, .. } => html! { pre { (plain(content)) } },
        Call::Task { prompt, .. } => html! { div.t { (plain(prompt)) } },
        Call::Plan { steps } => html! {
            pre { @for step in steps {
                (step.sign()) (plain(&step.text)) "\n"
            } }
        },
        Call::Other { arguments } if line.len() > LINE_BYTES => html! {
            pre { @for (name, value) in arguments { (plain(name)) ": " (plain(value)) "\n" } }
        },
        // All of it stands in its line.
        _ if line.len() <= LINE_BYTES => return html! { details.c { summary { (plain(&line)) } } },
        _ => html! { pre { (plain(&line)) } },
    };
    folded("c", &line, false, &inner)
}

fn of_diff(line: &DiffLine) -> Markup {
    match line {
        DiffLine::Removed(text) => html! { del { "- " (plain(text)) } },
        DiffLine::Added(text) => html! { ins { "+ " (plain(text)) } },
        DiffLine::Kept(text) => html! { "  " (plain(text)) "\n" },
        DiffLine::Place(text) => html! { (plain(text)) "\n" },
    }
}

fn answer(output: &str, is_error: bool) -> Markup {
    let output = without_colours(output);
    let output = output.trim_matches(['\n', '\r']);
    let count = output.lines().count();
    if output.is_empty() && !is_error {
        return html! { p.w { "(no output)" } };
    }
    let inner = html! { pre { (plain(output)) } };
    if count <= SHORT_LINES && output.len() <= LINE_BYTES * SHORT_LINES && !is_error {
        return inner;
    }
    let first = output
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let first = title_line(first, LINE_BYTES / 2);
    let line = match (is_error, count) {
        (true, _) => format!("failed: {first}"),
        (false, 1) => first,
        (false, count) => format!("{first} (+{})", counted(count as u64 - 1, "line")),
    };
    folded(if is_error { "c e" } else { "c" }, &line, is_error, &inner)
}

/// A time, for people and for programs.
pub(super) fn time(time: DateTime<Utc>) -> Markup {
    let machine = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    html! { time datetime=(machine) { (time.format("%Y-%m-%d %H:%M:%S UTC").to_string()) } }
}

/// What was used, in words.
fn tokens(usage: Usage) -> String {
    let parts = [
        (usage.input_tokens, "in"),
        (usage.output_tokens, "out"),
        (usage.cache_read_tokens, "cache read"),
        (usage.cache_write_tokens, "cache written"),
    ];
    let parts = parts.iter().filter(|(tokens, _)| *tokens > 0);
    let parts = parts.map(|(tokens, name)| format!("{} {name}", grouped(*tokens)));
    let text = parts.collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}
