//! A session's digest chain where stored records go: it is checked over all of them, and begun anew
//! over those that stay. A digest cannot be taken back, so this costs a read of the session.
//!
//! What has been changed behind the store's back is not made good so: a chain that does not fit is
//! an error, and the transaction that wanted to begin it anew writes nothing.

use crate::codec::chain::{Chain, digest_of};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};

/// The chains of a session while all of its records pass by, in their order.
#[derive(Debug)]
pub(crate) struct Rechain {
    stored: Chain,
    /// Over what the stored one covers.
    read: Chain,
    /// Over what stays.
    anew: Chain,
}

impl Rechain {
    /// Begins with a session's first record.
    pub(crate) fn of(row: &SessionRow) -> Self {
        let stored = row.chain;
        let mut anew = Chain::starting_at(0);
        anew.rewrites = stored.rewrites;
        Self {
            stored,
            read: Chain::starting_at(stored.from),
            anew,
        }
    }

    /// Takes the next record.
    pub(crate) fn take(&mut self, sequence: u64, line: &[u8], stays: bool) {
        let digest = digest_of(line);
        self.read.take(sequence, &digest);
        if stays {
            self.anew.push(&digest);
        } else if self.anew.rewrites == self.stored.rewrites {
            self.anew.rewrites += 1;
        }
    }

    /// The chain over what stays. [`Error::Corrupt`] if the stored one does not fit the records.
    pub(crate) fn finish(self, number: u64) -> Result<Chain> {
        match self.stored.differs_from(&self.read) {
            None => Ok(self.anew),
            Some(detail) => Err(corrupt_chain(number, detail)),
        }
    }
}

/// A session whose lines are not those that its digest chain was made of.
pub(crate) fn corrupt_chain(number: u64, detail: String) -> Error {
    Error::Corrupt {
        table: "records",
        key: format!("session {number}"),
        detail,
    }
}
