//! Replaying sessions of jcode: every rule of its reconstruction, by cases like those of its
//! sample home.

use scrollback::jcode::{
    Entry, Goal, PlanSnapshot, Repair, ReplayOptions, last_environment, reconstruct_history,
    reconstruct_state,
};
use scrollback::{Block, Message, Role};

/// Entries of lines, the header aside.
fn entries(lines: &[&str]) -> Vec<Entry> {
    lines
        .iter()
        .flat_map(|line| Entry::read_line(line.as_bytes()))
        .collect()
}

pub(crate) fn user(text: &str) -> String {
    format!(r#"{{"type":"user","content":"{text}"}}"#)
}

pub(crate) fn said(text: &str) -> String {
    format!(r#"{{"type":"assistant","content":"{text}"}}"#)
}

pub(crate) fn call(id: &str, name: &str) -> String {
    format!(r#"{{"type":"tool_call","name":"{name}","args":"{{}}","tool_call_id":"{id}"}}"#)
}

pub(crate) fn result(id: &str, name: &str, output: &str) -> String {
    format!(r#"{{"type":"tool_result","name":"{name}","output":"{output}","tool_call_id":"{id}"}}"#)
}

/// A message as a word: `u:text`, `a:text[call call]`, `t:id=output`, a failed one `t:id!output`.
fn word(message: &Message) -> String {
    let mut word = match message.role {
        Role::User => "u:".to_owned(),
        Role::Assistant => "a:".to_owned(),
        Role::System => "s:".to_owned(),
        _ => "t:".to_owned(),
    };
    word.push_str(&message.plain_text());
    let mut calls = Vec::new();
    for block in &message.content {
        match block {
            Block::ToolUse { id, .. } => calls.push(id.clone().unwrap_or_default()),
            Block::ToolResult {
                id,
                output,
                is_error,
                ..
            } => {
                let sign = if *is_error { '!' } else { '=' };
                word.push_str(id.as_deref().unwrap_or_default());
                word.push(sign);
                word.push_str(output);
            }
            Block::Image { .. } => word.push_str("+image"),
            _ => {}
        }
    }
    if !calls.is_empty() {
        word.push_str(&format!("{calls:?}").replace(['"', ','], ""));
    }
    word
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().map(word).collect()
}

pub(crate) fn exact(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    words(&reconstruct_history(&entries(&lines), ReplayOptions::exact()).messages)
}

pub(crate) fn exact_state(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    words(&reconstruct_state(&entries(&lines), ReplayOptions::exact()).messages)
}

pub(crate) fn repaired(lines: &[String]) -> (Vec<String>, Vec<Repair>) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replayed = reconstruct_history(&entries(&lines), ReplayOptions::default());
    let state = reconstruct_state(&entries(&lines), ReplayOptions::default());
    assert_eq!(
        state.messages, replayed.messages,
        "both agree in a repaired replay"
    );
    (words(&replayed.messages), replayed.repairs)
}

#[test]
fn rule_5_4_calls_in_a_row_are_one_message() {
    let lines = [
        user("compare"),
        call("t1", "read"),
        call("t2", "read"),
        result("t1", "read", "A"),
        result("t2", "read", "B"),
        said("They differ."),
    ];
    let expected = [
        "u:compare",
        "a:[t1 t2]",
        "t:t1=A",
        "t:t2=B",
        "a:They differ.",
    ];
    assert_eq!(exact(&lines), expected);
    assert_eq!(
        repaired(&lines),
        (expected.map(String::from).to_vec(), vec![])
    );
}

#[test]
fn rule_5_4_text_after_calls_goes_to_their_message_and_text_before_takes_them() {
    let after = [
        user("q"),
        call("t1", "x"),
        said("I will."),
        result("t1", "x", "A"),
    ];
    assert_eq!(exact(&after), ["u:q", "a:I will.[t1]", "t:t1=A"]);
    let before = [
        user("q"),
        said("I will."),
        call("t1", "x"),
        said("More."),
        result("t1", "x", "A"),
    ];
    assert_eq!(
        exact(&before),
        ["u:q", "a:I will.[t1]", "a:More.", "t:t1=A"]
    );
    let (words, repairs) = repaired(&before);
    assert_eq!(words, ["u:q", "a:I will.[t1]", "t:t1=A", "a:More."]);
    assert_eq!(repairs, [Repair::ResultMoved { id: "t1".into() }]);
    assert_eq!(
        exact(&[user("q"), said("")]),
        ["u:q"],
        "an empty answer is none"
    );
}

#[test]
fn rule_5_4_images_follow_the_text() {
    let image =
        r#"{"type":"user","content":"look","images":[{"media_type":"image/png","data":"AA=="}]}"#;
    let alone = r#"{"type":"user","images":[{"media_type":"image/png","data":"AA=="}]}"#;
    assert_eq!(
        exact(&[image.to_owned(), alone.to_owned()]),
        ["u:look+image", "u:+image"]
    );
}

#[test]
fn rule_5_4_ids_that_are_missing_or_double_stay_in_an_exact_replay() {
    let legacy = [
        user("q"),
        call("", "read"),
        result("", "read", "A"),
        said("ok"),
    ];
    assert_eq!(exact(&legacy), ["u:q", "a:[]", "t:=A", "a:ok"]);
    let twice = [
        user("q"),
        call("d", "read"),
        result("d", "read", "A"),
        call("d", "read"),
        result("d", "read", "B"),
    ];
    assert_eq!(exact(&twice), ["u:q", "a:[d]", "t:d=A", "a:[d]", "t:d=B"]);

    let (words, repairs) = repaired(&legacy);
    assert_eq!(words, ["u:q", "a:[call-1]", "t:call-1=A", "a:ok"]);
    assert_eq!(
        repairs,
        [Repair::CallRenamed {
            from: None,
            to: "call-1".into()
        }]
    );
    let (words, _) = repaired(&twice);
    assert_eq!(words, ["u:q", "a:[d]", "t:d=A", "a:[d-2]", "t:d-2=B"]);
}

#[test]
fn rule_5_4_a_compaction_counts_for_the_state_alone() {
    let compact = r#"{"type":"compact","summary":"S","compacted_n":4}"#.to_owned();
    let again = r#"{"type":"compact","summary":"S2"}"#.to_owned();
    let mut lines = vec![
        user("1"),
        said("2"),
        user("3"),
        said("4"),
        compact,
        user("5"),
        said("6"),
    ];
    assert_eq!(exact(&lines).len(), 6);
    assert_eq!(exact_state(&lines), ["s:S", "u:5", "a:6"]);
    lines.extend([again, user("7")]);
    assert_eq!(exact_state(&lines), ["s:S2", "u:7"], "the last one holds");
}

#[test]
fn rule_5_4_what_a_compaction_keeps_begins_with_no_answer() {
    let compact = |kept: i64| format!(r#"{{"type":"compact","summary":"S","kept_n":{kept}}}"#);
    let lines = |kept| {
        let turn = [user("1"), call("k", "read"), result("k", "read", "A")];
        [turn.as_slice(), &[compact(kept), user("2")]].concat()
    };
    assert_eq!(exact_state(&lines(1)), ["s:S", "a:[k]", "t:k=A", "u:2"]);
    assert_eq!(exact_state(&lines(2)), ["s:S", "a:[k]", "t:k=A", "u:2"]);
    assert_eq!(
        exact_state(&lines(99)),
        ["s:S", "u:1", "a:[k]", "t:k=A", "u:2"]
    );
    assert_eq!(exact_state(&lines(0)), ["s:S", "u:2"]);
    assert_eq!(exact_state(&lines(-1)), ["s:S", "u:2"]);
}

#[test]
fn rule_5_4_plan_todos_mode_prompt_and_goal() {
    let lines = [
        r#"{"type":"plan_update","plan_status":"draft","plan_title":"T","plan_content":"C","feedback":"x"}"#,
        r#"{"type":"plan_update","plan_status":"approved","plan_content":"C2"}"#,
        r#"{"type":"todo_snapshot","todos":[{"id":1,"title":"a","status":"done"}]}"#,
        r#"{"type":"mode_change","mode":"planning"}"#,
        r#"{"type":"system_prompt","content":"p","env_info":"os"}"#,
        r#"{"type":"goal_update","goal_objective":"ship","goal_status":"active","goal_tokens_used":10}"#,
    ];
    let state = reconstruct_state(&entries(&lines), ReplayOptions::exact());
    let mut plan = PlanSnapshot::default();
    plan.status = "approved".into();
    plan.title = "T".into();
    plan.content = "C2".into();
    plan.feedback = String::new();
    assert_eq!(state.plan, Some(plan));
    assert_eq!(state.todos[0].title, "a");
    assert_eq!(state.mode, "planning");
    assert_eq!(state.system_prompt.as_deref(), Some("p"));
    assert_eq!(state.env_info.as_deref(), Some("os"));
    let mut goal = Goal::default();
    goal.objective = "ship".into();
    goal.status = "active".into();
    goal.tokens_used = 10;
    assert_eq!(state.goal, Some(goal));

    let more = [
        &lines[..],
        &[
            r#"{"type":"todo_snapshot"}"#,
            r#"{"type":"mode_change"}"#,
            r#"{"type":"goal_update","goal_status":"cleared"}"#,
        ],
    ]
    .concat();
    let state = reconstruct_state(&entries(&more), ReplayOptions::exact());
    assert_eq!(
        (state.todos.len(), state.mode.as_str(), state.goal),
        (0, "", None)
    );
    let empty = reconstruct_state(&[], ReplayOptions::exact());
    assert_eq!((empty.plan, empty.environment.as_str()), (None, "local"));
}

fn switch(args: &str) -> String {
    format!(r#"{{"type":"tool_call","name":"switch_env","args":"{args}"}}"#)
}

#[test]
fn rule_5_4_the_environment_is_that_of_the_last_switch_that_came_through() {
    let ok = result("", "switch_env", "ok");
    let failed = r#"{"type":"tool_result","name":"switch_env","error":"no"}"#.to_owned();
    let prod = switch(r#"{\"target\":\"prod\"}"#);
    let cases = [
        (vec![prod.clone(), ok.clone()], "prod"),
        (vec![prod.clone(), failed], "local"),
        (vec![prod.clone()], "local"),
        (vec![switch(r#"{\"target\":"#), ok.clone()], "local"),
        (
            vec![prod.clone(), ok.clone(), switch("{}"), ok.clone()],
            "prod",
        ),
        (
            vec![
                prod.clone(),
                ok.clone(),
                switch(r#"{\"target\":7}"#),
                ok.clone(),
            ],
            "prod",
        ),
        (vec![prod, result("", "read", "x"), ok], "prod"),
    ];
    for (lines, expected) in cases {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let entries = entries(&lines);
        assert_eq!(last_environment(&entries), expected, "{lines:?}");
        let state = reconstruct_state(&entries, ReplayOptions::exact());
        assert_eq!(state.environment, expected, "{lines:?}");
    }
}

pub(crate) const START: &str = r#"{"type":"subagent_start","subagent_name":"scout"}"#;
const END: &str = r#"{"type":"subagent_result","subagent_name":"scout","output":"found"}"#;

pub(crate) fn with_subagent() -> Vec<String> {
    let (start, end) = (START.to_owned(), END.to_owned());
    let before = [
        user("q"),
        call("s1", "subagent"),
        start,
        call("in1", "grep"),
    ];
    let inner = [result("in1", "grep", "hit"), said("inner"), end];
    let after = [result("s1", "subagent", "found"), said("done")];
    [before.as_slice(), &inner, &after].concat()
}

#[test]
fn rule_5_4_what_a_subagent_did_is_not_the_sessions() {
    let lines = with_subagent();
    let expected = ["u:q", "a:[s1]", "t:s1=found", "a:done"];
    assert_eq!(exact(&lines), expected);
    assert_eq!(
        repaired(&lines),
        (expected.map(String::from).to_vec(), vec![])
    );
    let text: Vec<&str> = lines.iter().map(String::as_str).collect();
    let options = ReplayOptions::exact().with_subagents();
    let all = reconstruct_history(&entries(&text), options).messages;
    let merged = [
        "u:q",
        "a:[s1 in1]",
        "t:in1=hit",
        "a:inner",
        "t:s1=found",
        "a:done",
    ];
    assert_eq!(words(&all), merged);

    let switched = [
        START,
        &switch(r#"{\"target\":\"prod\"}"#),
        &result("", "switch_env", "ok"),
        END,
    ];
    let entries = entries(&switched);
    assert_eq!(last_environment(&entries), "prod", "of all entries");
    let state = reconstruct_state(&entries, ReplayOptions::exact());
    assert_eq!(state.environment, "local", "of the session's own");
}

#[test]
fn rule_5_4_results_without_a_start_do_not_go_below_the_session() {
    assert_eq!(exact(&[END.to_owned(), user("q")]), ["u:q"]);
    assert_eq!(repaired(&[END.to_owned(), user("q")]).0, ["u:q"]);
}
