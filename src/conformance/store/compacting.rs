//! Compactions: the one call that removes what is hidden, and only that.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, refused, same};
use crate::conformance::store::reading::Full;
use crate::conformance::subject::{Subject, at, key, message, note, session};
use crate::model::error::Error;
use crate::store::Compacted;

pub(crate) fn compact_removes_what_is_hidden(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    // No message, and hidden with those before it: it goes, and is not counted among the messages.
    store.append(&key, &[note("n")])?;
    store.say(&key, 3, &["c", "d"])?;
    store.hide_before(&key, 3)?;
    let records = store.records(&key)?.into_iter();
    let (going, left): (Vec<_>, Vec<_>) = records.partition(|record| record.sequence < 3);
    let going: usize = going.iter().map(|record| record.line.len()).sum();
    let expected = Compacted {
        records: 3,
        messages: 2,
        bytes: going as u64,
    };
    same(
        "what compact answers",
        &store.compact(&key, None)?,
        &expected,
    )?;
    same("the records that are left", &store.records(&key)?, &left)?;
    same("visible messages", &store.texts(&key)?, &["c", "d"])?;
    let again = store.compact(&key, None)?;
    same("compact again", &again, &Compacted::default())
}

pub(crate) fn compact_keeps_the_summary_true(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.truncate(&key, 1)?;
    store.compact(&key, None)?;
    let bytes: usize = store.lines(&key)?.iter().map(String::len).sum();
    let summary = store.summary(&key)?;
    let counts = [
        ("message_count", summary.message_count, 1),
        ("hidden_count", summary.hidden_count, 0),
        ("record_count", summary.record_count, 1),
        ("bytes", summary.bytes, bytes as u64),
        // It stays ahead of what is gone: a number that was told to somebody must not name another
        // record.
        ("next_sequence", summary.next_sequence, 3),
    ];
    for (name, came, expected) in counts {
        same(&format!("summary.{name}"), &came, &expected)?;
    }
    same(
        "title and time",
        &(&*summary.title, summary.updated_at),
        &("a", at(3)),
    )
}

pub(crate) fn compact_without_hidden_records_removes_nothing(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b"])?;
    let before = store.records(&key)?;
    // A place ahead of the mark gives no leave to remove what can be seen.
    for through in [None, Some(2), Some(99)] {
        let answer = store.compact(&key, through)?;
        same(
            &format!("compact({through:?})"),
            &answer,
            &Compacted::default(),
        )?;
    }
    same("records afterwards", &store.records(&key)?, &before)
}

pub(crate) fn compact_keeps_header_lines(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a"), message(2, "b")])?;
    "Kept".clone_into(&mut saved.title);
    saved.project = Some("/home/ada".to_owned());
    store.save(&mut saved)?;
    store.truncate(&saved.key, 0)?;
    let answer = store.compact(&saved.key, None)?;
    same("messages removed", &answer.messages, &2)?;
    let loaded = store.load(&saved.key)?;
    let fields = (&*loaded.title, loaded.project.as_deref(), loaded.created_at);
    same("load", &fields, &("Kept", Some("/home/ada"), Some(at(0))))?;
    same("messages", &loaded.messages, &[])
}

pub(crate) fn compact_removes_at_most_through_a_mark(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c", "d"])?;
    let seen = store.truncate(&key, 3)?.mark;
    // Somebody hides more after the caller looked.
    store.truncate(&key, 1)?;
    let answer = store.compact(&key, Some(seen))?;
    same("records removed", &answer.records, &1)?;
    // Shown again, all that is stored can be seen.
    store.truncate(&key, 9)?;
    same("what is left", &store.texts(&key)?, &["b", "c", "d"])?;
    store.truncate(&key, 2)?;
    // A mark that lies further on than the session's stands for the session's.
    let answer = store.compact(&key, Some(99))?;
    same("records removed", &answer.records, &1)?;
    same("what is left", &store.texts(&key)?, &["c", "d"])
}

pub(crate) fn compact_archives_the_lines_that_go(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    store.save(&mut saved)?;
    store.append(&saved.key, &[note("n")])?;
    store.say(&saved.key, 2, &["b", "c"])?;
    store.truncate(&saved.key, 1)?;
    let before = store.lines(&saved.key)?;
    let mut archive = Vec::new();
    done(
        "compact with an archive",
        store.store.compact(&saved.key, None, Some(&mut archive)),
    )?;
    let after = store.lines(&saved.key)?;
    let gone: Vec<String> = before
        .into_iter()
        .filter(|line| !after.contains(line))
        .collect();
    same("lines that are gone", &gone.len(), &3)?;
    let archived = String::from_utf8_lossy(&archive).into_owned();
    same("the archive", &archived, &gone.concat())
}

pub(crate) fn compact_removes_nothing_if_the_archive_fails(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.truncate(&key, 1)?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let result = store.store.compact(&key, None, Some(&mut Full));
    refused("compact to a full disk", result, "Output", |error| {
        matches!(error, Error::Output { .. })
    })?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)
}

pub(crate) fn numbers_are_never_used_twice(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.truncate(&key, 0)?;
    store.compact(&key, None)?;
    let appended = store.say(&key, 4, &["d"])?;
    same("the next record", &(appended.first, appended.last), &(3, 3))?;
    let sequences: Vec<u64> = store.records(&key)?.iter().map(|r| r.sequence).collect();
    same("sequence numbers", &sequences, &[3])?;
    same("visible messages", &store.texts(&key)?, &["d"])
}

pub(crate) fn reclaim_changes_no_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.truncate(&key, 1)?;
    store.compact(&key, None)?;
    let before = (store.records(&key)?, store.summary(&key)?);
    done("reclaim", store.store.reclaim())?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)?;
    store.say(&key, 4, &["d"])?;
    same("after an append", &store.texts(&key)?, &["c", "d"])
}

pub(crate) fn a_store_keeps_its_id(make: &MakeStore) -> Checked {
    let (store, other) = (Subject::new(make), Subject::new(make));
    let id = done("id", store.store.id())?;
    store.say(&key("s")?, 1, &["a"])?;
    same("the id later", &done("id", store.store.id())?, &id)?;
    let is_another = id.is_none() || done("id", other.store.id())? != id;
    same("another store has another id", &is_another, &true)
}
