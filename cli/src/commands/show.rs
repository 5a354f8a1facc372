//! `scrollback show`: one session as a transcript, as lines, or as JSON. Holds a page of
//! records at a time, whatever the session's size.

use crate::exit::{Ending, Outcome};
use crate::message_row::{MessageRow, RecordRow};
use crate::open::Tool;
use crate::subagents::Started;
use crate::talk::Talk;
use crate::transcript::{self, Head};
use scrollback::{
    Direction, Error, Ingest, Record, Result, ScanQuery, SessionKey, Shown, StoreExt as _, Summary,
};

/// Records that are read at a time.
const PAGE: usize = 256;

const EXAMPLES: &str = "\
EXAMPLES
  scrollback show 0199c1f2
  scrollback show codex:0199c1f2 --tail 10
  scrollback show 0199c1f2 --raw > session.jsonl
  scrollback show 0199c1f2 --json | jq -r 'select(.role == \"user\") | .text'

ID is any start of a session's id that fits only one, or another name of it; `agent:ID` names
the agent too.";

/// What to show, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, or the start of it
    #[arg(value_name = "ID")]
    id: String,
    /// What truncation hid, too
    #[arg(long, alias = "full")]
    hidden: bool,
    /// The last N messages only
    #[arg(long, value_name = "N")]
    tail: Option<u64>,
    /// The lines as they are stored; with `--json`, in the field `line`
    #[arg(long)]
    raw: bool,
}

/// Where showing starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    /// The first sequence number.
    sequence: u64,
    /// Messages of that record to leave out.
    skip: usize,
}

/// Shows a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let key = store.resolve(&args.id)?;
    let summary = store.summary(&key)?;
    let start = start(&*store, &summary, args)?;
    if tool.out.is_json() {
        show_json(&*store, &key, start, args.raw, tool)?;
    } else if args.raw {
        show_raw(&*store, &key, start.sequence, tool)?;
    } else {
        let hidden = if args.hidden { 0 } else { summary.hidden_count };
        show_transcript(&*store, &summary, start, hidden, tool)?;
    }
    Ok(Ending::Done)
}

fn start(store: &dyn Ingest, summary: &Summary, args: &Args) -> Result<Start> {
    let first = if args.hidden { 0 } else { summary.mark };
    let Some(tail) = args.tail else {
        return Ok(Start {
            sequence: first,
            skip: 0,
        });
    };
    if tail == 0 {
        return Ok(Start {
            sequence: summary.next_sequence,
            skip: 0,
        });
    }
    let query = ScanQuery::default()
        .with_direction(Direction::Backward)
        .with_records_max(PAGE);
    let mut seen = 0_u64;
    for shown in store.view(&summary.key, query) {
        let Shown {
            record, messages, ..
        } = shown?;
        if record.sequence < first {
            break;
        }
        seen += messages.len() as u64;
        if let Some(skip) = seen.checked_sub(tail) {
            let skip = usize::try_from(skip).unwrap_or(0);
            return Ok(Start {
                sequence: record.sequence,
                skip,
            });
        }
    }
    Ok(Start {
        sequence: first,
        skip: 0,
    })
}

/// The records of a session from one on.
fn records<'s>(
    store: &'s dyn Ingest,
    key: &SessionKey,
    from: u64,
) -> impl Iterator<Item = Result<Record>> + 's {
    // The beginning is wherever the session begins, which need not be record 0.
    let query = match from {
        0 => ScanQuery::default(),
        from => ScanQuery::default().with_from(from),
    };
    store.records(key, query)
}

/// What the records of a session say, from one on.
fn view<'s>(
    store: &'s dyn Ingest,
    key: &SessionKey,
    from: u64,
) -> impl Iterator<Item = Result<Shown>> + 's {
    // The beginning is wherever the session begins, which need not be record 0.
    let query = match from {
        0 => ScanQuery::default(),
        from => ScanQuery::default().with_from(from),
    };
    store.view(key, query)
}

fn show_raw(store: &dyn Ingest, key: &SessionKey, from: u64, tool: &mut Tool) -> Result<()> {
    let closes_last_line = tool.out.is_terminal();
    tool.out.bytes(|out| {
        let mut terminated = true;
        for record in records(store, key, from) {
            let line = record?.line;
            terminated = line.ends_with(b"\n");
            out.write_all(&line)
                .map_err(|source| Error::Output { source })?;
        }
        if closes_last_line && !terminated {
            out.write_all(b"\n")
                .map_err(|source| Error::Output { source })?;
        }
        Ok(())
    })
}

fn show_json(
    store: &dyn Ingest,
    key: &SessionKey,
    start: Start,
    raw: bool,
    tool: &mut Tool,
) -> Result<()> {
    let mut skip = start.skip;
    for shown in view(store, key, start.sequence) {
        let mut shown = shown?;
        let text = |record: &Record| String::from_utf8_lossy(&record.line).into_owned();
        let mut line = raw.then(|| text(&shown.record).into());
        if shown.messages.is_empty() {
            tool.out.json_line(&RecordRow::new(&shown, line.take()))?;
        }
        for message in shown.messages.iter_mut().skip(std::mem::take(&mut skip)) {
            tool.out
                .json_line(&MessageRow::new(&shown.record, message, line.take()))?;
        }
    }
    Ok(())
}

fn show_transcript(
    store: &dyn Ingest,
    summary: &Summary,
    start: Start,
    hidden: u64,
    tool: &mut Tool,
) -> Result<()> {
    let attachments = match summary.attachment_count {
        0 => Vec::new(),
        _ => store.attachments(&summary.key)?,
    };
    let head = Head {
        summary,
        attachments: &attachments,
        properties: &store.properties(&summary.key)?,
        hidden,
    };
    head.print(tool)?;
    let mut skip = start.skip;
    let mut talk = Talk::default();
    let mut started = Started::of(store, summary)?;
    let mut is_first = start.sequence > summary.mark;
    for shown in view(store, &summary.key, start.sequence) {
        let shown = shown?;
        for message in shown.messages.iter().skip(std::mem::take(&mut skip)) {
            if let Some(time) = message.time {
                let named = started.before(Some(time));
                // What was started before the first message that is shown is not shown either.
                if !std::mem::take(&mut is_first) {
                    transcript::print_subagents(&named, &mut tool.out)?;
                }
            }
            talk.print(message, &mut tool.out)?;
        }
        if shown.messages.is_empty() && shown.shown_at.is_none() {
            transcript::print_unread(&shown.record, &mut tool.out)?;
        }
    }
    transcript::print_subagents(&started.before(None), &mut tool.out)
}
