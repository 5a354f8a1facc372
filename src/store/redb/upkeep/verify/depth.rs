//! How much a verification looks at, and what it compares the digest chains with.

use std::collections::BTreeMap;

use crate::model::key::SessionKey;
use crate::store::query::SessionDigest;

/// How much a verification looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Depth<'d> {
    /// Everything but the digest chains.
    Plain,
    /// The chains as well, also as they were in the past.
    Deep(&'d [SessionDigest]),
}

/// The chains of the past, by their sessions; those that were not met yet.
pub(crate) type Listed<'d> = BTreeMap<&'d SessionKey, Vec<&'d SessionDigest>>;

impl<'d> Depth<'d> {
    /// What there is to compare with; `None` if the chains are not looked at.
    pub(crate) fn listed(self) -> Option<Listed<'d>> {
        let Self::Deep(digests) = self else {
            return None;
        };
        let mut listed = Listed::new();
        for digest in digests {
            listed.entry(&digest.key).or_default().push(digest);
        }
        Some(listed)
    }
}
