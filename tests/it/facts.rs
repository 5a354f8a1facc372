//! What a list says of a session is what its agent says of it: title, project, branch, parent, whether
//! it is put away.

use scrollback::{ImportOptions, ListQuery, RedbStore, Store as _, StoreExt as _, Summary, import};

use crate::harness::Home;
use crate::import::open;

const A: &str = "0a000000-0000-4000-8000-00000000000a";
const B: &str = "0b000000-0000-4000-8000-00000000000b";

fn imported(home: &Home) -> (RedbStore, Vec<Summary>) {
    let store = open(home);
    let sessions = again(home, &store);
    (store, sessions)
}

fn again(home: &Home, store: &RedbStore) -> Vec<Summary> {
    let options = ImportOptions::default();
    import(
        store,
        &[home.path().join("in")],
        &options,
        &mut scrollback::unwatched,
    )
    .unwrap();
    store.list(&ListQuery::default()).unwrap().sessions
}

fn of<'s>(sessions: &'s [Summary], id: &str) -> &'s Summary {
    let found: Vec<&Summary> = sessions.iter().filter(|s| s.key.id() == id).collect();
    assert_eq!(found.len(), 1, "{id} in {sessions:?}");
    found[0]
}

fn said(session: &str, more: &str, text: &str) -> String {
    format!(
        r#"{{"sessionId":"{session}","type":"user","uuid":"{text}","cwd":"/w/shop","timestamp":"2026-11-20T10:00:01.000Z","message":{{"role":"user","content":"{text}"}}{more}}}"#
    )
}

#[test]
fn a_title_holds_in_its_own_session_until_it_is_taken_back() {
    let home = Home::new();
    let title = |kind: &str, field: &str, text: &str, session: &str| {
        format!(r#"{{"type":"{kind}","{field}":"{text}","sessionId":"{session}"}}"#)
    };
    let lines = [
        said(A, "", "asked"),
        title("ai-title", "aiTitle", "Made", A),
        title("custom-title", "customTitle", "Another's", B),
    ];
    let name = format!("in/.claude/projects/-w/{A}.jsonl");
    home.write(&name, lines.join("\n") + "\n");
    let (store, sessions) = imported(&home);
    assert_eq!(of(&sessions, A).title, "Made");
    let mut all = lines.to_vec();
    for (line, expected) in [
        (title("custom-title", "customTitle", "Mine", A), "Mine"),
        (title("ai-title", "aiTitle", "Made again", A), "Mine"),
        (title("custom-title", "customTitle", "", A), "Made again"),
        (title("ai-title", "aiTitle", "", A), "asked"),
    ] {
        all.push(line);
        home.write(&name, all.join("\n") + "\n");
        assert_eq!(of(&again(&home, &store), A).title, expected);
    }
}

#[test]
fn a_sub_agent_is_found_by_the_id_that_its_agent_prints() {
    let home = Home::new();
    let side = |agent: &str| format!(r#","isSidechain":true,"agentId":"{agent}""#);
    home.write(
        &format!("in/.claude/projects/-w/{A}.jsonl"),
        [
            said(A, &side("ab12"), "Warmup"),
            said(A, "", "Sort the imports"),
        ]
        .join("\n")
            + "\n",
    );
    let folder = format!("in/.claude/projects/-w/{A}/subagents");
    home.write(
        &format!("{folder}/agent-ab12.jsonl"),
        said(A, &side("ab12"), "Warmup") + "\n",
    );
    home.write(
        &format!("{folder}/workflows/wf_1/agent-cd34.jsonl"),
        "{\"torn\":",
    );
    let (store, sessions) = imported(&home);
    assert_eq!(sessions.len(), 3, "{sessions:?}");
    let main = of(&sessions, A);
    assert_eq!(
        (main.title.as_str(), main.parent.as_deref()),
        ("Sort the imports", None)
    );
    let child = of(&sessions, "ab12");
    assert_eq!(
        (child.title.as_str(), child.parent.as_deref()),
        ("Warmup", Some(A))
    );
    // Of this one the lines say nothing: its place does.
    assert_eq!(of(&sessions, "cd34").parent.as_deref(), Some(A));
    assert_eq!(store.resolve("ab12").unwrap(), child.key);
}

#[test]
fn a_fork_and_a_moved_session_tell_where_they_are_now() {
    let home = Home::new();
    let fork = format!(r#","forkedFrom":{{"sessionId":"{A}","messageUuid":"u"}}"#);
    let moved = format!(r#"{{"type":"relocated","relocatedCwd":"/w/other","sessionId":"{B}"}}"#);
    home.write(
        &format!("in/.claude/projects/-w/{B}.jsonl"),
        [said(B, &fork, "asked"), moved].join("\n") + "\n",
    );
    // One that names itself has no parent.
    let fork = format!(r#","forkedFrom":{{"sessionId":"{A}","messageUuid":"u"}}"#);
    home.write(
        &format!("in/.claude/projects/-w/{A}.jsonl"),
        said(A, &fork, "asked") + "\n",
    );
    let (_, sessions) = imported(&home);
    let b = of(&sessions, B);
    assert_eq!(
        (b.parent.as_deref(), b.project.as_deref()),
        (Some(A), Some("/w/other"))
    );
    assert_eq!(of(&sessions, A).parent, None);
}

#[test]
fn a_codex_fork_has_its_own_project_and_branch_and_the_archive_is_where_it_lies() {
    let home = Home::new();
    let meta = |id: &str, cwd: &str, branch: &str, more: &str| {
        format!(
            r#"{{"timestamp":"2026-11-20T10:00:00.000Z","type":"session_meta","payload":{{"id":"{id}","timestamp":"2026-11-20T10:00:00.000Z","cwd":"{cwd}","git":{{"branch":"{branch}"}}{more}}}}}"#
        )
    };
    let forked = format!(r#","forked_from_id":"{A}""#);
    let lines = [
        meta(B, "/w/fork", "mine", &forked),
        meta(A, "/w/shop", "main", ""),
    ];
    let name = |id: &str| format!("rollout-2026-11-20T10-00-00-{id}.jsonl");
    let own = format!("in/.codex/sessions/2026/11/20/{}", name(B));
    home.write(&own, lines.join("\n") + "\n");
    let put_away = format!("in/.codex/archived_sessions/{}", name(A));
    home.write(&put_away, meta(A, "/w/shop", "main", "") + "\n");
    let names = format!(
        "{{\"id\":\"{A}\",\"thread_name\":\"First\"}}\n{{\"id\":\"{A}\",\"thread_name\":\"Second\"}}\n"
    );
    home.write("in/.codex/session_index.jsonl", names);
    let (store, sessions) = imported(&home);
    let b = of(&sessions, B);
    assert_eq!(
        (
            b.parent.as_deref(),
            b.project.as_deref(),
            b.branch.as_deref()
        ),
        (Some(A), Some("/w/fork"), Some("mine"))
    );
    assert!(!b.archived && !b.archived_by_agent);
    let a = of(&sessions, A);
    assert!(a.archived && a.archived_by_agent);
    // Who takes it out here has it out, until its agent says something new.
    store.archive(&a.key, false).unwrap();
    let summary = store.summary(&a.key).unwrap();
    assert!(!summary.archived && !summary.archived_by_agent);
    let shown = ListQuery::default().with_archived(true);
    assert_eq!(store.list(&shown).unwrap().sessions, []);
    store.archive(&a.key, true).unwrap();
    assert_eq!(store.list(&shown).unwrap().sessions.len(), 1);
}

#[test]
fn the_project_of_a_gemini_session_is_a_folder_and_its_sub_agents_know_it() {
    let home = Home::new();
    let header = |id: &str, more: &str| {
        format!(
            r#"{{"sessionId":"{id}","projectHash":"0b","startTime":"2026-11-20T10:00:00.000Z","kind":"main"{more}}}"#
        )
    };
    let tmp = "in/.gemini/tmp";
    home.write(
        "in/.gemini/projects.json",
        r#"{"projects":{"/w/listed":"listed"}}"#,
    );
    home.write(&format!("{tmp}/rooted/.project_root"), "/w/rooted\n");
    let talk = r#","messages":[{"id":"m1","type":"user","content":[{"text":"/help"}]},{"id":"m2","type":"user","content":[{"text":"hello"}]}]"#;
    for (file, id, more) in [
        ("rooted/chats/session-1.jsonl", "s1", ""),
        ("rooted/chats/s1/s2.jsonl", "s2", ""),
        ("listed/chats/session-3.jsonl", "s3", talk),
        (
            "0b0b/chats/session-4.jsonl",
            "s4",
            r#","directories":["/w/stated","/w/x"]"#,
        ),
        ("0b0b/chats/session-5.jsonl", "s5", ""),
    ] {
        home.write(&format!("{tmp}/{file}"), header(id, more) + "\n");
    }
    // It went on in the lines beside it.
    let old = header(
        "s1",
        r#","messages":[{"id":"m1","type":"user","content":"hi"}]"#,
    );
    home.write(&format!("{tmp}/rooted/chats/session-1.json"), old);
    let (_, sessions) = imported(&home);
    assert_eq!(sessions.len(), 5, "{sessions:?}");
    for (id, project, parent) in [
        ("s1", "/w/rooted", None),
        ("s2", "/w/rooted", Some("s1")),
        ("s3", "/w/listed", None),
        ("s4", "/w/stated", None),
        ("s5", "0b0b", None),
    ] {
        let found = of(&sessions, id);
        assert_eq!(
            (found.project.as_deref(), found.parent.as_deref()),
            (Some(project), parent)
        );
    }
    let listed = of(&sessions, "s3");
    assert_eq!((listed.message_count, listed.title.as_str()), (2, "hello"));
}

/// A session of Claude Code with sub-agents, one of which has one of its own, and a fork.
fn family(home: &Home) {
    let folder = "in/.claude/projects/-w";
    home.write(&format!("{folder}/{A}.jsonl"), said(A, "", "lead") + "\n");
    for agent in ["ab12", "ab34"] {
        let side = format!(r#","isSidechain":true,"agentId":"{agent}""#);
        let name = format!("{folder}/{A}/subagents/agent-{agent}.jsonl");
        home.write(&name, said(A, &side, "part") + "\n");
    }
    let side = r#","isSidechain":true,"agentId":"ab12cd""#;
    let name = format!("{folder}/ab12/subagents/agent-ab12cd.jsonl");
    home.write(&name, said("ab12", side, "part of a part") + "\n");
    let fork = format!(r#","forkedFrom":{{"sessionId":"{A}","messageUuid":"u"}}"#);
    home.write(
        &format!("{folder}/{B}.jsonl"),
        said(B, &fork, "fork") + "\n",
    );
}

#[test]
fn a_session_knows_how_many_sub_agents_it_has_and_a_fork_is_none() {
    let home = Home::new();
    family(&home);
    let (store, sessions) = imported(&home);
    for (id, subagents, subagent) in [
        (A, 2, false),
        (B, 0, false),
        ("ab12", 1, true),
        ("ab34", 0, true),
        ("ab12cd", 0, true),
    ] {
        let found = of(&sessions, id);
        assert_eq!(
            (found.subagents, found.subagent),
            (subagents, subagent),
            "{id}"
        );
        assert_eq!(store.summary(&found.key).unwrap(), *found);
    }
    store.delete(&of(&sessions, "ab34").key).unwrap();
    assert_eq!(store.summary(&of(&sessions, A).key).unwrap().subagents, 1);
}

#[test]
fn a_start_that_fits_a_session_and_its_sub_agents_means_the_session() {
    let home = Home::new();
    family(&home);
    let (store, sessions) = imported(&home);
    let head = &of(&sessions, "ab12").key;
    // "ab12" is one id, and the start of another; "ab1" is the start of both.
    for start in ["ab12", "ab1", "claude-code:ab1"] {
        assert_eq!(store.resolve(start).unwrap(), *head, "{start}");
    }
    // Two that nobody of them started, and a session with its fork.
    for start in ["ab", "0"] {
        let several = store.resolve(start).unwrap_err();
        assert!(
            matches!(several, scrollback::Error::Ambiguous { .. }),
            "{start}: {several}"
        );
    }
}

#[test]
fn every_agent_tells_sub_agents_from_forks() {
    let home = Home::new();
    let codex = |id: &str, more: &str| {
        let name = format!("in/.codex/sessions/2026/11/20/rollout-2026-11-20T10-00-00-{id}.jsonl");
        let line = format!(
            r#"{{"timestamp":"2026-11-20T10:00:00.000Z","type":"session_meta","payload":{{"id":"{id}"{more}}}}}"#
        );
        home.write(&name, line + "\n");
    };
    codex(A, "");
    codex(B, &format!(r#","forked_from_id":"{A}""#));
    let c = B.replace("0b", "0c");
    codex(
        &c,
        &format!(r#","source":{{"subagent":{{"thread_spawn":{{"parent_thread_id":"{A}"}}}}}}"#),
    );
    let d = B.replace("0b", "0d");
    codex(
        &d,
        &format!(r#","forked_from_id":"{A}","thread_source":"subagent""#),
    );
    let (_, sessions) = imported(&home);
    for (id, subagent) in [(A, false), (B, false), (&c, true), (&d, true)] {
        assert_eq!(of(&sessions, id).subagent, subagent, "{id}");
    }
    assert_eq!(of(&sessions, A).subagents, 2);
}
