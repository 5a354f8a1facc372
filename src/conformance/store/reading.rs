//! What is read back: whole sessions, summary rows, ids, Markdown.

use std::io::{self, Write};

use chrono::TimeDelta;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, holds, refused, same};
use crate::conformance::subject::{OTHERS, Subject, at, key, key_of, message, note, said, session};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{ID_BYTES_MAX, TITLE_BYTES_MAX};
use crate::model::properties::PropertiesChange;
use crate::store::{ListQuery, NewRecord, ScanQuery, Store};

/// A call on a session that has to be there.
type Call = fn(&dyn Store, &SessionKey) -> Result<()>;

pub(crate) fn what_is_not_there_is_not_found(make: &MakeStore) -> Checked {
    let calls: [(&str, Call); 10] = [
        ("load", |store, key| store.load(key).map(drop)),
        ("summary", |store, key| store.summary(key).map(drop)),
        ("delete", |store, key| store.delete(key).map(drop)),
        ("export_markdown", |store, key| {
            store.export_markdown(key, &mut io::sink())
        }),
        ("truncate", |store, key| store.truncate(key, 1).map(drop)),
        ("hide_before", |store, key| {
            store.hide_before(key, 1).map(drop)
        }),
        ("properties", |store, key| store.properties(key).map(drop)),
        ("update_properties", |store, key| {
            let pinned = PropertiesChange {
                pinned: Some(true),
                ..PropertiesChange::default()
            };
            store.update_properties(key, &pinned).map(drop)
        }),
        ("compact", |store, key| {
            store.compact(key, None, None).map(drop)
        }),
        ("scan", |store, key| {
            store.scan(key, &ScanQuery::default()).map(drop)
        }),
    ];
    let store = Subject::new(make);
    // One that is there, so that no answer is about an empty store.
    store.say(&key("there")?, 1, &["a"])?;
    let unknown = key("unknown")?;
    for (name, call) in calls {
        let step = format!("{name} of an unknown session");
        refused(&step, call(&*store.store, &unknown), "NotFound", |error| {
            matches!(error, Error::NotFound { .. })
        })?;
    }
    let ids = store.ids(&ListQuery::default())?;
    same("list after asking", &ids, &["there"])
}

pub(crate) fn load_gives_what_is_visible(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.append(&key, &[note("n")])?;
    same("load", &store.texts(&key)?, &["a", "b", "c"])?;
    store.truncate(&key, 2)?;
    same("load of a truncated one", &store.texts(&key)?, &["b", "c"])
}

pub(crate) fn ids_are_any_text_and_never_meet(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let long = "x".repeat(ID_BYTES_MAX);
    let longer = format!("{}y", "x".repeat(ID_BYTES_MAX - 1));
    let odd = [
        "telegram:9",
        "telegram_9",
        "telegram/9",
        "telegram\\9",
        "Telegram:9",
        "telegram:9 ",
        " ",
        ".",
        "..",
        "a\nb",
        "a\0b",
        "%00",
        "\u{e9}",
        "e\u{301}",
        "\u{1f980}",
        &long,
        &longer,
    ];
    for (second, id) in (1..).zip(odd) {
        store.append(&key(id)?, &[said(second, &format!("of {second}"))])?;
    }
    for (second, id) in (1..).zip(odd) {
        let texts = store.texts(&key(id)?)?;
        let step = format!("load of the session `{}`", id.escape_debug());
        same(&step, &texts, &[format!("of {second}")])?;
        let summary = store.summary(&key(id)?)?;
        same(&step, &summary.key, &key(id)?)?;
    }
    let listed = store.ids(&ListQuery::default())?.len();
    same("sessions in the list", &listed, &odd.len())
}

pub(crate) fn agents_are_apart(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let line = |text: &str| {
        NewRecord::line(format!(
            "{{\"timestamp\":\"2001-09-09T01:46:41Z\",\"text\":\"{text}\"}}\n"
        ))
    };
    let (one, other) = (key_of(OTHERS, "s")?, key_of("nobody", "s")?);
    store.append(&one, &[line("one")])?;
    store.append(&other, &[line("two")])?;
    let lines = (store.lines(&one)?.concat(), store.lines(&other)?.concat());
    let right = lines.0.contains("one") && lines.1.contains("two");
    holds("lines", right, "each session has its own", &lines)?;
    // What is deleted by the id alone would take the other's along.
    store.delete(&one)?;
    same("the other one", &store.lines(&other)?.len(), &1)
}

pub(crate) fn summary_counts_what_is_stored(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a", "b", "c"])?;
    store.append(&key, &[note("n"), NewRecord::line("{broken\n")])?;
    store.truncate(&key, 1)?;
    let bytes: usize = store.lines(&key)?.iter().map(String::len).sum();
    let summary = store.summary(&key)?;
    let counts = [
        ("message_count", summary.message_count, 3),
        ("hidden_count", summary.hidden_count, 2),
        ("record_count", summary.record_count, 5),
        ("bytes", summary.bytes, bytes as u64),
        ("malformed_count", summary.malformed_count, 1),
        ("attachment_count", summary.attachment_count, 0),
        // Before the last message; the note and the broken line lie behind it.
        ("mark", summary.mark, 2),
        ("next_sequence", summary.next_sequence, 5),
    ];
    for (name, came, expected) in counts {
        same(&format!("summary.{name}"), &came, &expected)?;
    }
    same("summary.key", &summary.key, &key)
}

pub(crate) fn summary_follows_the_lines(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let mut answer = message(30, "b");
    answer.model = Some("model-1".to_owned());
    let mut last = message(40, "c");
    last.model = Some("model-2".to_owned());
    store.say(&key, 20, &["a"])?;
    store.append(
        &key,
        &[NewRecord::message(answer), NewRecord::message(last)],
    )?;
    let summary = store.summary(&key)?;
    same("created_at", &summary.created_at, &at(20))?;
    same("updated_at", &summary.updated_at, &at(40))?;
    same("title", &*summary.title, "a")?;
    same("model", &summary.model.as_deref(), &Some("model-2"))?;
    same("project", &summary.project, &None::<String>)?;
    let plain = (summary.pinned, summary.archived);
    same("pinned and archived", &plain, &(false, false))
}

pub(crate) fn numbers_ascend_in_the_order_of_creation(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut numbers = Vec::new();
    for (id, second) in [("b", 9), ("c", 1), ("a", 5)] {
        store.say(&key(id)?, second, &["x"])?;
        numbers.push(store.summary(&key(id)?)?.number);
    }
    // The highest of them: one that is counted from what is there would be given again.
    store.delete(&key("a")?)?;
    store.say(&key("d")?, 2, &["x"])?;
    numbers.push(store.summary(&key("d")?)?.number);
    let ascending = numbers
        .iter()
        .zip(numbers.iter().skip(1))
        .all(|(a, b)| a < b);
    holds("numbers", ascending, "ascending, none used twice", &numbers)?;
    store.say(&key("b")?, 50, &["y"])?;
    let number = store.summary(&key("b")?)?.number;
    same("after an append", &Some(&number), &numbers.first())
}

pub(crate) fn a_long_title_is_cut_at_a_character(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[])?;
    // Characters of two bytes behind one of one: a cut at the limit is in the middle of one.
    saved.title = format!("x{}", "\u{e9}".repeat(TITLE_BYTES_MAX));
    store.save(&mut saved)?;
    let title = store.summary(&saved.key)?.title;
    let fits = title.len() <= TITLE_BYTES_MAX && title.len() > TITLE_BYTES_MAX - 8;
    let good = fits && saved.title.starts_with(title.trim_end_matches('\u{2026}'));
    holds("summary.title", good, "a start of the title", &title)?;
    same("load", &store.load(&saved.key)?.title, &saved.title)
}

pub(crate) fn times_are_kept_to_the_microsecond(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let mut exact = message(1, "a");
    let time = at(1) + TimeDelta::microseconds(123_457);
    exact.time = Some(time);
    let appended = store.append(&key, &[NewRecord::message(exact)])?;
    same("append", &appended.updated_at, &time)?;
    same("summary", &store.summary(&key)?.updated_at, &time)?;
    let loaded = store.load(&key)?;
    let times: Vec<_> = loaded.messages.iter().map(|message| message.time).collect();
    same("load", &times, &[Some(time)])
}

pub(crate) fn export_markdown_writes_the_hidden_part_too(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "first words"), message(2, "last words")])?;
    "About words".clone_into(&mut saved.title);
    store.save(&mut saved)?;
    store.truncate(&saved.key, 1)?;
    let mut out = Vec::new();
    done(
        "export_markdown",
        store.store.export_markdown(&saved.key, &mut out),
    )?;
    let text = String::from_utf8_lossy(&out).into_owned();
    let places = ["About words", "first words", "last words"].map(|words| text.find(words));
    let in_order = places.iter().all(Option::is_some) && places.is_sorted();
    let expected = "the title and both messages, in their order";
    holds("export_markdown", in_order, expected, &text)
}

/// An output that cannot be written.
pub(crate) struct Full;

impl Write for Full {
    fn write(&mut self, _buffer: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

pub(crate) fn export_markdown_says_when_the_output_fails(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let result = store.store.export_markdown(&key, &mut Full);
    refused("export to a full disk", result, "Output", |error| {
        matches!(error, Error::Output { .. })
    })
}
