//! Searches by example: what was written again or taken back, tools, contexts of damage and of stopping.

use std::ops::ControlFlow;

use scrollback::{
    Block, Error, Expect, MemoryStore, Message, NewRecord, Options, Pattern, RedbStore, Role,
    SearchPage, SearchQuery, SessionKey, Sort, Store, unwatched,
};

use crate::harness::Home;

/// The same test on both stores.
fn on_both(test: impl Fn(&dyn Store)) {
    test(&MemoryStore::default());
    let home = Home::new();
    test(&RedbStore::open(home.store_path(), Options::default()).unwrap());
}

fn search(store: &dyn Store, query: &SearchQuery) -> SearchPage {
    store.search(query, &mut unwatched).unwrap()
}

fn query(text: &str) -> SearchQuery {
    SearchQuery::new(text.parse().unwrap())
}

fn sequences(page: &SearchPage) -> Vec<u64> {
    page.hits.iter().filter_map(|hit| hit.sequence).collect()
}

fn append(store: &dyn Store, key: &SessionKey, lines: &[&str]) {
    let lines: Vec<NewRecord> = lines.iter().map(|line| NewRecord::line(*line)).collect();
    store.append(key, Expect::Any, None, &lines).unwrap();
}

#[test]
fn a_message_that_was_written_again_is_found_in_its_last_state_at_its_first_place() {
    on_both(|store| {
        let key = SessionKey::new("gemini", "s").unwrap();
        append(
            store,
            &key,
            &[
                r#"{"id":"m1","type":"user","content":"which port?"}"#,
                r#"{"id":"m2","type":"gemini","content":"draft eighty"}"#,
                r#"{"id":"m3","type":"user","content":"why?"}"#,
                r#"{"id":"m2","type":"gemini","content":"final 8080"}"#,
            ],
        );
        assert_eq!(sequences(&search(store, &query("final"))), [1]);
        assert_eq!(sequences(&search(store, &query("draft"))), [] as [u64; 0]);
        assert_eq!(
            search(store, &query("final")).hits[0].snippet.text,
            "final 8080"
        );
    });
}

#[test]
fn what_was_taken_back_is_found_and_says_so() {
    on_both(|store| {
        let key = SessionKey::new("gemini", "s").unwrap();
        append(
            store,
            &key,
            &[
                r#"{"id":"m1","type":"user","content":"first thing"}"#,
                r#"{"id":"m2","type":"user","content":"wrong thing"}"#,
                r#"{"$rewindTo":"m2"}"#,
                r#"{"id":"m3","type":"user","content":"right thing"}"#,
            ],
        );
        let all = search(store, &query("thing"));
        let said: Vec<_> = all
            .hits
            .iter()
            .map(|hit| (hit.sequence, hit.live))
            .collect();
        assert_eq!(said, [(Some(3), true), (Some(1), false), (Some(0), true)]);
        let live = search(store, &query("thing").with_live(true));
        assert_eq!(sequences(&live), [3, 0]);
    });
}

#[test]
fn best_are_those_that_say_it_as_whole_words_and_by_people() {
    on_both(|store| {
        let key = SessionKey::native("s").unwrap();
        let said = |role, text: &str| NewRecord::message(Message::text(role, text));
        let mut tool = Message::new(Role::Tool);
        tool.content = vec![Block::ToolResult {
            id: None,
            name: None,
            output: "epoch".to_owned(),
            is_error: false,
            images: Vec::new(),
        }];
        let lines = [
            said(Role::User, "the epoch of the epoch"),
            said(Role::User, "QuorumEpochs"),
            NewRecord::message(tool),
            said(Role::Assistant, "nothing"),
        ];
        store.append(&key, Expect::Any, None, &lines).unwrap();
        let best = search(store, &query("epoch").with_sort(Sort::Best));
        assert_eq!(sequences(&best), [0, 1, 2]);
        let two = search(store, &query("epoch").with_sort(Sort::Best).with_limit(2));
        assert_eq!((sequences(&two), two.next), (vec![0, 1], None));
    });
}

#[test]
fn a_session_that_is_named_has_to_be_there_and_one_that_goes_meanwhile_has_nothing() {
    on_both(|store| {
        let key = SessionKey::native("gone").unwrap();
        let named = query("x").with_sessions([key]);
        let refused = store.search(&named, &mut unwatched);
        assert!(matches!(refused, Err(Error::NotFound { .. })));
    });
}

#[test]
fn a_search_is_stopped_by_its_watcher() {
    on_both(|store| {
        for at in 0..40 {
            let key = SessionKey::native(format!("s{at}")).unwrap();
            append(store, &key, &["{}"]);
        }
        let mut told = 0;
        let stopped = store.search(&query("x"), &mut |_| {
            told += 1;
            ControlFlow::Break(())
        });
        assert!(matches!(stopped, Err(Error::Cancelled)) && told == 1);
        let stopped = store.search_counts(&query("x"), &mut |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(Error::Cancelled)));
    });
}

#[test]
fn a_search_by_sessions_counts_and_goes_on_behind_a_session() {
    on_both(|store| {
        for id in ["a", "b", "c"] {
            let key = SessionKey::native(id).unwrap();
            let said = |text: &str| NewRecord::message(Message::text(Role::User, text));
            let lines = [said("needle one"), said("other"), said("needle two")];
            store.append(&key, Expect::Any, None, &lines).unwrap();
        }
        let mut asked = query("needle").with_by_session(true).with_limit(1);
        let mut ids = Vec::new();
        loop {
            let page = search(store, &asked);
            let hit = &page.hits[0];
            assert_eq!((hit.messages, hit.snippet.text.as_str()), (2, "needle two"));
            ids.push(hit.key.id().to_owned());
            let Some(next) = page.next else { break };
            asked.after = Some(next);
        }
        ids.sort();
        assert_eq!(ids, ["a", "b", "c"]);
    });
}

#[test]
fn a_page_says_how_many_hits_there_are_at_least_and_of_all_how_many() {
    on_both(|store| {
        for at in 0..30 {
            let key = SessionKey::native(format!("s{at}")).unwrap();
            let said = |text: &str| NewRecord::message(Message::text(Role::User, text));
            let lines = [said("needle one"), said("other"), said("needle two")];
            store.append(&key, Expect::Any, None, &lines).unwrap();
        }
        let mut asked = query("needle").with_limit(7);
        let mut given = 0;
        loop {
            let page = search(store, &asked);
            let left = 60 - given;
            given += page.hits.len() as u64;
            let Some(next) = page.next else {
                assert_eq!(page.at_least, left);
                break;
            };
            assert!((8..=left).contains(&page.at_least), "{}", page.at_least);
            assert!(
                page.sessions_max
                    .is_none_or(|sessions| sessions * 2 >= left)
            );
            asked.after = Some(next);
        }
        let best = search(store, &query("needle").with_sort(Sort::Best).with_limit(3));
        assert_eq!((best.hits.len(), best.at_least), (3, 60));
        let named = query("needle").with_sessions([SessionKey::native("s1").unwrap()]);
        assert_eq!(search(store, &named).sessions_max, Some(1));
    });
}

#[test]
fn a_query_that_cannot_be_read_is_an_error_of_its_own() {
    let error = Pattern::parse("a \"b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot search for `a \"b`: a quote is not closed"
    );
    let expression = Pattern::of_regex("(");
    assert!(matches!(expression, Err(Error::InvalidQuery { .. })));
}
