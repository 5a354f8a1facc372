//! A session as a transcript for people.
//!
//! Only the tool itself writes at the left edge: everything from a session is indented, so that no
//! text can pass for the head of another message.

use std::path::Path;

use super::escape;
use super::open::Tool;
use super::output::{Output, Style};
use super::session_list::below_home;
use super::table::{Align, Table, keep_start};
use super::wrap::{one_line, wrap};
use super::{sizes, times};
use scrollback::report::AttachmentInfo;
use scrollback::{Block, Message, Properties, Record, RecordKind, Result, Role, Summary};

/// Lines of a tool's answer that are shown.
const RESULT_LINES_MAX: usize = 40;
/// Bytes of a tool call's arguments that are looked at.
const ARGUMENT_BYTES_MAX: usize = 2000;
/// Columns of a tool call on a pipe.
const PIPE_COLUMNS: usize = 200;
/// Attachments that are named in the head.
const ATTACHMENTS_SHOWN: usize = 5;
/// Bytes of a conversation's summary that the head shows.
const SUMMARY_BYTES_SHOWN: usize = 2000;
/// Bytes of what was put in that are shown.
const INJECTED_BYTES_SHOWN: usize = 400;
/// Columns of the head before its values.
const HEAD_COLUMNS: usize = 12;
/// What text from a session is indented by.
const INDENT: &str = "  ";

/// What stands above a transcript.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// The session.
    pub summary: &'a Summary,
    /// Its attachments.
    pub attachments: &'a [AttachmentInfo],
    /// What is kept beside its lines.
    pub properties: &'a Properties,
    /// Messages that are not shown because of the mark.
    pub hidden: u64,
}

impl Head<'_> {
    /// Prints it.
    pub(crate) fn print(&self, tool: &mut Tool) -> Result<()> {
        let now = tool.now();
        let home = tool.home().map(Path::to_owned);
        let home = home.as_deref().filter(|_| tool.out.is_terminal());
        let out = &mut tool.out;
        let summary = self.summary;
        let title = if summary.title.is_empty() {
            "(no title)"
        } else {
            &summary.title
        };
        let title = within(&out.field(title), 0, out);
        let title = out.paint(Style::Strong, &title).into_owned();
        out.line(&title)?;
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        let mut row = |name: &str, value: &str| {
            let value = within(&out.field(value), HEAD_COLUMNS, out);
            table.push(vec![String::new(), name.to_owned(), value]);
        };
        row("session", &summary.key.to_string());
        let optional = [
            (
                "project",
                summary
                    .project
                    .as_deref()
                    .map(|path| below_home(path, home)),
            ),
            ("branch", summary.branch.clone()),
            ("model", summary.model.clone()),
            ("parent", summary.parent.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                row(name, &value);
            }
        }
        for (name, time) in [
            ("created", summary.created_at),
            ("updated", summary.updated_at),
        ] {
            row(
                name,
                &format!("{} ({})", times::stamp(time), times::relative(time, now)),
            );
        }
        for (name, value) in self.given() {
            row(name, &value);
        }
        row("holds", &self.holds());
        if let Some(attachments) = self.attachments() {
            row("attached", &attachments);
        }
        if self.hidden > 0 {
            let hidden = sizes::counted(self.hidden, "earlier message");
            row("hidden", &format!("{hidden}; `--hidden` shows them"));
        }
        table.print(out)
    }

    /// What its users and programs said of it beside its lines.
    fn given(&self) -> Vec<(&'static str, String)> {
        let Properties {
            pinned,
            archived,
            aliases,
            summary,
            ..
        } = self.properties;
        let marks = [(*pinned, "pinned"), (*archived, "archived")];
        let marks: Vec<&str> = marks
            .iter()
            .filter_map(|(set, word)| set.then_some(*word))
            .collect();
        let names: Vec<_> = aliases.iter().map(|name| escape::field(name)).collect();
        let rows = [
            ("state", marks.join(", ")),
            ("aliases", names.join(", ")),
            ("summary", one_line(summary, SUMMARY_BYTES_SHOWN)),
        ];
        rows.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    fn holds(&self) -> String {
        let summary = self.summary;
        if summary.record_count == 0 {
            return "no records".to_owned();
        }
        let mut text = format!(
            "{}, {}, {}",
            sizes::counted(summary.message_count, "message"),
            sizes::counted(summary.record_count, "record"),
            sizes::bytes(summary.bytes)
        );
        if summary.malformed_count > 0 {
            let malformed = sizes::counted(summary.malformed_count, "record");
            text = format!("{text}; {malformed} not understood in whole");
        }
        text
    }

    fn attachments(&self) -> Option<String> {
        if self.attachments.is_empty() {
            return None;
        }
        let named = self.attachments.iter().take(ATTACHMENTS_SHOWN);
        let named: Vec<String> = named
            .map(|file| format!("{} ({})", file.name, sizes::bytes(file.bytes)))
            .collect();
        let more = self.attachments.len().saturating_sub(ATTACHMENTS_SHOWN);
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        Some(format!("{}{more}", named.join(", ")))
    }
}

/// The start of a text that fits the terminal beside `used` columns; all of it on a pipe.
fn within(text: &str, used: usize, out: &Output) -> String {
    match out.columns() {
        Some(columns) => keep_start(text, columns.saturating_sub(used)),
        None => text.to_owned(),
    }
}

/// Prints one message: who speaks and when, then what is said.
pub(crate) fn print_message(message: &Message, out: &mut Output) -> Result<()> {
    let only_results = |block: &Block| matches!(block, Block::ToolResult { .. });
    let answers = !message.content.is_empty() && message.content.iter().all(only_results);
    // Agents send a tool's answer in the person's name: the reader is told who it really was.
    let (who, style) = match message.role {
        _ if answers => ("tool", Style::Dim),
        Role::User => ("user", Style::User),
        Role::Assistant => ("assistant", Style::Assistant),
        role => (role.word(), Style::Dim),
    };
    let mut head = out.paint(style, who).into_owned();
    let time = message.time.map(times::stamp);
    let agent = message.agent_id.as_deref();
    let agent = agent.map(|agent| format!("sub-agent {agent}"));
    for detail in [time.as_deref(), message.model.as_deref(), agent.as_deref()]
        .into_iter()
        .flatten()
    {
        let detail = format!("  {}", out.field(detail));
        head.push_str(&out.paint(Style::Dim, &detail));
    }
    out.line("")?;
    out.line(&head)?;
    if message.injected {
        return print_injected(message, out);
    }
    message
        .content
        .iter()
        .try_for_each(|block| print_block(block, out))
}

/// Says what was put in, on a line: nobody wrote it.
fn print_injected(message: &Message, out: &mut Output) -> Result<()> {
    let text = one_line(&message.plain_text(), INJECTED_BYTES_SHOWN);
    let columns = out.columns().unwrap_or(PIPE_COLUMNS);
    let text = format!("(put in by the agent) {text}");
    print_line(
        &keep_start(&text, columns.saturating_sub(INDENT.len())),
        out,
    )
}

/// Says that there is a record which could not be read. Others without a message are left out.
pub(crate) fn print_unread(record: &Record, out: &mut Output) -> Result<()> {
    if record.header.kind != RecordKind::Malformed {
        return Ok(());
    }
    let text = format!(
        "\n(record {} could not be read: {}; `--raw` shows it)",
        record.sequence,
        sizes::bytes(record.line.len() as u64)
    );
    let text = out.paint(Style::Dim, &text).into_owned();
    out.line(&text)
}

/// Names sub-agents where they were started.
pub(crate) fn print_subagents(started: &[Summary], out: &mut Output) -> Result<()> {
    for summary in started {
        let (id, title) = (summary.key.id(), one_line(&summary.title, 80));
        let messages = sizes::counted(summary.message_count, "message");
        let text = out
            .field(&format!("(sub-agent {id}: {title}, {messages})"))
            .into_owned();
        out.line("")?;
        let text = out.paint(Style::Dim, &text).into_owned();
        out.line(&text)?;
    }
    Ok(())
}

fn print_block(block: &Block, out: &mut Output) -> Result<()> {
    match block {
        Block::Text { text } if text.is_empty() => Ok(()),
        Block::Text { text } => print_text(text, INDENT, Style::Plain, usize::MAX, out),
        Block::Thinking { text, .. } if text.is_empty() => print_line(
            "(thinking, kept by the agent in a form that cannot be read)",
            out,
        ),
        Block::Thinking { text, .. } => print_text(text, "  | ", Style::Dim, usize::MAX, out),
        Block::Image { .. } => print_image(block, out),
        Block::ToolUse { name, input, .. } => {
            let input = input.as_ref().map_or("", |input| input.as_str());
            // A title of one line is just what is needed of arguments.
            let input = one_line(input, ARGUMENT_BYTES_MAX);
            let call = out
                .field(&format!("→ {name} {input}"))
                .trim_end()
                .to_owned();
            let columns = out
                .columns()
                .unwrap_or(PIPE_COLUMNS)
                .saturating_sub(INDENT.len());
            out.line(&format!("{INDENT}{}", keep_start(&call, columns)))
        }
        Block::ToolResult {
            output,
            is_error,
            images,
            ..
        } => {
            if *is_error {
                let failed = out.paint(Style::Bad, "failed").into_owned();
                out.line(&format!("{INDENT}← {failed}"))?;
            }
            print_text(output, "  < ", Style::Dim, RESULT_LINES_MAX, out)?;
            images.iter().try_for_each(|image| print_image(image, out))
        }
        Block::Other { json } => {
            let text = one_line(json.as_str(), ARGUMENT_BYTES_MAX);
            let text = format!("(other) {text}");
            let columns = out
                .columns()
                .unwrap_or(PIPE_COLUMNS)
                .saturating_sub(INDENT.len());
            print_line(&keep_start(&text, columns), out)
        }
        _ => print_line("(something that this version cannot show)", out),
    }
}

fn print_image(block: &Block, out: &mut Output) -> Result<()> {
    match block.image_label() {
        Some(label) => print_line(&format!("(image: {label})"), out),
        None => Ok(()),
    }
}

fn print_line(text: &str, out: &mut Output) -> Result<()> {
    let text = out.field(text);
    let line = format!("{INDENT}{}", out.paint(Style::Dim, &text));
    out.line(&line)
}

/// Prints text of several lines, indented; says so if not all of it is printed.
fn print_text(
    text: &str,
    indent: &str,
    style: Style,
    lines_max: usize,
    out: &mut Output,
) -> Result<()> {
    let text = out.body(text).into_owned();
    let lines = text.strip_suffix('\n').unwrap_or(&text);
    let mut lines = lines.split('\n');
    let columns = out
        .columns()
        .map(|columns| columns.saturating_sub(indent.len()));
    for line in lines.by_ref().take(lines_max) {
        // Rows that the terminal made itself would start at its left edge.
        for piece in columns.map_or_else(|| vec![line], |columns| wrap(line, columns)) {
            let row = out.paint(style, piece).into_owned();
            out.line(&if row.is_empty() {
                row
            } else {
                format!("{indent}{row}")
            })?;
        }
    }
    match lines.count() as u64 {
        0 => Ok(()),
        more => {
            let more = format!(
                "{}; `--raw` or `--json` has all",
                sizes::counted(more, "more line")
            );
            print_line(&format!("... {more}"), out)
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::super::output::tests::captured;
    use super::*;
    use scrollback::{RawJson, RecordHeader};

    fn printed(terminal: bool, message: &Message) -> String {
        let (mut out, stdout, _) = captured(terminal, false);
        print_message(message, &mut out).unwrap();
        out.flush().unwrap();
        stdout.text()
    }

    fn result(output: &str, is_error: bool) -> Block {
        let output = output.to_owned();
        Block::ToolResult {
            id: None,
            name: None,
            output,
            is_error,
            images: Vec::new(),
        }
    }

    #[test]
    fn a_message_is_a_head_and_indented_blocks() {
        let mut message = Message::text(Role::Assistant, "Two\n\nparagraphs\n");
        message.time = scrollback::chrono::DateTime::from_timestamp(0, 0);
        message.model = Some("m1".into());
        message.content.push(Block::Thinking {
            text: "hm".into(),
            signature: None,
        });
        message.content.push(Block::Thinking {
            text: String::new(),
            signature: Some("x".into()),
        });
        let input = RawJson::parse("{\"command\":\"ls\\n-l\"}").unwrap();
        message.content.push(Block::ToolUse {
            id: None,
            name: "Bash".into(),
            input: Some(input),
        });
        message.content.push(result("a\nb", true));
        let data = Some("AAAA".to_owned());
        let media_type = Some("image/png".to_owned());
        message.content.push(Block::Image {
            media_type,
            data,
            url: None,
        });
        message.content.push(Block::Other {
            json: RawJson::parse("{\"type\":\"x\"}").unwrap(),
        });
        assert_eq!(
            printed(false, &message),
            "\nassistant  1970-01-01 00:00:00 UTC  m1\n  Two\n\n  paragraphs\n  | hm\n  \
             (thinking, kept by the agent in a form that cannot be read)\n  \
             → Bash {\"command\":\"ls\\n-l\"}\n  ← failed\n  < a\n  < b\n  \
             (image: image/png, 3 bytes)\n  (other) {\"type\":\"x\"}\n"
        );
    }

    #[test]
    fn no_text_can_pass_for_the_head_of_a_message() {
        let wide = "x ".repeat(39);
        let forged = format!("x\n\nuser  2026-01-01\n\x1b[1Grm -rf /\ruser\n{wide}user");
        let message = Message::text(Role::Assistant, forged);
        for terminal in [true, false] {
            let text = printed(terminal, &message);
            let heads = text
                .lines()
                .filter(|line| line.starts_with(|c: char| c.is_alphabetic()));
            assert_eq!(heads.collect::<Vec<_>>(), ["assistant"]);
            assert!(
                !terminal || text.lines().all(|line| line.width() <= 80),
                "{text}"
            );
            assert_eq!(text.contains('\x1b') || text.contains('\r'), !terminal);
        }
    }

    #[test]
    fn a_long_answer_of_a_tool_is_cut_and_says_so() {
        let mut message = Message::new(Role::User);
        message.content.push(result(&"line\n".repeat(160), false));
        let text = printed(false, &message);
        assert!(text.starts_with("\ntool\n  < line\n"), "{text}");
        assert!(
            text.ends_with("  ... 120 more lines; `--raw` or `--json` has all\n"),
            "{text}"
        );
        assert_eq!(text.matches("< line").count(), RESULT_LINES_MAX);
    }

    #[test]
    fn only_records_that_could_not_be_read_are_mentioned() {
        let (mut out, stdout, _) = captured(false, false);
        for kind in [
            RecordKind::Event,
            RecordKind::Unknown,
            RecordKind::Malformed,
        ] {
            let header = RecordHeader::new(kind);
            let record = Record::new(5, header, b"{oops\n".to_vec());
            print_unread(&record, &mut out).unwrap();
        }
        out.flush().unwrap();
        assert_eq!(
            stdout.text(),
            "\n(record 5 could not be read: 6 B; `--raw` shows it)\n"
        );
    }
}
