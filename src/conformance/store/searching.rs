//! Searches: what they find, in what order, and how much there is.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, same};
use crate::conformance::subject::{Subject, at, key, message};
use crate::model::message::{Block, Message, Role};
use crate::model::properties::PropertiesChange;
use crate::model::raw_json::RawJson;
use crate::search::Pattern;
use crate::store::{NewRecord, SearchPage, SearchQuery, unwatched};

fn query(text: &str) -> Checked<SearchQuery> {
    Ok(SearchQuery::new(done(
        "parse a query",
        Pattern::parse(text),
    )?))
}

fn search(store: &Subject, query: &SearchQuery) -> Checked<SearchPage> {
    done("search", store.store.search(query, &mut unwatched))
}

/// The hits of a page, as `session#sequence`.
fn places(page: &SearchPage) -> Vec<String> {
    let place = |hit: &crate::store::Hit| match hit.sequence {
        Some(sequence) => format!("{}#{sequence}", hit.key.id()),
        None => hit.key.id().to_owned(),
    };
    page.hits.iter().map(place).collect()
}

fn found(store: &Subject, text: &str) -> Checked<Vec<String>> {
    Ok(places(&search(store, &query(text)?)?))
}

/// A session `a` with a call of a tool and its answer, and an older one `b`.
fn talk(make: &MakeStore) -> Checked<Subject> {
    let store = Subject::new(make);
    let call = Block::ToolUse {
        id: Some("t".to_owned()),
        name: "Bash".to_owned(),
        input: RawJson::parse(r#"{"command":"grep \"Quorum\" src"}"#).ok(),
    };
    let answer = Block::ToolResult {
        id: Some("t".to_owned()),
        name: None,
        output: "src/epoch.rs: struct QuorumEpoch".to_owned(),
        is_error: false,
        images: Vec::new(),
    };
    let with = |second, id: &str, role, block| Message {
        role,
        content: vec![block],
        ..message(second, id)
    };
    let said = [
        message(11, "Where is the quorum?"),
        with(12, "call", Role::Assistant, call),
        with(13, "answer", Role::Tool, answer),
        Message {
            role: Role::Assistant,
            ..message(14, "In the file epoch")
        },
    ];
    store.append(&key("a")?, &said.map(NewRecord::message))?;
    store.append(
        &key("b")?,
        &[NewRecord::message(message(
            1,
            "An older quorum, not\nfound",
        ))],
    )?;
    store.update(
        &key("b")?,
        &PropertiesChange::default().with_title("The Shop"),
    )?;
    Ok(store)
}

pub(crate) fn search_finds_what_messages_say(make: &MakeStore) -> Checked {
    let store = talk(make)?;
    for (text, expected) in [
        ("QUORUM", &["a#2", "a#1", "a#0", "b#0"][..]),
        ("epoch file", &["a#3"]),
        // In the middle of a word, where a list of whole words has nothing.
        ("rumepo", &["a#2"]),
        ("grep \"src\"", &["a#1"]),
        ("\"not found\"", &["b#0"]),
        // In quotes words are whole.
        ("\"quoru\"", &[]),
        ("quorum NOT grep NOT struct", &["a#0", "b#0"]),
        ("older OR struct", &["a#2", "b#0"]),
        ("title:shop quorum", &["b#0"]),
        ("shop", &[]),
    ] {
        same(text, &found(&store, text)?, expected)?;
    }
    Ok(())
}

pub(crate) fn search_finds_what_is_hidden(make: &MakeStore) -> Checked {
    let store = talk(make)?;
    store.truncate(&key("a")?, 1)?;
    same("hidden messages", &found(&store, "where")?, &["a#0"])?;
    store.compact(&key("a")?, None)?;
    same("removed messages", &found(&store, "where")?, &[] as &[&str])
}

pub(crate) fn search_filters_hold_together(make: &MakeStore) -> Checked {
    let store = talk(make)?;
    let all = || query("quorum");
    for (filter, query, expected) in [
        ("role", all()?.with_roles([Role::User]), &["a#0", "b#0"][..]),
        // The answer does not name its tool: the call that it answers does.
        ("tool", all()?.with_tools(["bash"]), &["a#2", "a#1"]),
        ("session", all()?.with_sessions([key("b")?]), &["b#0"]),
        ("since", all()?.with_since(at(12)), &["a#2", "a#1"]),
        ("before", all()?.with_before(at(12)), &["a#0", "b#0"]),
        (
            "several",
            all()?.with_roles([Role::User]).with_since(at(11)),
            &["a#0"],
        ),
        ("agent", all()?.with_agents(["nobody"]), &[]),
        ("sessions", all()?.with_by_session(true), &["a#2", "b#0"]),
        ("titles", query("shop")?.with_by_session(true), &["b"]),
    ] {
        same(filter, &places(&search(&store, &query)?), expected)?;
    }
    Ok(())
}

pub(crate) fn search_pages_give_each_hit_once(make: &MakeStore) -> Checked {
    let store = talk(make)?;
    let mut query = query("quorum")?.with_limit(1);
    let mut all = Vec::new();
    loop {
        let page = search(&store, &query)?;
        same("hits of a page", &page.hits.len(), &1)?;
        all.extend(places(&page));
        let Some(next) = page.next else { break };
        query = query.with_after(done("a cursor", parsed(&next.to_string()))?);
    }
    same("all pages", &all, &["a#2", "a#1", "a#0", "b#0"])
}

fn parsed(text: &str) -> crate::model::error::Result<crate::store::SearchCursor> {
    let reason = |_| crate::model::error::Error::InvalidQuery {
        query: text.to_owned(),
        reason: "not a cursor".to_owned(),
    };
    text.parse().map_err(reason)
}

pub(crate) fn search_counts_all_that_fits(make: &MakeStore) -> Checked {
    let store = talk(make)?;
    let query = query("quorum")?.with_limit(1);
    let counts = done(
        "search_counts",
        store.store.search_counts(&query, &mut unwatched),
    )?;
    same("counts", &(counts.messages, counts.sessions), &(4, 2))
}
