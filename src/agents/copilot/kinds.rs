//! The kinds of events that Copilot CLI writes to its files, as its own package lists them and a later one
//! wrote them.

/// Kinds with something that is said.
const SAID: [&str; 7] = [
    "user.message",
    "assistant.message",
    "system.message",
    "tool.execution_complete",
    "session.compaction_complete",
    "session.task_complete",
    "session.handoff",
];

/// Kinds of which nothing is said: by what stands before the first point, and what behind it.
const EVENTS: [(&str, &[&str]); 12] = [
    ("abort", &[]),
    (
        "assistant",
        &[
            "reasoning",
            "turn_start",
            "turn_end",
            "intent",
            "usage",
            "fusion_phase_completed",
            "fusion_phase_failed",
        ],
    ),
    ("external_tool", &["requested", "completed"]),
    ("hook", &["start", "end"]),
    ("permission", &["requested", "completed"]),
    (
        "session",
        &[
            "start",
            "resume",
            "shutdown",
            "usage_checkpoint",
            "usage_record",
            "info",
            "warning",
            "error",
            "model_change",
            "mode_changed",
            "mode_notice_delivered",
            "permissions_changed",
            "plan_changed",
            "workspace_file_changed",
            "context_changed",
            "context_cleared",
            "truncation",
            "compaction_start",
            "completion_receipt",
            "binary_asset",
            "canvas.recorded",
            "canvas.removed",
            "auto_mode_resolved",
            "autopilot_objective_changed",
            "remote_steerable_changed",
            "session_limits_changed",
        ],
    ),
    ("skill", &["invoked"]),
    (
        "subagent",
        &[
            "started",
            "completed",
            "failed",
            "selected",
            "deselected",
            "configured",
        ],
    ),
    ("system", &["notification"]),
    ("tool", &["execution_start", "user_requested"]),
    ("tool_search", &["activated"]),
    ("user_input", &["requested", "completed"]),
];

/// How further kinds begin. Those of a model's own calls repeat what other events say.
const BEGIN: [&str; 3] = ["model.", "session.fusion_", "session.schedule_"];

/// Whether an event of this kind may say something.
pub(super) fn is_said(kind: &str) -> bool {
    SAID.contains(&kind)
}

/// Whether this is the kind of an event of which nothing is said.
pub(super) fn is_event(kind: &str) -> bool {
    let (group, rest) = kind.split_once('.').unwrap_or((kind, ""));
    let is_in = |(of, names): &(&str, &[&str])| {
        *of == group && (names.contains(&rest) || (rest.is_empty() && names.is_empty()))
    };
    EVENTS.iter().any(is_in) || BEGIN.iter().any(|start| kind.starts_with(start))
}
