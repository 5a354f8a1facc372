//! Replaying sessions of jcode: every rule of its reconstruction, the cases of its sample home,
//! and what a repaired replay mends.

use scrollback::{
    Block, Compatibility, Entry, Goal, Message, PlanSnapshot, Repair, ReplayOptions, Role,
    last_environment, reconstruct_history, reconstruct_state,
};

/// Entries of lines, the header aside.
fn entries(lines: &[&str]) -> Vec<Entry> {
    lines
        .iter()
        .flat_map(|line| Entry::read_line(line.as_bytes()))
        .collect()
}

fn user(text: &str) -> String {
    format!(r#"{{"type":"user","content":"{text}"}}"#)
}

fn said(text: &str) -> String {
    format!(r#"{{"type":"assistant","content":"{text}"}}"#)
}

fn call(id: &str, name: &str) -> String {
    format!(r#"{{"type":"tool_call","name":"{name}","args":"{{}}","tool_call_id":"{id}"}}"#)
}

fn result(id: &str, name: &str, output: &str) -> String {
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
                word.push_str(&format!("{}{sign}{output}", id.clone().unwrap_or_default()));
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

fn exact(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    words(&reconstruct_history(&entries(&lines), ReplayOptions::exact()).messages)
}

fn exact_state(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    words(&reconstruct_state(&entries(&lines), ReplayOptions::exact()).messages)
}

fn repaired(lines: &[String]) -> (Vec<String>, Vec<Repair>) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replayed = reconstruct_history(&entries(&lines), ReplayOptions::default());
    let state = reconstruct_state(&entries(&lines), ReplayOptions::default());
    assert_eq!(
        state.messages, replayed.messages,
        "both agree in a repaired replay"
    );
    (words(&replayed.messages), replayed.repairs)
}

const NO_RESULT: &str = "no result was recorded: the tool may not have run";

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
    let plan = PlanSnapshot {
        status: "approved".into(),
        title: "T".into(),
        content: "C2".into(),
        feedback: String::new(),
    };
    assert_eq!(state.plan, Some(plan));
    assert_eq!(state.todos[0].title, "a");
    assert_eq!(state.mode, "planning");
    assert_eq!(state.system_prompt.as_deref(), Some("p"));
    assert_eq!(state.env_info.as_deref(), Some("os"));
    let goal = Goal {
        objective: "ship".into(),
        status: "active".into(),
        tokens_used: 10,
    };
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

const START: &str = r#"{"type":"subagent_start","subagent_name":"scout"}"#;
const END: &str = r#"{"type":"subagent_result","subagent_name":"scout","output":"found"}"#;

fn with_subagent() -> Vec<String> {
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
    let options = ReplayOptions {
        compatibility: Compatibility::Exact,
        with_subagents: true,
    };
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

#[test]
fn hazard_5_6_4_errors_of_tools_survive_a_repaired_replay() {
    let failed =
        r#"{"type":"tool_result","name":"read","error":"no such file","tool_call_id":"x"}"#;
    let lines = [user("q"), call("x", "read"), failed.to_owned(), said("No.")];
    assert_eq!(exact(&lines), ["u:q", "a:[x]", "t:x=", "a:No."]);
    assert_eq!(
        repaired(&lines).0,
        ["u:q", "a:[x]", "t:x!no such file", "a:No."]
    );
}

#[test]
fn hazard_5_6_5_orphan_calls_and_results_are_mended_and_reported() {
    let lines = [
        result("gone", "read", "A"),
        user("q"),
        call("t1", "read"),
        call("t2", "grep"),
        result("t2", "grep", "B"),
        result("t2", "grep", "again"),
        user("next"),
    ];
    assert_eq!(exact(&lines).len(), 6, "an exact replay leaves them");
    let (words, repairs) = repaired(&lines);
    let added = format!("t:t1!{NO_RESULT}");
    assert_eq!(words, ["u:q", "a:[t1 t2]", "t:t2=B", &added, "u:next"]);
    let dropped = |id: &str, name: &str| Repair::ResultDropped {
        id: Some(id.into()),
        name: Some(name.into()),
    };
    let added = Repair::ResultAdded {
        id: "t1".into(),
        name: "read".into(),
    };
    assert_eq!(
        repairs,
        [dropped("gone", "read"), dropped("t2", "grep"), added]
    );
}

#[test]
fn a_repaired_replay_pairs_ids_that_occur_in_one_message_and_after_a_crash() {
    let parallel = [
        call("d", "x"),
        call("d", "x"),
        result("d", "x", "A"),
        result("d", "x", "B"),
    ];
    assert_eq!(repaired(&parallel).0, ["a:[d d-2]", "t:d=A", "t:d-2=B"]);
    let crashed = [
        call("d", "x"),
        user("again"),
        call("d", "x"),
        result("d", "x", "B"),
    ];
    let added = format!("t:d!{NO_RESULT}");
    assert_eq!(
        repaired(&crashed).0,
        ["a:[d]", &added, "u:again", "a:[d-2]", "t:d-2=B"]
    );
    let taken = [call("d-2", "x"), call("d", "x"), call("d", "x")];
    assert_eq!(repaired(&taken).0[0], "a:[d-2 d d-3]");
}

#[test]
fn hazard_5_6_7_a_crashed_subagent_hides_only_its_own() {
    let crash = [
        user("q"),
        call("s1", "subagent"),
        START.to_owned(),
        call("in1", "grep"),
    ];
    let after = [user("go on"), said("yes")];
    let lines = [crash.as_slice(), &after].concat();
    assert_eq!(
        exact(&lines),
        ["u:q", "a:[s1]"],
        "an exact replay hides all that follows"
    );
    let (words, repairs) = repaired(&lines);
    let added = format!("t:s1!{NO_RESULT}");
    assert_eq!(words, ["u:q", "a:[s1]", &added, "u:go on", "a:yes"]);
    let crashed = Repair::SubagentCrashed {
        name: "scout".into(),
    };
    assert_eq!(repairs[0], crashed);

    // The result of the call that started it ends it too, and a later one of its name is whole.
    let ended = [result("s1", "subagent", "lost"), said("ok")];
    let (words, _) = repaired(&[crash.as_slice(), &ended, &with_subagent()].concat());
    let again = ["u:q", "a:[s1-2]", "t:s1-2=found", "a:done"];
    assert_eq!(words[..4], ["u:q", "a:[s1]", "t:s1=lost", "a:ok"]);
    assert_eq!(words[4..], again);
}

#[test]
fn hazard_5_6_10_a_result_behind_a_compaction_keeps_its_call() {
    let compact = r#"{"type":"compact","summary":"S","compacted_n":3}"#.to_owned();
    let lines = [
        user("1"),
        call("a", "x"),
        call("b", "x"),
        result("a", "x", "A"),
        compact.clone(),
        result("b", "x", "B"),
        user("2"),
    ];
    assert_eq!(exact_state(&lines), ["s:S", "t:b=B", "u:2"], "an orphan");
    let (words, repairs) = repaired(&lines);
    assert_eq!(words, ["s:S", "a:[a b]", "t:a=A", "t:b=B", "u:2"]);
    assert_eq!(repairs, [Repair::OpenCallsKept]);
    let whole = [
        user("1"),
        call("a", "x"),
        result("a", "x", "A"),
        compact,
        user("2"),
    ];
    assert_eq!(repaired(&whole), (vec!["s:S".into(), "u:2".into()], vec![]));
}

#[test]
fn hazard_5_6_12_a_repaired_history_does_not_bring_back_what_was_compacted() {
    let compact = r#"{"type":"compact","summary":"S"}"#.to_owned();
    let lines = [user("1"), said("2"), compact, user("3")];
    assert_eq!(exact(&lines), ["u:1", "a:2", "u:3"]);
    assert_eq!(repaired(&lines).0, ["s:S", "u:3"]);
}

#[test]
fn hostile_sessions_are_replayed_in_time_that_grows_with_their_length() {
    let mut lines = vec![call("d", "x"); 20_000];
    lines.extend(vec![START.to_owned(); 20_000]);
    lines.extend(vec![result("d", "x", "A"); 20_000]);
    let (words, repairs) = repaired(&lines);
    assert_eq!(words.len(), 20_001);
    assert!(repairs.len() > 20_000);
}
