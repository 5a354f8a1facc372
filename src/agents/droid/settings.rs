//! `<session>.settings.json`: which model a session speaks with, and what it took: the only place that says
//! so. What sub-agents took stands in theirs, and here once more under other keys.

use crate::agents::parts::fields::{fields, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::tokens;
use crate::agents::state::SidecarFacts;

/// What it tells.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let content = String::from_utf8_lossy(bytes);
    let [model, taken] = fields(body(&content), &["model", "tokenUsage"]).unwrap_or_default();
    let names = [
        "inputTokens",
        "outputTokens",
        "cacheReadTokens",
        "cacheCreationTokens",
    ];
    SidecarFacts {
        id,
        model: owned(model),
        usage: tokens::named(taken, &names),
        ..SidecarFacts::default()
    }
}
