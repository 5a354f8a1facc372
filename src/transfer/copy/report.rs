//! What a copy between two stores did, and what it could not do.

use serde::Serialize;

use crate::model::key::SessionKey;

/// What a copy between two stores did, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyReport {
    /// Sessions that came to the other store, all contents of their ids among them.
    pub sessions: u64,
    /// Sessions that were there, and got what they lacked.
    pub updated: u64,
    /// Sessions that were there as they are.
    pub unchanged: u64,
    /// Records copied.
    pub records: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Files copied that are kept with sessions and with their folders.
    pub files: u64,
    /// Bytes of those.
    pub file_bytes: u64,
    /// Deletion marks copied.
    pub marks: u64,
    /// What was not copied, up to [`CopyReport::REFUSED_MAX`].
    pub refused: Vec<CopyRefusal>,
    /// What was not copied beyond those listed.
    pub refused_more: u64,
}

impl CopyReport {
    /// Most refusals that a report lists; further ones are counted.
    pub const REFUSED_MAX: usize = 10_000;

    /// Whether all is there.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.refused_more == 0
    }

    /// Notes what is not copied.
    pub(super) fn refuse(&mut self, what: &str, reason: impl Into<String>) {
        if self.refused.len() < Self::REFUSED_MAX {
            self.refused.push(CopyRefusal {
                what: what.to_owned(),
                reason: reason.into(),
            });
        } else {
            self.refused_more += 1;
        }
    }

    /// The same, of a session.
    pub(super) fn refuse_session(&mut self, key: &SessionKey, reason: impl Into<String>) {
        self.refuse(&key.to_string(), reason);
    }
}

/// A session or a file that was not copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyRefusal {
    /// Its name, or its path.
    pub what: String,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_lists_refusals_up_to_its_limit_and_counts_the_rest() {
        let mut report = CopyReport::default();
        for at in 0..=CopyReport::REFUSED_MAX {
            assert_eq!(report.refused_more, 0, "before {at}");
            report.refuse("a", "b");
        }
        let listed = (report.refused.len(), report.refused_more);
        assert_eq!(listed, (CopyReport::REFUSED_MAX, 1));
        assert!(!report.is_complete());
    }
}
