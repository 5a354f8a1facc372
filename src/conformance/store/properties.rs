//! What is kept beside the lines: properties and aliases.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::subject::{OTHERS, Subject, key, key_of, message, session};
use crate::model::error::Error;
use crate::model::limits::{
    ALIASES_MAX, GIVEN_BYTES_MAX, ID_BYTES_MAX, SCOPE_BYTES_MAX, SUMMARY_BYTES_MAX,
};
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::raw_json::RawJson;
use crate::store::{ListQuery, NewRecord};

#[expect(
    clippy::option_option,
    clippy::unnecessary_wraps,
    reason = "what the fields of a change hold"
)]
fn some(text: &str) -> Option<Option<String>> {
    Some(Some(text.to_owned()))
}

fn aliases(aliases: &[&str]) -> PropertiesChange {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    PropertiesChange {
        aliases: Some(aliases),
        ..PropertiesChange::default()
    }
}

fn scope() -> Checked<RawJson> {
    done(
        "RawJson::parse",
        RawJson::parse("{\"channel\":\"tg\",\"n\":1.0}"),
    )
}

pub(crate) fn properties_are_empty_at_first(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    saved.project = Some("/home/ada".to_owned());
    store.save(&mut saved)?;
    let properties = store.properties(&saved.key)?;
    same("properties", &properties, &Properties::default())?;
    let nothing = store.update(&saved.key, &PropertiesChange::default())?;
    same("no change", &nothing, &Properties::default())
}

pub(crate) fn properties_change_field_by_field(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let all = PropertiesChange {
        title: some("Title"),
        project: some("/p"),
        parent: some("leader"),
        pinned: Some(true),
        archived: Some(true),
        summary: Some("They spoke.".to_owned()),
        aliases: Some(vec!["x".to_owned()]),
        scope: Some(Some(scope()?)),
    };
    let mut expected = Properties {
        title: Some("Title".to_owned()),
        project: Some("/p".to_owned()),
        parent: Some("leader".to_owned()),
        pinned: true,
        archived: true,
        summary: "They spoke.".to_owned(),
        aliases: vec!["x".to_owned()],
        scope: Some(scope()?),
    };
    same("the answer", &store.update(&key, &all)?, &expected)?;
    same("properties", &store.properties(&key)?, &expected)?;
    let some_of_them = PropertiesChange {
        title: Some(None),
        archived: Some(false),
        scope: Some(None),
        ..PropertiesChange::default()
    };
    (expected.title, expected.archived, expected.scope) = (None, false, None);
    let answer = store.update(&key, &some_of_them)?;
    same("a change of some fields", &answer, &expected)?;
    same("properties", &store.properties(&key)?, &expected)
}

pub(crate) fn properties_leave_lines_and_time_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let change = PropertiesChange {
        title: some("Title"),
        summary: Some("They spoke.".to_owned()),
        ..PropertiesChange::default()
    };
    store.update(&key, &change)?;
    same("records", &store.records(&key)?, &before.0)?;
    let summary = store.summary(&key)?;
    let same_row = (summary.updated_at, summary.next_sequence, summary.bytes);
    let expected = (before.1.updated_at, before.1.next_sequence, before.1.bytes);
    same("time, next and bytes", &same_row, &expected)
}

pub(crate) fn properties_show_in_summaries_and_lists(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    "Of the lines".clone_into(&mut saved.title);
    saved.project = Some("/lines".to_owned());
    store.save(&mut saved)?;
    let change = PropertiesChange {
        title: some("Given"),
        project: some("/given"),
        parent: some("leader"),
        pinned: Some(true),
        archived: Some(true),
        ..PropertiesChange::default()
    };
    store.update(&saved.key, &change)?;
    let summary = store.summary(&saved.key)?;
    let texts = (
        &*summary.title,
        summary.project.as_deref(),
        summary.parent.as_deref(),
    );
    same(
        "summary",
        &texts,
        &("Given", Some("/given"), Some("leader")),
    )?;
    same("marks", &(summary.pinned, summary.archived), &(true, true))?;
    let loaded = store.load(&saved.key)?;
    let texts = (
        &*loaded.title,
        loaded.project.as_deref(),
        loaded.parent.as_deref(),
    );
    same("load", &texts, &("Given", Some("/given"), Some("leader")))?;
    for (project, title, expected) in [
        ("/given", "given", &["s"][..]),
        ("/lines", "given", &[]),
        ("/given", "lines", &[]),
    ] {
        let query = ListQuery {
            project: Some(project.to_owned()),
            title: Some(title.to_owned()),
            ..ListQuery::default()
        };
        let step = format!("list of `{project}` with the title `{title}`");
        same(&step, &store.ids(&query)?, expected)?;
    }
    Ok(())
}

pub(crate) fn properties_win_until_they_are_taken_back(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    "First".clone_into(&mut saved.title);
    saved.project = Some("/first".to_owned());
    store.save(&mut saved)?;
    let given = PropertiesChange {
        title: some("Given"),
        project: some("/given"),
        ..PropertiesChange::default()
    };
    store.update(&saved.key, &given)?;
    // What the lines say goes on in the background.
    "Second".clone_into(&mut saved.title);
    saved.project = Some("/second".to_owned());
    store.save(&mut saved)?;
    let summary = store.summary(&saved.key)?;
    let shown = (&*summary.title, summary.project.as_deref());
    same("summary after a save", &shown, &("Given", Some("/given")))?;
    let back = PropertiesChange {
        title: Some(None),
        project: Some(None),
        ..PropertiesChange::default()
    };
    store.update(&saved.key, &back)?;
    let summary = store.summary(&saved.key)?;
    let shown = (&*summary.title, summary.project.as_deref());
    same(
        "summary when taken back",
        &shown,
        &("Second", Some("/second")),
    )
}

pub(crate) fn properties_stay_when_the_session_changes(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let change = PropertiesChange {
        summary: Some("They spoke.".to_owned()),
        aliases: Some(vec!["x".to_owned()]),
        scope: Some(Some(scope()?)),
        pinned: Some(true),
        ..PropertiesChange::default()
    };
    let expected = store.update(&key, &change)?;
    store.say(&key, 3, &["c"])?;
    store.truncate(&key, 1)?;
    store.compact(&key, None)?;
    // It hides every line, and what is kept beside the lines stays.
    store.replace(&key, &[])?;
    same("properties", &store.properties(&key)?, &expected)?;
    same("the summary row", &store.summary(&key)?.pinned, &true)
}

pub(crate) fn aliases_are_tidied(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("own")?;
    store.say(&key, 1, &["a"])?;
    let given = aliases(&[" x ", "", "y", "x", "own", "  ", "X"]);
    let answer = store.update(&key, &given)?;
    same("aliases", &answer.aliases, &["x", "y", "X"])?;
    let fewer = store.update(&key, &aliases(&["y"]))?;
    same("all other names, instead", &fewer.aliases, &["y"])
}

pub(crate) fn by_alias_finds_the_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let (first, second) = (key("one")?, key("two")?);
    store.say(&first, 1, &["a"])?;
    store.say(&second, 2, &["b"])?;
    store.update(&first, &aliases(&["x", "telegram:9"]))?;
    store.update(&second, &aliases(&["z"]))?;
    for (alias, expected) in [
        ("x", Some(&first)),
        ("telegram:9", Some(&first)),
        ("z", Some(&second)),
        // Some programs make file names of ids in this way; here the two are different names.
        ("telegram_9", None),
        ("X", None),
        // An id is no alias, not even of its own session.
        ("one", None),
    ] {
        let found = store.by_alias(&key(alias)?)?;
        same(&format!("by_alias `{alias}`"), &found.as_ref(), &expected)?;
    }
    store.update(&first, &aliases(&["y"]))?;
    let gone = store.by_alias(&key("x")?)?;
    same("an alias that was given up", &gone, &None)?;
    let new = store.by_alias(&key("y")?)?;
    same("a new one", &new, &Some(first))
}

pub(crate) fn aliases_are_of_one_agent(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let (mine, theirs) = (key("s")?, key_of(OTHERS, "s")?);
    store.say(&mine, 1, &["a"])?;
    store.append(&theirs, &[NewRecord::line("{}\n")])?;
    store.update(&mine, &aliases(&["x"]))?;
    let other = store.by_alias(&key_of(OTHERS, "x")?)?;
    same("the alias of another agent", &other, &None)?;
    store.update(&theirs, &aliases(&["x"]))?;
    same("mine", &store.by_alias(&key("x")?)?, &Some(mine))?;
    let other = store.by_alias(&key_of(OTHERS, "x")?)?;
    same("theirs", &other, &Some(theirs))
}

pub(crate) fn an_alias_belongs_to_its_first_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let (first, second) = (key("one")?, key("two")?);
    store.say(&first, 1, &["a"])?;
    store.say(&second, 2, &["b"])?;
    store.update(&first, &aliases(&["x"]))?;
    let change = PropertiesChange {
        pinned: Some(true),
        // The free one first: a store that claims as it goes has it by the time that the other is
        // refused.
        ..aliases(&["free", "x"])
    };
    refused(
        "update_properties with an alias that is taken",
        store.store.update_properties(&second, &change),
        "AliasTaken of `x`",
        |error| matches!(error, Error::AliasTaken { alias, by } if alias == "x" && *by == first),
    )?;
    let untouched = store.properties(&second)?;
    same("properties afterwards", &untouched, &Properties::default())?;
    same("the free one", &store.by_alias(&key("free")?)?, &None)?;
    same(
        "the taken one",
        &store.by_alias(&key("x")?)?,
        &Some(first.clone()),
    )?;
    // The same aliases again are no conflict with oneself, and those given up are free.
    store.update(&first, &aliases(&["x", "y"]))?;
    store.update(&first, &aliases(&["y"]))?;
    store.update(&second, &aliases(&["x"]))?;
    same(
        "given up and taken",
        &store.by_alias(&key("x")?)?,
        &Some(second),
    )
}

pub(crate) fn an_alias_never_hides_a_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let (first, second) = (key("one")?, key("two")?);
    store.say(&first, 1, &["of one"])?;
    store.say(&second, 2, &["of two"])?;
    // The id of a session that is there, and one that a session gets later on.
    store.update(&first, &aliases(&["two", "three"]))?;
    same("load of `two`", &store.texts(&second)?, &["of two"])?;
    let third = key("three")?;
    let result = store.store.load(&third);
    refused("load of an alias", result, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })?;
    store.say(&third, 3, &["of three"])?;
    same(
        "load of a new `three`",
        &store.texts(&third)?,
        &["of three"],
    )?;
    same("load of `one`", &store.texts(&first)?, &["of one"])
}

pub(crate) fn properties_have_limits(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let text = |length| "x".repeat(length);
    let many = |count| Some((0..count).map(|n| format!("alias {n}")).collect());
    let scope = |bytes| RawJson::from_value(&text(bytes - 2)).map(|json| Some(Some(json)));
    let none = PropertiesChange::default;
    // Each of a size, and one that is one larger.
    let sized = |more: usize| -> Checked<[PropertiesChange; 7]> {
        Ok([
            PropertiesChange {
                title: some(&text(GIVEN_BYTES_MAX + more)),
                ..none()
            },
            PropertiesChange {
                project: some(&text(GIVEN_BYTES_MAX + more)),
                ..none()
            },
            PropertiesChange {
                parent: some(&text(GIVEN_BYTES_MAX + more)),
                ..none()
            },
            PropertiesChange {
                summary: Some(text(SUMMARY_BYTES_MAX + more)),
                ..none()
            },
            aliases(&[&text(ID_BYTES_MAX + more)]),
            PropertiesChange {
                aliases: many(ALIASES_MAX + more),
                ..none()
            },
            PropertiesChange {
                scope: done("from_value", scope(SCOPE_BYTES_MAX + more))?,
                ..none()
            },
        ])
    };
    for change in sized(0)? {
        store.update(&key, &change)?;
    }
    let before = store.properties(&key)?;
    for change in sized(1)? {
        let result = store.store.update_properties(&key, &change);
        refused(
            "one past a limit",
            result,
            "TooLarge",
            |error| matches!(error, Error::TooLarge { actual, limit, .. } if *actual == limit + 1),
        )?;
    }
    same("properties afterwards", &store.properties(&key)?, &before)
}
