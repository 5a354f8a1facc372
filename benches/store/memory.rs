//! The most memory that an import needs: in a process of its own, whatever the files, and for one
//! long line on one core. Linux tells it (`VmHWM`); elsewhere nothing is measured.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use scrollback::{ImportOptions, Options, RedbStore, import};

use crate::Outcome;
use crate::floors;
use crate::generate::{self, Agent, Plan};
use crate::measure::say;

/// The first argument of a child process: a folder and a store follow.
pub(crate) const CHILD: &str = "import-child";

/// Bytes of a long line.
const LINE_BYTES: usize = 100_000_000;

/// Runs the measurement.
pub(crate) fn run(scratch: &Path) -> Outcome {
    say("\nmost memory of an import, resident, in a process of its own")?;
    let folder = scratch.join("memory");
    let many = folder.join("many");
    let plan = Plan {
        agent: Agent::Codex,
        files: 400,
        bytes: 100_000_000,
        seed: 4,
    };
    generate::folder(&many, plan)?;
    row("100 MB in 400 files, all cores", &many, scratch, false)?;
    row("the same, one core", &many, scratch, true)?;
    let large = folder.join("large");
    generate::folder(&large, Plan { files: 2, ..plan })?;
    row("100 MB in 2 files, all cores", &large, scratch, false)?;
    let long = folder.join("long");
    write(&long, "message", b"words and more words, ", Line::Message)?;
    row("a message of 100 MB, one core", &long, scratch, true)?;
    let torn = folder.join("nul");
    write(&torn, "nul", b"\0", Line::Torn)?;
    row("300 MB of NUL bytes, one core", &torn, scratch, true)?;
    let several = folder.join("several");
    for name in ["a", "b", "c"] {
        write(&several, name, b"words and more words, ", Line::Message)?;
    }
    row("3 messages of 100 MB, all cores", &several, scratch, false)?;
    let longest = folder.join("longest");
    for name in ["a", "b", "c", "d"] {
        write(&longest, name, b"words and more words, ", Line::Longest)?;
    }
    row("4 lines of 128 MiB, all cores", &longest, scratch, false)
}

/// Imports in this process, and prints the most memory that it has had.
pub(crate) fn child(folder: &Path, store: &Path) -> Outcome {
    let store = RedbStore::open(store, Options::default())?;
    let options = ImportOptions::default();
    import(
        &store,
        &[folder.to_owned()],
        &options,
        &mut scrollback::unwatched,
    )?;
    drop(store);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    say(peak.unwrap_or("?").trim())
}

fn row(name: &str, folder: &Path, scratch: &Path, one_core: bool) -> Outcome {
    let store = scratch.join("memory.redb");
    floors::remove(&store)?;
    let program = std::env::current_exe()?;
    let mut command = if one_core {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let output = command.arg(CHILD).args([folder, &store]).output()?;
    let peak = String::from_utf8_lossy(&output.stdout);
    say(&format!("  {name:<44} {:>12}", peak.trim()))
}

/// A long line.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    /// A message.
    Message,
    /// A message of 128 MiB, a few bytes less: the longest line that is one record.
    Longest,
    /// The text alone, three times as long.
    Torn,
}

/// Writes a file of one long line that holds the text again and again.
fn write(folder: &Path, name: &str, text: &[u8], line: Line) -> Outcome {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join(format!("{name}.jsonl")))?;
    let mut out = BufWriter::new(file);
    let bytes = match line {
        Line::Message => LINE_BYTES,
        Line::Longest => 128 * 1024 * 1024 - 200,
        Line::Torn => 3 * LINE_BYTES,
    };
    if line != Line::Torn {
        out.write_all(br#"{"type":"user","message":{"role":"user","content":""#)?;
    }
    for _ in 0..bytes / text.len() {
        out.write_all(text)?;
    }
    if line != Line::Torn {
        out.write_all(b"\"}}\n")?;
    }
    out.flush()?;
    Ok(())
}
