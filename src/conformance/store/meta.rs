//! Sessions that are made sure to be there.

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, refused, same};
use crate::conformance::subject::{
    OTHERS, Subject, at, key_of, key_without_headers, message, session,
};
use crate::model::error::Error;
use crate::model::record::RecordKind;
use crate::model::session::Session;

pub(crate) fn ensure_meta_creates_a_session_with_its_header(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut wanted = session("s", &[message(1, "not stored")])?;
    "A title".clone_into(&mut wanted.title);
    wanted.project = Some("/home/ada".to_owned());
    same("ensure_meta", &store.ensure_meta(&wanted)?, &true)?;
    let loaded = store.load(&wanted.key)?;
    let fields = (&*loaded.title, loaded.project.as_deref(), loaded.created_at);
    same(
        "load",
        &fields,
        &("A title", Some("/home/ada"), Some(at(0))),
    )?;
    same("its messages", &loaded.messages, &[])?;
    let kinds: Vec<RecordKind> = store
        .records(&wanted.key)?
        .iter()
        .map(|record| record.header.kind)
        .collect();
    same("its records", &kinds, &[RecordKind::Meta])
}

pub(crate) fn ensure_meta_leaves_a_session_alone(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut saved = session("s", &[message(1, "a")])?;
    "First".clone_into(&mut saved.title);
    store.save(&mut saved)?;
    let before = (store.records(&saved.key)?, store.summary(&saved.key)?);
    let mut other = session("s", &[])?;
    "Second".clone_into(&mut other.title);
    same("ensure_meta", &store.ensure_meta(&other)?, &false)?;
    let after = (store.records(&saved.key)?, store.summary(&saved.key)?);
    same("what is there", &after, &before)?;
    // A session that has no header yet is there, too.
    let bare = crate::conformance::subject::key("bare")?;
    store.say(&bare, 1, &["a"])?;
    let again = store.ensure_meta(&Session::new(bare.clone()))?;
    same("ensure_meta of one without header", &again, &false)?;
    same("its records", &store.records(&bare)?.len(), &1)
}

pub(crate) fn ensure_meta_refuses_a_format_that_is_only_read(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let foreign = Session::new(key_of(OTHERS, "s")?);
    let result = store.store.ensure_meta(&foreign);
    refused(
        "ensure_meta in a format that is only read",
        result,
        "Unsupported",
        |error| matches!(error, Error::Unsupported { .. }),
    )?;
    let summary = store.store.summary(&foreign.key);
    refused("summary afterwards", summary, "NotFound", |error| {
        matches!(error, Error::NotFound { .. })
    })
}

pub(crate) fn ensure_meta_creates_a_session_of_a_format_without_headers(
    make: &MakeStore,
) -> Checked {
    let store = Subject::new(make);
    let wanted = Session::new(key_without_headers("telegram:9")?);
    same("ensure_meta", &store.ensure_meta(&wanted)?, &true)?;
    same("its records", &store.records(&wanted.key)?, &[])?;
    same("its messages", &store.load(&wanted.key)?.messages, &[])?;
    same("ensure_meta again", &store.ensure_meta(&wanted)?, &false)?;
    // A record that was made up for the sake of the session would have taken number 0.
    let appended = store.say(&wanted.key, 1, &["a"])?;
    same("the first record", &appended.first, &0)
}
