//! An open database, how it is opened again, and what it and the file under it tell each other.

use std::fmt;

use redb::{Database, ReadOnlyDatabase};

use super::backend::Hurry;
use super::health::Health;
use super::panics::guard;
use crate::model::error::Result;

/// What a database and the file under it tell each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// Whether locks are waited for only briefly.
    pub(crate) hurry: Hurry,
    /// What the file has failed at.
    pub(crate) health: Health,
    /// Whether the file is being made, under a name that nobody else knows.
    pub(crate) is_new: bool,
}

impl Watch {
    /// Of a file that is being made, under a name that nobody else knows.
    pub(crate) fn of_new() -> Self {
        Self {
            is_new: true,
            ..Self::default()
        }
    }
}

/// The database, as it was opened.
pub(crate) enum Handle {
    /// For writing.
    Writer(Database),
    /// For reading only.
    Reader(ReadOnlyDatabase),
    /// It failed, and could not be opened again yet.
    Closed,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Writer(_) => "Writer",
            Self::Reader(_) => "Reader",
            Self::Closed => "Closed",
        })
    }
}

/// Opens a database, whose file's failures are then noted.
type Open = dyn Fn(&Watch) -> Result<Handle> + Send + Sync;

/// How a database is opened again.
pub(crate) struct Opener(Box<Open>);

impl Opener {
    /// Opens as `open` does.
    pub(crate) fn new(open: impl Fn(&Watch) -> Result<Handle> + Send + Sync + 'static) -> Self {
        Self(Box::new(open))
    }

    /// Opens it.
    pub(crate) fn open(&self, watch: &Watch) -> Result<Handle> {
        guard(|| (self.0)(watch))
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}
