//! `<session>.settings.json`: which model a session speaks with, and what it took: the only place that says
//! so. What sub-agents took stands in theirs, and here once more under other keys.

use crate::agents::parts::fields::{count, fields, fields_of, owned};
use crate::agents::parts::lines::body;
use crate::agents::state::SidecarFacts;
use crate::model::message::Usage;

/// What it tells.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let content = String::from_utf8_lossy(bytes);
    let [model, tokens] = fields(body(&content), &["model", "tokenUsage"]).unwrap_or_default();
    let tokens = tokens.filter(|tokens| tokens.is_object());
    let [input, output, written, read] = fields_of(
        tokens,
        &[
            "inputTokens",
            "outputTokens",
            "cacheCreationTokens",
            "cacheReadTokens",
        ],
    )
    .map(count);
    SidecarFacts {
        id,
        model: owned(model),
        usage: tokens.map(|_| Usage {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: read,
            cache_write_tokens: written,
        }),
        ..SidecarFacts::default()
    }
}
