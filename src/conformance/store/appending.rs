//! Appends: numbers, bytes, expectations and limits.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, holds, refused, same};
use crate::conformance::subject::{OTHERS, Subject, at, key, key_of, message, note, said};
use crate::model::error::Error;
use crate::model::limits::{APPEND_RECORDS_MAX, LINE_BYTES_MAX};
use crate::model::message::{Message, Role};
use crate::model::properties::PropertiesChange;
use crate::store::{Expect, NewRecord};

pub(crate) fn append_creates_the_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let appended = store.say(&key, 1, &["a", "b"])?;
    let came = (appended.first, appended.last, appended.replayed);
    same("append to a new session", &came, &(0, 1, false))?;
    same("its messages", &store.texts(&key)?, &["a", "b"])
}

pub(crate) fn append_answers_numbers_and_time(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    let appended = store.say(&key, 5, &["b", "c", "d"])?;
    let came = (appended.first, appended.last, appended.updated_at);
    same("append", &came, &(1, 3, at(7)))?;
    let summary = store.summary(&key)?;
    let row = (summary.next_sequence, summary.updated_at);
    same("summary", &row, &(4, at(7)))?;
    let sequences: Vec<u64> = store.records(&key)?.iter().map(|r| r.sequence).collect();
    same("sequence numbers", &sequences, &[0, 1, 2, 3])
}

pub(crate) fn append_keeps_lines_byte_for_byte(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let lines: [&[u8]; 9] = [
        // Read into values and written again, each of these would be other bytes, or none.
        b"{\"b\":1.0, \"a\":1e400,\"a\":2}\n",
        b"{\"crlf\":true}\r\n",
        b"\n",
        b" \t\n",
        b"{broken\n",
        b"{\"one\":1}{\"two\":2}\n",
        b"\xff\xfe\x00 not text\n",
        b"\xef\xbb\xbf{\"mark\":\"\xc3\xa9\"}\n",
        b"\"\\ud800\"\n",
    ];
    let records: Vec<NewRecord> = lines.iter().map(|line| NewRecord::line(*line)).collect();
    store.append(&key, &records)?;
    let stored: Vec<Vec<u8>> = store.records(&key)?.into_iter().map(|r| r.line).collect();
    same("lines", &stored, &lines)
}

pub(crate) fn append_ends_a_line_that_has_no_end(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [NewRecord::line("{\"a\":1}"), NewRecord::line("")];
    store.append(&key, &records)?;
    store.append(&key, &[NewRecord::line("{\"b\":1}")])?;
    let lines = store.lines(&key)?;
    same("lines", &lines, &["{\"a\":1}\n", "\n", "{\"b\":1}\n"])
}

pub(crate) fn append_refuses_two_lines_in_one_record(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for line in ["{}\n{}\n", "{}\n{}", "\n\n"] {
        let records = [NewRecord::line(line)];
        let result = store.store.append(&key, Expect::Any, None, &records);
        let step = format!("append of {line:?}");
        refused(&step, result, "InvalidLine", |error| {
            matches!(error, Error::InvalidLine { .. })
        })?;
    }
    store.append(&key, &[NewRecord::line("{}\n")]).map(drop)
}

pub(crate) fn append_writes_messages_that_read_back_the_same(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    // U+2028 ends a line for some readers, and must not end one here.
    let mut reply = message(2, "reply \u{1f980}\nand a \"second\" line\u{2028}");
    reply.role = Role::Assistant;
    reply.parent_id = Some("question".to_owned());
    reply.model = Some("model-1".to_owned());
    let messages = [message(1, "question"), reply];
    let records = messages.clone().map(NewRecord::message);
    store.append(&key, &records)?;
    same("load", &store.load(&key)?.messages, &messages)?;
    // What a message lacks is given to it.
    let bare = Message::text(Role::User, "bare");
    store.append(&key, &[NewRecord::message(bare)])?;
    let loaded = store.load(&key)?;
    let given = loaded
        .messages
        .last()
        .is_some_and(|last| last.id.is_some() && last.time.is_some());
    let expected = "an id and a time for a message without them";
    holds("load", given, expected, &loaded.messages)
}

pub(crate) fn append_is_all_or_none(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    // The bad one is in the middle: a store that writes as it goes has written the first by then.
    let broken = [said(1, "a"), NewRecord::line("{}\n{}\n"), said(2, "b")];
    let result = store.store.append(&key, Expect::Any, None, &broken);
    refused("append with a bad record", result, "InvalidLine", |error| {
        matches!(error, Error::InvalidLine { .. })
    })?;
    let summary = store.store.summary(&key);
    refused("summary afterwards", summary, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })?;
    store.say(&key, 1, &["there"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let result = store.store.append(&key, Expect::Any, None, &broken);
    refused("append with a bad record", result, "InvalidLine", |error| {
        matches!(error, Error::InvalidLine { .. })
    })?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)
}

pub(crate) fn append_counts_a_line_without_time_as_written_now(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    // All times here lie in 2001, so now is later than any of them.
    let appended = store.append(&key, &[note("n")])?;
    let expected = "the store's own time, which is later than 2001";
    let later = appended.updated_at > at(1);
    holds("updated_at", later, expected, &appended.updated_at)?;
    let summary = store.summary(&key)?;
    same("summary", &summary.updated_at, &appended.updated_at)
}

pub(crate) fn append_never_turns_the_time_back(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 50, &["late"])?;
    let appended = store.say(&key, 10, &["early"])?;
    same("append", &appended.updated_at, &at(50))?;
    same("summary", &store.summary(&key)?.updated_at, &at(50))?;
    let texts = store.texts(&key)?;
    same("the order of messages", &texts, &["late", "early"])
}

pub(crate) fn append_takes_lines_of_a_format_that_is_only_read(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let foreign = key_of(OTHERS, "s")?;
    store.append(&foreign, &[NewRecord::line("{\"type\":\"x\"}\n")])?;
    let before = store.records(&foreign)?;
    // A line comes as it is. A message would have to be written in a format that is only read here.
    let result = store
        .store
        .append(&foreign, Expect::Any, None, &[said(1, "a")]);
    refused("append of a message", result, "Unsupported", |error| {
        matches!(error, Error::Unsupported { .. })
    })?;
    same("records afterwards", &store.records(&foreign)?, &before)
}

pub(crate) fn append_goes_on_where_it_is_expected(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for (number, text) in (0..).zip(["a", "b", "c"]) {
        let records = [said(1, text)];
        let result = store
            .store
            .append(&key, Expect::Sequence(number), None, &records);
        let appended = done(&format!("append with Sequence({number})"), result)?;
        same("its number", &appended.first, &number)?;
    }
    same("messages", &store.texts(&key)?, &["a", "b", "c"])?;
    // A session that is there without a record is no other than one that is not there.
    let empty = self::key("empty")?;
    store.append(&empty, &[])?;
    let records = [said(1, "a")];
    let result = store
        .store
        .append(&empty, Expect::Sequence(0), None, &records);
    done("append with Sequence(0) to an empty session", result)?;
    same("its messages", &store.texts(&empty)?, &["a"])
}

pub(crate) fn append_refuses_what_is_not_expected(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let refuse = |wanted: u64, there: u64| {
        let records = [said(9, "no")];
        let expect = Expect::Sequence(wanted);
        refused(
            &format!("append with Sequence({wanted}) at {there}"),
            store.store.append(&key, expect, None, &records),
            &format!("Conflict with expected {wanted} and actual {there}"),
            |error| {
                matches!(error, Error::Conflict { key: of, expected, actual }
                    if *of == key && (*expected, *actual) == (wanted, there))
            },
        )
    };
    refuse(1, 0)?;
    let summary = store.store.summary(&key);
    refused("summary afterwards", summary, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })?;
    store.say(&key, 1, &["a", "b"])?;
    // Those that are too low and those that lie ahead: 2 is the one that holds.
    for wanted in [0, 1, 3, u64::MAX] {
        refuse(wanted, 2)?;
    }
    same("messages afterwards", &store.texts(&key)?, &["a", "b"])?;
    same("time", &store.summary(&key)?.updated_at, &at(2))
}

pub(crate) fn append_takes_as_many_records_as_the_limit_says(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let mut records = vec![NewRecord::line("{}\n"); APPEND_RECORDS_MAX + 1];
    let result = store.store.append(&key, Expect::Any, None, &records);
    refused("one record too many", result, "TooLarge", |error| {
        matches!(error, Error::TooLarge { actual, limit, .. }
            if (*actual, *limit) == (records.len() as u64, APPEND_RECORDS_MAX as u64))
    })?;
    let summary = store.store.summary(&key);
    refused("summary afterwards", summary, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })?;
    // Of the same store: what was refused must have left nothing that counts.
    records.pop();
    let appended = store.append(&key, &records)?;
    let last = APPEND_RECORDS_MAX as u64 - 1;
    same(
        "as many as the limit",
        &(appended.first, appended.last),
        &(0, last),
    )
}

pub(crate) fn append_refuses_a_line_past_the_limit(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let records = [said(1, "a"), NewRecord::line(vec![b'x'; LINE_BYTES_MAX])];
    let result = store.store.append(&key, Expect::Any, None, &records);
    // The line feed that is added is what passes the limit.
    refused(
        "a line of the limit's length",
        result,
        "TooLarge",
        |error| matches!(error, Error::TooLarge { limit, .. } if *limit == LINE_BYTES_MAX as u64),
    )?;
    let summary = store.store.summary(&key);
    refused("summary afterwards", summary, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })
}

pub(crate) fn append_of_nothing_creates_the_session_at_most(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.append(&key, &[])?;
    same("records of a new session", &store.records(&key)?, &[])?;
    store.say(&key, 1, &["a"])?;
    let before = (store.records(&key)?, store.summary(&key)?);
    let appended = store.append(&key, &[])?;
    same("updated_at", &appended.updated_at, &before.1.updated_at)?;
    let after = (store.records(&key)?, store.summary(&key)?);
    same("what is there afterwards", &after, &before)
}

pub(crate) fn append_with_changes_properties_too(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let with = |expect, title: &str, text| {
        let change = PropertiesChange::default()
            .with_title(title)
            .with_aliases([title]);
        let records = [note(text), said(1, text)];
        store
            .store
            .append_with(&key, expect, None, &records, &change)
    };
    let appended = done("append_with", with(Expect::Sequence(0), "one", "a"))?;
    let came = (appended.first, appended.last, appended.replayed);
    same("append_with to a new session", &came, &(0, 1, false))?;
    done("append_with", with(Expect::Any, "two", "b"))?;
    let is_conflict = |error: &Error| matches!(error, Error::Conflict { .. });
    let refused_one = with(Expect::Sequence(1), "three", "c");
    refused(
        "append_with elsewhere",
        refused_one,
        "Conflict",
        is_conflict,
    )?;
    same("its messages", &store.texts(&key)?, &["a", "b"])?;
    same("its records", &store.records(&key)?.len(), &4)?;
    let title = store.summary(&key)?.title;
    same("its title", &title.as_str(), &"two")?;
    same("its aliases", &store.properties(&key)?.aliases, &["two"])
}
