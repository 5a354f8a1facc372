//! Broken saves and broken reads, one for each contract about them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scrollback::{
    Cursor, Error, Expect, ListQuery, NewRecord, ScanQuery, Session, SessionKey, SessionPage,
    Store, Summary, Truncated,
};

use super::Break;

/// Whether the session has been stored before.
fn is_there(store: &dyn Store, key: &SessionKey) -> bool {
    store.summary(key).is_ok()
}

fn folded(key: &SessionKey) -> SessionKey {
    SessionKey::new(key.agent(), key.id().replace([':', '/', '\\'], "_")).unwrap()
}

fn one_agent(key: &SessionKey) -> SessionKey {
    SessionKey::new(key.agent().replace("codex", "ggcode"), key.id()).unwrap()
}

fn everything(store: &dyn Store) -> SessionPage {
    let all = ListQuery {
        limit: usize::MAX,
        ..ListQuery::default()
    };
    store.list(&all).unwrap()
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
    // A save that reads, thinks, and writes over what came meanwhile.
    ("saves_of_several_threads_are_all_kept", |b| {
        b.calls.save = save_over
    }),
    ("a_save_beside_appends_keeps_both", |b| {
        b.calls.save = save_over
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
            b.store.hide_before(key, sequence).or(Ok(Truncated {
                mark: 0,
                visible: 0,
                hidden: 0,
            }))
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

pub(crate) const LISTING: &[Break] = &[
    ("list_is_newest_first", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            page.sessions.sort_by_key(|summary| summary.number);
            page.sessions.reverse();
            Ok(page)
        };
    }),
    ("list_breaks_ties_newer_session_first", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            page.sessions
                .sort_by_key(|summary| (-summary.updated_at.timestamp_micros(), summary.number));
            Ok(page)
        };
    }),
    ("list_gives_the_summaries", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            for summary in &mut page.sessions {
                summary.hidden_count = 0;
            }
            Ok(page)
        };
    }),
    ("list_pages_give_each_session_once", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            page.next = page.next.and(page.sessions.first().map(Cursor::of));
            Ok(page)
        };
    }),
    ("list_without_a_limit_gives_a_hundred", |b| {
        b.calls.list = |b, query| {
            let limit = if query.limit == 0 { 1000 } else { query.limit };
            b.store.list(&ListQuery {
                limit,
                ..query.clone()
            })
        };
    }),
    ("list_cursor_stays_valid_while_sessions_change", |b| {
        b.calls.list = |b, query| {
            let known = |cursor: Cursor| {
                let all = everything(&*b.store).sessions;
                all.iter().any(|summary| Cursor::of(summary) == cursor)
            };
            if query.after.is_some_and(|cursor| !known(cursor)) {
                return Ok(SessionPage::default());
            }
            b.store.list(query)
        };
    }),
    ("list_filters_by_agent", |b| {
        b.calls.list = |b, query| {
            b.store.list(&ListQuery {
                agent: None,
                ..query.clone()
            })
        };
    }),
    ("list_filters_by_project", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            let wanted = query.project.as_deref().unwrap_or("/");
            page.sessions.retain(|summary| {
                wanted.starts_with('/') || summary.project.as_deref() == Some(wanted)
            });
            Ok(page)
        };
    }),
    ("list_takes_since_inclusive_and_before_strict", |b| {
        b.calls.list = |b, query| {
            b.store.list(&ListQuery {
                before: query
                    .before
                    .map(|before| before + TimeDelta::microseconds(1)),
                ..query.clone()
            })
        };
    }),
    ("list_filters_by_title_whatever_the_case", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            let wanted = query.title.clone().unwrap_or_default().to_ascii_lowercase();
            page.sessions
                .retain(|summary| summary.title.to_ascii_lowercase().contains(&wanted));
            Ok(page)
        };
    }),
    ("list_filters_by_pin", |b| {
        b.calls.list = |b, query| {
            // Takes "not pinned" for "whatever".
            b.store.list(&ListQuery {
                pinned: query.pinned.filter(|pinned| *pinned),
                ..query.clone()
            })
        };
    }),
    ("list_filters_by_archive", |b| {
        b.calls.list = |b, query| {
            // Leaves archived ones out unless it is asked for them.
            b.store.list(&ListQuery {
                archived: query.archived.or(Some(false)),
                ..query.clone()
            })
        };
    }),
    ("list_filters_by_parent", |b| {
        b.calls.list = |b, query| {
            b.store.list(&ListQuery {
                parent: None,
                ..query.clone()
            })
        };
    }),
    ("list_filters_hold_together_and_fill_pages", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(&ListQuery {
                pinned: None,
                ..query.clone()
            })?;
            page.sessions
                .retain(|summary| query.pinned.is_none_or(|pinned| pinned == summary.pinned));
            Ok(page)
        };
    }),
    ("find_gives_ids_that_start_so", |b| {
        b.calls.find = |b, prefix, limit| b.store.find(&prefix.to_lowercase(), limit);
    }),
    ("find_gives_the_equal_id_alone", |b| {
        b.calls.find = |b, prefix, limit| {
            let mut found = b.store.find(prefix, limit)?;
            if found.first().is_some_and(|key| key.id() == prefix) {
                let all = everything(&*b.store).sessions.into_iter();
                found = all.map(|summary| summary.key).collect();
                found.retain(|key| key.id().starts_with(prefix));
            }
            Ok(found)
        };
    }),
    ("find_looks_at_one_agent_alone", |b| {
        b.calls.find = |b, prefix, limit| {
            let (_, prefix) = prefix.split_once(':').unwrap_or(("", prefix));
            b.store.find(prefix, limit)
        };
    }),
    ("find_falls_back_to_aliases", |b| {
        b.calls.find = |b, prefix, limit| {
            let mut found = b.store.find(prefix, limit)?;
            found.retain(|key| key.id().starts_with(prefix) || key.to_string().starts_with(prefix));
            Ok(found)
        };
    }),
    ("find_gives_at_most_the_limit", |b| {
        b.calls.find = |b, prefix, _| b.store.find(prefix, usize::MAX);
    }),
];

pub(crate) const REMOVING: &[Break] = &[
    ("delete_unchanged_leaves_what_has_changed", |b| {
        b.calls.delete_unchanged = |b, key, _| b.store.delete(key);
    }),
    ("delete_removes_the_session_alone", |b| {
        b.calls.delete = |b, key| {
            let mut removed = b.store.delete(key)?;
            removed.records = 0;
            Ok(removed)
        };
    }),
    ("a_deleted_session_leaves_nothing_behind", |b| {
        b.calls.delete = |b, key| {
            b.noted.lock().unwrap().push((key.clone(), 0));
            b.store.delete(key)
        };
        b.calls.by_alias = |b, alias| {
            let deleted = b.noted.lock().unwrap().first().map(|(key, _)| key.clone());
            Ok(b.store.by_alias(alias)?.or(deleted))
        };
    }),
    ("cleanup_is_strictly_before", |b| {
        b.calls.cleanup = |b, before| {
            b.store
                .cleanup_older_than(before + TimeDelta::microseconds(1))
        };
    }),
    ("cleanup_takes_what_the_list_answers", |b| {
        b.calls.cleanup = |b, before| {
            // Spares what is pinned.
            let pinned = everything(&*b.store).sessions.into_iter();
            let pinned: Vec<_> = pinned.filter(|summary| summary.pinned).collect();
            let records = |summary: &Summary| b.store.scan(&summary.key, &ScanQuery::default());
            let kept: Vec<_> = pinned.iter().map(records).collect::<Result<_, _>>()?;
            let removed = b.store.cleanup_older_than(before)?;
            for (summary, page) in pinned.iter().zip(kept) {
                if !is_there(&*b.store, &summary.key) {
                    let lines = page.records.into_iter();
                    let lines: Vec<_> = lines.map(|record| NewRecord::line(record.line)).collect();
                    b.store.append(&summary.key, Expect::Any, None, &lines)?;
                }
            }
            Ok(removed)
        };
    }),
];
