//! How far a long call is, told now and then to somebody who may stop it.

use std::ops::ControlFlow;

use serde::Serialize;

use super::callers::theirs;
use crate::model::error::{Error, Result};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Files are looked for: [`Progress::files`] were found, and how many there are is not known.
    Searching,
    /// Files are read or written; counted in their bytes, and in files.
    Transferring,
    /// Rows are copied, and counted; of a copy into another store, sessions.
    Copying,
    /// What is stored is verified; counted in bytes of lines.
    Verifying,
    /// Messages are searched; counted in bytes of their sessions' lines.
    Matching,
    /// Messages are indexed; counted in bytes of lines.
    Indexing,
    /// Sessions are read again; counted in bytes of lines.
    Rereading,
    /// A damaged store is read, and what was found is written; counted in bytes of its file.
    Repairing,
}

/// How far an import, an export, a verification, a backup, a restore or a repair is.
///
/// Whoever is told answers whether to go on: after [`ControlFlow::Break`] the call ends with
/// [`Error::Cancelled`], and its own documentation says what is there
/// then. [`unwatched`] goes on, and looks at nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done. A call can have several steps, and each begins at nothing.
    pub step: Step,
    /// How much of this step is done, in the unit of the step.
    pub done: u64,
    /// How much there is to do; 0 while that is not known.
    pub total: u64,
    /// Files dealt with, or found; 0 in a step without files.
    pub files: u64,
    /// Files in all; 0 while that is not known.
    pub files_total: u64,
}

/// The callback that is told how far a call is, and says whether to go on.
pub type Watcher<'w> = dyn FnMut(Progress) -> ControlFlow<()> + 'w;

/// A [`Watcher`] that never stops anything.
///
/// ```
/// use scrollback::{Options, RedbStore, unwatched};
///
/// let folder = tempfile::tempdir()?;
/// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
/// assert!(store.verify(&mut unwatched)?.is_clean());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

impl Progress {
    /// At the start of a step.
    pub(crate) fn of(step: Step) -> Self {
        Self {
            step,
            done: 0,
            total: 0,
            files: 0,
            files_total: 0,
        }
    }

    /// So far in a step without files.
    pub(crate) fn at(step: Step, done: u64, total: u64) -> Self {
        Self {
            done,
            total,
            ..Self::of(step)
        }
    }

    /// Tells it.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if that is the answer.
    pub(crate) fn tell(self, watcher: &mut Watcher<'_>) -> Result<()> {
        match theirs(|| watcher(self))? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }
}
