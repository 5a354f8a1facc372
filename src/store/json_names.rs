//! How reports name sessions and files in JSON.

use std::path::PathBuf;

use serde::{Serialize as _, Serializer};

use crate::model::key::SessionKey;

/// A session as `agent:id`, or `null`.
#[expect(clippy::ref_option, reason = "what serde passes")]
pub(crate) fn named<S: Serializer>(
    key: &Option<SessionKey>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    key.as_ref().map(ToString::to_string).serialize(serializer)
}

/// A session as `agent:id`.
pub(crate) fn key<S: Serializer>(key: &SessionKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// A file, or `null`; U+FFFD stands for the bytes of its name that are not UTF-8.
#[expect(clippy::ref_option, reason = "what serde passes")]
pub(crate) fn lossy<S: Serializer>(
    file: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let name = file.as_ref().map(|file| file.to_string_lossy());
    name.serialize(serializer)
}
