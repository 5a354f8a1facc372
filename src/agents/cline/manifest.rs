//! `<session>.json`: what is known of a session of Cline's command line besides its messages.

use crate::agents::parts::fields::{fields, fields_of, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::{times, titles};
use crate::agents::state::SidecarFacts;

/// The folder that a session works in.
pub(super) fn folder(content: &str) -> Option<String> {
    let [folder, root] = fields(body(content), &["cwd", "workspace_root"]).ok()?;
    owned(folder).or_else(|| owned(root))
}

/// What it tells: the title that was made, else what was asked first.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let content = String::from_utf8_lossy(bytes);
    let [about, prompt, folder, root, started, ended, model] = fields(
        body(&content),
        &[
            "metadata",
            "prompt",
            "cwd",
            "workspace_root",
            "started_at",
            "ended_at",
            "model",
        ],
    )
    .unwrap_or_default();
    let [title] = fields_of(about, &["title"]);
    let made = owned(title);
    SidecarFacts {
        id,
        // Only where no message tells more: it is what was asked first.
        title_rank: made.is_none().then_some(titles::LAST_PROMPT),
        title: made.or_else(|| owned(prompt)),
        project: owned(folder).or_else(|| owned(root)),
        created_us: times::time_us(started),
        updated_us: times::time_us(ended),
        model: owned(model),
        ..SidecarFacts::default()
    }
}
