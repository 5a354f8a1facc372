//! The nine calls, each as its package has it, and what its users asked for next.

use std::sync::Arc;

use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{
    Block, Error, ListQuery, MemoryStore, Message, NATIVE, Options, RedbStore, Role, Store,
};

use super::{add, call, history, key, lines, result, sessions, texts};
use crate::harness::Home;

#[test]
fn append_one_message_creates_the_session_and_is_on_disk() {
    let home = Home::new();
    let open = || RedbStore::open(home.store_path(), Options::default()).unwrap();
    {
        let sessions = StoreSessions::new(Arc::new(open()));
        sessions.add_message("telegram:1", "user", "hello <b>");
        sessions.add_message("telegram:1", "assistant", "hi");
        assert!(sessions.last_error().is_none());
    }
    let sessions = StoreSessions::new(Arc::new(open()));
    assert_eq!(history(&sessions, "telegram:1"), ["hello <b>", "hi"]);
    let roles: Vec<Role> = sessions
        .get_history("telegram:1")
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(roles, [Role::User, Role::Assistant]);
    sessions.close().unwrap();
}

#[test]
fn a_line_is_written_as_the_go_program_writes_it() {
    let (sessions, store) = sessions();
    sessions.add_message("a", "user", "x < y");
    let [line] = &*lines(&*store, "a") else {
        panic!("one line")
    };
    let start = r#"{"role":"user","content":"x \u003c y","created_at":""#;
    assert!(line.starts_with(start) && line.ends_with("\"}\n"), "{line}");
}

#[test]
fn reading_and_truncating_what_is_not_there_is_empty_and_creates_nothing() {
    let (sessions, store) = sessions();
    assert_eq!(history(&sessions, "none"), [""; 0]);
    assert_eq!(sessions.get_summary("none"), "");
    assert!(sessions.full_history("none").unwrap().is_empty());
    assert!(sessions.snapshot("none").unwrap().messages.is_empty());
    sessions.truncate_history("none", 2);
    sessions.save("none").unwrap();
    assert!(sessions.last_error().is_none());
    assert!(
        store
            .list(&ListQuery::default())
            .unwrap()
            .sessions
            .is_empty()
    );
}

#[test]
fn conversation_summary_get_and_set_creates_an_unknown_session() {
    let (sessions, store) = sessions();
    sessions.set_summary("web:1", "Set before any message.");
    assert_eq!(sessions.get_summary("web:1"), "Set before any message.");
    assert_eq!(store.summary(&key("web:1")).unwrap().message_count, 0);
    add(&sessions, "web:1", &["a"]);
    sessions.set_summary("web:1", "");
    assert_eq!(sessions.get_summary("web:1"), "");
    assert_eq!(history(&sessions, "web:1"), ["a"]);
}

#[test]
fn truncate_to_last_n_is_exact() {
    for (keep_last, left) in [
        (2, &["3", "4"][..]),
        (4, &["1", "2", "3", "4"]),
        (5, &["1", "2", "3", "4"]),
        (i64::MAX, &["1", "2", "3", "4"]),
        (1, &["4"]),
        (0, &[]),
        (-3, &[]),
        (i64::MIN, &[]),
    ] {
        let (sessions, _) = sessions();
        add(&sessions, "a", &["1", "2", "3", "4"]);
        sessions.truncate_history("a", keep_last);
        assert_eq!(history(&sessions, "a"), left, "{keep_last}");
        add(&sessions, "a", &["5"]);
        assert_eq!(history(&sessions, "a").len(), left.len() + 1);
    }
}

#[test]
fn a_larger_number_never_shows_again_what_was_hidden() {
    let (sessions, _) = sessions();
    add(&sessions, "a", &["1", "2", "3", "4"]);
    sessions.truncate_history("a", 2);
    for keep_last in [2, 3, 4, 9] {
        sessions.truncate_history("a", keep_last);
        assert_eq!(history(&sessions, "a"), ["3", "4"], "{keep_last}");
    }
    let kept = sessions.truncate("a", 1).unwrap();
    assert_eq!((kept.visible, kept.hidden, kept.kept_for_pairs), (1, 3, 0));
}

#[test]
fn logical_skip_and_compaction_on_save() {
    let (sessions, store) = sessions();
    add(&sessions, "a", &["1", "2", "3", "4"]);
    sessions.save("a").unwrap();
    assert_eq!(store.summary(&key("a")).unwrap().record_count, 4);
    sessions.truncate_history("a", 1);
    assert_eq!(store.summary(&key("a")).unwrap().record_count, 4);
    sessions.save("a").unwrap();
    let summary = store.summary(&key("a")).unwrap();
    assert_eq!((summary.record_count, summary.hidden_count), (1, 0));
    assert_eq!(history(&sessions, "a"), ["4"]);
}

#[test]
fn replace_history_in_one_step_keeps_the_summary_and_creates() {
    let (sessions, _) = sessions();
    add(&sessions, "a", &["1", "2"]);
    sessions.set_summary("a", "S");
    let new = [
        Message::text(Role::User, "new"),
        Message::text(Role::Assistant, "newer"),
    ];
    sessions.set_history("a", &new);
    assert_eq!(history(&sessions, "a"), ["new", "newer"]);
    assert_eq!(sessions.get_summary("a"), "S");
    sessions.set_history("a", &[]);
    assert_eq!(history(&sessions, "a"), [""; 0]);
    sessions.set_history("b", &new);
    assert_eq!(history(&sessions, "b"), ["new", "newer"]);
}

#[test]
fn messages_that_are_set_again_keep_their_lines_to_the_byte() {
    let (sessions, store) = sessions();
    let odd = "{\"role\":\"user\", \"content\":\"spaced\",\"x\":1.0}\n";
    let line = scrollback::NewRecord::line(odd);
    store
        .append(&key("a"), scrollback::Expect::Any, None, &[line])
        .unwrap();
    add(&sessions, "a", &["2", "3"]);
    let before = lines(&*store, "a");
    let mut kept = sessions.get_history("a");
    kept.remove(1);
    kept[1].content = vec![Block::Text {
        text: "changed".into(),
    }];
    sessions.set_history("a", &kept);
    sessions.save("a").unwrap();
    assert_eq!(history(&sessions, "a"), ["spaced", "changed"]);
    let after = lines(&*store, "a");
    assert_eq!(after[0], odd);
    assert_eq!(after.len(), 2);
    assert!(!before.contains(&after[1]));
}

#[test]
fn full_message_with_tool_calls_images_and_thoughts_comes_back() {
    let (sessions, _) = sessions();
    let mut asked = Message::text(Role::User, "what is this?");
    asked.content.push(Block::Image {
        media_type: Some("image/png".into()),
        data: Some("iVBORw0=".into()),
        url: None,
    });
    let mut called = call("a");
    let thought = Block::Thinking {
        text: "look it up".into(),
        signature: Some("sig==".into()),
    };
    called.content.insert(0, thought);
    called.model = Some("m".into());
    let mut failed = result("a");
    if let Block::ToolResult { is_error, .. } = &mut failed.content[0] {
        *is_error = true;
    }
    let said = [asked, called, failed];
    for message in &said {
        sessions.add_full_message("a", message);
    }
    let read = sessions.get_history("a");
    for (read, said) in read.iter().zip(&said) {
        assert_eq!((&read.content, &read.model), (&said.content, &said.model));
        assert!(read.time.is_some());
    }
    assert_eq!(read.len(), 3);
}

#[test]
fn the_word_of_a_role_is_kept() {
    let (sessions, store) = sessions();
    for word in ["developer", "system", "narrator"] {
        sessions.add_message("a", word, "x");
    }
    sessions.add_message("a", "tool", "y");
    let lines = lines(&*store, "a");
    for (line, word) in lines
        .iter()
        .zip(["developer", "system", "narrator", "tool"])
    {
        assert!(
            line.starts_with(&format!("{{\"role\":\"{word}\",")),
            "{line}"
        );
    }
    assert_eq!(history(&sessions, "a"), ["x", "x", "x", "y"]);
}

#[test]
fn history_without_the_truncated_part_and_full_history_side_by_side() {
    let (sessions, _) = sessions();
    add(&sessions, "a", &["1", "2", "3"]);
    sessions.truncate_history("a", 1);
    add(&sessions, "a", &["4"]);
    assert_eq!(history(&sessions, "a"), ["3", "4"]);
    let full = sessions.full_history("a").unwrap();
    assert_eq!(texts(&full), ["1", "2", "3", "4"]);
}

#[test]
fn thoughts_alone_are_dropped_only_if_asked() {
    let mut thought = Message::new(Role::Assistant);
    thought.content.push(Block::Thinking {
        text: "hm".into(),
        signature: None,
    });
    let mut with_call = call("a");
    with_call.content.extend(thought.content.clone());
    let (all, store) = sessions();
    let some = StoreSessions::new(store.clone()).dropping_bare_thoughts();
    all.add_full_message("all", &thought);
    some.add_full_message("some", &thought);
    some.add_full_message("some", &with_call);
    assert_eq!(all.get_history("all").len(), 1);
    assert_eq!(some.get_history("some").len(), 1);
}

#[test]
fn list_sessions_newest_first_of_one_agent() {
    let store = Arc::new(MemoryStore::default());
    let sessions = StoreSessions::new(store.clone());
    let native = StoreSessions::of_agent(store, NATIVE).unwrap();
    for number in 0..130 {
        add(&sessions, &format!("k{number}"), &["x"]);
    }
    add(&native, "other", &["y"]);
    let listed = sessions.list_sessions().unwrap();
    assert_eq!(listed.len(), 130);
    assert_eq!(listed[0].key.id(), "k129");
    assert_eq!(native.list_sessions().unwrap().len(), 1);
    assert_eq!(history(&native, "other"), ["y"]);
    assert!(StoreSessions::of_agent(Arc::new(MemoryStore::default()), "Not A Name").is_err());
}

#[test]
fn fire_and_forget_errors_are_kept_until_taken() {
    let (sessions, _) = sessions();
    sessions.add_message("", "user", "x");
    assert!(matches!(
        sessions.last_error().as_deref(),
        Some(Error::InvalidKey { .. })
    ));
    assert!(sessions.last_error().is_some());
    assert!(sessions.take_error().is_some());
    assert!(sessions.take_error().is_none());
    assert!(sessions.get_history("").is_empty());
    assert!(sessions.take_error().is_some());
}
