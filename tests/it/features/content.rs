//! What a record holds: text, tools, pictures, thoughts, times.

use scrollback::jcode::{Recorder, Recordings};
use scrollback::{Block, Message, RawJson, Role, Session, Store, Usage};

use super::{WRITTEN, append, claude, key, lines, memory, say, store_lines, texts};

/// Writes a message and reads it back.
fn through(agent: &str, message: Message) -> Vec<Message> {
    let store = memory();
    append(&*store, &key(agent, "s"), message);
    store.load(&key(agent, "s")).unwrap().messages
}

fn blocks(agent: &str, role: Role, blocks: Vec<Block>) -> Vec<Block> {
    let mut message = Message::new(role);
    message.content = blocks;
    let messages = through(agent, message).into_iter();
    messages.flat_map(|message| message.content).collect()
}

fn call() -> Block {
    Block::ToolUse {
        id: Some("t1".into()),
        name: "read".into(),
        input: Some(RawJson::parse("{\"path\":\"a.go\"}").unwrap()),
    }
}

fn result(is_error: bool) -> Block {
    Block::ToolResult {
        id: Some("t1".into()),
        name: Some("read".into()),
        output: "no such file".into(),
        is_error,
        images: Vec::new(),
    }
}

#[test]
fn feature_plain_text_content() {
    let text = "Ünïcode 😀 <&> \"quoted\" \\ tab\t and\nlines \u{2028}";
    let store = memory();
    for agent in WRITTEN {
        say(&*store, &key(agent, "s"), text);
        assert_eq!(texts(&*store, &key(agent, "s")), [text], "{agent}");
    }
    assert_eq!(claude().messages[0].content, "read the file");
}

#[test]
fn feature_full_message_with_tool_calls() {
    let words = Block::Text {
        text: "Look:".into(),
    };
    for agent in WRITTEN {
        let read = blocks(agent, Role::Assistant, vec![words.clone(), call()]);
        assert_eq!(read, [words.clone(), call()], "{agent}");
    }
}

#[test]
fn feature_tool_call_and_result_linked_by_id() {
    for agent in WRITTEN {
        let role = if agent == "ggcode" {
            Role::User
        } else {
            Role::Tool
        };
        let asked = blocks(agent, Role::Assistant, vec![call()]);
        let answered = blocks(agent, role, vec![result(false)]);
        let ids = (&asked[0], &answered[0]);
        let (Block::ToolUse { id: asked, .. }, Block::ToolResult { id, output, .. }) = ids else {
            panic!("{agent}: {ids:?}");
        };
        assert_eq!(
            (asked, id),
            (&Some("t1".into()), &Some("t1".into())),
            "{agent}"
        );
        assert_eq!(output, "no such file", "{agent}");
    }
}

#[test]
fn feature_tool_error_flag() {
    assert_eq!(
        blocks("ggcode", Role::User, vec![result(true)]),
        [result(true)]
    );
    let store = memory();
    let recorder = Recorder::new(store.clone(), "/w", "p", "m");
    let error = Some("exit 1");
    recorder
        .record_tool_result("run", "half", "t1", error)
        .unwrap();
    let session = store.load(&recorder.key().unwrap()).unwrap();
    let Block::ToolResult { is_error, .. } = &session.messages[0].content[0] else {
        panic!("{session:?}");
    };
    assert!(is_error);
    assert!(lines(&*store, &session.key)[1].contains("\"error\":\"exit 1\""));
}

#[test]
fn feature_content_blocks() {
    let all = vec![
        Block::Text { text: "a".into() },
        call(),
        result(false),
        Block::Other {
            json: RawJson::parse("{\"type\":\"audio\",\"s\":1.50}").unwrap(),
        },
        Block::Text { text: "b".into() },
    ];
    assert_eq!(blocks("ggcode", Role::User, all.clone()), all);
    assert_eq!(claude().messages[1].blocks.len(), 3);
}

#[test]
fn feature_images() {
    let image = Block::Image {
        media_type: Some("image/png".into()),
        data: Some("AA==".into()),
        url: None,
    };
    for agent in ["ggcode", "picoclaw", "jcode"] {
        let text = Block::Text { text: "see".into() };
        let read = blocks(agent, Role::User, vec![text.clone(), image.clone()]);
        assert_eq!(read, [text, image.clone()], "{agent}");
    }
}

#[test]
fn feature_reasoning() {
    let thought = Block::Thinking {
        text: "hm".into(),
        signature: None,
    };
    let said = Block::Text { text: "4".into() };
    for agent in ["ggcode", "picoclaw"] {
        let read = blocks(agent, Role::Assistant, vec![thought.clone(), said.clone()]);
        assert!(
            read.contains(&thought) && read.contains(&said),
            "{agent}: {read:?}"
        );
    }
    assert!(matches!(
        claude().messages[1].blocks[0],
        Block::Thinking { .. }
    ));
}

#[test]
fn feature_system_parts_with_cache_hints() {
    let line = r#"{"role":"system","content":"s","system_parts":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}"#;
    let (store, key) = (memory(), key("picoclaw", "s"));
    store_lines(&*store, &key, &[line]);
    let message = store.load(&key).unwrap().messages.remove(0);
    assert_eq!(
        (message.role, message.plain_text().as_str()),
        (Role::System, "s")
    );
    let (name, parts) = &message.extra[0];
    assert_eq!(name, "system_parts");
    assert!(parts.as_str().contains("ephemeral"));
    assert_eq!(lines(&*store, &key), [format!("{line}\n")]);
}

#[test]
fn feature_message_id_and_parent_id() {
    let session = claude();
    let ids = session
        .messages
        .iter()
        .map(|message| (&*message.id, message.parent_id.as_deref()));
    let expected = [
        ("u1", None),
        ("a2", Some("u1")),
        ("u3", Some("a2")),
        ("u5", Some("s4")),
    ];
    assert_eq!(ids.collect::<Vec<_>>(), expected);
    let mut message = Message::text(Role::User, "x");
    (message.id, message.parent_id) = (Some("msg_2".into()), Some("msg_1".into()));
    message.time = Some("2026-04-03T09:45:00Z".parse().unwrap());
    assert_eq!(through("ggcode", message.clone()), [message]);
}

#[test]
fn feature_message_timestamp() {
    let time = "2026-04-03T09:45:00Z".parse().unwrap();
    for agent in WRITTEN {
        let mut message = Message::text(Role::User, "x");
        message.time = Some(time);
        assert_eq!(through(agent, message)[0].time, Some(time), "{agent}");
    }
    let stated = claude().messages[0].timestamp.unwrap();
    assert_eq!(stated.to_rfc3339(), "2026-04-04T01:41:00+00:00");
}

#[test]
fn feature_model_per_message() {
    assert_eq!(claude().messages[1].model.as_deref(), Some("claude-x"));
    for agent in ["ggcode", "picoclaw"] {
        let mut message = Message::text(Role::Assistant, "x");
        message.model = Some("glm-5".into());
        assert_eq!(
            through(agent, message)[0].model.as_deref(),
            Some("glm-5"),
            "{agent}"
        );
    }
}

#[test]
fn feature_token_usage_per_message() {
    let mut usage = Usage::default();
    usage.input_tokens = 3;
    usage.output_tokens = 14;
    usage.cache_read_tokens = 9631;
    usage.cache_write_tokens = 5139;
    assert_eq!(claude().messages[1].usage, Some(usage));
    assert_eq!(claude().messages[0].usage, None);
}

#[test]
fn feature_vendor_endpoint_model_per_session() {
    let store = memory();
    let mut session = Session::new(key("ggcode", "s"));
    session.model = Some("glm-5".into());
    session.extra = ["vendor", "endpoint"]
        .map(|name| {
            (
                name.to_owned(),
                RawJson::parse(format!("\"the {name}\"")).unwrap(),
            )
        })
        .to_vec();
    store.save(&mut session).unwrap();
    let loaded = store.load(&session.key).unwrap();
    assert_eq!((loaded.model, loaded.extra), (session.model, session.extra));
    let recorder = Recorder::new(store.clone(), "/w", "zhipu", "glm-5.2");
    recorder.record_user("x").unwrap();
    let header = Recordings::new(store)
        .header(&recorder.uuid())
        .unwrap()
        .unwrap();
    let header = format!("{header:?}");
    assert!(
        header.contains("zhipu") && header.contains("glm-5.2"),
        "{header}"
    );
}

#[test]
fn feature_git_branch_and_first_prompt() {
    let summary = claude().summary;
    assert_eq!(summary.branch.as_deref(), Some("main"));
    assert_eq!(summary.first_prompt.as_deref(), Some("read the file"));
}
