//! The lines of a session's file, read for what they tell and for their messages.

use std::io::Read;
use std::ops::ControlFlow;

use super::ProviderMessage;
use super::gather::Gather;
use super::message::{self, MessagePlace};
use crate::agents::home::{Form, SessionFile, failed, open_regular};
use crate::agents::{Described, Dialect};
use crate::jsonl::{LineReader, Unpacked};
use crate::model::error::Result;

/// Takes a session's messages.
pub(super) type Visit<'v> = dyn FnMut(ProviderMessage) -> ControlFlow<()> + 'v;

/// Takes a line: its number and where it begins in the file, both from 0, its bytes, and what it says; the latter
/// is not known of a line beyond the limit, which comes once and without its bytes.
type EachLine<'e> = dyn FnMut((u64, u64), &[u8], Option<&Described<'_>>) -> ControlFlow<()> + 'e;

/// Gives each line of a file, until it is told to stop. Tells whether it was.
pub(super) fn each_line(
    file: &SessionFile,
    dialect: &dyn Dialect,
    each: &mut EachLine<'_>,
) -> Result<bool> {
    let mut reader = LineReader::new(open(file)?);
    let mut offset = 0;
    loop {
        let line = reader
            .next_line()
            .map_err(|source| failed(&file.path, source))?;
        let Some(line) = line else { return Ok(false) };
        let number = (line.number.saturating_sub(1), offset);
        // Pieces of a long line count too, though nobody gets them.
        offset += line.bytes.len() as u64;
        let flow = match (line.continues, line.continued) {
            (false, false) => {
                let described = dialect.describe(line.bytes);
                each(number, line.bytes, Some(&described))
            }
            (true, false) => each(number, b"", None),
            (_, true) => ControlFlow::Continue(()),
        };
        if flow.is_break() {
            return Ok(true);
        }
    }
}

pub(super) fn read_lines(
    file: &SessionFile,
    dialect: &dyn Dialect,
    gather: &mut Gather,
    mut visit: Option<&mut Visit<'_>>,
) -> Result<(bool, u64)> {
    let mut count = 0;
    let stopped = each_line(file, dialect, &mut |(number, _), bytes, described| {
        let Some(described) = described else {
            gather.add_unread();
            return ControlFlow::Continue(());
        };
        gather.add(described);
        count += u64::from(described.header.messages);
        match &mut visit {
            Some(visit) if described.header.messages > 0 => {
                each_message(&file.id, dialect, number, bytes, *visit)
            }
            _ => ControlFlow::Continue(()),
        }
    })?;
    Ok((stopped, count))
}

/// Gives the messages of a line.
pub(super) fn each_message(
    session: &str,
    dialect: &dyn Dialect,
    number: u64,
    line: &[u8],
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    let raw = without_feed(line);
    let messages = dialect.messages(line).into_iter().enumerate();
    for (index, message) in messages {
        let place = MessagePlace { number, index };
        visit(message::provided(dialect, session, place, raw, message))?;
    }
    ControlFlow::Continue(())
}

/// A line without its line feed.
pub(super) fn without_feed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Opens a session's file. Only regular files are: anything else may never end.
pub(super) fn open(file: &SessionFile) -> Result<Box<dyn Read>> {
    let opened = open_regular(&file.path)?;
    if file.form == Form::Compressed {
        let unpacked = Unpacked::new(opened).map_err(|source| failed(&file.path, source))?;
        return Ok(Box::new(unpacked));
    }
    Ok(Box::new(opened))
}
