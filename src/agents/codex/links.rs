//! What a line of Codex says of other lines: turns that begin and are taken back, and the tokens of each
//! answer, which are told with the sum of all. And which messages Codex put into the user's name.

use crate::agents::parts::fields::{count, fields_of, text, text_filled};
use crate::agents::parts::injected::PutIn;
use crate::json::Json;
use crate::model::links::{Act, Answer, Links, id_hash};
use crate::model::message::Usage;

/// What is put in, in tags.
const TAGS: &[&str] = &[
    "environment_context",
    "user_instructions",
    "recommended_plugins",
    "skills_instructions",
    "apps_instructions",
    "plugins_instructions",
    "collaboration_mode",
    "multi_agent_mode",
    "personality_spec",
    "subagent_notification",
    "turn_aborted",
    "user_action",
    "skill",
    "model_switch",
    "INSTRUCTIONS",
    "permissions",
];

/// What is put in begins so.
const STARTS: &[&str] = &["# AGENTS.md instructions"];

/// What Codex puts in.
pub(super) const PUT_IN: PutIn = PutIn {
    tags: TAGS,
    starts: STARTS,
};

/// The turn that a context is of.
pub(super) fn turn(payload: Option<Json<'_>>) -> Act {
    let [turn] = fields_of(payload, &["turn_id"]);
    text_filled(turn).map_or(Act::None, |turn| Act::Turn(id_hash(&turn)))
}

/// What an event says of other lines.
pub(super) fn of_event(payload: Json<'_>) -> Links {
    let [kind, turns] = fields_of(Some(payload), &["type", "num_turns"]);
    let (act, answer) = match text(kind).as_deref() {
        Some("task_started") => (turn(Some(payload)), None),
        Some("thread_rolled_back") => (Act::TakeBack(count(turns)), None),
        Some("token_count") => (Act::Total, answer(payload)),
        _ => (Act::None, None),
    };
    Links {
        answer,
        act,
        ..Links::default()
    }
}

/// The answer whose tokens an event tells.
pub(super) fn answer(payload: Json<'_>) -> Option<Answer> {
    let [kind, info] = fields_of(Some(payload), &["type", "info"]);
    if text(kind).as_deref() != Some("token_count") {
        return None;
    }
    let [total, last] = fields_of(info, &["total_token_usage", "last_token_usage"]);
    let (_, all) = tokens(total?)?;
    let (usage, _) = tokens(last?)?;
    Some(Answer {
        key: id_hash(&all),
        usage,
    })
}

/// The tokens of a report, and all of its numbers as a text.
fn tokens(report: Json<'_>) -> Option<(Usage, String)> {
    if !report.is_object() {
        return None;
    }
    let [input, cached, output, reasoning, written, total] = fields_of(
        Some(report),
        &[
            "input_tokens",
            "cached_input_tokens",
            "output_tokens",
            "reasoning_output_tokens",
            "cache_write_input_tokens",
            "total_tokens",
        ],
    )
    .map(count);
    let usage = Usage {
        input_tokens: input,
        output_tokens: output,
        cache_read_tokens: cached,
        cache_write_tokens: written,
    };
    // Reports are repeated: the same numbers again tell of no other answer.
    let all = format!("{input} {cached} {output} {reasoning} {written} {total}");
    Some((usage, all))
}
