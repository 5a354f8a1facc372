//! The facade over a store keeps the contracts of `SessionStore`; a broken one does not.

use std::sync::Arc;
use std::time::Duration;

use scrollback::conformance::{MakeSessionStore, SESSION_STORE, run_all, run_session_store};
use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{
    Block, Error, MemoryStore, Message, Mode, NATIVE, Result, SessionKey, Store, StoreExt as _,
};

use super::{breaks_noticed, places, unpaired};

mod picoclaw {
    //! In picoclaw's format, over the store in memory.

    use super::{Arc, MemoryStore, StoreSessions};

    scrollback::session_store_tests!(|| {
        Box::new(StoreSessions::new(Arc::new(MemoryStore::default())))
    });
}

mod native {
    //! In this crate's format, over a file.

    use super::{Arc, Mode, NATIVE, SessionStore, StoreSessions, places};

    scrollback::session_store_tests!({
        let files = places::files(Mode::Exclusive);
        move || -> Box<dyn SessionStore> {
            let sessions = StoreSessions::of_agent(Arc::from(files()), NATIVE);
            Box::new(sessions.unwrap())
        }
    });
}

/// A store of sessions that does all as the one below it, but for the calls that were replaced.
struct Broken {
    store: Arc<MemoryStore>,
    sessions: StoreSessions,
    calls: Calls,
}

/// What the calls of a broken store of sessions do.
struct Calls {
    key: fn(&str) -> String,
    add_message: fn(&Broken, &str, &str, &str),
    add_full_message: fn(&Broken, &str, &Message),
    get_summary: fn(&Broken, &str) -> String,
    set_history: fn(&Broken, &str, &[Message]),
    truncate_history: fn(&Broken, &str, i64),
    save: fn(&Broken, &str) -> Result<()>,
    error: fn(Option<Arc<Error>>) -> Option<Arc<Error>>,
}

const WHOLE: Calls = Calls {
    key: str::to_owned,
    add_message: |b, key, role, content| b.sessions.add_message(key, role, content),
    add_full_message: |b, key, message| b.sessions.add_full_message(key, message),
    get_summary: |b, key| b.sessions.get_summary(key),
    set_history: |b, key, history| b.sessions.set_history(key, history),
    truncate_history: |b, key, keep_last| b.sessions.truncate_history(key, keep_last),
    save: |b, key| b.sessions.save(key),
    error: |error| error,
};

impl Broken {
    fn new(breaks: fn(&mut Calls)) -> Self {
        let store = Arc::new(MemoryStore::default());
        let mut calls = WHOLE;
        breaks(&mut calls);
        Self {
            sessions: StoreSessions::new(Arc::clone(&store) as Arc<dyn Store>),
            store,
            calls,
        }
    }

    fn key(&self, key: &str) -> String {
        (self.calls.key)(key)
    }

    /// Truncates without a look at what belongs together.
    fn cut(&self, key: &str, keep_last: i64) {
        let key = SessionKey::new("picoclaw", key).unwrap();
        let keep_last = u64::try_from(keep_last).unwrap_or(0);
        self.store.truncate(&key, u64::MAX).ok();
        let messages: Vec<_> = self.store.messages(&key, ..).flatten().collect();
        let cut = messages
            .len()
            .saturating_sub(usize::try_from(keep_last).unwrap_or(0));
        let mark = messages
            .get(cut)
            .map_or(u64::MAX, |message| message.sequence);
        self.store.hide_before(&key, mark).ok();
    }
}

impl SessionStore for Broken {
    fn add_message(&self, key: &str, role: &str, content: &str) {
        (self.calls.add_message)(self, &self.key(key), role, content);
    }

    fn add_full_message(&self, key: &str, message: &Message) {
        (self.calls.add_full_message)(self, &self.key(key), message);
    }

    fn get_history(&self, key: &str) -> Vec<Message> {
        self.sessions.get_history(&self.key(key))
    }

    fn get_summary(&self, key: &str) -> String {
        (self.calls.get_summary)(self, &self.key(key))
    }

    fn set_summary(&self, key: &str, summary: &str) {
        self.sessions.set_summary(&self.key(key), summary);
    }

    fn set_history(&self, key: &str, history: &[Message]) {
        (self.calls.set_history)(self, &self.key(key), history);
    }

    fn truncate_history(&self, key: &str, keep_last: i64) {
        (self.calls.truncate_history)(self, &self.key(key), keep_last);
    }

    fn save(&self, key: &str) -> Result<()> {
        (self.calls.save)(self, &self.key(key))
    }

    fn close(&self) -> Result<()> {
        self.sessions.close()
    }

    fn last_error(&self) -> Option<Arc<Error>> {
        (self.calls.error)(self.sessions.last_error())
    }

    fn take_error(&self) -> Option<Arc<Error>> {
        (self.calls.error)(self.sessions.take_error())
    }
}

/// A contract, and what breaks a store of sessions so that it does not hold.
type Break = (&'static str, fn(&mut Calls));

const BREAKS: &[Break] = &[
    ("add_message_is_in_the_history", |calls| {
        calls.add_message = |b, key, role, content| {
            b.sessions
                .add_message(key, role, &content.replace('\u{2028}', "\n"));
        };
    }),
    ("add_full_message_keeps_calls_and_results", |calls| {
        calls.add_full_message = |b, key, message| {
            let mut message = message.clone();
            for block in &mut message.content {
                if let Block::ToolUse { name, .. } = block {
                    "tool".clone_into(name);
                }
            }
            b.sessions.add_full_message(key, &message);
        };
    }),
    ("an_unknown_session_is_empty", |calls| {
        calls.get_summary = |b, key| {
            let summary = b.sessions.get_summary(key);
            let is_new = summary.is_empty() && b.sessions.get_history(key).is_empty();
            if is_new {
                "A new session.".to_owned()
            } else {
                summary
            }
        };
    }),
    ("keys_never_meet", |calls| {
        calls.key = |key| key.replace([':', '/', '\\'], "_");
    }),
    ("set_summary_is_kept_beside_the_messages", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            b.sessions.truncate_history(key, keep_last);
            if keep_last == 0 {
                b.sessions.set_summary(key, "");
            }
        };
    }),
    ("set_history_takes_the_place_of_all_messages", |calls| {
        calls.set_history = |b, key, history| {
            for message in history {
                b.sessions.add_full_message(key, message);
            }
        };
    }),
    (
        "set_history_takes_messages_of_the_history_itself",
        |calls| {
            calls.set_history = |b, key, history| {
                let new = history.iter().filter(|message| message.id.is_none());
                let new: Vec<Message> = new.cloned().collect();
                b.sessions.set_history(key, &new);
            };
        },
    ),
    ("set_history_keeps_the_summary", |calls| {
        calls.set_history = |b, key, history| {
            b.sessions.set_history(key, history);
            b.sessions.set_summary(key, "");
        };
    }),
    ("truncate_history_keeps_the_last_messages", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            let more = i64::from((1..9).contains(&keep_last));
            b.sessions.truncate_history(key, keep_last + more);
        };
    }),
    ("truncate_history_to_nothing_or_less_hides_all", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            if keep_last >= 0 {
                b.sessions.truncate_history(key, keep_last);
            }
        };
    }),
    ("truncate_history_to_more_shows_nothing_again", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            let visible = b.sessions.get_history(key).len();
            if usize::try_from(keep_last).is_ok_and(|keep_last| keep_last > visible) {
                b.cut(key, keep_last);
            } else {
                b.sessions.truncate_history(key, keep_last);
            }
        };
    }),
    ("truncate_history_keeps_a_result_with_its_call", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            let visible = b.sessions.get_history(key).len();
            if usize::try_from(keep_last).is_ok_and(|keep_last| keep_last < visible) {
                b.cut(key, keep_last);
            } else {
                b.sessions.truncate_history(key, keep_last);
            }
        };
    }),
    ("save_removes_nothing_that_is_visible", |calls| {
        calls.save = |b, key| {
            b.sessions.truncate_history(key, 2);
            b.sessions.save(key)
        };
    }),
    ("what_cannot_be_kept_is_an_error_to_ask_for", |calls| {
        calls.error = |_| None;
    }),
    ("messages_of_several_threads_are_all_kept", |calls| {
        calls.add_message = |b, key, role, content| {
            let mut history = b.sessions.get_history(key);
            let role = scrollback::Role::from_word(role);
            history.push(Message::text(role, content));
            std::thread::sleep(Duration::from_millis(1));
            b.sessions.set_history(key, &history);
        };
    }),
    ("a_message_that_arrives_meanwhile_is_kept", |calls| {
        calls.truncate_history = |b, key, keep_last| {
            let history = b.sessions.get_history(key);
            if keep_last < 1000 || history.is_empty() {
                return b.sessions.truncate_history(key, keep_last);
            }
            std::thread::sleep(Duration::from_millis(2));
            b.sessions.set_history(key, &history);
        };
    }),
];

#[test]
fn every_contract_has_a_session_store_that_breaks_it() {
    let breaks: Vec<&str> = BREAKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(unpaired(SESSION_STORE, &breaks), [""; 0]);
    let mut complaints = Vec::new();
    for (name, breaks) in BREAKS.iter().copied() {
        let make = move || -> Box<dyn SessionStore> { Box::new(Broken::new(breaks)) };
        let make: &MakeSessionStore = &make;
        complaints.extend(breaks_noticed(SESSION_STORE, name, make, 6));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_session_store_with_nothing_broken_keeps_every_contract() {
    let report = run_session_store(&|| Box::new(Broken::new(|_| {})));
    assert!(report.is_clean(), "{report}");
    let again = run_all(SESSION_STORE, &|| -> Box<dyn SessionStore> {
        Box::new(Broken::new(|_| {}))
    });
    assert_eq!(again.held.len(), SESSION_STORE.len());
}
