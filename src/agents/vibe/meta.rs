//! `meta.json`: what Mistral Vibe tells of a session: its id, folder, title, and what it took.

use crate::agents::parts::fields::{fields, fields_of, fields_of_start, owned, text};
use crate::agents::parts::lines::body;
use crate::agents::parts::{times, titles, tokens};
use crate::agents::state::SidecarFacts;

/// The id of the session, in a file that may be cut off.
pub(super) fn session_id(bytes: &[u8]) -> Option<String> {
    let content = String::from_utf8_lossy(bytes);
    let [id, environment, start] =
        fields_of_start(body(&content), &["session_id", "environment", "start_time"]);
    environment.or(start)?;
    owned(id)
}

/// What it tells.
pub(super) fn facts(bytes: &[u8]) -> Option<SidecarFacts> {
    let content = String::from_utf8_lossy(bytes);
    let keys = [
        "session_id",
        "title",
        "environment",
        "stats",
        "agent_config",
        "config",
        "start_time",
        "end_time",
        "title_source",
        "parent_session_id",
    ];
    let [
        id,
        title,
        environment,
        stats,
        agent,
        config,
        start,
        end,
        source,
        parent,
    ] = fields(body(&content), &keys).ok()?;
    let [folder] = fields_of(environment, &["working_directory"]);
    let [model] = fields_of(agent.or(config), &["active_model"]);
    let names = ["session_prompt_tokens", "session_completion_tokens"];
    Some(SidecarFacts {
        id: owned(id)?,
        title: owned(title),
        title_rank: Some(match text(source).as_deref() {
            Some("manual") => titles::CHOSEN,
            // The beginning of the first message, whoever wrote that.
            Some("auto") => titles::DOUBTFUL_MESSAGE,
            _ => titles::GENERATED,
        }),
        project: owned(folder),
        model: owned(model),
        parent: owned(parent),
        usage: tokens::named(stats, &names),
        created_us: times::time_us(start),
        updated_us: times::time_us(end),
        ..SidecarFacts::default()
    })
}
