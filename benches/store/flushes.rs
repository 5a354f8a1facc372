//! How often a piece of work tells the disk to keep what was written: counted by `strace` (Linux),
//! attached to this process for a round that is not timed. Where it is missing, or may not look,
//! nothing is counted.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// The calls that flush.
const CALLS: &str = "trace=fsync,fdatasync,msync,sync_file_range,syncfs";

/// Counts the flushes of this process and its children while `work` runs. `None` where nobody can
/// count them.
pub(crate) fn counted(work: impl FnOnce() -> Outcome) -> Outcome<Option<u64>> {
    let folder = tempfile::tempdir()?;
    let calls = folder.path().join("calls");
    let Some(mut observer) = observer(&calls) else {
        work()?;
        return Ok(None);
    };
    let done = work();
    // Asked to, it lets go of this process.
    Command::new("kill")
        .args(["-INT", &observer.id().to_string()])
        .status()?;
    observer.wait()?;
    done?;
    let lines = std::fs::read_to_string(&calls)?;
    // A call during which another thread was seen has a second line.
    let is_call = |line: &&str| line.contains('(') && !line.contains(" resumed>");
    Ok(Some(u64::try_from(lines.lines().filter(is_call).count())?))
}

/// Starts `strace`, and waits until it looks.
fn observer(calls: &Path) -> Option<Child> {
    let mut observer = Command::new("strace")
        .args(["-f", "-e", "signal=none", "-e", CALLS, "-o"])
        .arg(calls)
        .args(["-p", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut said = BufReader::new(observer.stderr.take()?).lines();
    let is_attached = said
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("attached"));
    if is_attached {
        // It goes on to name every thread.
        std::thread::spawn(move || said.for_each(drop));
        return Some(observer);
    }
    let _ended = observer.wait();
    None
}
