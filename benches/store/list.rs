//! The newest 50 of many sessions, beside SQLite with an index on the time, which gives the same
//! summaries, and the tool that prints them, as a whole process.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{ListQuery, Options, RedbStore, Store as _, Summary};

use crate::Outcome;
use crate::many::Many;
use crate::measure::{Contestant, compete};
use crate::rival;

/// Lists in a round.
const LISTS: u32 = 50;

/// Processes in a round.
const PROCESSES: u32 = 20;

/// Sessions in a list.
const NEWEST: usize = 50;

/// Runs the comparison in the process.
pub(crate) fn run(many: &Many) -> Outcome {
    let store = RedbStore::open_read_only(&many.store, Options::default())?;
    let rows = Connection::open(&many.rival)?;
    if scrollback(&store)? != rival::list(&rows, NEWEST)? {
        return Err("the rival lists other sessions".into());
    }
    compete(
        &format!("the newest {NEWEST} of {} sessions", many.sessions),
        LISTS,
        vec![
            Contestant::new("scrollback", || repeat(|| scrollback(&store))),
            Contestant::new("sqlite, index on time", || {
                repeat(|| rival::list(&rows, NEWEST))
            }),
            Contestant::new("scrollback, opened for it", || {
                repeat(|| scrollback(&RedbStore::open_read_only(&many.store, Options::default())?))
            }),
            Contestant::new("sqlite, opened for it", || {
                repeat(|| rival::list(&Connection::open(&many.rival)?, NEWEST))
            }),
        ],
    )
}

fn repeat(work: impl Fn() -> Outcome<Vec<Summary>>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..LISTS {
        if black_box(work()?).len() != NEWEST {
            return Err("the list is too short".into());
        }
    }
    Ok(start.elapsed())
}

fn scrollback(store: &RedbStore) -> Outcome<Vec<Summary>> {
    let query = ListQuery::default().with_limit(NEWEST);
    Ok(store.list(&query)?.sessions)
}

/// Runs the comparison of whole processes.
pub(crate) fn processes(many: &Many) -> Outcome {
    let tool = &tool()?;
    compete(
        &format!("a whole process that lists {} sessions", many.sessions),
        PROCESSES,
        vec![
            Contestant::new("scrollback list", || {
                started(
                    Command::new(tool)
                        .arg("list")
                        .arg("--store")
                        .arg(&many.store),
                )
            }),
            Contestant::new("floor: true", || started(&mut Command::new("true"))),
        ],
    )
}

/// The tool, built as this program was. Cargo names it to the tests of its own package alone, so
/// Cargo is asked to build it, which takes nothing where it is there.
fn tool() -> Outcome<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // This program lies in `<target>/<profile>/deps`.
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).ok_or("no target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--package", "scrollback-cli"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err("the tool cannot be built".into());
    }
    let name = format!("scrollback{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(name))
}

fn started(command: &mut Command) -> Outcome<Duration> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    for _ in 0..PROCESSES {
        if !command.status()?.success() {
            return Err("the process failed".into());
        }
    }
    Ok(start.elapsed())
}
