//! Clean-ups.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, same};
use crate::conformance::subject::{OTHERS, Subject, at, ids, key, key_of, said};
use crate::model::properties::PropertiesChange;
use crate::store::{CleanupQuery, ListQuery, NewRecord, Removed};

/// A pin, or a parent.
fn given(pinned: Option<bool>, parent: Option<&str>) -> PropertiesChange {
    PropertiesChange {
        pinned,
        parent: parent.map(|parent| Some(parent.to_owned())),
        ..PropertiesChange::default()
    }
}

/// The header of a session that another started, or that was forked from it.
fn header(id: &str, parent: &str, forked: &str) -> NewRecord {
    NewRecord::line(format!(
        "{{\"scrollback\":1,\"type\":\"session\",\"id\":\"{id}\",\"parent\":\"{parent}\"{forked}}}\n"
    ))
}

/// Sessions that said something at these seconds, with those that started them.
fn families(make: &MakeStore, sessions: &[(&str, i64, Option<&str>)]) -> Checked<Subject> {
    let store = Subject::new(make);
    for (id, second, parent) in sessions {
        let header = parent.map(|parent| header(id, parent, ""));
        let lines: Vec<NewRecord> = header.into_iter().chain([said(*second, "x")]).collect();
        store.append(&key(id)?, &lines)?;
    }
    Ok(store)
}

/// All ids, in order.
fn left(store: &Subject) -> Checked<Vec<String>> {
    let mut left = store.ids(&ListQuery::default())?;
    left.sort();
    Ok(left)
}

pub(crate) fn cleanup_is_strictly_before(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for (id, second) in [("a", 10), ("b", 20), ("c", 30)] {
        store.say(&key(id)?, second, &["x"])?;
    }
    let bytes = store.summary(&key("a")?)?.bytes;
    let expected = Removed {
        sessions: 1,
        records: 1,
        bytes,
    };
    // Session b is of second 20 itself, and stays.
    same("cleanup before 20", &store.cleanup(at(20))?, &expected)?;
    let left = store.ids(&ListQuery::default())?;
    same("what is left", &left, &["c", "b"])?;
    let nothing = store.cleanup(at(20))?;
    same("the same cleanup again", &nothing, &Removed::default())
}

pub(crate) fn cleanup_takes_what_the_list_answers(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for number in 0..8 {
        // Made in another order than updated, and some of them updated later on.
        let id = key(&format!("s{number}"))?;
        store.say(&id, number * 5 % 8, &["x"])?;
        if number % 4 == 0 {
            store.say(&id, 100, &["again"])?;
        }
    }
    let pinned = PropertiesChange {
        pinned: Some(true),
        ..PropertiesChange::default()
    };
    store.update(&key("s1")?, &pinned)?;
    let before = ListQuery {
        before: Some(at(6)),
        pinned: Some(false),
        ..ListQuery::default()
    };
    let going = ids(&store.list(&before)?);
    let mut staying = store.ids(&ListQuery::default())?;
    staying.retain(|id| !going.contains(id));
    let removed = store.cleanup(at(6))?;
    same("sessions removed", &removed.sessions, &(going.len() as u64))?;
    let left = store.ids(&ListQuery::default())?;
    same("what is left", &left, &staying)
}

pub(crate) fn cleanup_takes_one_agent_or_project(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for (id, project) in [("shop", "/w/shop"), ("bank", "/w/bank")] {
        store.say(&key(id)?, 1, &["x"])?;
        let change = PropertiesChange {
            project: Some(Some(project.to_owned())),
            ..PropertiesChange::default()
        };
        store.update(&key(id)?, &change)?;
    }
    // Its time is that of second 5: a line without one would count as written now, and be too
    // young.
    let line = NewRecord::line("{\"timestamp\":\"2001-09-09T01:46:45Z\",\"type\":\"x\"}\n");
    store.append(&key_of(OTHERS, "theirs")?, &[line])?;
    let of_project = CleanupQuery {
        project: Some("shop".to_owned()),
        ..CleanupQuery::older_than(at(100))
    };
    same(
        "of a project",
        &store.clean(&of_project)?.removed.sessions,
        &1,
    )?;
    same("what is left", &left(&store)?, &["bank", "theirs"])?;
    let of_agent = CleanupQuery {
        agent: Some(OTHERS.to_owned()),
        ..CleanupQuery::older_than(at(100))
    };
    same("of an agent", &store.clean(&of_agent)?.removed.sessions, &1)?;
    same("what is left then", &left(&store)?, &["bank"])
}

pub(crate) fn cleanup_spares_what_is_pinned_and_what_it_started(make: &MakeStore) -> Checked {
    let store = families(
        make,
        &[
            ("pinned", 1, None),
            ("child", 2, Some("pinned")),
            ("grandchild", 3, Some("child")),
            ("other", 4, None),
        ],
    )?;
    store.update(&key("pinned")?, &given(Some(true), None))?;
    let cleaned = store.clean(&CleanupQuery::older_than(at(100)))?;
    let counts = (cleaned.removed.sessions, cleaned.pinned_kept);
    same("deleted, and kept", &counts, &(1, 3))?;
    same(
        "what is left",
        &left(&store)?,
        &["child", "grandchild", "pinned"],
    )?;
    same("again", &store.cleanup(at(100))?, &Removed::default())?;
    let all = CleanupQuery {
        pinned_too: true,
        ..CleanupQuery::older_than(at(100))
    };
    let cleaned = store.clean(&all)?;
    let counts = (
        cleaned.removed.sessions,
        cleaned.sub_agents,
        cleaned.pinned_kept,
    );
    same("pinned too", &counts, &(3, 2, 0))
}

pub(crate) fn cleanup_takes_what_was_started_along(make: &MakeStore) -> Checked {
    let store = families(
        make,
        &[
            // Three that name each other in a circle: the walk down has to end.
            ("parent", 1, Some("grandchild")),
            ("child", 200, Some("parent")),
            ("grandchild", 300, Some("child")),
            ("pinned-child", 200, Some("parent")),
            ("below", 300, Some("pinned-child")),
            ("young", 200, None),
        ],
    )?;
    store.update(&key("pinned-child")?, &given(Some(true), None))?;
    // A fork is a session of its own, and a parent that was given may be what it was forked from.
    let forked = [header("fork", "parent", ",\"forked\":true"), said(200, "x")];
    store.append(&key("fork")?, &forked)?;
    store.say(&key("given")?, 200, &["x"])?;
    store.update(&key("given")?, &given(None, Some("parent")))?;
    let cleaned = store.clean(&CleanupQuery::older_than(at(100)))?;
    let counts = (cleaned.removed.sessions, cleaned.removed.records);
    same("sessions and records deleted", &counts, &(3, 6))?;
    same("of them started by another", &cleaned.sub_agents, &3)?;
    same(
        "what is left",
        &left(&store)?,
        &["below", "fork", "given", "pinned-child", "young"],
    )
}

pub(crate) fn cleanup_previews_what_it_deletes(make: &MakeStore) -> Checked {
    let store = families(
        make,
        &[
            ("old", 1, None),
            ("child", 200, Some("old")),
            ("pinned", 2, None),
            ("young", 200, None),
        ],
    )?;
    store.update(&key("pinned")?, &given(Some(true), None))?;
    store.append(&key("old")?, &[said(3, "more")])?;
    let query = CleanupQuery::older_than(at(100));
    let preview = CleanupQuery {
        preview: true,
        ..query.clone()
    };
    let mut told = store.clean(&preview)?;
    let mut listed: Vec<&str> = told.listed.iter().map(|one| one.key.id()).collect();
    listed.sort_unstable();
    same("listed", &listed, &["child", "old"])?;
    same("sessions after a preview", &left(&store)?.len(), &4)?;
    told.listed.clear();
    same("a preview, and the clean-up", &told, &store.clean(&query)?)
}
