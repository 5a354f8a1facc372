//! The contracts of [`SessionStore`]: what a chat program's loop relies on.
//!
//! Messages are compared by role and content: not every format has a place for ids and times.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::MakeSessionStore;
use super::check::{Checked, done, holds, same, together};
use crate::facade::SessionStore;
use crate::model::message::{Block, Message, Role};
use crate::model::raw_json::RawJson;

/// The key of most contracts.
const KEY: &str = "telegram:123456";

fn texts(sessions: &dyn SessionStore, key: &str) -> Vec<String> {
    let history = sessions.get_history(key);
    history.iter().map(Message::plain_text).collect()
}

fn add(sessions: &dyn SessionStore, key: &str, texts: &[&str]) {
    for text in texts {
        sessions.add_message(key, "user", text);
    }
}

/// Nothing went wrong since the last time.
fn no_error(sessions: &dyn SessionStore) -> Checked {
    let error = sessions.take_error();
    holds("take_error", error.is_none(), "no error", &error)
}

pub(super) fn add_message_is_in_the_history(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    let said = [
        ("user", "Where is the boat?"),
        (
            "assistant",
            "In the harbour.\n\n\"Pier <3> & \u{1f6a2}\"\u{2028}\t\\",
        ),
        ("system", "Be brief."),
        ("developer", "Be kind."),
        ("user", ""),
    ];
    for (role, text) in said {
        sessions.add_message(KEY, role, text);
    }
    no_error(&*sessions)?;
    let history = sessions.get_history(KEY);
    let heard: Vec<(Role, String)> = history
        .iter()
        .map(|message| (message.role, message.plain_text()))
        .collect();
    let expected = said.map(|(role, text)| (Role::from_word(role), text.to_owned()));
    same("get_history", &heard, &expected)
}

/// A call of a tool, its result, and an answer.
fn tool_turns() -> Checked<[Message; 3]> {
    let mut call = Message::new(Role::Assistant);
    call.content.push(Block::ToolUse {
        id: Some("call-1".to_owned()),
        name: "web_search".to_owned(),
        input: Some(done("RawJson::parse", RawJson::parse("{\"q\":\"oslo\"}"))?),
    });
    let mut result = Message::new(Role::Tool);
    result.content.push(Block::ToolResult {
        id: Some("call-1".to_owned()),
        name: None,
        output: "4 \u{b0}C".to_owned(),
        is_error: false,
        images: Vec::new(),
    });
    Ok([call, result, Message::text(Role::Assistant, "It is cold.")])
}

fn said(messages: &[Message]) -> Vec<(Role, &[Block])> {
    let content = messages.iter().map(|message| &*message.content);
    let roles = messages.iter().map(|message| message.role);
    roles.zip(content).collect()
}

pub(super) fn add_full_message_keeps_calls_and_results(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    let turns = tool_turns()?;
    for message in &turns {
        sessions.add_full_message(KEY, message);
    }
    no_error(&*sessions)?;
    let history = sessions.get_history(KEY);
    same("get_history", &said(&history), &said(&turns))
}

pub(super) fn an_unknown_session_is_empty(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, "another", &["a"]);
    same("get_history", &sessions.get_history(KEY), &[])?;
    same("get_summary", &*sessions.get_summary(KEY), "")?;
    // A chat program's loop calls these before anybody has said anything.
    sessions.truncate_history(KEY, 4);
    done("save", sessions.save(KEY))?;
    no_error(&*sessions)?;
    same("get_history", &sessions.get_history(KEY), &[])
}

pub(super) fn keys_never_meet(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    let keys = [
        "telegram:9",
        "telegram_9",
        "telegram/9",
        "telegram\\9",
        "Telegram:9",
        "agent:main:telegram:group:-100/12",
        "\u{f8}l",
        "..",
    ];
    for key in keys {
        add(&*sessions, key, &[key]);
        sessions.set_summary(key, key);
    }
    no_error(&*sessions)?;
    for key in keys {
        same(
            &format!("get_history of `{key}`"),
            &texts(&*sessions, key),
            &[key],
        )?;
        let summary = sessions.get_summary(key);
        same(&format!("get_summary of `{key}`"), &*summary, key)?;
    }
    Ok(())
}

pub(super) fn set_summary_is_kept_beside_the_messages(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    sessions.set_summary(KEY, "They planned.");
    let first = sessions.get_summary(KEY);
    same("get_summary of a new session", &*first, "They planned.")?;
    add(&*sessions, KEY, &["a"]);
    sessions.set_summary(KEY, "They planned a trip.\nTo \u{1f30d}.");
    sessions.truncate_history(KEY, 0);
    done("save", sessions.save(KEY))?;
    let second = sessions.get_summary(KEY);
    same(
        "get_summary",
        &*second,
        "They planned a trip.\nTo \u{1f30d}.",
    )?;
    sessions.set_summary(KEY, "");
    same("an empty summary", &*sessions.get_summary(KEY), "")?;
    no_error(&*sessions)
}

fn users(texts: &[&str]) -> Vec<Message> {
    let user = |text: &&str| Message::text(Role::User, *text);
    texts.iter().map(user).collect()
}

pub(super) fn set_history_takes_the_place_of_all_messages(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    sessions.set_history(KEY, &users(&["x", "y"]));
    let new = texts(&*sessions, KEY);
    same("set_history of a new session", &new, &["x", "y"])?;
    add(&*sessions, KEY, &["a", "b"]);
    sessions.set_history(KEY, &users(&["c"]));
    same("get_history", &texts(&*sessions, KEY), &["c"])?;
    add(&*sessions, KEY, &["d"]);
    same("after add_message", &texts(&*sessions, KEY), &["c", "d"])?;
    sessions.set_history(KEY, &[]);
    same("an empty history", &texts(&*sessions, KEY).len(), &0)?;
    add(&*sessions, KEY, &["e"]);
    same("after add_message", &texts(&*sessions, KEY), &["e"])?;
    no_error(&*sessions)
}

pub(super) fn set_history_takes_messages_of_the_history_itself(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    for message in &tool_turns()? {
        sessions.add_full_message(KEY, message);
    }
    add(&*sessions, KEY, &["a", "b"]);
    let mut history = sessions.get_history(KEY);
    history.truncate(4);
    history.push(Message::text(Role::Assistant, "new"));
    // Loops put a message of their own before what they keep: those kept then have other places,
    // and perhaps ids that the store gave them.
    history.rotate_right(1);
    sessions.set_history(KEY, &history);
    no_error(&*sessions)?;
    let now = sessions.get_history(KEY);
    same("get_history", &said(&now), &said(&history))
}

pub(super) fn set_history_keeps_the_summary(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, KEY, &["a"]);
    sessions.set_summary(KEY, "They spoke.");
    sessions.set_history(KEY, &users(&["b"]));
    same("get_summary", &*sessions.get_summary(KEY), "They spoke.")?;
    sessions.set_history(KEY, &[]);
    same("get_summary", &*sessions.get_summary(KEY), "They spoke.")
}

pub(super) fn truncate_history_keeps_the_last_messages(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, KEY, &["a", "b", "c", "d", "e"]);
    sessions.truncate_history(KEY, 3);
    same("keep 3 of 5", &texts(&*sessions, KEY), &["c", "d", "e"])?;
    add(&*sessions, KEY, &["f"]);
    let texts_now = texts(&*sessions, KEY);
    same("after add_message", &texts_now, &["c", "d", "e", "f"])?;
    sessions.truncate_history(KEY, 1);
    same("keep 1 of 4", &texts(&*sessions, KEY), &["f"])?;
    no_error(&*sessions)
}

pub(super) fn truncate_history_to_nothing_or_less_hides_all(make: &MakeSessionStore) -> Checked {
    for keep_last in [0, -1, i64::MIN] {
        let sessions = make();
        add(&*sessions, KEY, &["a", "b"]);
        sessions.truncate_history(KEY, keep_last);
        let left = texts(&*sessions, KEY).len();
        same(&format!("keep {keep_last} of 2"), &left, &0)?;
        add(&*sessions, KEY, &["c"]);
        same("after add_message", &texts(&*sessions, KEY), &["c"])?;
        no_error(&*sessions)?;
    }
    Ok(())
}

pub(super) fn truncate_history_to_more_shows_nothing_again(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, KEY, &["a", "b", "c"]);
    for keep_last in [3, 4, i64::MAX] {
        sessions.truncate_history(KEY, keep_last);
        let step = format!("keep {keep_last} of 3");
        same(&step, &texts(&*sessions, KEY), &["a", "b", "c"])?;
    }
    // Unlike a store's own truncation it shows nothing again: a loop that asks for more than it
    // sees does not mean what it has hidden before.
    sessions.truncate_history(KEY, 1);
    for keep_last in [1, 2, 3, i64::MAX] {
        sessions.truncate_history(KEY, keep_last);
        let step = format!("keep {keep_last} of 1, with 2 hidden");
        same(&step, &texts(&*sessions, KEY), &["c"])?;
    }
    no_error(&*sessions)
}

pub(super) fn truncate_history_keeps_a_result_with_its_call(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, KEY, &["a", "b"]);
    let turns = tool_turns()?;
    for message in &turns {
        sessions.add_full_message(KEY, message);
    }
    // The call is the third from the end.
    sessions.truncate_history(KEY, 2);
    let history = sessions.get_history(KEY);
    same(
        "keep 2, of which one is a result",
        &said(&history),
        &said(&turns),
    )?;
    no_error(&*sessions)
}

pub(super) fn save_removes_nothing_that_is_visible(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    add(&*sessions, KEY, &["a", "b", "c"]);
    sessions.set_summary(KEY, "They spoke.");
    done("save", sessions.save(KEY))?;
    same("get_history", &texts(&*sessions, KEY), &["a", "b", "c"])?;
    sessions.truncate_history(KEY, 2);
    done("save", sessions.save(KEY))?;
    same("after a truncation", &texts(&*sessions, KEY), &["b", "c"])?;
    add(&*sessions, KEY, &["d"]);
    done("save", sessions.save(KEY))?;
    same(
        "after add_message",
        &texts(&*sessions, KEY),
        &["b", "c", "d"],
    )?;
    same("get_summary", &*sessions.get_summary(KEY), "They spoke.")?;
    done("close", sessions.close())?;
    no_error(&*sessions)
}

pub(super) fn what_cannot_be_kept_is_an_error_to_ask_for(make: &MakeSessionStore) -> Checked {
    let sessions = make();
    let long = "x".repeat(100_000);
    for key in [&*long, ""] {
        add(&*sessions, key, &["a"]);
        let (kept, error) = (texts(&*sessions, key), sessions.last_error());
        let told = kept == ["a"] || error.is_some();
        let step = format!("add_message to a key of {} bytes", key.len());
        holds(&step, told, "the message, or an error", &(kept, error))?;
        // Asking leaves it there, taking does not.
        let error = sessions.last_error().is_some();
        let taken = sessions.take_error().is_some();
        same("what take_error gives", &taken, &error)?;
        no_error(&*sessions)?;
    }
    add(&*sessions, KEY, &["b"]);
    same("another session", &texts(&*sessions, KEY), &["b"])
}

pub(super) fn messages_of_several_threads_are_all_kept(make: &MakeSessionStore) -> Checked {
    const THREADS: usize = 4;
    const ROUNDS: usize = 12;
    let sessions = make();
    let name = |thread: usize, round: usize| format!("{thread}.{round}");
    together(THREADS, |thread| {
        for round in 0..ROUNDS {
            sessions.add_message(KEY, "user", &name(thread, round));
        }
        Ok(())
    })?;
    no_error(&*sessions)?;
    let all = texts(&*sessions, KEY);
    same("messages", &all.len(), &(THREADS * ROUNDS))?;
    for thread in 0..THREADS {
        let own: Vec<&String> = all
            .iter()
            .filter(|text| text.starts_with(&format!("{thread}.")))
            .collect();
        let expected: Vec<String> = (0..ROUNDS).map(|round| name(thread, round)).collect();
        let step = format!("the messages of thread {thread}, in its order");
        same(&step, &own, &expected.iter().collect::<Vec<_>>())?;
    }
    Ok(())
}

pub(super) fn a_message_that_arrives_meanwhile_is_kept(make: &MakeSessionStore) -> Checked {
    const ARRIVING: usize = 12;
    let sessions = make();
    add(&*sessions, KEY, &["a", "b", "c"]);
    let is_done = AtomicBool::new(false);
    together(2, |thread| {
        if thread == 1 {
            for round in 0..ARRIVING {
                sessions.add_message(KEY, "user", &format!("new {round}"));
                // So that they arrive beside truncations, and not all before the first one.
                thread::sleep(Duration::from_millis(1));
            }
            is_done.store(true, Ordering::Release);
            return Ok(());
        }
        loop {
            let last = is_done.load(Ordering::Acquire);
            sessions.truncate_history(KEY, 1000);
            done("save", sessions.save(KEY))?;
            if last {
                return Ok(());
            }
        }
    })?;
    no_error(&*sessions)?;
    let count = texts(&*sessions, KEY).len();
    same("messages", &count, &(3 + ARRIVING))
}
