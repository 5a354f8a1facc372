//! What a repaired replay of jcode's sessions mends, beside what an exact one gives.

use scrollback::jcode::Repair;

use crate::jcode_replay::{
    START, call, exact, exact_state, repaired, result, said, user, with_subagent,
};

const NO_RESULT: &str = "no result was recorded: the tool may not have run";

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
