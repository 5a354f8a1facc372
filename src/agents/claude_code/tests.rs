//! Claude Code's lines, the titles in them, and its places.

use super::*;
use crate::model::message::Usage;
use crate::model::record::RecordFlags;

fn offer(line: &str) -> Option<(String, u8)> {
    let title = ClaudeCode.describe(line.as_bytes()).facts.title?;
    Some((title.text.into_owned(), title.rank))
}

/// Messages, and lines that could not be read in whole.
fn good_and_bad(file: &str) -> (u32, usize) {
    let lines: Vec<_> = file
        .lines()
        .map(|line| ClaudeCode.describe(line.as_bytes()).header)
        .collect();
    let bad = lines
        .iter()
        .filter(|header| header.flags.contains(RecordFlags::DAMAGED))
        .count();
    (lines.iter().map(|header| header.messages).sum(), bad)
}

#[test]
fn a_line_is_described() {
    let line = br#"{"parentUuid":"u0","isSidechain":false,"cwd":"/w/demo","sessionId":"s","version":"2.1.37","gitBranch":"main","message":{"model":"claude-x","id":"msg_1","role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"Yes."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}],"usage":{"input_tokens":3,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,"output_tokens":2}},"type":"assistant","uuid":"u1","timestamp":"2026-02-09T08:49:59.397Z"}"#;
    let described = ClaudeCode.describe(line);
    assert_eq!(described.header.kind, RecordKind::Message);
    assert_eq!(described.header.role, Some(Role::Assistant));
    assert_eq!(described.header.time_us, Some(1_770_626_999_397_000));
    let facts = described.facts;
    assert_eq!(facts.project.as_deref(), Some("/w/demo"));
    assert_eq!(facts.branch.as_deref(), Some("main"));
    assert_eq!(facts.model.as_deref(), Some("claude-x"));
    assert_eq!(facts.record_id.as_deref(), Some("u1"));
    assert!(
        matches!(facts.project, Some(Cow::Borrowed(_))),
        "copied in the hot path"
    );

    let message = ClaudeCode.messages(line).remove(0);
    assert_eq!(
        (message.id.as_deref(), message.parent_id.as_deref()),
        (Some("u1"), Some("u0"))
    );
    assert_eq!(message.content.len(), 3);
    assert_eq!(message.plain_text(), "Yes.");
    let usage = Usage {
        input_tokens: 3,
        output_tokens: 2,
        cache_read_tokens: 1000,
        cache_write_tokens: 300,
    };
    assert_eq!(message.usage, Some(usage));
}

#[test]
fn a_users_line_is_the_users_a_tools_or_a_note() {
    let role = |line: &str| ClaudeCode.describe(line.as_bytes()).header.role;
    let user =
        r#"{"type":"user","message":{"role":"user","content":"what is a \"tool_result\"?"}}"#;
    assert_eq!(role(user), Some(Role::User));
    let tool = r#"{"type":"user","message":{"role":"user","content":[{"tool_use_id":"t","type":"tool_result","content":"ok","is_error":true}]}}"#;
    assert_eq!(role(tool), Some(Role::Tool));
    assert_eq!(offer(tool), None);
    assert!(matches!(
        &ClaudeCode.messages(tool.as_bytes())[0].content[..],
        [Block::ToolResult { is_error: true, output, .. }] if output == "ok"
    ));
    let note = r#"{"type":"user","isMeta":true,"message":{"role":"user","content":"Caveat"}}"#;
    assert_eq!(role(note), Some(Role::System));
}

#[test]
fn titles_are_worth_what_they_are() {
    for (line, expected) in [
        (
            r#"{"type":"custom-title","customTitle":"mine","sessionId":"s"}"#,
            Some(("mine", 60)),
        ),
        (
            r#"{"type":"ai-title","aiTitle":"its","sessionId":"s"}"#,
            Some(("its", 50)),
        ),
        (
            r#"{"type":"last-prompt","lastPrompt":"ship it"}"#,
            Some(("ship it", 5)),
        ),
        (
            r#"{"type":"user","message":{"role":"user","content":" fix it"}}"#,
            Some(("fix it", 10)),
        ),
        (
            r#"{"type":"user","message":{"role":"user","content":[{"type":"text","text":"<ide_opened_file>a.rs</ide_opened_file>"},{"type":"text","text":"<ide_selection>x</ide_selection>\nwhy?"}]}}"#,
            Some(("why?", 10)),
        ),
        (
            r#"{"type":"user","message":{"role":"user","content":"<command-name>/clear</command-name>"}}"#,
            Some(("/clear", 9)),
        ),
        (
            r#"{"type":"user","message":{"role":"user","content":"<system-reminder>x"}}"#,
            None,
        ),
        (
            r#"{"type":"user","isMeta":true,"message":{"role":"user","content":"x"}}"#,
            None,
        ),
        (
            r#"{"type":"user","isCompactSummary":true,"message":{"role":"user","content":"x"}}"#,
            None,
        ),
        // A blank one takes those before it back.
        (r#"{"type":"ai-title","aiTitle":"  "}"#, Some(("  ", 50))),
        (
            r#"{"type":"custom-title","customTitle":""}"#,
            Some(("", 60)),
        ),
    ] {
        let expected = expected.map(|(text, rank)| (text.to_owned(), rank));
        assert_eq!(offer(line), expected, "{line}");
    }
    let summary = br#"{"type":"summary","summary":"Fix","leafUuid":"u9"}"#;
    let described = ClaudeCode.describe(summary);
    assert_eq!(described.header.kind, RecordKind::Meta);
    assert_eq!(described.facts.title.unwrap().about.as_deref(), Some("u9"));
}

#[test]
fn a_message_that_no_model_wrote_has_no_model() {
    let line = br#"{"type":"assistant","message":{"role":"assistant","model":"<synthetic>","content":[]}}"#;
    assert_eq!(ClaudeCode.describe(line).facts.model, None);
    assert_eq!(ClaudeCode.messages(line)[0].model, None);
}

#[test]
fn sample_files_have_the_messages_and_bad_lines_that_are_expected() {
    let plain = "{\"type\":\"version\",\"version\":\"1.0\"}\n\
        {\"type\":\"human\",\"role\":\"user\",\"content\":\"hello\",\"timestamp\":\"2026-04-03T09:00:00Z\"}\n\
        {\"type\":\"assistant\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"model\":\"claude-x\"}\n";
    assert_eq!(good_and_bad(plain), (2, 0));
    let tools = "{\"type\":\"tool-use\",\"role\":\"assistant\",\"content\":\"calling\"}\n\
        {\"type\":\"tool-result\",\"role\":\"tool\",\"content\":\"text\"}\n\
        {\"type\":\"progress\",\"role\":\"assistant\",\"content\":\"working\"}\n\
        {\"type\":\"snapshot\",\"role\":\"system\",\"content\":\"snap\"}\n";
    assert_eq!(good_and_bad(tools), (4, 0));
    let malformed = "not json\n\
        {\"type\":\"message\",\"role\":\"user\",\"content\":\"valid\"}\n\
        {broken\n\
        {\"type\":\"message\",\"role\":\"assistant\",\"content\":\"also valid\"}\n";
    assert_eq!(good_and_bad(malformed), (2, 2));
    let torn = "{\"type\":\"message\",\"role\":\"user\",\"content\":\"valid\"}\n\
        {\"type\":\"message\",\"role\":\"assis";
    assert_eq!(good_and_bad(torn), (1, 1));
    let real = "{\"type\":\"file-history-snapshot\",\"messageId\":\"m0\",\"snapshot\":{}}\n\
        {\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"x\"},\"uuid\":\"u1\"}\n\
        {\"type\":\"system\",\"subtype\":\"stop_hook_summary\",\"content\":\"hook\",\"uuid\":\"s6\"}\n\
        {\"type\":\"summary\",\"summary\":\"R\",\"leafUuid\":\"u1\"}\n";
    assert_eq!(good_and_bad(real), (1, 0));
}

#[test]
fn ids_come_from_paths() {
    for (path, id) in [
        ("/h/.claude/projects/-w-demo/5b1f.jsonl", "5b1f"),
        ("/h/.claude/projects/-w-demo/agent-1.jsonl", "1"),
        (
            "/h/.claude/projects/-w-demo/5b1f/subagents/agent-1.jsonl",
            "1",
        ),
        (
            "/h/.claude/projects/-w-demo/5b1f/subagents/workflows/wf_1/agent-y.jsonl",
            "y",
        ),
        ("/copied/5b1f/subagents/agent-1.jsonl", "1"),
        ("/copied/5b1f.jsonl", "5b1f"),
        ("/subagents/agent-1.jsonl", "1"),
        ("/h/.claude/projects/-w-demo/agent-.jsonl", "agent-"),
        ("/h/.claude/projects/s.jsonl", "s"),
    ] {
        let candidate = Candidate::new(Path::new(path), b"");
        assert_eq!(ClaudeCode.session_id(&candidate), id, "{path}");
    }
}

#[test]
fn sidecars_belong_to_the_session_that_the_path_names() {
    const UUID: &str = "e1a0c0de-1111-4222-8333-444455556666";
    let session = |id: &str| Some(Sidecar::Session(id.replace('@', UUID)));
    for (path, expected) in [
        ("/h/.claude/projects/stray-file", None),
        ("/h/.claude/projects/some-cache.db", None),
        ("/h/.claude/projects/-w/combined.html", None),
        ("/h/.claude/history.jsonl", Some(Sidecar::Folder)),
        (
            "/h/.claude/projects/-w/sessions-index.json",
            Some(Sidecar::Folder),
        ),
        ("/h/.claude/projects/-w/memory/MEMORY.md", None),
        ("/h/.claude/projects/-w/@/tool-results/a.txt", session("@")),
        (
            "/h/.claude/projects/-w/s1/tool-results/a.txt",
            session("s1"),
        ),
        (
            "/h/.claude/projects/-w/@/subagents/agent-x.meta.json",
            session("x"),
        ),
        (
            "/h/.claude/projects/-w/@/subagents/workflows/wf_1/agent-x.meta.json",
            session("x"),
        ),
        ("/h/.claude/projects/-w/agent-x.meta.json", session("x")),
        ("/h/.claude/projects/-w/@.jsonl.tmp", None),
        (
            "/h/.claude/projects/-w/@/subagents/workflows/wf_1/journal.jsonl",
            session("@"),
        ),
        (
            "/h/.claude/projects/-w/@/subagents/workflows/wf_1/agent-x.jsonl",
            None,
        ),
        (
            "/h/.claude/projects/-w/@/tool-results/rows.jsonl",
            session("@"),
        ),
        ("/h/.claude/projects/-w/.credentials.json", None),
        ("/h/.claude/.credentials.json", None),
        ("/h/.claude/settings.json", None),
        ("/h/.claude/history.jsonl.bak", None),
        ("/copy/projects/-Users-x/@/tool-results/a.txt", session("@")),
        (
            "/copy/projects/D--w/sessions-index.json",
            Some(Sidecar::Folder),
        ),
        ("/copy/projects/D--w/agent-x.meta.json", session("x")),
        ("/copy/projects/D--w/notes.txt", None),
        ("/home/me/projects/my-app/src/sessions-index.json", None),
        ("/home/me/projects/sessions-index.json", None),
    ] {
        let path = path.replace('@', UUID);
        assert_eq!(ClaudeCode.sidecar(Path::new(&path)), expected, "{path}");
    }
}

#[test]
fn its_own_folder_is_enough_and_other_folders_need_lines() {
    let found = |path: &str, head: &str| {
        ClaudeCode.recognise(&Candidate::new(Path::new(path), head.as_bytes()))
    };
    let line =
        r#"{"parentUuid":null,"sessionId":"s","type":"user","uuid":"u","message":{"content":"cut"#;
    assert_eq!(
        found("/h/.claude/projects/-w/a.jsonl", ""),
        Recognition::PathAndLines
    );
    assert_eq!(
        found("/h/.claude/projects/-w/a.jsonl", "\0\0"),
        Recognition::PathAndLines
    );
    assert_eq!(
        found("/h/.claude/projects/-w/a.json", line),
        Recognition::No
    );
    for (path, expected) in [
        ("/h/.claude/projects/-w/a/subagents/agent-x.jsonl", true),
        (
            "/h/.claude/projects/-w/a/subagents/workflows/wf_1/agent-x.jsonl",
            true,
        ),
        (
            "/h/.claude/projects/-w/a/subagents/workflows/wf_1/journal.jsonl",
            false,
        ),
        ("/h/.claude/projects/-w/a/tool-results/rows.jsonl", false),
        ("/h/.claude/projects/-w/new/a.jsonl", true),
        ("/copy/projects/-w/a/tool-results/rows.jsonl", false),
    ] {
        let is_own = found(path, line) == Recognition::PathAndLines;
        assert_eq!(is_own, expected, "{path}");
        let owner = Some(Sidecar::Session("a".to_owned()));
        let is_kept = ClaudeCode.sidecar(Path::new(path)) == owner;
        assert!(
            is_kept != expected || path.contains("copy") || path.contains("new"),
            "{path}"
        );
    }
    assert_eq!(
        found("/copy/projects/-w/a.jsonl", line),
        Recognition::PathAndLines
    );
    assert_eq!(found("/copy/projects/-w/a.jsonl", ""), Recognition::No);
    assert_eq!(found("/x/a.jsonl", line), Recognition::Lines);
    let qwen = r#"{"parentUuid":null,"sessionId":"s","type":"user","uuid":"u","message":{"role":"user","parts":[]}}"#;
    assert_eq!(found("/x/a.jsonl", qwen), Recognition::No);
    let gemini = r#"{"sessionId":"6f","projectHash":"0b","kind":"main"}"#;
    assert_eq!(found("/x/a.jsonl", gemini), Recognition::No);
}

#[test]
fn a_subagents_lines_name_the_session_that_started_it() {
    let parent = |line: &str| {
        let facts = ClaudeCode.describe(line.as_bytes()).facts;
        facts.parent.map(Cow::into_owned)
    };
    let line = r#"{"isSidechain":true,"agentId":"a1","sessionId":"s","type":"user","message":{"role":"user","content":"x"}}"#;
    assert_eq!(parent(line), Some("s".into()));
    // Older versions kept a subagent's lines among those of the session itself.
    assert_eq!(parent(&line.replace(r#""agentId":"a1","#, "")), None);
    assert_eq!(parent(&line.replace("true", "false")), None);
}

#[test]
fn the_seeds_layout_is_read_with_its_own_names() {
    let line = r#"{"type":"assistant","role":"assistant","content":"<thinking>a</thinking>b","parentId":"p-1","model":"claude-x","usage":{"input_tokens":100,"output_tokens":50,"cache_read_tokens":20,"cache_write_tokens":10}}"#;
    let message = ClaudeCode.messages(line.as_bytes()).remove(0);
    assert_eq!(message.plain_text(), "<thinking>a</thinking>b");
    assert_eq!(message.parent_id.as_deref(), Some("p-1"));
    assert_eq!(message.model.as_deref(), Some("claude-x"));
    let usage = Usage {
        input_tokens: 100,
        output_tokens: 50,
        cache_read_tokens: 20,
        cache_write_tokens: 10,
    };
    assert_eq!(message.usage, Some(usage));
    assert_eq!(
        message.time, None,
        "a time that is not stated is not made up"
    );
    assert_eq!(ClaudeCode.stated_type(line.as_bytes()), None);
    let called = line.replace("\"assistant\"", "\"tool-use\"");
    let called = ClaudeCode.stated_type(called.as_bytes());
    assert_eq!(called, Some(MessageType::ToolUse));
}

#[test]
fn an_index_tells_of_its_sessions_and_other_files_tell_nothing() {
    let index = br#"{"sessions":{"s":{"projectPath":"/w/shop","summary":"S"}}}"#;
    let told = ClaudeCode.sidecar_facts(Path::new("/h/sessions-index.json"), index);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].project.as_deref(), Some("/w/shop"));
    let other = ClaudeCode.sidecar_facts(Path::new("/h/other.json"), index);
    assert_eq!(other, []);
}
