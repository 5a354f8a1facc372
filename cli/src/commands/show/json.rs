//! `show --json`: a row a message. A row waits for the next message, since only that one's time tells which
//! sub-agents were started between.

use super::part::Part;
use crate::message_row::{MessageRow, RecordRow};
use crate::open::Tool;
use crate::subagents::Started;
use scrollback::{Ingest, Message, Record, RecordHeader, Result, Shown, Summary};

/// A row that waits, and records without messages behind it.
#[derive(Debug, Default)]
struct Waiting {
    message: Option<((u64, RecordHeader), Message, Option<String>)>,
    behind: Vec<(Shown, Option<String>)>,
}

/// Prints the rows of a part.
pub(super) fn show(
    store: &dyn Ingest,
    summary: &Summary,
    part: Part,
    raw: bool,
    tool: &mut Tool,
) -> Result<()> {
    let mut started = Started::of(store, summary)?;
    let mut waiting = Waiting::default();
    let mut skip = part.skip;
    for shown in part.view(store, &summary.key) {
        let mut shown = shown?;
        let text = |record: &Record| String::from_utf8_lossy(&record.line).into_owned();
        let mut line = raw.then(|| text(&shown.record));
        let messages = std::mem::take(&mut shown.messages);
        if messages.is_empty() {
            waiting.behind.push((shown, line));
            continue;
        }
        for message in messages.into_iter().skip(std::mem::take(&mut skip)) {
            let header = shown.record.header;
            let named = match message.time.or(header.time()) {
                Some(time) => started.before(Some(time)),
                None => Vec::new(),
            };
            waiting.print(&named, tool)?;
            let record = (shown.record.sequence, header);
            waiting.message = Some((record, message, line.take()));
        }
    }
    // Those that are started behind a part are no business of it, nor is what the whole took.
    if part.chosen.is_some() {
        return waiting.print(&[], tool);
    }
    waiting.print(&started.before(None), tool)?;
    if let Some(file) = tool.file_store()
        && let Some(usage) = file.usage_beside(&summary.key)?
    {
        tool.out.json_line(&RecordRow::beside(usage))?;
    }
    Ok(())
}

impl Waiting {
    fn print(&mut self, named: &[Summary], tool: &mut Tool) -> Result<()> {
        if let Some((record, mut message, line)) = self.message.take() {
            let row = MessageRow::new(record, &mut message, line.map(Into::into));
            tool.out.json_line(&row.with_subagents(named))?;
        }
        for (shown, line) in self.behind.drain(..) {
            tool.out
                .json_line(&RecordRow::new(&shown, line.map(Into::into)))?;
        }
        Ok(())
    }
}
