//! Lists of a session's children.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, same};
use crate::conformance::subject::{OTHERS, Subject, key, key_of, message, session};
use crate::model::properties::PropertiesChange;
use crate::store::{ListQuery, NewRecord};

/// The ids of no session.
const NOBODY: [&str; 0] = [];

/// Says whose child a session is, or takes that back.
fn given(parent: Option<&str>) -> PropertiesChange {
    PropertiesChange {
        parent: Some(parent.map(str::to_owned)),
        ..PropertiesChange::default()
    }
}

/// The ids of the sessions that have this parent.
fn children(store: &Subject, agent: Option<&str>, parent: &str) -> Checked<Vec<String>> {
    store.ids(&ListQuery {
        agent: agent.map(str::to_owned),
        parent: Some(parent.to_owned()),
        ..ListQuery::default()
    })
}

pub(crate) fn list_filters_by_parent(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    // The child that comes before its parent is one as well.
    let mut child = session("stated", &[message(3, "a")])?;
    child.parent = Some("leader".to_owned());
    store.save(&mut child)?;
    store.say(&key("leader")?, 1, &["hello"])?;
    store.say(&key("given")?, 2, &["hello"])?;
    store.update(&key("given")?, &given(Some("leader")))?;
    store.append(&key_of(OTHERS, "theirs")?, &[NewRecord::line("{}\n")])?;
    store.update(&key_of(OTHERS, "theirs")?, &given(Some("leader")))?;
    let mut of_all = children(&store, None, "leader")?;
    of_all.sort();
    same(
        "children of all agents",
        &of_all,
        &["given", "stated", "theirs"],
    )?;
    let mine = children(&store, Some("native"), "leader")?;
    same("children of one agent", &mine, &["stated", "given"])?;
    let theirs = children(&store, Some(OTHERS), "leader")?;
    same("children of another agent", &theirs, &["theirs"])?;
    same(
        // An index that is searched by prefixes would find it.
        "of a start of the id",
        &children(&store, None, "lead")?,
        &NOBODY,
    )
}

pub(crate) fn list_pages_hold_children_too(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for number in 0..5 {
        let id = format!("c{number}");
        store.say(&key(&id)?, number, &["hello"])?;
        store.update(&key(&id)?, &given(Some("leader")))?;
    }
    store.say(&key("other")?, 9, &["hello"])?;
    let mut query = ListQuery {
        parent: Some("leader".to_owned()),
        since: Some(crate::conformance::subject::at(1)),
        limit: 2,
        ..ListQuery::default()
    };
    let page = store.list(&query)?;
    let ids = crate::conformance::subject::ids;
    same("the first page", &ids(&page), &["c4", "c3"])?;
    query.after = page.next;
    let page = store.list(&query)?;
    same("the second page", &ids(&page), &["c2", "c1"])?;
    same("the last page's next", &page.next, &None)
}

pub(crate) fn list_by_parent_follows_changes(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut child = session("child", &[message(3, "a")])?;
    child.parent = Some("first".to_owned());
    store.save(&mut child)?;
    store.update(&key("child")?, &given(Some("second")))?;
    same(
        "of the old parent",
        &children(&store, None, "first")?,
        &NOBODY,
    )?;
    same(
        "of the given one",
        &children(&store, None, "second")?,
        &["child"],
    )?;
    // What the lines state was under the given one all the time.
    store.update(&key("child")?, &given(None))?;
    same(
        "of the stated one",
        &children(&store, None, "first")?,
        &["child"],
    )?;
    same("taken back", &children(&store, None, "second")?, &NOBODY)?;
    store.delete(&key("child")?)?;
    same(
        "once it is deleted",
        &children(&store, None, "first")?,
        &NOBODY,
    )
}

pub(crate) fn a_session_is_not_its_own_child(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    store.say(&key("self")?, 1, &["hello"])?;
    store.update(&key("self")?, &given(Some("self")))?;
    same("children", &children(&store, None, "self")?, &NOBODY)?;
    same("its parent", &store.summary(&key("self")?)?.parent, &None)
}
