//! Rows of the store: any bytes are read or refused, what was written comes back, and no changed
//! byte is missed.

use super::input::Input;
use crate::codec::file_order::FileOrder;
use crate::codec::properties_row;
use crate::codec::row::{self, RowFormat};
use crate::codec::session_row::{Batch, Given, SessionRow};
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::key::SessionKey;
use crate::model::properties::Properties;

const FORMATS: [RowFormat; 5] = [
    RowFormat::Session,
    RowFormat::Source,
    RowFormat::Properties,
    RowFormat::Alias,
    RowFormat::FileOrder,
];

/// Runs one input.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (format, version) = (
        FORMATS[usize::from(input.byte()) % FORMATS.len()],
        input.byte() % 5,
    );
    decoded(input.rest());
    // Behind a good checksum, the body alone has to be refused.
    let key = key_of(format);
    decoded(&row::seal(format, version, &key, input.rest()));
    let changed = usize::from(input.byte()) * 8 + usize::from(input.byte() % 8);
    let row = session(&mut input);
    if let Ok(bytes) = row.encode(NUMBER) {
        assert_eq!(SessionRow::decode(NUMBER, &bytes), Ok(row));
        refused(&bytes, changed, |bytes| {
            SessionRow::decode(NUMBER, bytes).is_ok()
        });
    }
    let row = source(&mut input);
    if let Ok(bytes) = row.encode(PATH, 1) {
        assert_eq!(SourceRow::decode(PATH, 1, &bytes), Ok(row));
        refused(&bytes, changed, |bytes| {
            SourceRow::decode(PATH, 1, bytes).is_ok()
        });
    }
    let row = properties(&mut input);
    if let Ok(bytes) = properties_row::encode(NUMBER, &row) {
        assert_eq!(properties_row::decode(NUMBER, &bytes), Ok(row));
        refused(&bytes, changed, |bytes| {
            properties_row::decode(NUMBER, bytes).is_ok()
        });
    }
}

const NUMBER: u64 = 9;
const PATH: &[u8] = b"/a/b.jsonl";

fn alias() -> SessionKey {
    SessionKey::new("picoclaw", "t").unwrap()
}

/// The bytes of the key that a row of that format is checked with here.
fn key_of(format: RowFormat) -> Vec<u8> {
    match format {
        RowFormat::Source => [PATH, &1_u32.to_be_bytes()].concat(),
        RowFormat::Alias => [&b"picoclawt"[..], &1_u64.to_be_bytes()].concat(),
        _ => NUMBER.to_be_bytes().to_vec(),
    }
}

/// Reads bytes as each kind of row; what can be read can be written and read again.
fn decoded(bytes: &[u8]) {
    if let Ok(row) = SessionRow::decode(NUMBER, bytes) {
        let again = row.encode(NUMBER).unwrap();
        assert_eq!(SessionRow::decode(NUMBER, &again), Ok(row.clone()));
        // It may fail, and must not panic: the row may be of any time and name.
        let _listed = row.into_summary(NUMBER).is_ok();
    }
    if let Ok(row) = SourceRow::decode(PATH, 1, bytes) {
        let again = row.encode(PATH, 1).unwrap();
        assert_eq!(SourceRow::decode(PATH, 1, &again), Ok(row.clone()));
        assert_eq!(row.encode(PATH, 1).unwrap(), again);
    }
    if let Ok(order) = FileOrder::decode(NUMBER, bytes) {
        let again = order.encode(NUMBER).unwrap();
        assert_eq!(FileOrder::decode(NUMBER, &again), Ok(order));
    }
    if let Ok(row) = properties_row::decode(NUMBER, bytes) {
        let again = properties_row::encode(NUMBER, &row).unwrap();
        assert_eq!(properties_row::decode(NUMBER, &again), Ok(row));
    }
    let _claim = properties_row::decode_claim(&alias(), 1, bytes).is_ok();
}

/// A changed bit, and a cut anywhere, are noticed.
fn refused(bytes: &[u8], bit: usize, is_read: impl Fn(&[u8]) -> bool) {
    let bit = bit % (bytes.len() * 8);
    let mut damaged = bytes.to_vec();
    damaged[bit / 8] ^= 1 << (bit % 8);
    assert!(!is_read(&damaged), "bit {bit} of {} bytes", bytes.len());
    assert!(!is_read(&bytes[..bit / 8]), "cut at byte {}", bit / 8);
}

fn session(input: &mut Input<'_>) -> SessionRow {
    let summary = input.summary("codex");
    let count = input.byte() % 20;
    SessionRow {
        project: summary.project,
        title: summary.title,
        title_rank: input.byte(),
        created_us: summary.created_at.timestamp_micros(),
        updated_us: summary.updated_at.timestamp_micros(),
        written_us: summary.written_at.map(|time| time.timestamp_micros()),
        time_stated: input.byte() % 2 == 1,
        model: summary.model,
        parent: summary.parent,
        messages: summary.message_count,
        hidden: summary.hidden_count,
        records: summary.record_count,
        bytes: summary.bytes,
        mark: summary.mark,
        next: summary.next_sequence,
        header_sequence: (input.byte() % 2 == 1).then(|| input.number()),
        batches: (0..count)
            .map(|_| Batch {
                id: u128::from(input.number()),
                first: input.number(),
                last: input.number(),
            })
            .collect(),
        given: Given {
            title: Some(input.text()),
            ..Given::default()
        },
        ..SessionRow::new(&summary.key, 0)
    }
}

fn source(input: &mut Input<'_>) -> SourceRow {
    SourceRow {
        agent: input.text(),
        kind: if input.byte() % 2 == 1 {
            SourceKind::Lines
        } else {
            SourceKind::Attachment
        },
        session: input.number(),
        name: input.text(),
        relative: input.text().into_bytes(),
        size: input.number(),
        mtime_ns: -7,
        offset: input.number(),
        lines: input.number(),
        tail_offset: input.number(),
        hash: u128::from(input.number()) << 64,
        next_sequence: input.number(),
        complete: input.byte() % 2 == 1,
        revision: 3,
        inode: input.number(),
        changed_ns: -9,
    }
}

fn properties(input: &mut Input<'_>) -> Properties {
    Properties {
        title: Some(input.text()),
        parent: Some(input.text()),
        pinned: input.byte() % 2 == 1,
        summary: input.text(),
        aliases: vec![input.text(), input.text()],
        scope: Some(input.json()),
        ..Properties::default()
    }
}
