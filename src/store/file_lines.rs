//! The lines of a session's file as its agent counts them, over the records of any store: which of them are
//! hidden, in which order they stand, and what an export tells of them.
//!
//! Lines are counted as agents with a `skip` in their meta files count them: all but those of zero
//! length. A line that a compaction has removed counts as well: it was there when the agent counted.

use std::collections::{HashMap, HashSet};

use crate::agents::{self, TitleOffer};
use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::limits::FACT_BYTES_MAX;
use crate::model::record::{RecordFlags, RecordHeader, RecordKind};
use crate::model::text::cut;
use crate::store::fold::{Fold, offer_parent, project_of};
use crate::store::order::Order;

/// What looks at a record, and says whether it wants more.
pub(crate) type Look<'l> = dyn FnMut(u64, RecordHeader, &[u8]) -> bool + 'l;

/// Shows records to a look, in the order of their numbers.
pub(crate) type Each<'e> = dyn FnMut(&mut Look<'_>) -> Result<()> + 'e;

/// Counts lines that are not of zero length; one that is kept in several records counts once.
#[derive(Debug, Default)]
pub(crate) struct LineCounter {
    /// Lines so far.
    pub lines: u64,
    /// The sequence number after the last record.
    reached: u64,
    /// Whether the last record was a piece of a line that goes on.
    goes_on: bool,
}

impl LineCounter {
    /// Takes a record, or one that a compaction has removed: that was a line.
    fn take_or_missing(&mut self, sequence: u64, line: Option<&(RecordHeader, Vec<u8>)>) {
        match line {
            Some((header, line)) => self.take(sequence, *header, line),
            None => self.lines += 1,
        }
    }

    fn take(&mut self, sequence: u64, header: RecordHeader, line: &[u8]) {
        self.reached = sequence + 1;
        if header.flags.contains(RecordFlags::CONTINUES) {
            self.goes_on = true;
            return;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.lines += u64::from(self.goes_on || !text.is_empty());
        self.goes_on = false;
    }
}

/// A record in the order of a file; nothing of one that a compaction has removed.
type InFile = (u64, Option<(RecordHeader, Vec<u8>)>);

/// The records of a session that has an order of its own, from the first one of its file on.
fn in_file_order(order: &Order, each: &mut Each<'_>) -> Result<Vec<InFile>> {
    let Some(start) = order.file_start() else {
        return Ok(Vec::new());
    };
    let mut stored = HashMap::new();
    each(&mut |sequence, header, line| {
        stored.insert(sequence, (header, line.to_vec()));
        true
    })?;
    let runs = order.runs_from(Some(start));
    let sequences = runs.iter().flat_map(|run| run.first..=run.last);
    Ok(sequences
        .map(|sequence| (sequence, stored.remove(&sequence)))
        .collect())
}

/// A row with the first `lines` lines hidden, and the rest shown.
pub(crate) fn hide(
    old: &SessionRow,
    lines: u64,
    order: Option<&Order>,
    each: &mut Each<'_>,
) -> Result<SessionRow> {
    if let Some(order) = order {
        return hide_in_order(old, lines, order, each);
    }
    let (mut mark, mut hidden, mut counter) = (0, 0, LineCounter::default());
    if lines > 0 {
        // All of them, unless so many lines come by.
        mark = old.next;
        each(&mut |sequence, header, line| {
            let missing = sequence.saturating_sub(counter.reached);
            if counter.lines.saturating_add(missing) >= lines {
                // The place lies among records that a compaction removed.
                mark = counter.reached + (lines - counter.lines);
                return false;
            }
            counter.lines += missing;
            counter.take(sequence, header, line);
            hidden += u64::from(header.messages);
            if counter.lines >= lines {
                mark = sequence + 1;
                return false;
            }
            true
        })?;
    }
    Ok(SessionRow {
        hidden,
        mark,
        ..old.clone()
    })
}

/// The same, of a session whose records have an order of their own: what its agent has dropped is no
/// line any more, and stays hidden.
fn hide_in_order(
    old: &SessionRow,
    lines: u64,
    order: &Order,
    each: &mut Each<'_>,
) -> Result<SessionRow> {
    let mut row = old.clone();
    let mut counter = LineCounter::default();
    row.mark = if lines == 0 {
        order.file_start().unwrap_or(old.next)
    } else {
        old.next
    };
    let mut before = None;
    for (sequence, line) in in_file_order(order, each)? {
        // Behind the last piece of the last line that is hidden.
        if before.is_some_and(|hidden| hidden >= lines) && lines > 0 {
            row.mark = sequence;
            break;
        }
        counter.take_or_missing(sequence, line.as_ref());
        before = Some(counter.lines);
    }
    count_hidden(&mut row, order, each)?;
    Ok(row)
}

/// Counts the messages before the mark.
fn count_hidden(row: &mut SessionRow, order: &Order, each: &mut Each<'_>) -> Result<()> {
    let mark = order.place(row.mark);
    let mut hidden = 0;
    each(&mut |sequence, header, _| {
        if order.place(sequence) < mark {
            hidden += u64::from(header.messages);
        }
        true
    })?;
    row.hidden = hidden;
    Ok(())
}

/// A row with another file order. What the agent has dropped is hidden; what was hidden here stays so.
pub(crate) fn reorder(
    old: &SessionRow,
    before: Option<FileOrder>,
    order: &FileOrder,
    each: &mut Each<'_>,
) -> Result<SessionRow> {
    let mut row = SessionRow {
        reordered: order.is_reordered(old.next),
        ..old.clone()
    };
    // In the order of the numbers as before: mark and header are where they were.
    if !row.reordered && !old.reordered {
        return Ok(row);
    }
    let was = before
        .filter(|_| old.reordered)
        .map(|before| Order::of(&before, old.next));
    let place_before = |sequence| was.as_ref().map_or(sequence, |was| was.place(sequence));
    let mark_before = place_before(old.mark);
    // What stood before it was hidden by its agent, which dropped it, and by nobody here.
    let start_before = was.as_ref().map_or(0, |was| {
        was.file_start().map_or(u64::MAX, |start| was.place(start))
    });
    let now = Order::of(order, old.next);
    let start = now.file_start().unwrap_or(old.next);
    row.mark = start;
    if mark_before > start_before {
        // Something of the file was hidden here: it stays behind the mark.
        let from_start = now.runs_from(Some(start));
        let mut shown = from_start.iter().flat_map(|run| run.first..=run.last);
        let is_shown = |sequence: &u64| place_before(*sequence) >= mark_before;
        row.mark = shown.find(is_shown).unwrap_or(old.next);
    }
    count_hidden(&mut row, &now, each)?;
    if !row.reordered && row.hidden == 0 {
        row.mark = 0;
    }
    take_headers(&mut row, &now, each)?;
    Ok(row)
}

/// Whether an order has the records of a session elsewhere than the one before: its row may say nothing of that.
pub(crate) fn is_moved(row: &SessionRow, before: Option<&FileOrder>, order: &FileOrder) -> bool {
    row.reordered && before.is_some_and(|before| before.runs != order.runs)
}

/// Whether all that an order says more than the one before is that further records are not of the file:
/// they are hidden, before what is shown.
pub(crate) fn only_drops(row: &SessionRow, before: &FileOrder, order: &FileOrder) -> bool {
    let next = order.next;
    row.reordered
        && row.mark < before.next
        && *order
            == FileOrder {
                next,
                ..before.clone()
            }
}

/// Lets the row say what the header says that the file has now: it may be one from before.
fn take_headers(row: &mut SessionRow, order: &Order, each: &mut Each<'_>) -> Result<()> {
    let dialect = agents::of_agent(&row.agent);
    if dialect.habits().role.is_none() {
        return Ok(());
    }
    let start = order.file_start().map(|start| order.place(start));
    let Some(start) = start else {
        return Ok(());
    };
    let mut headers = Vec::new();
    each(&mut |sequence, header, line| {
        let place = order.place(sequence);
        if header.kind == RecordKind::Meta && place >= start {
            headers.push((place, sequence, line.to_vec()));
        }
        true
    })?;
    // Of several headers the last one in the file holds.
    headers.sort_unstable_by_key(|(place, ..)| *place);
    let mut seen = HashSet::new();
    for (_, sequence, line) in &headers {
        if seen.insert(*sequence) {
            let described = dialect.describe(line);
            Fold::default().take_header(row, &described, *sequence);
        }
    }
    Ok(())
}

/// Lines of a session that are not of zero length, how many of them are hidden, and the first line.
pub(crate) fn counted(
    row: &SessionRow,
    order: Option<&Order>,
    each: &mut Each<'_>,
) -> Result<(u64, u64, Vec<u8>)> {
    let (mut counter, mut skip, mut first_line) = (LineCounter::default(), 0, None);
    if let Some(order) = order {
        // An agent's `skip` is a number of lines from the start of its file: the last one before
        // the mark tells it.
        let mark = order.place(row.mark);
        for (sequence, line) in in_file_order(order, each)? {
            counter.take_or_missing(sequence, line.as_ref());
            if order.place(sequence) < mark {
                skip = counter.lines;
            }
            first_line = first_line.or(line.map(|line| line.1));
        }
    } else {
        each(&mut |sequence, header, line| {
            counter.take(sequence, header, line);
            if sequence < row.mark {
                skip = counter.lines;
            }
            if first_line.is_none() {
                first_line = Some(line.to_vec());
            }
            true
        })?;
    }
    Ok((counter.lines, skip, first_line.unwrap_or_default()))
}

/// Takes times in microseconds since 1970, as [`Bulk::apply_times`](super::Bulk::apply_times) says.
pub(crate) fn take_times(row: &mut SessionRow, created_us: Option<i64>, updated_us: Option<i64>) {
    if let Some(updated_us) = updated_us {
        if !row.time_stated {
            row.created_us = row.created_us.min(updated_us);
            row.updated_us = updated_us;
            row.time_stated = true;
        }
        row.updated_us = row.updated_us.max(updated_us);
    }
    if let (Some(created_us), false) = (created_us, row.created_stated) {
        row.created_us = created_us;
        row.created_stated = true;
        row.updated_us = row.updated_us.max(created_us);
    }
}

/// Takes a title that stands beside a session's lines, as a line would offer it.
pub(crate) fn take_title(row: &mut SessionRow, title: &str, rank: u8) {
    if !title.trim().is_empty() {
        let offer = TitleOffer {
            text: title.into(),
            rank,
            latest_wins: true,
            about: None,
            session: None,
        };
        Fold::default().offer_title(row, &offer);
    }
}

/// Takes a model for a session whose lines state none.
pub(crate) fn take_model(row: &mut SessionRow, model: &str) {
    if row.model.is_none() && !model.is_empty() {
        row.model = Some(cut(model, FACT_BYTES_MAX).to_owned());
    }
}

/// Takes a project for a session whose lines state none.
pub(crate) fn take_project(row: &mut SessionRow, project: &str) {
    if row.project.is_none() && !project.is_empty() {
        row.project = Some(project_of(project));
    }
}

/// Takes a parent for a session whose lines state none.
pub(crate) fn take_parent(row: &mut SessionRow, parent: &str) {
    offer_parent(row, parent, false);
}
