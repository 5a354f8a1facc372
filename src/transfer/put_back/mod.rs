//! The way back to an agent: the command that goes on with a session, and its files, written again where the agent
//! looks for them.
//!
//! What an agent's command is and where it looks is said in its folder ([`Agent`](crate::agents::Agent)); `places`
//! asks it for each file that an export would write, `same` looks at what is there already.

mod places;
mod resume;
mod same;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::places::{Placed, places};
pub use self::resume::{Resumption, resumption};
use super::export::Seen;
use super::files::atomic::ExportFolder;
use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::Ingest;

/// What was put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PutBack {
    /// The files: the session's own first.
    pub files: Vec<PutBackFile>,
    /// What whoever goes on with the session should know.
    pub notes: Vec<String>,
}

/// A file that was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PutBackFile {
    /// Where it lies. As JSON, bytes that are not UTF-8 are U+FFFD.
    #[serde(serialize_with = "super::report::lossy")]
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it was written; else it was there already, with this content.
    pub written: bool,
}

/// Writes the files of a session where its agent looks for them: below `home`, such as `~/.claude` (see
/// [`Places::home`](crate::provider::Places::home)). Byte for byte the file as its agent last had it, with what was appended
/// here behind it; sub-agents and files beside them too. Each is readable by its owner only and has today's time, so that
/// no agent deletes it for its age. An import sees the same sessions in them, and nothing new.
///
/// Nothing is replaced: where a file of that name has another content, nothing at all is written. Links below `home`
/// are not followed. Databases of agents are never written.
///
/// ```
/// use scrollback::{ExportFormat, ImportOptions, Options, RedbStore, SessionKey, import, put_back, unwatched};
///
/// let folder = tempfile::tempdir()?;
/// let home = folder.path().join(".claude");
/// let file = home.join("projects/-w/0a1b.jsonl");
/// std::fs::create_dir_all(file.parent().ok_or("no parent")?)?;
/// let line = r#"{"type":"user","uuid":"u","sessionId":"0a1b","cwd":"/w","message":{"role":"user","content":"hi"}}"#;
/// std::fs::write(&file, format!("{line}\n"))?;
/// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
/// import(&store, std::slice::from_ref(&home), &ImportOptions::default(), &mut unwatched)?;
/// std::fs::remove_file(&file)?;
/// let done = put_back(&store, &SessionKey::new("claude-code", "0a1b")?, &home)?;
/// assert!(done.files[0].written && file.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// The files are left to the system to put on disk; the store has what is in them.
///
/// # Errors
///
/// [`Error::NotFound`]; [`Error::Unsupported`] where the agent has no home, or keeps the session in a database;
/// [`Error::FileExists`] where another content is in the way: nothing was written; [`Error::Io`], [`Error::Corrupt`]: files that
/// were written before stay, each of them whole.
pub fn put_back(store: &dyn Ingest, key: &SessionKey, home: &Path) -> Result<PutBack> {
    let store = store.ingest().0;
    let agent = agents::of_agent(key.agent());
    let (placed, mut notes) = places(store, key, home)?;
    let fill =
        |placed: &Placed, out: &mut dyn Write| placed.item.write(store, out, &mut Seen::default());
    // All are compared before the first is written: what is in the way of one leaves every file as
    // it was.
    let mut there = Vec::with_capacity(placed.len());
    for one in &placed {
        let path = one.path(home);
        let bytes = same::bytes_of_same(&path, &mut |out| fill(one, out))?;
        there.push(match bytes {
            same::Found::Nothing => None,
            same::Found::Same(bytes) => Some(bytes),
            same::Found::Other => return Err(Error::FileExists { path }),
        });
    }
    let folder = ExportFolder::open(home)?;
    let mut files = Vec::with_capacity(placed.len());
    for (one, there) in placed.iter().zip(there) {
        let bytes = match there {
            Some(bytes) => bytes,
            // Never over a file, which may have come since the look.
            None => folder.write_new(&one.names, &mut |out| fill(one, out))?,
        };
        files.push(PutBackFile {
            path: one.path(home),
            bytes,
            written: there.is_none(),
        });
    }
    notes.extend(agent.put_back_note().map(str::to_owned));
    Ok(PutBack { files, notes })
}
