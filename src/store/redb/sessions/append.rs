//! An append that waits to be written, by whichever thread leads.

use uuid::Uuid;

use crate::model::key::SessionKey;
use crate::store::addition::{Addition, Intent};
use crate::store::query::Expect;

/// What one caller wants to append.
#[derive(Debug)]
pub(crate) struct Append {
    pub key: SessionKey,
    pub expect: Expect,
    pub batch_id: Option<Uuid>,
    pub intent: Intent,
    pub lines: Vec<Vec<u8>>,
}

impl Append {
    /// An addition to a session, to be written by whichever thread leads.
    pub(crate) fn of(key: &SessionKey, addition: &Addition<'_>) -> Self {
        Self {
            key: key.clone(),
            expect: addition.expect,
            batch_id: addition.batch_id,
            intent: addition.intent,
            lines: addition.lines.to_vec(),
        }
    }
}
