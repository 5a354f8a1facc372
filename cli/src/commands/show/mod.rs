//! `scrollback show`: one session as a transcript, as lines, or as JSON; or one message of it. Holds a page of
//! records at a time, whatever the session's size.

mod json;
mod part;
mod save;

use std::path::PathBuf;

use self::part::Part;
use crate::exit::{Ending, Failure, Outcome};
use crate::open::Tool;
use crate::resolve;
use crate::subagents::Started;
use crate::transcript::{Head, Transcript};
use scrollback::{Error, Ingest, Result, SessionKey, Summary};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback show
  scrollback show 0199c1f2
  scrollback show 0199c1f2#57
  scrollback show 0199c1f2#57 -C 3
  scrollback show 0199c1f2#57 --save pictures
  scrollback show codex:0199c1f2 -n 10
  scrollback show 0199c1f2 --raw > session.jsonl
  scrollback show 0199c1f2 --json | jq -r 'select(.role == \"user\") | .text'

ID is any start of a session's id that fits only one, or another name of it; `agent:ID` names
the agent too, and `ID#57` is record 57 of it, whole. Without an ID the newest session of this
project is shown.";

/// What to show, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session: its id, or the start of it; `ID#N`: one record of it [default: the newest of this
    /// project]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// With `ID#N`: so many messages before and behind it, too
    #[arg(short = 'C', long, value_name = "N", requires = "id")]
    context: Option<u64>,
    /// Nothing folded: outputs of tools in full, and what the agent put in
    #[arg(long)]
    whole: bool,
    /// What truncation hid, too
    #[arg(long, alias = "full")]
    hidden: bool,
    /// The last N messages only
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "context")]
    tail: Option<u64>,
    /// The lines as they are stored; with `--json`, in the field `line`
    #[arg(long)]
    raw: bool,
    /// Write pictures and files of what is shown into this folder; nothing is replaced
    #[arg(long, value_name = "DIR", conflicts_with = "raw")]
    save: Option<PathBuf>,
}

/// Shows a session.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    let store = tool.open_to_read()?;
    let (key, chosen) = chosen(&*store, args)?;
    let summary = store.summary(&key)?;
    let mark = if args.hidden { 0 } else { summary.mark };
    let part = match (chosen, args.tail) {
        (Some(_), Some(_)) => {
            let text = "`--tail` shows the end of a session; with `ID#N` it makes no sense";
            return Err(Failure::Usage(text.to_owned()));
        }
        (Some(sequence), None) => Part::around(&*store, &key, sequence, args.context.unwrap_or(0))?,
        (None, _) if args.context.is_some() => {
            let text = "`--context` needs a record: `ID#N`";
            return Err(Failure::Usage(text.to_owned()));
        }
        (None, Some(tail)) => Part::tail(&*store, &summary, mark, tail)?,
        (None, None) => Part::from_mark(mark),
    };
    if let Some(folder) = &args.save {
        save::save(&*store, &summary, part, folder, tool)?;
        return Ok(Ending::Done);
    }
    if tool.out.is_json() {
        json::show(&*store, &summary, part, args.raw, tool)?;
    } else if args.raw {
        show_raw(&*store, &key, part, tool)?;
    } else {
        tool.out.page();
        show_transcript(&*store, &summary, part, args, tool)?;
    }
    Ok(Ending::Done)
}

/// The session that is meant, and the record of it.
fn chosen(store: &dyn Ingest, args: &Args) -> Result<(SessionKey, Option<u64>), Failure> {
    let Some(id) = &args.id else {
        return Ok((resolve::newest_here(store)?, None));
    };
    Ok(resolve::record(store, id)?)
}

fn show_raw(store: &dyn Ingest, key: &SessionKey, part: Part, tool: &mut Tool) -> Result<()> {
    let closes_last_line = tool.out.is_terminal();
    tool.out.bytes(|out| {
        let mut terminated = true;
        for shown in part.view(store, key) {
            let line = shown?.record.line;
            terminated = line.ends_with(b"\n");
            out.write_all(&line)
                .map_err(|source| Error::Output { source })?;
        }
        // A prompt would stand behind the line. Elsewhere the bytes are the session's, and none is
        // added.
        if closes_last_line && !terminated {
            out.write_all(b"\n")
                .map_err(|source| Error::Output { source })?;
        }
        Ok(())
    })
}

fn show_transcript(
    store: &dyn Ingest,
    summary: &Summary,
    part: Part,
    args: &Args,
    tool: &mut Tool,
) -> Result<()> {
    if part.chosen.is_none() {
        let attachments = match summary.attachment_count {
            0 => Vec::new(),
            _ => store.attachments(&summary.key)?,
        };
        let head = Head {
            summary,
            attachments: &attachments,
            properties: &store.properties(&summary.key)?,
            hidden: if args.hidden { 0 } else { summary.hidden_count },
        };
        head.print(tool)?;
    }
    let mut skip = part.skip;
    let mut transcript = Transcript::of(summary, resolve::short(store, &summary.key)?);
    let mut started = Started::of(store, summary)?;
    // What was started before the first message that is shown is not shown either.
    let mut is_first = part.from.is_some_and(|from| from > summary.mark);
    for shown in part.view(store, &summary.key) {
        let shown = shown?;
        let skip = std::mem::take(&mut skip);
        let mut times = shown.messages.iter().skip(skip);
        if let Some(time) = times.find_map(|message| message.time) {
            let named = started.before(Some(time));
            if !std::mem::take(&mut is_first) {
                transcript.subagents(&named, &mut tool.out)?;
            }
        }
        let whole = args.whole || part.chosen == Some(shown.record.sequence);
        transcript.record(&shown, skip, whole, &mut tool.out)?;
    }
    match part.chosen {
        Some(_) => Ok(()),
        None => transcript.subagents(&started.before(None), &mut tool.out),
    }
}
