//! `scrollback deleted`: the sessions that were deleted, and that an import passes over.

use serde::Serialize;

use crate::exit::{Ending, Outcome};
use crate::open::Tool;
use crate::sizes;
use crate::table::{Align, Table};
use crate::times;
use scrollback::report::DeletedSession;
use scrollback::{Error, RedbStore, Result, SessionKey};

const EXAMPLES: &str = "\
EXAMPLES
  scrollback deleted
  scrollback deleted --forget 0199c1f2-0000-7000-8000-000000000000
  scrollback deleted --json | jq -r .id

An import passes over a session that was deleted here, grown or not. Once that is forgotten, the
next import of its file takes it; `scrollback import --again PATH` does both for all below a
path.";

/// What to list, or to forget.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Forget that this session was deleted: its whole id, or `agent:id`
    #[arg(long, value_name = "ID")]
    forget: Option<String>,
}

/// What was forgotten, as JSON.
#[derive(Debug, Serialize)]
struct Forgotten {
    forgotten: u64,
}

/// Lists deleted sessions, or forgets one.
pub(crate) fn run(args: &Args, tool: &mut Tool) -> Outcome {
    if let Some(id) = &args.forget {
        let store = tool.open_file_to_change("forget this yet")?;
        let forgotten = store.forget_deleted(&meant(&store, id)?)?;
        if tool.out.is_json() {
            tool.out.json_line(&Forgotten { forgotten })?;
        } else {
            tool.out
                .line("forgotten; the next import of its file takes it")?;
        }
        return Ok(Ending::Done);
    }
    let store = tool.open_to_read()?;
    let deleted = store.deleted()?;
    if tool.out.is_json() {
        for one in &deleted {
            tool.out.json_line(one)?;
        }
        return Ok(Ending::Done);
    }
    if deleted.is_empty() {
        tool.out.notice("no session was deleted");
        return Ok(Ending::Done);
    }
    let mut table = Table::new(&[
        ("agent", Align::Left),
        ("id", Align::Left),
        ("deleted", Align::Left),
        ("folder", Align::Left),
    ]);
    for one in &deleted {
        table.push(vec![
            one.key.agent().to_owned(),
            tool.out.field(one.key.id()).into_owned(),
            times::stamp(one.deleted_at, tool.out.zone()),
            tool.out
                .field(one.home.as_deref().unwrap_or_default())
                .into_owned(),
        ]);
    }
    table.print(&mut tool.out)?;
    let number = sizes::counted(deleted.len() as u64, "mark");
    tool.out.notice(&number);
    Ok(Ending::Done)
}

/// The deleted session that a text names.
fn meant(store: &RedbStore, id: &str) -> Result<SessionKey> {
    let fits = |one: &DeletedSession| one.key.id() == id || one.key.to_string() == id;
    let found = store.deleted()?.into_iter().filter(fits);
    let mut keys: Vec<SessionKey> = found.map(|one| one.key).collect();
    keys.dedup();
    match keys.len() {
        0 => Err(Error::NotFound {
            wanted: id.to_owned(),
        }),
        1 => Ok(keys.remove(0)),
        _ => Err(Error::Ambiguous {
            prefix: id.to_owned(),
            candidates: keys,
        }),
    }
}
