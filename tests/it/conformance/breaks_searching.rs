//! Broken searches, one for each contract about them.

use super::Break;

pub(crate) const SEARCHING: &[Break] = &[
    ("search_finds_what_messages_say", |b| {
        b.calls.search = |b, query, watcher| {
            let mut page = b.store.search(query, watcher)?;
            // What tools answered is missed.
            page.hits
                .retain(|hit| hit.role != Some(scrollback::Role::Tool));
            Ok(page)
        };
    }),
    ("search_finds_what_is_hidden", |b| {
        b.calls.search = |b, query, watcher| {
            let mut page = b.store.search(query, watcher)?;
            let mut visible = Vec::new();
            for hit in page.hits {
                let mark = b.store.summary(&hit.key)?.mark;
                if hit.sequence.is_none_or(|sequence| sequence >= mark) {
                    visible.push(hit);
                }
            }
            page.hits = visible;
            Ok(page)
        };
    }),
    ("search_filters_hold_together", |b| {
        b.calls.search = |b, query, watcher| {
            let mut other = query.clone();
            if other.since.is_some() {
                other.roles.clear();
            }
            b.store.search(&other, watcher)
        };
    }),
    ("search_pages_give_each_hit_once", |b| {
        b.calls.search = |b, query, watcher| {
            // Each page begins with a session.
            let mut page = b.store.search(query, watcher)?;
            if let (Some(_), Some(hit)) = (page.next, page.hits.first()) {
                let by_session = query.clone().with_by_session(true).with_limit(1);
                let first = b.store.search(&by_session, watcher)?;
                page.next = first.next.or(Some(hit.cursor));
            }
            Ok(page)
        };
    }),
    ("search_counts_all_that_fits", |b| {
        b.calls.counts = |b, query, watcher| {
            let page = b.store.search(query, watcher)?;
            let mut counts = b.store.search_counts(query, watcher)?;
            counts.messages = page.hits.len() as u64;
            Ok(counts)
        };
    }),
];
