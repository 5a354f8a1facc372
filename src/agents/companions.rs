//! The files that lie beside an agent's sessions: whose they are, what they tell, and what an
//! export writes of them.
//!
//! An agent that keeps nothing beside its sessions writes `impl Companions for Its {}`.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use super::parts::meta_file::META_ENDING;
use super::state::{SessionState, SidecarFacts};

/// Whose a sidecar is: a file beside sessions that is not lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sidecar {
    /// It belongs to the session with this id.
    Session(String),
    /// It belongs to the folder.
    Folder,
}

/// What an agent keeps beside its sessions: sidecars and indexes.
///
/// Every file of an import is asked about by its path, so
/// [`sidecar`](Self::sidecar) and [`companion`](Self::companion) look at names first, and open a
/// file only where its name has told that it may be the agent's. The rest is called once for each
/// sidecar, or for each session of an export.
pub(crate) trait Companions: Debug + Send + Sync {
    /// Whose sidecar the file at `path` (absolute) is, or `None` if it is none of this agent's, or a
    /// session. Below an agent's home that agent alone is asked, and what it does not name is not kept;
    /// elsewhere the first agent of the list that takes it has it.
    fn sidecar(&self, _path: &Path) -> Option<Sidecar> {
        None
    }

    /// The file beside a session file that has to be read before the session gets its name: one
    /// that holds the true key. At most 1 MiB of it is read. Asked of every file of lines.
    fn companion(&self, _path: &Path) -> Option<PathBuf> {
        None
    }

    /// How the file about one session ends, behind the stem of the session's file. It goes
    /// wherever an export puts the session.
    fn meta_ending(&self) -> &'static str {
        META_ENDING
    }

    /// Whether a sidecar of this name is to tell of sessions, so that the report says so if it
    /// cannot be read: the file about a session, and by default every `.json` of a folder.
    fn is_telling(&self, name: &[u8], owner: &Sidecar) -> bool {
        name.ends_with(self.meta_ending().as_bytes())
            || (*owner == Sidecar::Folder && name.ends_with(b".json"))
    }

    /// What a sidecar (an index, a meta file) or a document tells of sessions. A file that
    /// cannot be read tells nothing. Called with the content now and the content before.
    fn sidecar_facts(&self, _path: &Path, _bytes: &[u8]) -> Vec<SidecarFacts> {
        Vec::new()
    }

    /// How the name ends of the file beside a session that says what the session took
    /// ([`SidecarFacts::usage`]), if its lines do not.
    fn usage_file(&self) -> Option<&'static str> {
        None
    }

    /// Whether the agent's program deletes sessions whose files are old by their times: an export
    /// gives them today's.
    fn deletes_by_time(&self) -> bool {
        false
    }

    /// Whether the agent, at its start, replaces a session by the file of this name that lies
    /// beside it: an old form, which an export has to call otherwise once the session went on.
    fn is_read_anew(&self, _name: &[u8]) -> bool {
        false
    }

    /// The id of a session of which nothing but the name of its file is known, where the agent would
    /// keep one with this key in a file of that name; `None` where names of files tell keys.
    fn id_by_file(&self, _key: &str) -> Option<String> {
        None
    }

    /// Where the agent would keep a session that has no file yet: the path below its folder of
    /// sessions, name by name. `None` leaves it to the export.
    fn file_name(&self, _state: &SessionState) -> Option<Vec<String>> {
        None
    }

    /// The agent's own file about a session, beside the session's: its name, and its bytes as of
    /// now. `original` are the bytes that were imported; they are given back if they still hold.
    fn write_sidecar(
        &self,
        _state: &SessionState,
        _original: Option<&[u8]>,
    ) -> Option<(String, Vec<u8>)> {
        None
    }

    /// The agent's index file for a folder of sessions, with rows for sessions that were made or
    /// changed here: its name, and its bytes as of now. Other rows stay byte for byte. `None` if
    /// the original cannot be read: the export then asks again without it, for all sessions of the
    /// folder.
    fn write_index(
        &self,
        _original: Option<&[u8]>,
        _changed: &[SessionState],
    ) -> Option<(String, Vec<u8>)> {
        None
    }
}
