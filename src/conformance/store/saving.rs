//! What a save stores, and what it must not touch.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, holds, one, refused, same};
use crate::conformance::subject::{
    OTHERS, Subject, at, key, key_of, key_without_headers, message, session,
};
use crate::model::error::Error;
use crate::model::message::{Block, Message, Role, Usage};
use crate::model::properties::PropertiesChange;
use crate::model::raw_json::RawJson;
use crate::model::session::Session;
use crate::store::NewRecord;

fn json(text: &str) -> Checked<RawJson> {
    done("RawJson::parse", RawJson::parse(text))
}

/// A message with all that a message can have.
fn full_message() -> Checked<Message> {
    let mut full = message(2, "answer");
    full.role = Role::Assistant;
    full.parent_id = Some("question".to_owned());
    full.model = Some("model-1".to_owned());
    full.usage = Some(Usage {
        input_tokens: 7,
        output_tokens: 5,
        cache_read_tokens: 3,
        cache_write_tokens: 2,
    });
    full.extra = vec![("cost".to_owned(), json("{\"b\":1.0,\"a\":[]}")?)];
    full.content.extend([
        Block::Thinking {
            text: "hm\n\u{1f914}".to_owned(),
            signature: Some("c2ln".to_owned()),
        },
        Block::ToolUse {
            id: Some("call-1".to_owned()),
            name: "read".to_owned(),
            input: Some(json("{\"path\":\"a\\u0000b\"}")?),
        },
        Block::ToolResult {
            id: Some("call-1".to_owned()),
            name: Some("read".to_owned()),
            output: "no such file".to_owned(),
            is_error: true,
            images: vec![Block::Image {
                media_type: Some("image/png".to_owned()),
                data: Some("AAAA".to_owned()),
                url: None,
            }],
        },
        Block::Other {
            json: json("{\"type\":\"audio\"}")?,
        },
    ]);
    Ok(full)
}

pub(crate) fn save_then_load_gives_the_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "question"), full_message()?])?;
    "A title".clone_into(&mut saved.title);
    saved.project = Some("/home/ada/shop".to_owned());
    saved.model = Some("model-2".to_owned());
    saved.parent = Some("s-0".to_owned());
    saved.extra = vec![("cost".to_owned(), json("{\"usd\":0.10}")?)];
    let mut expected = saved.clone();
    store.save(&mut saved)?;
    expected.updated_at = saved.updated_at;
    same("the copy after save", &saved, &expected)?;
    same("load after save", &store.load(&saved.key)?, &expected)
}

pub(crate) fn save_sets_the_time_of_update(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    store.save(&mut saved)?;
    let first = one("updated_at after save", saved.updated_at)?;
    holds(
        "updated_at after save",
        first > at(1),
        "the store's own time, which is later than 2001",
        &first,
    )?;
    same("summary", &store.summary(&saved.key)?.updated_at, &first)?;
    same("load", &store.load(&saved.key)?.updated_at, &Some(first))?;
    store.save(&mut saved)?;
    let second = one("updated_at after another save", saved.updated_at)?;
    holds(
        "updated_at after another save",
        second >= first,
        "no earlier time",
        &(first, second),
    )?;
    same("summary", &store.summary(&saved.key)?.updated_at, &second)
}

pub(crate) fn save_keeps_the_time_of_creation(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut first = session("s", &[message(9, "a")])?;
    first.created_at = Some(at(5));
    store.save(&mut first)?;
    // A copy that was made anew, and not loaded: it knows nothing of the first.
    let mut second = session("s", &[message(10, "b")])?;
    second.created_at = None;
    store.save(&mut second)?;
    same("the copy without one", &second.created_at, &Some(at(5)))?;
    same("load", &store.load(&first.key)?.created_at, &Some(at(5)))?;
    let mut unknown = session("t", &[])?;
    unknown.created_at = None;
    store.save(&mut unknown)?;
    let given = one("a first save without one", unknown.created_at)?;
    same("load", &store.load(&unknown.key)?.created_at, &Some(given))
}

pub(crate) fn save_gives_messages_ids_and_times(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let bare = |text| Message::text(Role::User, text);
    // Two of equal content: an id made of that alone would make them one.
    let mut saved = session("s", &[bare("a"), bare("b"), bare("a")])?;
    store.save(&mut saved)?;
    let mut ids = Vec::new();
    for message in &saved.messages {
        ids.push(one("the id of a message after save", message.id.clone())?);
        one("the time of a message after save", message.time)?;
    }
    ids.sort();
    ids.dedup();
    same("different ids", &ids.len(), &3)?;
    let loaded = store.load(&saved.key)?;
    same("load after save", &loaded.messages, &saved.messages)
}

pub(crate) fn save_takes_an_empty_title_from_the_first_user_message(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut greeting = message(1, "Hello!");
    greeting.role = Role::Assistant;
    let question = message(2, "Where is the boat?");
    let mut saved = session("s", &[greeting, question, message(3, "And the dog?")])?;
    store.save(&mut saved)?;
    same("title after save", &*saved.title, "Where is the boat?")?;
    same(
        "load",
        &*store.load(&saved.key)?.title,
        "Where is the boat?",
    )?;
    let title = store.summary(&saved.key)?.title;
    same("summary", &*title, "Where is the boat?")?;
    "Boats".clone_into(&mut saved.title);
    store.save(&mut saved)?;
    same("a given title", &*store.load(&saved.key)?.title, "Boats")
}

pub(crate) fn save_appends_and_rewrites_nothing(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    store.save(&mut saved)?;
    let before = store.records(&saved.key)?;
    saved.messages.push(message(2, "b"));
    "Another".clone_into(&mut saved.title);
    store.save(&mut saved)?;
    let mut after = store.records(&saved.key)?;
    holds(
        "records after another save",
        after.len() > before.len(),
        "more of them",
        &after,
    )?;
    after.truncate(before.len());
    same("the records that were there", &after, &before)?;
    same("messages", &store.texts(&saved.key)?, &["a", "b"])
}

pub(crate) fn save_appends_new_messages_in_their_order(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a"), message(2, "b")])?;
    store.save(&mut saved)?;
    saved.messages.push(message(3, "x"));
    saved.messages.push(message(4, "y"));
    store.save(&mut saved)?;
    let texts = store.texts(&saved.key)?;
    same("messages", &texts, &["a", "b", "x", "y"])
}

pub(crate) fn save_refuses_a_message_put_before_stored_ones(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    // By ids, and by places.
    for key in [key("s")?, key_without_headers("telegram:9")?] {
        let mut saved = Session::new(key);
        saved.messages = vec![message(1, "a"), message(2, "b"), message(3, "c")];
        store.save(&mut saved)?;
        let before = (store.records(&saved.key)?, store.summary(&saved.key)?);
        // Put in between, and in the place of the first two: a summary of them, say.
        for kept in [1, 2] {
            let mut copy = saved.clone();
            let behind = copy.messages.split_off(kept);
            let wanted = behind.first().and_then(|message| message.id.clone());
            copy.messages.truncate(kept % 2);
            copy.messages.push(message(4, "new"));
            copy.messages.extend(behind);
            let result = store.store.save(&mut copy);
            let what = format!(
                "save of `{}` with a new message before {wanted:?}",
                saved.key
            );
            refused(&what, result, "MessageInserted", |error| {
                matches!(error, Error::MessageInserted { before, key }
                    if Some(before) == wanted.as_ref() && *key == saved.key)
            })?;
        }
        let after = (store.records(&saved.key)?, store.summary(&saved.key)?);
        same("what is there afterwards", &after, &before)?;
    }
    Ok(())
}

pub(crate) fn save_refuses_two_messages_of_one_id(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut other = message(2, "b");
    other.id = Some("a".to_owned());
    let mut saved = session("s", &[message(1, "a"), other])?;
    let result = store.store.save(&mut saved);
    refused(
        "a first save of two messages `a`",
        result,
        "MessageChanged of `a`",
        |error| matches!(error, Error::MessageChanged { id, .. } if id == "a"),
    )?;
    refused(
        "summary afterwards",
        store.store.summary(&saved.key),
        "NotFound",
        |error| matches!(error, Error::NotFound { .. }),
    )?;
    // The same one twice is one.
    let mut saved = session("s", &[message(1, "a"), message(1, "a")])?;
    store.save(&mut saved)?;
    same("messages", &store.texts(&saved.key)?, &["a"])
}

pub(crate) fn save_refuses_a_changed_message_that_has_a_place(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = Session::new(key_without_headers("telegram:9")?);
    saved.messages = vec![message(1, "a"), message(2, "b")];
    store.save(&mut saved)?;
    let mut loaded = store.load(&saved.key)?;
    store.save(&mut loaded)?;
    let before = store.records(&saved.key)?;
    if let Some(message) = loaded.messages.first_mut() {
        message.content = Message::text(Role::User, "edited").content;
    }
    let result = store.store.save(&mut loaded);
    refused(
        "save with another content of `#0`",
        result,
        "MessageChanged of `#0`",
        |error| matches!(error, Error::MessageChanged { id, .. } if id == "#0"),
    )?;
    same("records afterwards", &store.records(&saved.key)?, &before)
}

pub(crate) fn save_removes_nothing_that_a_copy_lacks(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut mine = session("s", &[message(1, "a")])?;
    store.save(&mut mine)?;
    let mut theirs = mine.clone();
    theirs.messages.push(message(2, "theirs"));
    store.save(&mut theirs)?;
    // This copy has not seen the other's message: to remove what it lacks would lose that.
    mine.messages.push(message(3, "mine"));
    store.save(&mut mine)?;
    let texts = store.texts(&mine.key)?;
    same(
        "messages after a stale copy",
        &texts,
        &["a", "theirs", "mine"],
    )?;
    mine.messages.clear();
    store.save(&mut mine)?;
    let count = store.texts(&mine.key)?.len();
    same("messages after an empty copy", &count, &3)
}

pub(crate) fn save_knows_hidden_messages(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a"), message(2, "b")])?;
    store.save(&mut saved)?;
    store.truncate(&saved.key, 1)?;
    // The copy still has the hidden one, which must not be appended as if it were new.
    saved.messages.push(message(3, "c"));
    store.save(&mut saved)?;
    same("visible messages", &store.texts(&saved.key)?, &["b", "c"])?;
    let summary = store.summary(&saved.key)?;
    let counts = (summary.message_count, summary.hidden_count);
    same("messages stored and hidden", &counts, &(3, 1))
}

/// Changes one thing of a session.
type Change = fn(&mut Session) -> Checked;

pub(crate) fn save_appends_a_changed_header(make: &MakeStore) -> Checked {
    let changes: [(&str, Change); 6] = [
        ("title", |session| {
            "New".clone_into(&mut session.title);
            Ok(())
        }),
        ("project", |session| {
            session.project = Some("/b".to_owned());
            Ok(())
        }),
        ("model", |session| {
            session.model = Some("model-9".to_owned());
            Ok(())
        }),
        ("parent", |session| {
            session.parent = Some("p-9".to_owned());
            Ok(())
        }),
        ("extra field", |session| {
            session.extra = vec![("k".to_owned(), json("1.50")?)];
            Ok(())
        }),
        ("project taken away", |session| {
            session.project = None;
            Ok(())
        }),
    ];
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    "Old".clone_into(&mut saved.title);
    saved.project = Some("/a".to_owned());
    store.save(&mut saved)?;
    for (what, change) in changes {
        let records = store.records(&saved.key)?.len();
        change(&mut saved)?;
        let mut expected = saved.clone();
        store.save(&mut saved)?;
        expected.updated_at = saved.updated_at;
        same(
            &format!("load, {what}"),
            &store.load(&saved.key)?,
            &expected,
        )?;
        let summary = store.summary(&saved.key)?;
        let row = (&summary.title, &summary.project, &summary.parent);
        let expected = (&saved.title, &saved.project, &saved.parent);
        same(&format!("summary, {what}"), &row, &expected)?;
        let more = store.records(&saved.key)?.len() > records;
        holds(&format!("records, {what}"), more, "one more", &records)?;
    }
    Ok(())
}

pub(crate) fn save_refuses_a_changed_message(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a"), message(2, "b")])?;
    store.save(&mut saved)?;
    let before = (store.records(&saved.key)?, store.summary(&saved.key)?);
    saved.messages.insert(0, message(0, "new"));
    for message in &mut saved.messages {
        if message.id.as_deref() == Some("b") {
            message.content.clear();
        }
    }
    let result = store.store.save(&mut saved);
    refused(
        "save with another content for `b`",
        result,
        "MessageChanged of `b`",
        |error| matches!(error, Error::MessageChanged { id, key } if id == "b" && *key == saved.key),
    )?;
    let after = (store.records(&saved.key)?, store.summary(&saved.key)?);
    same("what is there afterwards", &after, &before)
}

pub(crate) fn save_refuses_a_format_that_is_only_read(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut foreign = Session::new(key_of(OTHERS, "s")?);
    foreign.messages.push(message(1, "a"));
    let result = store.store.save(&mut foreign);
    refused(
        "save in a format that is only read",
        result,
        "Unsupported",
        |error| matches!(error, Error::Unsupported { .. }),
    )?;
    refused(
        "summary afterwards",
        store.store.summary(&foreign.key),
        "NotFound",
        |error| matches!(error, Error::NotFound { .. }),
    )?;
    // The same session of the native agent can be written: it is the format that cannot.
    foreign.key = key("s")?;
    store.save(&mut foreign)
}

pub(crate) fn save_never_writes_what_was_given(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    "Of the lines".clone_into(&mut saved.title);
    saved.project = Some("/lines".to_owned());
    store.save(&mut saved)?;
    let given = |title: Option<&str>, project: Option<&str>| PropertiesChange {
        title: Some(title.map(str::to_owned)),
        project: Some(project.map(str::to_owned)),
        ..PropertiesChange::default()
    };
    store.update(&saved.key, &given(Some("Given"), Some("/given")))?;
    let mut loaded = store.load(&saved.key)?;
    let fields = (&*loaded.title, loaded.project.as_deref());
    same("load", &fields, &("Given", Some("/given")))?;
    loaded.messages.push(message(2, "b"));
    // The save has to write a header, and the copy has the given fields in it.
    loaded.model = Some("model-1".to_owned());
    store.save(&mut loaded)?;
    store.update(&saved.key, &given(None, None))?;
    let loaded = store.load(&saved.key)?;
    let fields = (&*loaded.title, loaded.project.as_deref());
    same(
        "load when taken back",
        &fields,
        &("Of the lines", Some("/lines")),
    )
}

/// A native line of a message without an id.
fn bare(text: &str) -> String {
    format!("{{\"scrollback\":1,\"type\":\"message\",\"role\":\"user\",\"content\":\"{text}\"}}")
}

fn ids(session: &Session) -> Vec<Option<&str>> {
    let ids = session.messages.iter().map(|message| message.id.as_deref());
    ids.collect()
}

pub(crate) fn messages_without_an_id_are_named_by_their_place(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.say(&key, 1, &["a"])?;
    // Two on one line, as a writer leaves them that was killed before a line feed.
    let fused = format!("{}{}\n", bare("c"), bare("d"));
    let lines = [NewRecord::line(bare("b")), NewRecord::line(fused)];
    store.append(&key, &lines)?;
    let mut loaded = store.load(&key)?;
    let mut expected = vec![Some("a"), Some("#1"), Some("#2"), Some("#2.1")];
    same("ids after load", &ids(&loaded), &expected)?;
    loaded.messages.push(message(3, "e"));
    store.save(&mut loaded)?;
    expected.push(Some("e"));
    same("ids after save", &ids(&store.load(&key)?), &expected)
}

pub(crate) fn save_names_messages_by_place_where_lines_hold_no_ids(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = Session::new(key_without_headers("telegram:9")?);
    saved.messages = vec![message(1, "a"), message(2, "b")];
    store.save(&mut saved)?;
    same("ids after save", &ids(&saved), &[Some("#0"), Some("#1")])?;
    let loaded = store.load(&saved.key)?;
    same("ids after load", &ids(&loaded), &[Some("#0"), Some("#1")])?;
    saved.messages.push(message(3, "c"));
    store.save(&mut saved)?;
    same("messages", &store.texts(&saved.key)?, &["a", "b", "c"])
}
