//! Whole files that are no lines: sessions in one document, and sidecars.

use std::path::Path;

use super::dialect_lines::place;
use super::input::Input;
use crate::agents::{self, Agent, Candidate, SessionState, recognise_document};
use crate::model::properties::Properties;
use crate::model::record::RecordFlags;

/// No panic; a document's lines are whole lines, the same each time; an agent's own file about a
/// session that was written here is one that holds.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let which = input.digit();
    let place = place(input.digit());
    let file = input.rest();
    // An import shows no more of a file to tell what it is.
    let candidate = Candidate::new(place, &file[..file.len().min(64 * 1024)]);
    let document = recognise_document(&candidate);
    assert_eq!(document, recognise_document(&candidate));
    assert!(document.is_none_or(|document| !document.id.is_empty()));
    let all = agents::all();
    match all.get(which) {
        Some(dialect) => check(*dialect, place, file),
        None => all.iter().for_each(|dialect| check(*dialect, place, file)),
    }
}

fn check(dialect: &dyn Agent, place: &Path, file: &[u8]) {
    assert_eq!(dialect.sidecar(place), dialect.sidecar(place));
    let facts = dialect.sidecar_facts(place, file);
    assert_eq!(dialect.sidecar_facts(place, file), facts);
    for time in facts
        .iter()
        .flat_map(|facts| [facts.created_us, facts.updated_us])
        .flatten()
    {
        let readable = chrono::DateTime::from_timestamp_micros(time);
        assert!(
            readable.is_some(),
            "{dialect:?}: a row with time {time} could not be read"
        );
    }
    if let Some(document) = dialect.document_lines(file) {
        assert_eq!(dialect.document_lines(file).as_ref(), Some(&document));
        assert!(document.open <= document.lines.len(), "{dialect:?}");
        for line in document.lines.iter().chain(&document.trailer) {
            assert!(line.ends_with(b"\n"), "{dialect:?}");
            let feeds = memchr::memchr_iter(b'\n', line).count();
            assert_eq!(feeds, 1, "{dialect:?}: {}", String::from_utf8_lossy(line));
            let described = dialect.describe(line);
            let damaged = described.header.flags.contains(RecordFlags::DAMAGED);
            // An element of a document may be no object.
            assert!(
                !damaged || !line.starts_with(b"{"),
                "{dialect:?}: {described:?}"
            );
        }
    }
    let mut input = Input::new(file);
    let states = [
        state(dialect, &mut input, 'a'),
        state(dialect, &mut input, 'b'),
    ];
    // Agents' files are written over what is there, whatever that is.
    for original in [None, Some(file)] {
        if let Some((name, bytes)) = dialect.write_sidecar(&states[0], original) {
            // What was just written still holds.
            let again = dialect.write_sidecar(&states[0], Some(&bytes));
            assert!(again == Some((name, bytes)), "{dialect:?}");
        }
        if let Some((name, bytes)) = dialect.write_index(original, &states) {
            let again = dialect.write_index(Some(&bytes), &states);
            assert!(
                again.as_ref() == Some(&(name, bytes.clone())),
                "{dialect:?}: {}\n{:?}",
                String::from_utf8_lossy(&bytes),
                again.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
            );
        }
    }
}

/// A session of any content; in one folder there is only one of a name.
fn state(dialect: &dyn Agent, input: &mut Input<'_>, name: char) -> SessionState {
    let summary = input.summary(dialect.agent());
    let name = format!("{}{name}.jsonl", input.byte());
    SessionState {
        properties: Properties {
            title: Some(input.text()),
            pinned: input.byte() % 2 == 1,
            archived: input.byte() % 2 == 1,
            summary: input.text(),
            aliases: vec![input.text()],
            scope: Some(input.json()),
            ..Properties::default()
        },
        lines: summary.record_count,
        skip: summary.mark,
        first_line: input.text().into_bytes(),
        path: vec![input.text(), name],
        summary,
    }
}
