//! Lists, their filters and cursors, and ids found by their start.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, one, same};
use crate::conformance::subject::{OTHERS, Subject, at, ids, key, key_of, message, session};
use crate::model::key::SessionKey;
use crate::model::properties::PropertiesChange;
use crate::model::session::Summary;
use crate::store::{ListQuery, NewRecord};

/// A store with sessions that were updated at these seconds, made in this order.
fn with_sessions(make: &MakeStore, sessions: &[(&str, i64)]) -> Checked<Subject> {
    let store = Subject::new(make);
    for (id, second) in sessions {
        store.say(&key(id)?, *second, &["hello"])?;
    }
    Ok(store)
}

pub(crate) fn list_is_newest_first(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("b", 20), ("a", 30), ("c", 10)])?;
    let all = ListQuery::default();
    same("list", &store.ids(&all)?, &["a", "b", "c"])?;
    store.say(&key("c")?, 40, &["again"])?;
    same("list after an append", &store.ids(&all)?, &["c", "a", "b"])
}

pub(crate) fn list_breaks_ties_newer_session_first(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("b", 10), ("c", 10), ("a", 10)])?;
    let all = ListQuery::default();
    same("list", &store.ids(&all)?, &["a", "c", "b"])?;
    let first = ListQuery {
        limit: 1,
        ..ListQuery::default()
    };
    let page = store.list(&first)?;
    let rest = ListQuery {
        after: page.next,
        ..ListQuery::default()
    };
    same("the page after a tie", &store.ids(&rest)?, &["c", "b"])
}

pub(crate) fn list_gives_the_summaries(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("a", 10), ("b", 20)])?;
    store.update(&key("a")?, &pinned(true))?;
    store.truncate(&key("b")?, 0)?;
    let expected: Vec<Summary> = vec![store.summary(&key("b")?)?, store.summary(&key("a")?)?];
    let listed = store.list(&ListQuery::default())?;
    same("list", &listed.sessions, &expected)
}

pub(crate) fn list_pages_give_each_session_once(make: &MakeStore) -> Checked {
    let sessions = [("a", 50), ("b", 40), ("c", 40), ("d", 40), ("e", 10)];
    let store = with_sessions(make, &sessions)?;
    let mut query = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    let mut seen = Vec::new();
    // Bounded: a cursor that does not move would give the same page for ever.
    for _ in 0..sessions.len() {
        let page = store.list(&query)?;
        let fits = page.sessions.len();
        crate::conformance::check::holds("a page", fits <= 2, "at most 2 sessions", &fits)?;
        seen.extend(ids(&page));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    same("all pages", &seen, &["a", "d", "c", "b", "e"])?;
    same("the last page's next", &query.after, &None)
}

pub(crate) fn list_without_a_limit_gives_a_hundred(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for number in 0..101 {
        store.say(&key(&format!("s{number:03}"))?, number, &["x"])?;
    }
    let page = store.list(&ListQuery::default())?;
    same("sessions on the page", &page.sessions.len(), &100)?;
    let rest = ListQuery {
        after: Some(one("next of a full page", page.next)?),
        ..ListQuery::default()
    };
    same("the rest", &store.ids(&rest)?, &["s000"])
}

pub(crate) fn list_cursor_stays_valid_while_sessions_change(make: &MakeStore) -> Checked {
    let sessions = [("a", 50), ("b", 40), ("c", 30), ("d", 20), ("e", 10)];
    let store = with_sessions(make, &sessions)?;
    let first = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    let page = store.list(&first)?;
    let cursor = one("next of the first page", page.next)?;
    // The session at which the cursor stands, so a cursor has to be a place and not a session.
    store.delete(&key("b")?)?;
    store.say(&key("new")?, 60, &["x"])?;
    // It moves to a page that was given already: it is not in the rest any more.
    store.say(&key("d")?, 70, &["x"])?;
    let rest = ListQuery {
        after: Some(cursor),
        ..ListQuery::default()
    };
    same("the rest", &store.ids(&rest)?, &["c", "e"])?;
    let text = done("a cursor as text", Ok(cursor.to_string()))?;
    let again = ListQuery {
        after: text.parse().ok(),
        ..ListQuery::default()
    };
    same("after the cursor's text", &store.ids(&again)?, &["c", "e"])
}

pub(crate) fn list_filters_by_agent(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("mine", 10)])?;
    let line = NewRecord::line("{\"timestamp\":\"2001-09-09T01:46:45Z\",\"type\":\"x\"}\n");
    store.append(&key_of(OTHERS, "theirs")?, std::slice::from_ref(&line))?;
    // An agent that this crate has never heard of.
    store.append(&key_of("somebody", "others")?, &[line])?;
    for (agent, expected) in [
        (OTHERS, &["theirs"][..]),
        ("native", &["mine"]),
        ("nobody", &[]),
    ] {
        let query = ListQuery {
            agent: Some(agent.to_owned()),
            ..ListQuery::default()
        };
        same(&format!("list of `{agent}`"), &store.ids(&query)?, expected)?;
    }
    Ok(())
}

pub(crate) fn list_filters_by_project(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for (id, project) in [
        ("shop", Some("/home/ada/shop")),
        ("other", Some("/home/bob/shop")),
        ("sub", Some("/home/ada/shop/src")),
        ("workshop", Some("/home/ada/workshop")),
        ("none", None),
    ] {
        let mut saved = session(id, &[message(1, "a")])?;
        saved.project = project.map(str::to_owned);
        store.save(&mut saved)?;
    }
    for (project, expected) in [
        ("/home/ada/shop", &["shop"][..]),
        ("/home/ada/shop/", &["shop"]),
        ("shop", &["other", "shop"]),
        ("ada/shop", &["shop"]),
        ("/home/ada", &[]),
        // What begins with a separator is a whole path, and no end of one.
        ("/shop", &[]),
    ] {
        let query = ListQuery {
            project: Some(project.to_owned()),
            ..ListQuery::default()
        };
        let mut found = store.ids(&query)?;
        found.sort();
        same(&format!("list of `{project}`"), &found, expected)?;
    }
    Ok(())
}

pub(crate) fn list_filters_by_whole_project(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for (id, project) in [("a", "/w/shop"), ("b", "shop"), ("c", "C:\\w\\shop")] {
        let mut saved = session(id, &[message(1, "a")])?;
        saved.project = Some(project.to_owned());
        store.save(&mut saved)?;
    }
    for (project, expected) in [
        ("shop", &["b"][..]),
        ("/w/shop/", &["a"]),
        ("C:\\w\\shop", &["c"]),
        ("w/shop", &[]),
        ("/shop", &[]),
    ] {
        let whole = ListQuery::default()
            .with_project(project)
            .with_whole_project(true);
        let step = format!("list of the whole path `{project}`");
        same(&step, &store.ids(&whole)?, expected)?;
    }
    let ending = ListQuery::default().with_project("shop");
    same("list of `shop`", &store.ids(&ending)?, &["c", "b", "a"])
}

pub(crate) fn list_takes_since_inclusive_and_before_strict(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("a", 10), ("b", 20), ("c", 30)])?;
    let since = ListQuery {
        since: Some(at(20)),
        ..ListQuery::default()
    };
    same("since 20", &store.ids(&since)?, &["c", "b"])?;
    let before = ListQuery {
        before: Some(at(20)),
        ..ListQuery::default()
    };
    same("before 20", &store.ids(&before)?, &["a"])?;
    let between = ListQuery {
        since: Some(at(20)),
        before: Some(at(30)),
        ..ListQuery::default()
    };
    same("from 20 to 30", &store.ids(&between)?, &["b"])
}

pub(crate) fn list_filters_by_title_whatever_the_case(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    store.say(&key("a")?, 1, &["The \u{c4}PFEL are ripe"])?;
    store.say(&key("b")?, 2, &["Pears"])?;
    for (text, expected) in [
        // Outside of ASCII too, where a comparison of bytes knows no case.
        ("\u{e4}pfel", &["a"][..]),
        ("PEARS", &["b"]),
        ("p", &["b", "a"]),
        ("plum", &[]),
    ] {
        let query = ListQuery {
            title: Some(text.to_owned()),
            ..ListQuery::default()
        };
        same(
            &format!("titles with `{text}`"),
            &store.ids(&query)?,
            expected,
        )?;
    }
    Ok(())
}

fn pinned(pinned: bool) -> PropertiesChange {
    PropertiesChange {
        pinned: Some(pinned),
        ..PropertiesChange::default()
    }
}

pub(crate) fn list_filters_by_pin(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("a", 10), ("b", 20), ("c", 30)])?;
    store.update(&key("a")?, &pinned(true))?;
    store.update(&key("b")?, &pinned(true))?;
    store.update(&key("b")?, &pinned(false))?;
    for (wanted, expected) in [(true, &["a"][..]), (false, &["c", "b"])] {
        let query = ListQuery {
            pinned: Some(wanted),
            ..ListQuery::default()
        };
        same(&format!("pinned: {wanted}"), &store.ids(&query)?, expected)?;
    }
    let all = store.ids(&ListQuery::default())?;
    same("without the filter", &all, &["c", "b", "a"])
}

pub(crate) fn list_filters_by_folders(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let projects = [
        "/w/shop",
        "/w/shop/web",
        "/w/shopping",
        "/w",
        "/x/shop",
        "/y/tree",
    ];
    for (number, project) in projects.into_iter().enumerate() {
        // One list upwards and one downwards, so that the folders' sessions lie between each other
        // in time.
        for (copy, minute) in [("old", number), ("new", 20 - number)] {
            let key = key(&format!("{copy}{number}"))?;
            store.say(&key, i64::try_from(minute).unwrap_or(0), &["hi"])?;
            let given = PropertiesChange {
                project: Some(Some(project.to_owned())),
                ..PropertiesChange::default()
            };
            store.update(&key, &given)?;
        }
    }
    for (folders, expected) in [
        (&["/w/shop"][..], &["new0", "new1", "old1", "old0"][..]),
        (
            &["/w/shop/", "/w/shop/web", "/y"],
            &["new0", "new1", "new5", "old5", "old1", "old0"],
        ),
        (&["shop"], &["new0", "new1", "new4", "old4", "old1", "old0"]),
        (&["/nowhere"], &[]),
    ] {
        // A store that asks folder by folder has to bring their pages together.
        for limit in [0, 1, 3] {
            let mut query = ListQuery {
                folders: folders.iter().map(|&folder| folder.to_owned()).collect(),
                limit,
                ..ListQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = store.list(&query)?;
                seen.extend(ids(&page));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            same(&format!("{folders:?} by {limit}"), &seen, expected)?;
        }
    }
    Ok(())
}

pub(crate) fn list_filters_by_archive(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("a", 10), ("b", 20)])?;
    let archived = PropertiesChange {
        archived: Some(true),
        ..PropertiesChange::default()
    };
    store.update(&key("b")?, &archived)?;
    for (wanted, expected) in [(true, ["b"]), (false, ["a"])] {
        let query = ListQuery {
            archived: Some(wanted),
            ..ListQuery::default()
        };
        same(
            &format!("archived: {wanted}"),
            &store.ids(&query)?,
            &expected,
        )?;
    }
    let all = store.ids(&ListQuery::default())?;
    same("without the filter", &all, &["b", "a"])
}

pub(crate) fn list_filters_hold_together_and_fill_pages(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for number in 0..12 {
        let title = if number % 3 == 0 { "boat" } else { "dog" };
        store.say(&key(&format!("s{number:02}"))?, number, &[title])?;
        if number % 2 == 0 {
            store.update(&key(&format!("s{number:02}"))?, &pinned(true))?;
        }
    }
    let mut query = ListQuery {
        title: Some("dog".to_owned()),
        pinned: Some(true),
        since: Some(at(2)),
        before: Some(at(10)),
        limit: 2,
        ..ListQuery::default()
    };
    let page = store.list(&query)?;
    // Two in each, though most of those that were looked at do not fit.
    same("the first page", &ids(&page), &["s08", "s04"])?;
    query.after = Some(one("next of the first page", page.next)?);
    same("the second page", &store.ids(&query)?, &["s02"])
}

fn found(store: &Subject, prefix: &str, limit: usize) -> Checked<Vec<String>> {
    let mut keys = done("find", store.store.find(prefix, limit))?;
    keys.sort();
    Ok(keys.iter().map(SessionKey::to_string).collect())
}

pub(crate) fn find_gives_ids_that_start_so(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("abc", 1), ("abd", 2), ("b", 3)])?;
    let line = NewRecord::line("{}\n");
    store.append(&key_of(OTHERS, "abx")?, &[line])?;
    for (prefix, expected) in [
        ("ab", &["jsonl:abx", "native:abc", "native:abd"][..]),
        ("abc", &["native:abc"]),
        ("bc", &[]),
        // Unlike titles, ids differ by their case.
        ("AB", &[]),
        ("", &["jsonl:abx", "native:abc", "native:abd", "native:b"]),
    ] {
        let came = found(&store, prefix, 10)?;
        same(&format!("find `{prefix}`"), &came, expected)?;
    }
    Ok(())
}

pub(crate) fn find_gives_the_equal_id_alone(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("ab", 1), ("abc", 2), ("a", 3)])?;
    same("find `ab`", &found(&store, "ab", 10)?, &["native:ab"])
}

pub(crate) fn find_looks_at_one_agent_alone(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("abc", 1), ("x:y", 2)])?;
    store.append(&key_of(OTHERS, "abd")?, &[NewRecord::line("{}\n")])?;
    for (prefix, expected) in [
        ("jsonl:ab", &["jsonl:abd"][..]),
        ("native:abc", &["native:abc"]),
        // What stands before a colon may be a part of an id, too.
        ("x:", &["native:x:y"]),
        ("nobody:ab", &[]),
    ] {
        let came = found(&store, prefix, 10)?;
        same(&format!("find `{prefix}`"), &came, expected)?;
    }
    Ok(())
}

pub(crate) fn find_gives_at_most_the_limit(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("aa", 1), ("ab", 2), ("ac", 3)])?;
    same("find 2", &found(&store, "a", 2)?.len(), &2)?;
    same("find 0", &found(&store, "a", 0)?.len(), &0)
}

pub(crate) fn find_after_gives_the_rest(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("ab", 1), ("aa", 2), ("ac", 3), ("b", 4)])?;
    for id in ["ab", "ad"] {
        store.append(&key_of(OTHERS, id)?, &[NewRecord::line("{}\n")])?;
    }
    let names = |keys: Vec<SessionKey>| keys.iter().map(SessionKey::to_string).collect::<Vec<_>>();
    let all = done("find", store.store.find("a", 10))?;
    let expected = [
        "native:aa",
        "jsonl:ab",
        "native:ab",
        "native:ac",
        "jsonl:ad",
    ];
    same("find", &names(all.clone()), &expected)?;
    for (limit, left) in [(1, 4), (2, 4), (10, 2)] {
        let mut seen: Vec<SessionKey> = all.iter().take(5 - left).cloned().collect();
        while let Some(last) = seen.last().cloned() {
            let page = done("find_after", store.store.find_after("a", &last, limit))?;
            same("at most the limit", &(page.len() <= limit), &true)?;
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        same(&format!("pages of {limit}"), &seen, &all)?;
    }
    let [_, gone, ..] = all.as_slice() else {
        return Ok(());
    };
    done("delete", store.store.delete(gone))?;
    let rest = done("find_after", store.store.find_after("a", gone, 10))?;
    same("behind one that is gone", &names(rest), &expected[2..])?;
    let equal = done("find_after", store.store.find_after("ab", &key("ab")?, 10))?;
    same("behind the id itself", &names(equal).len(), &0)
}

pub(crate) fn find_falls_back_to_aliases(make: &MakeStore) -> Checked {
    let store = with_sessions(make, &[("one", 1), ("two", 2)])?;
    let aliases = PropertiesChange {
        aliases: Some(vec!["telegram:9".to_owned(), "tw".to_owned()]),
        ..PropertiesChange::default()
    };
    store.update(&key("one")?, &aliases)?;
    for (text, expected) in [
        ("telegram:9", &["native:one"][..]),
        ("native:telegram:9", &["native:one"]),
        ("telegram:", &[]),
        // An id that starts so goes before an alias that is equal.
        ("tw", &["native:two"]),
    ] {
        let came = found(&store, text, 10)?;
        same(&format!("find `{text}`"), &came, expected)?;
    }
    Ok(())
}
