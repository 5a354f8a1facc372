//! How reports name a session in JSON.

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
