//! A file that grows: its start imported first and then the rest, or all of it at once, is the
//! same session.

use super::input::Input;
use crate::agents::{self, Dialect};
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::jsonl::LineReader;
use crate::model::exception::Exception;
use crate::model::key::SessionKey;
use crate::model::record::Record;
use crate::store::{Course, Exceptions, SessionBuilder, SessionChunk, StoredCourse};

/// Rows and records of any lines, taken in one or in two.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let all = agents::all();
    let dialect = all[input.digit() % all.len()];
    let cut = input.digit();
    let file = input.rest();
    let key = SessionKey::new(dialect.agent(), "s").unwrap();

    let mut at_once = SessionBuilder::new(&key, dialect, 5);
    push(&mut at_once, file);
    let whole = at_once.take_chunk();
    let records = records(&[&whole]);
    let joined: Vec<u8> = records
        .iter()
        .flat_map(|record| record.line.clone())
        .collect();
    assert!(joined == file, "the records are not the file");
    check_row(&whole, &records, dialect);

    // Cut between lines: an import takes an open last line again when the file has grown.
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let cut = if lines.is_empty() {
        0
    } else {
        cut % (lines.len() + 1)
    };
    let (start, rest) = lines.split_at(cut);
    let mut first = SessionBuilder::new(&key, dialect, 5);
    push(&mut first, &start.concat());
    let chunk = first.take_chunk();
    let mut second = SessionBuilder::resume(chunk.row.clone(), course(&chunk), dialect, None, 5);
    push(&mut second, &rest.concat());
    let second = second.take_chunk();
    // A builder that goes on after a chunk does as one that begins with what is stored.
    push(&mut first, &rest.concat());
    let next = first.take_chunk();
    assert_eq!(next.added, second.added);
    assert_eq!(self::records(&[&chunk, &next]), records, "{dialect:?}");
    let first = chunk;
    assert_eq!(self::records(&[&first, &second]), records, "{dialect:?}");
    assert_eq!(
        first.added.records + second.added.records,
        whole.added.records
    );
    assert_eq!(
        first.added.messages + second.added.messages,
        whole.added.messages
    );
    let of_whole = exceptions(&[&whole]);
    assert_eq!(exceptions(&[&first, &second]), of_whole, "{dialect:?}");
    let mut grown = second.row;
    // A title about a record counts when that comes by in the same import.
    let is_about = |record: &Record| {
        let title = dialect.describe(&record.line).facts.title;
        title.is_some_and(|offer| offer.about.is_some())
    };
    if grown.title_rank != whole.row.title_rank || records.iter().any(is_about) {
        grown.title.clone_from(&whole.row.title);
        grown.title_rank = whole.row.title_rank;
        grown.beaten_titles.clone_from(&whole.row.beaten_titles);
    }
    assert_eq!(grown, whole.row, "{dialect:?} cut at {cut}");
}

fn push(builder: &mut SessionBuilder, file: &[u8]) {
    let mut reader = LineReader::new(file);
    while let Some(line) = reader.next_line().unwrap() {
        let _problem = builder.push(&line).is_some();
    }
}

/// The course that a chunk of a new session leaves.
fn course(chunk: &SessionChunk) -> StoredCourse {
    StoredCourse {
        notes: chunk.course.notes.clone(),
        exceptions: chunk.course.put.clone(),
    }
}

/// The exceptions that chunks leave, one behind the other.
fn exceptions(chunks: &[&SessionChunk]) -> Vec<Exception> {
    let mut course = Course::default();
    for chunk in chunks {
        course.apply(&chunk.course);
    }
    course.exceptions().copied().collect()
}

fn records(chunks: &[&SessionChunk]) -> Vec<Record> {
    let sealed = chunks.iter().flat_map(|chunk| &chunk.sealed);
    let segments: Vec<Segment> = sealed
        .map(|sealed| Segment::open(&sealed.bytes).unwrap())
        .collect();
    segments
        .iter()
        .flat_map(|segment| segment.records().map(Segment::owned))
        .collect()
}

/// The row counts what is there, and can be stored and listed.
fn check_row(chunk: &SessionChunk, records: &[Record], dialect: &dyn Dialect) {
    let row = &chunk.row;
    let exceptions = Exceptions::of(exceptions(&[chunk]));
    let messages: u64 = records
        .iter()
        .map(|record| exceptions.shown(record.sequence, record.header.messages))
        .map(u64::from)
        .sum();
    let bytes: u64 = records.iter().map(|record| record.line.len() as u64).sum();
    let counted = (records.len() as u64, messages, bytes);
    assert_eq!(
        (row.records, row.messages, row.bytes),
        counted,
        "{dialect:?}"
    );
    let stored = row.encode(7).unwrap();
    assert_eq!(SessionRow::decode(7, &stored).as_ref(), Ok(row));
    row.clone().into_summary(7).unwrap();
}
