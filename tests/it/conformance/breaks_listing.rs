//! Broken lists, searches and deletions, one for each contract about them.

use chrono::TimeDelta;
use scrollback::{Cursor, ListQuery, SessionKey, SessionPage, Store, StoreExt as _};

use super::Break;

fn everything(store: &dyn Store) -> SessionPage {
    let all = ListQuery::default().with_limit(usize::MAX);
    store.list(&all).unwrap()
}

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
            b.store.list(&query.clone().with_limit(limit))
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
            b.store.list(&{
                let mut asked = query.clone();
                asked.agent = None;
                asked
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
    ("list_filters_by_whole_project", |b| {
        b.calls.list = |b, query| b.store.list(&query.clone().with_whole_project(false));
    }),
    ("list_takes_since_inclusive_and_before_strict", |b| {
        b.calls.list = |b, query| {
            b.store.list(&{
                let mut asked = query.clone();
                asked.before = query
                    .before
                    .map(|before| before + TimeDelta::microseconds(1));
                asked
            })
        };
    }),
    ("list_filters_by_folders", |b| {
        b.calls.list = |b, query| {
            // Takes what begins with the text for what is below the folder.
            let mut page = b.store.list(&query.clone().with_folders([""; 0]))?;
            if query.folders.is_empty() {
                return Ok(page);
            }
            let is_below = |project: &str| {
                let mut folders = query.folders.iter();
                folders.any(|folder| project.starts_with(&**folder))
            };
            page.sessions
                .retain(|summary| summary.project.as_deref().is_some_and(is_below));
            Ok(page)
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
            b.store.list(&{
                let mut asked = query.clone();
                asked.pinned = query.pinned.filter(|pinned| *pinned);
                asked
            })
        };
    }),
    ("list_filters_by_archive", |b| {
        b.calls.list = |b, query| {
            // Leaves archived ones out unless it is asked for them.
            b.store.list(&{
                let mut asked = query.clone();
                asked.archived = query.archived.or(Some(false));
                asked
            })
        };
    }),
    ("list_filters_by_parent", |b| {
        b.calls.list = |b, query| {
            b.store.list(&{
                let mut asked = query.clone();
                asked.parent = None;
                asked
            })
        };
    }),
    ("list_pages_hold_children_too", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(query)?;
            page.next = page.next.filter(|_| query.parent.is_none());
            Ok(page)
        };
    }),
    ("list_by_parent_follows_changes", |b| {
        b.calls.update = |b, key, change| {
            if let Some(Some(parent)) = &change.parent {
                let mut all = b.noted.lock().unwrap();
                all.push((SessionKey::native(parent.as_str())?, 0));
            }
            b.store.update_properties(key, change)
        };
        // Whoever was a parent once goes on being it.
        b.calls.list = |b, query| {
            let was = |parent: &String| {
                let noted = b.noted.lock().unwrap();
                noted.iter().any(|(key, _)| key.id() == parent)
            };
            b.store.list(&{
                let mut asked = query.clone();
                asked.parent = query.parent.clone().filter(|parent| !was(parent));
                asked
            })
        };
    }),
    ("a_session_is_not_its_own_child", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.parent = b.store.properties(key)?.parent;
            Ok(summary)
        };
    }),
    ("list_filters_hold_together_and_fill_pages", |b| {
        b.calls.list = |b, query| {
            let mut page = b.store.list(&{
                let mut asked = query.clone();
                asked.pinned = None;
                asked
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
    ("find_after_gives_the_rest", |b| {
        b.calls.find = |b, prefix, limit| {
            let mut found = b.store.find(prefix, limit)?;
            found.sort();
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
        b.calls.cleanup = |b, query| {
            let mut other = query.clone();
            other.before = query.before + TimeDelta::microseconds(1);
            b.store.cleanup(&other)
        };
    }),
    ("cleanup_takes_what_the_list_answers", |b| {
        b.calls.cleanup = |b, query| {
            // Takes what is pinned too.
            let mut other = query.clone();
            other.pinned_too = true;
            b.store.cleanup(&other)
        };
    }),
    ("cleanup_takes_one_agent_or_project", |b| {
        b.calls.cleanup = |b, query| {
            let mut other = query.clone();
            other.agent = None;
            b.store.cleanup(&other)
        };
    }),
    ("cleanup_spares_what_is_pinned_and_what_it_started", |b| {
        b.calls.cleanup = |b, query| {
            // Spares the pinned ones alone.
            let pinned = everything(&*b.store).sessions.into_iter();
            for session in pinned.filter(|session| session.pinned) {
                for child in b.store.children(&session.key)? {
                    b.store.delete(&child.key)?;
                }
            }
            b.store.cleanup(query)
        };
    }),
    ("cleanup_takes_what_was_started_along", |b| {
        b.calls.cleanup = |b, query| {
            // One session at a time, by its own age.
            let mut other = query.clone();
            other.preview = true;
            let mut cleaned = b.store.cleanup(&other)?;
            for session in std::mem::take(&mut cleaned.listed) {
                if session.updated_at < query.before {
                    b.store.delete(&session.key)?;
                }
            }
            Ok(cleaned)
        };
    }),
    ("cleanup_previews_what_it_deletes", |b| {
        b.calls.cleanup = |b, query| {
            let mut cleaned = b.store.cleanup(query)?;
            cleaned.sub_agents *= u64::from(query.preview);
            Ok(cleaned)
        };
    }),
];
