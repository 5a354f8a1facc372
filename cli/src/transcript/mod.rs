//! A session as a transcript for people: `head` above it, `sheet` with its margin, `calls` and `answers` of tools.
//! What was taken back, compactions and sub-agents are lines of their own.

mod answers;
mod calls;
mod head;
mod sheet;

pub(crate) use self::head::Head;
use self::sheet::Sheet;
use super::markdown;
use super::output::{Output, Style};
use super::wrap::one_line;
use super::{sizes, times};
use scrollback::{Block, Message, Record, RecordKind, Result, Role, Shown, Summary};

/// Bytes of what was put in that are shown.
const INJECTED_BYTES_SHOWN: usize = 400;
/// Bytes of a block that nobody knows that are looked at.
const OTHER_BYTES_SHOWN: usize = 2000;
/// Bytes of a sub-agent's title.
const TITLE_BYTES_SHOWN: usize = 80;

/// A transcript that is printed message by message.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// How the session is named where it is told how to see more.
    id: String,
    margin: usize,
    is_taken_back: bool,
    last: Option<Speaker>,
}

/// Who spoke last, to tell whether somebody else does now.
#[derive(Debug, PartialEq, Eq)]
struct Speaker {
    who: Role,
    answer: Option<String>,
    agent: Option<String>,
}

impl Transcript {
    /// Of a session that is called `id` on the command line.
    pub(crate) fn of(summary: &Summary, id: String) -> Self {
        let last = summary.next_sequence.saturating_sub(1);
        Self {
            id,
            // `#`, the number, and a space or two.
            margin: 2 + last.to_string().len().max(2),
            ..Self::default()
        }
    }

    /// Prints what a record says: its messages but the first `skip`, or what it is. Nothing is folded where it is
    /// to be `whole`.
    pub(crate) fn record(
        &mut self,
        shown: &Shown,
        skip: usize,
        whole: bool,
        out: &mut Output,
    ) -> Result<()> {
        if shown.compacted {
            self.note(
                "(compacted: the model goes on with a summary of what was said before)",
                out,
            )?;
        }
        for message in shown.messages.iter().skip(skip) {
            // The line above stands for it; the summary itself may be as long as a session.
            let is_note = shown.compacted && message.role == Role::System;
            if !is_note || whole {
                self.message((shown.record.sequence, message), whole, out)?;
            }
        }
        if shown.messages.is_empty() && shown.shown_at.is_none() {
            self.unread(&shown.record, out)?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        (sequence, message): (u64, &Message),
        whole: bool,
        out: &mut Output,
    ) -> Result<()> {
        if self.is_taken_back == message.live {
            self.is_taken_back = !message.live;
            let text = if message.live {
                "(the talk goes on)"
            } else {
                "(taken back: what follows is kept, and was left behind)"
            };
            self.note(text, out)?;
        }
        out.dim(!message.live);
        let printed = self.print((sequence, message), whole, out);
        // After an error too, or all that follows would be dim.
        out.dim(false);
        printed
    }

    fn print(
        &mut self,
        (sequence, message): (u64, &Message),
        whole: bool,
        out: &mut Output,
    ) -> Result<()> {
        let more_at = (!whole).then(|| format!("{}#{sequence}", self.id));
        let is_new = self.is_somebody_else(message);
        if is_new {
            out.line("")?;
        }
        let mut sheet = Sheet::new(out, self.margin).numbered(sequence, more_at);
        if is_new {
            let head = head_of(message, sheet.out());
            sheet.line(&head)?;
        }
        if message.injected && !whole {
            let text = one_line(&message.plain_text(), INJECTED_BYTES_SHOWN);
            return sheet.note(Style::Dim, &format!("(put in by the agent) {text}"));
        }
        let is_answer = message.role == Role::Assistant;
        message
            .content
            .iter()
            .try_for_each(|block| print_block(block, is_answer, whole, &mut sheet))
    }

    /// Whether a message needs a head: a part of the same answer does not, nor what tools answered right behind it.
    fn is_somebody_else(&mut self, message: &Message) -> bool {
        let now = Speaker {
            who: message.speaker(),
            answer: message.answer_id.clone(),
            agent: message.agent_id.clone(),
        };
        let goes_on = self.last.as_ref().is_some_and(|last| {
            let is_same = *last == now && now.answer.is_some();
            let is_answered =
                now.who == Role::Tool && matches!(last.who, Role::Assistant | Role::Tool);
            last.agent == now.agent && (is_same || is_answered)
        });
        self.last = Some(now);
        !goes_on
    }

    /// Prints a line of the tool's own, between messages.
    fn note(&mut self, text: &str, out: &mut Output) -> Result<()> {
        self.last = None;
        out.line("")?;
        Sheet::new(out, self.margin).note(Style::Dim, text)
    }

    /// Says that there is a record which could not be read. Others without a message are left out.
    fn unread(&mut self, record: &Record, out: &mut Output) -> Result<()> {
        if record.header.kind != RecordKind::Malformed {
            return Ok(());
        }
        let bytes = sizes::bytes(record.line.len() as u64);
        let text = format!(
            "(record {} could not be read: {bytes}; `--raw` shows it)",
            record.sequence
        );
        self.note(&text, out)
    }

    /// Names sub-agents where they were started.
    pub(crate) fn subagents(&mut self, started: &[Summary], out: &mut Output) -> Result<()> {
        started.iter().try_for_each(|summary| {
            let (id, title) = (
                summary.key.id(),
                one_line(&summary.title, TITLE_BYTES_SHOWN),
            );
            let messages = sizes::counted(summary.message_count, "message");
            self.note(&format!("(sub-agent {id}: {title}, {messages})"), out)
        })
    }
}

fn style_of(who: Role) -> Style {
    match who {
        Role::User => Style::User,
        Role::Assistant => Style::Assistant,
        _ => Style::Dim,
    }
}

/// Who speaks, when, and by what.
fn head_of(message: &Message, out: &Output) -> String {
    let who = message.speaker();
    let mut head = out.paint(style_of(who), who.word()).into_owned();
    let time = message.time.map(|time| times::stamp(time, out.zone()));
    let agent = message.agent_id.as_deref();
    let agent = agent.map(|agent| format!("sub-agent {agent}"));
    for detail in [time.as_deref(), message.model.as_deref(), agent.as_deref()]
        .into_iter()
        .flatten()
    {
        let detail = format!("  {}", out.field(detail));
        head.push_str(&out.paint(Style::Dim, &detail));
    }
    head
}

fn print_block(block: &Block, is_answer: bool, whole: bool, sheet: &mut Sheet<'_>) -> Result<()> {
    match block {
        Block::Text { text } if text.trim().is_empty() => Ok(()),
        // Models write Markdown; a person's signs are shown as they were typed.
        Block::Text { text } => match sheet.columns(0).filter(|_| is_answer) {
            Some(columns) => print_markdown(text, columns, sheet),
            None => sheet.text("", Style::Plain, text.trim_matches(['\n', '\r'])),
        },
        Block::Thinking { text, .. } if text.trim().is_empty() => sheet.note(
            Style::Dim,
            "(thinking, kept by the agent in a form that cannot be read)",
        ),
        Block::Thinking { text, .. } => {
            sheet.text("| ", Style::Dim, text.trim_matches(['\n', '\r']))
        }
        Block::Image { .. } => print_image(block, sheet),
        Block::ToolUse { name, input, .. } => calls::print(name, input.as_ref(), whole, sheet),
        Block::ToolResult {
            output,
            is_error,
            images,
            ..
        } => {
            answers::print(output, *is_error, sheet)?;
            images
                .iter()
                .try_for_each(|image| print_image(image, sheet))
        }
        Block::Other { json } if whole => {
            sheet.text("", Style::Dim, &format!("(other) {}", json.as_str()))
        }
        Block::Other { json } => {
            let text = one_line(json.as_str(), OTHER_BYTES_SHOWN);
            sheet.note(Style::Dim, &format!("(other) {text}"))
        }
        _ => sheet.note(Style::Dim, "(something that this version cannot show)"),
    }
}

fn print_markdown(text: &str, columns: usize, sheet: &mut Sheet<'_>) -> Result<()> {
    for row in markdown::rows(text.trim_matches(['\n', '\r']), columns) {
        let out = sheet.out();
        let row: String = row
            .iter()
            .map(|span| out.paint(span.style, &span.text).into_owned())
            .collect();
        sheet.line(row.trim_end_matches(' '))?;
    }
    Ok(())
}

fn print_image(block: &Block, sheet: &mut Sheet<'_>) -> Result<()> {
    match block.image_label() {
        Some(label) => sheet.note(Style::Dim, &format!("(image: {label})")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
