//! A session as messages, beside serde over a file of the same lines into the same messages; and
//! out again as lines, beside a copy of the file.

use std::cell::RefCell;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{
    ExportFormat, ImportOptions, ListQuery, Message, Options, RedbStore, Session, SessionKey,
    Store as _, export_session, import,
};

use crate::Outcome;
use crate::floors;
use crate::generate::Agent;
use crate::measure::{Contestant, compete, say};
use crate::typed::{self, Read};

/// Messages in a session.
const MESSAGES: usize = 1_000;

/// Bytes that hold so many, and more.
const BYTES: u64 = 16_000_000;

/// Bytes of the session whose export is measured.
const LONG_BYTES: u64 = 50_000_000;

/// Loads in a round.
const LOADS: u32 = 20;

/// A session in a store, and in a file beside it.
struct Subject {
    store: RedbStore,
    key: SessionKey,
    file: PathBuf,
    bytes: u64,
}

/// Runs the comparisons.
pub(crate) fn run(scratch: &Path) -> Outcome {
    let claude = lines_of_messages(Agent::ClaudeCode, typed::claude_code)?;
    let codex = lines_of_messages(Agent::Codex, typed::codex)?;
    let claude = imported(&scratch.join("claude"), &claude)?;
    let codex = imported(&scratch.join("codex"), &codex)?;
    let native = saved(&scratch.join("native"), &claude)?;
    load("claude-code", &claude, typed::claude_code)?;
    load("codex", &codex, typed::codex)?;
    load("native", &native, typed::native)?;
    export("claude-code", &claude, LOADS)?;
    for (name, agent) in [("claude-code", Agent::ClaudeCode), ("codex", Agent::Codex)] {
        let long = crate::session(agent, LONG_BYTES, 5)?;
        let long = imported(&scratch.join(format!("long-{name}")), &long)?;
        export(name, &long, 1)?;
    }
    Ok(())
}

/// Lines up to the thousandth message.
fn lines_of_messages(agent: Agent, read: Read) -> Outcome<String> {
    let mut text = crate::session(agent, BYTES, 4)?;
    let (mut messages, mut length) = (0, 0);
    for line in text.split_inclusive('\n') {
        length += line.len();
        messages += usize::from(read(line.as_bytes())?.is_some());
        if messages == MESSAGES {
            text.truncate(length);
            return Ok(text);
        }
    }
    Err(format!("{messages} messages are too few").into())
}

fn imported(folder: &Path, lines: &str) -> Outcome<Subject> {
    let store = RedbStore::open(folder.join("s.redb"), Options::default())?;
    let source = folder.join("sessions");
    fs::create_dir_all(&source)?;
    let file = source.join("00000000-0000-4000-8000-000000000000.jsonl");
    fs::write(&file, lines)?;
    import(
        &store,
        &[source],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    )?;
    let listed = store.list(&ListQuery::default())?.sessions;
    let [session] = listed.as_slice() else {
        return Err("there is not one session".into());
    };
    Ok(Subject {
        store,
        key: session.key.clone(),
        file,
        bytes: lines.len() as u64,
    })
}

/// The same messages as a session of this crate's own.
fn saved(folder: &Path, from: &Subject) -> Outcome<Subject> {
    let store = RedbStore::open(folder.join("s.redb"), Options::default())?;
    let mut session = Session::native("load")?;
    session.messages = from.store.load(&from.key)?.messages;
    store.save(&mut session)?;
    let mut lines = Vec::new();
    let bytes = export_session(&store, &session.key, ExportFormat::Jsonl, &mut lines)?;
    let file = folder.join("load.jsonl");
    fs::write(&file, &lines)?;
    Ok(Subject {
        store,
        key: session.key,
        file,
        bytes,
    })
}

fn load(name: &str, subject: &Subject, read: Read) -> Outcome {
    let (store, key) = (&subject.store, &subject.key);
    let mut stored = store.load(key)?.messages;
    for message in &mut stored {
        // What has no id in its line is named by its place.
        message.id = message.id.take().filter(|id| !id.starts_with('#'));
    }
    let lines = fs::read(&subject.file)?;
    if stored != typed::messages(&lines, read)? {
        return Err(format!("{name}: the rival reads other messages").into());
    }
    let rival = sqlite(&subject.file.with_extension("sqlite"), &lines)?;
    compete(
        &format!("{name}: load of {MESSAGES} messages, {} bytes", lines.len()),
        LOADS,
        vec![
            Contestant::new("scrollback", || {
                repeat(|| Ok(black_box(store.load(key)?).messages.len()))
            }),
            Contestant::new("a file, each line by serde", || {
                repeat(|| Ok(black_box(typed::messages(&fs::read(&subject.file)?, read)?).len()))
            }),
            Contestant::new("sqlite rows, each by serde", || {
                repeat(|| Ok(black_box(rows(&rival, read)?).len()))
            }),
            Contestant::new("floor: the file's bytes", || {
                repeat(|| Ok(black_box(fs::read(&subject.file)?).len().min(MESSAGES)))
            }),
        ],
    )
}

fn repeat(work: impl Fn() -> Outcome<usize>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..LOADS {
        if black_box(work()?) != MESSAGES {
            return Err("messages are missing".into());
        }
    }
    Ok(start.elapsed())
}

fn sqlite(path: &Path, lines: &[u8]) -> Outcome<Connection> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("CREATE TABLE record (sequence INTEGER PRIMARY KEY, line BLOB)")?;
    let txn = connection.transaction()?;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        txn.execute("INSERT INTO record (line) VALUES (?1)", [line])?;
    }
    txn.commit()?;
    Ok(connection)
}

fn rows(connection: &Connection, read: Read) -> Outcome<Vec<Message>> {
    let mut statement = connection.prepare_cached("SELECT line FROM record ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.extend(read(row.get_ref(0)?.as_blob()?)?);
    }
    Ok(messages)
}

fn export(name: &str, subject: &Subject, times: u32) -> Outcome {
    let out = subject.file.with_extension("out");
    let to_file = RefCell::new(Vec::new());
    // Each to a file that is new, as an export's are: to empty one takes as long as to fill it.
    let copies = |copy: &dyn Fn() -> Outcome<u64>| {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            floors::remove(&out)?;
            let start = Instant::now();
            if copy()? != subject.bytes {
                return Err("bytes are missing".into());
            }
            taken += start.elapsed();
        }
        Ok::<_, Box<dyn std::error::Error>>(taken)
    };
    let lines = |out: &mut dyn io::Write| {
        export_session(&subject.store, &subject.key, ExportFormat::Jsonl, out)
    };
    compete(
        &format!("{name}: export of {} bytes", subject.bytes),
        times,
        vec![
            Contestant::new("scrollback, to a file", || {
                let time = copies(&|| {
                    let mut writer = BufWriter::with_capacity(256 * 1024, File::create(&out)?);
                    let bytes = lines(&mut writer)?;
                    writer.flush()?;
                    Ok(bytes)
                })?;
                to_file.borrow_mut().push(time);
                Ok(time)
            }),
            Contestant::new("scrollback, to nowhere", || {
                copies(&|| Ok(lines(&mut io::sink())?))
            }),
            Contestant::new("cp: the system's copy of the file", || {
                copies(&|| Ok(fs::copy(&subject.file, &out)?))
            }),
            Contestant::new("read all of the file, and write it", || {
                copies(&|| {
                    let bytes = fs::read(&subject.file)?;
                    fs::write(&out, &bytes)?;
                    Ok(bytes.len() as u64)
                })
            }),
        ],
    )?;
    let mut times_taken = to_file.into_inner();
    times_taken.sort_unstable();
    let median = times_taken.get(times_taken.len() / 2).copied();
    let seconds = median.unwrap_or_default().as_secs_f64() / f64::from(times);
    // Bytes of a session are far from 2^52.
    #[expect(clippy::cast_precision_loss, reason = "a rate of a few digits")]
    let rate = subject.bytes as f64 / seconds / 1e6;
    say(&format!("  {rate:.0} MB/s to a file"))
}
