//! `sessions.json`: the sessions of an agent by their keys, with what they are called.

use crate::agents::parts::fields::{entries_in, fields_of, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::times;
use crate::agents::state::SidecarFacts;

/// Its name.
pub(super) const NAME: &str = "sessions.json";

/// What it tells of each session. A label that the user gave goes before a name that was made.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let text = String::from_utf8_lossy(bytes);
    let rows = entries_in(body(&text)).into_iter();
    rows.filter_map(|(_, row)| {
        let [id, label, shown, made, updated] = fields_of(
            Some(row),
            &[
                "sessionId",
                "label",
                "displayName",
                "autoLabel",
                "updatedAt",
            ],
        );
        Some(SidecarFacts {
            id: owned(id)?,
            title: [label, shown, made].into_iter().find_map(owned),
            updated_us: times::time_us(updated),
            ..SidecarFacts::default()
        })
    })
    .collect()
}
