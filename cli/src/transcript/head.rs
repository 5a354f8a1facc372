//! What stands above a transcript: the session's name, and what is known of it.

use std::path::Path;

use crate::open::Tool;
use crate::output::{Output, Style};
use crate::session_list::below_home;
use crate::table::{Align, Table, keep_start};
use crate::wrap::one_line;
use crate::{escape, sizes, times};
use scrollback::report::AttachmentInfo;
use scrollback::{Properties, Result, Summary};

/// Attachments that are named in the head.
const ATTACHMENTS_SHOWN: usize = 5;
/// Bytes of a conversation's summary that the head shows.
const SUMMARY_BYTES_SHOWN: usize = 2000;
/// Columns of the head before its values.
const HEAD_COLUMNS: usize = 12;

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
        // For people alone: a program gets paths that it can open.
        let home = home.as_deref().filter(|_| tool.out.is_terminal());
        let out = &mut tool.out;
        let zone = out.zone();
        let stamp = |time| times::stamp(time, zone);
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
                &format!("{} ({})", stamp(time), times::relative(time, now)),
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
