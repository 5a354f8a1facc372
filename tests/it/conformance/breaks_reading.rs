//! Broken saves and broken reads, one for each contract about them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use scrollback::report::Truncated;
use scrollback::{Error, Expect, NATIVE, NewRecord, Session, SessionKey, Store};

use super::Break;

/// Whether the session has been stored before.
pub(crate) fn is_there(store: &dyn Store, key: &SessionKey) -> bool {
    store.summary(key).is_ok()
}

fn folded(key: &SessionKey) -> SessionKey {
    SessionKey::new(key.agent(), key.id().replace([':', '/', '\\'], "_")).unwrap()
}

fn one_agent(key: &SessionKey) -> SessionKey {
    SessionKey::new(key.agent().replace("jsonl", "nobody"), key.id()).unwrap()
}

pub(crate) const SAVING: &[Break] = &[
    ("save_then_load_gives_the_session", |b| {
        b.calls.load = |b, key| {
            let mut session = b.store.load(key)?;
            for message in &mut session.messages {
                message.usage = None;
            }
            Ok(session)
        };
    }),
    ("save_sets_the_time_of_update", |b| {
        b.calls.save = |b, session| {
            b.store.save(session)?;
            session.updated_at = session.created_at;
            Ok(())
        };
    }),
    ("save_keeps_the_time_of_creation", |b| {
        b.calls.save = |b, session| {
            session.created_at.get_or_insert_with(Utc::now);
            b.store.save(session)
        };
    }),
    ("save_gives_messages_ids_and_times", |b| {
        b.calls.save = |b, session| {
            for message in &mut session.messages {
                message.id.get_or_insert_with(|| "same".to_owned());
            }
            b.store.save(session)
        };
    }),
    (
        "save_takes_an_empty_title_from_the_first_user_message",
        |b| {
            b.calls.save = |b, session| {
                if let (true, Some(first)) = (session.title.is_empty(), session.messages.first()) {
                    session.title = first.plain_text();
                }
                b.store.save(session)
            };
        },
    ),
    ("save_appends_and_rewrites_nothing", |b| {
        b.calls.save = |b, session| {
            if is_there(&*b.store, &session.key) {
                b.store.delete(&session.key)?;
            }
            b.store.save(session)
        };
    }),
    ("save_appends_new_messages_in_their_order", |b| {
        b.calls.save = |b, session| {
            let known = is_there(&*b.store, &session.key);
            if known {
                session.messages.reverse();
            }
            let saved = b.store.save(session);
            if known {
                session.messages.reverse();
            }
            saved
        };
    }),
    ("save_removes_nothing_that_a_copy_lacks", |b| {
        b.calls.save = |b, session| {
            b.store.save(session)?;
            if b.store.load(&session.key)?.messages.len() > session.messages.len() {
                b.store.delete(&session.key)?;
                b.store.save(session)?;
            }
            Ok(())
        };
    }),
    ("save_knows_hidden_messages", |b| {
        b.calls.save = |b, session| {
            if let Ok(visible) = b.store.load(&session.key) {
                for message in &mut session.messages {
                    if !visible.messages.iter().any(|there| there.id == message.id) {
                        message.id = Some(format!("{:?} again", message.id));
                    }
                }
            }
            b.store.save(session)
        };
    }),
    ("save_appends_a_changed_header", |b| {
        b.calls.save = |b, session| {
            if let Ok(there) = b.store.load(&session.key) {
                session.extra = there.extra;
            }
            b.store.save(session)
        };
    }),
    ("save_refuses_a_changed_message", |b| {
        b.calls.save = |b, session| match b.store.save(session) {
            Err(Error::MessageChanged { .. }) => Ok(()),
            other => other,
        };
    }),
    ("save_refuses_a_message_put_before_stored_ones", |b| {
        b.calls.save = |b, session| match b.store.save(session) {
            Err(Error::MessageInserted { .. }) => Ok(()),
            other => other,
        };
    }),
    ("save_refuses_two_messages_of_one_id", |b| {
        b.calls.save = |b, session| {
            let mut ids = std::collections::HashSet::new();
            let messages = &mut session.messages;
            messages.retain(|message| message.id.is_none() || ids.insert(message.id.clone()));
            b.store.save(session)
        };
    }),
    ("save_refuses_a_changed_message_that_has_a_place", |b| {
        b.calls.save = |b, session| match b.store.save(session) {
            Err(Error::MessageChanged { id, .. }) if id.starts_with('#') => Ok(()),
            other => other,
        };
    }),
    ("save_refuses_a_format_that_is_only_read", |b| {
        b.calls.save = |b, session| match b.store.save(session) {
            Err(Error::Unsupported { .. }) => Ok(()),
            other => other,
        };
    }),
    ("save_never_writes_what_was_given", |b| {
        b.calls.save = |b, session| {
            b.store.save(session)?;
            if let Some(title) = b.store.properties(&session.key)?.title {
                let line =
                    format!("{{\"scrollback\":1,\"type\":\"session\",\"title\":\"{title}\"}}");
                let line = [NewRecord::line(line)];
                b.store.append(&session.key, Expect::Any, None, &line)?;
            }
            Ok(())
        };
    }),
    ("messages_without_an_id_are_named_by_their_place", |b| {
        b.calls.load = |b, key| {
            let mut session = b.store.load(key)?;
            for message in &mut session.messages {
                message.id.take_if(|id| id.starts_with('#'));
            }
            Ok(session)
        };
    }),
    (
        "save_names_messages_by_place_where_lines_hold_no_ids",
        |b| {
            b.calls.save = |b, session| {
                let mut copy = session.clone();
                b.store.save(&mut copy)?;
                session.updated_at = copy.updated_at;
                session.created_at = copy.created_at;
                session.title = copy.title;
                if session.key.agent() == NATIVE {
                    session.messages = copy.messages;
                }
                Ok(())
            };
        },
    ),
    // A save that reads, thinks, and writes over what came meanwhile.
    ("saves_of_several_threads_are_all_kept", |b| {
        b.calls.save = save_over;
    }),
    ("a_save_beside_appends_keeps_both", |b| {
        b.calls.save = save_over;
    }),
];

fn save_over(b: &super::broken::Broken, session: &mut Session) -> scrollback::Result<()> {
    let mut whole = session.clone();
    if let Ok(there) = b.store.load(&session.key) {
        whole.messages = there.messages;
        let new = session
            .messages
            .iter()
            .filter(|message| !whole.messages.contains(message));
        let new: Vec<_> = new.cloned().collect();
        whole.messages.extend(new);
        std::thread::sleep(Duration::from_millis(2));
        drop(b.store.delete(&session.key));
    }
    b.store.save(&mut whole)?;
    session.updated_at = whole.updated_at;
    Ok(())
}

pub(crate) const READING: &[Break] = &[
    ("what_is_not_there_is_not_found", |b| {
        b.calls.hide_before = |b, key, sequence| {
            b.store
                .hide_before(key, sequence)
                .or(Ok(Truncated::new(0, 0, 0)))
        };
    }),
    ("load_gives_what_is_visible", |b| {
        b.calls.load = |b, key| {
            let mark = b.store.summary(key)?.mark;
            b.store.truncate(key, u64::MAX)?;
            let session = b.store.load(key);
            b.store.hide_before(key, mark)?;
            session
        };
    }),
    ("ids_are_any_text_and_never_meet", |b| {
        b.calls.append =
            |b, key, expect, id, records| b.store.append(&folded(key), expect, id, records);
        b.calls.load = |b, key| b.store.load(&folded(key));
        b.calls.summary = |b, key| b.store.summary(&folded(key));
    }),
    ("agents_are_apart", |b| {
        b.calls.append =
            |b, key, expect, id, records| b.store.append(&one_agent(key), expect, id, records);
        b.calls.scan = |b, key, query| b.store.scan(&one_agent(key), query);
        b.calls.delete = |b, key| b.store.delete(&one_agent(key));
    }),
    ("summary_counts_what_is_stored", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.malformed_count = 0;
            Ok(summary)
        };
    }),
    ("summary_follows_the_lines", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.model = None;
            Ok(summary)
        };
    }),
    ("numbers_ascend_in_the_order_of_creation", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.number = u64::from(*key.id().as_bytes().first().unwrap());
            Ok(summary)
        };
    }),
    ("a_long_title_is_cut_at_a_character", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            if summary.title.len() > 200 {
                summary.title.pop();
                summary.title.push('\u{fffd}');
            }
            Ok(summary)
        };
    }),
    ("times_are_kept_to_the_microsecond", |b| {
        b.calls.load = |b, key| {
            let mut session = b.store.load(key)?;
            for message in &mut session.messages {
                let time = message.time.unwrap();
                message.time = DateTime::from_timestamp_millis(time.timestamp_millis());
            }
            Ok(session)
        };
    }),
    ("export_markdown_writes_the_hidden_part_too", |b| {
        b.calls.export = |b, key, out| {
            let session = b.store.load(key)?;
            let write = |text: &str, out: &mut dyn std::io::Write| {
                writeln!(out, "{text}").map_err(|source| Error::Output { source })
            };
            write(&session.title, out)?;
            session
                .messages
                .iter()
                .try_for_each(|message| write(&message.plain_text(), out))
        };
    }),
    ("export_markdown_says_when_the_output_fails", |b| {
        b.calls.export = |b, key, out| {
            let mut bytes = Vec::new();
            b.store.export_markdown(key, &mut bytes)?;
            out.write_all(&bytes).ok();
            Ok(())
        };
    }),
];
