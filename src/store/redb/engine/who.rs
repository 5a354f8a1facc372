//! Which other processes have a file open, as far as that can be seen: for the words of an error, and
//! never for anything else. Linux shows it in `/proc`, of one's own processes; elsewhere nothing is seen.

use std::path::Path;

#[cfg(target_os = "linux")]
use crate::system::FileId;

/// Other processes that have the file at a path open, in words: `None` if none is to be seen.
pub(crate) fn has_open(path: &Path) -> Option<String> {
    let mut named = Vec::new();
    for pid in others(path) {
        named.push(if is_stopped(pid) {
            format!("process {pid}, which is stopped")
        } else {
            format!("process {pid}")
        });
    }
    (!named.is_empty()).then(|| named.join(", "))
}

#[cfg(target_os = "linux")]
fn others(path: &Path) -> Vec<u32> {
    let Ok(file) = FileId::at(path) else {
        return Vec::new();
    };
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<u32> = list(Path::new("/proc"))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let folder = format!("/proc/{pid}/fd");
            // What is not a file has no such number; nothing is opened by this.
            list(Path::new(&folder))
                .any(|open| FileId::at(&open.path()).is_ok_and(|open| open == file))
        })
        .collect();
    found.sort_unstable();
    found
}

#[cfg(not(target_os = "linux"))]
fn others(_path: &Path) -> Vec<u32> {
    Vec::new()
}

/// Whether a process was stopped, by a signal or a debugger.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind its name, which may hold anything.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't'))
}
