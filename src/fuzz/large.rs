//! Inputs as large as they are odd: the time that they take grows with their length alone.

use std::path::Path;
use std::time::{Duration, Instant};

use super::words::{FIELDS, ODD, VALUES};
use crate::codec::segment::Segment;
use crate::dialect::{self, Candidate, Dialect, recognise_document};
use crate::jsonl::LineReader;
use crate::model::key::SessionKey;
use crate::store::SessionBuilder;

/// Beginnings, repeated pieces and ends that are hard on readers.
fn hostile(bytes: usize) -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    let mut push = |name: String, head: &str, piece: &[u8], tail: &str| {
        let times = bytes / piece.len().max(1);
        let input = [head.as_bytes(), &piece.repeat(times), tail.as_bytes()].concat();
        inputs.push((name, input));
    };
    for odd in ODD {
        let name = odd.escape_ascii().to_string();
        push(format!("{name} alone"), "", odd, "");
        push(
            format!("{name} in a string"),
            "{\"role\":\"user\",\"content\":\"",
            odd,
            "\"}",
        );
        push(
            format!("{name} behind a record"),
            "{\"type\":\"user\"}",
            odd,
            "{\"type\":\"user\"}",
        );
    }
    for piece in [
        "{\"",
        "{\"a\":",
        "{\"a\":[",
        "[{",
        "{\"type\":\"user\"}",
        "{\"type\":\"user\"},",
        "{\"type\":",
        "{\"a\":\"\\ud83d",
        "{\"role\":\"user\",\"content\":\"a\"}",
        "{}",
        "{},",
        "\0{\"a\":1}",
        "{\"a\":1}\0",
        "{\"a\"1}",
        "{\"a\":1}x",
        "\"}{\"",
        "{\"\\",
        "x{\"a\":",
        "{\"a\":\n",
        "\n{\"a\":1}",
    ] {
        push(format!("{piece} repeated"), "", piece.as_bytes(), "");
        push(
            format!("{piece} within a list"),
            "{\"messages\":[",
            piece.as_bytes(),
            "]}",
        );
    }
    for field in FIELDS {
        for value in ["1", "\"x\"", "{\"id\":\"a\"}"] {
            let pair = format!("\"{field}\":{value},");
            push(format!("{pair} repeated"), "{", pair.as_bytes(), "\"z\":1}");
        }
        push(
            format!("a deep {field}"),
            &format!("{{\"{field}\":"),
            b"[",
            "",
        );
        push(
            format!("{field} all the way"),
            "",
            format!("{{\"{field}\":").as_bytes(),
            "1",
        );
        let list = format!("{{\"type\":\"message\",\"role\":\"user\",\"id\":\"a\",\"{field}\":[");
        push(
            format!("a long {field}"),
            &list,
            b"{\"id\":\"a\",\"type\":\"user\",\"content\":\"x\"},",
            "1]}",
        );
        push(format!("{field} of texts"), &list, b"\"x\",", "1]}");
    }
    for value in VALUES {
        push(
            format!("{value} repeated"),
            "{\"messages\":[",
            format!("{value},").as_bytes(),
            "1]}",
        );
    }
    let nested = bytes / 2;
    let deep = ["[".repeat(nested), "]".repeat(nested)]
        .concat()
        .into_bytes();
    inputs.push(("brackets that close".to_owned(), deep));
    inputs
}

fn read_all(dialect: &'static dyn Dialect, input: &[u8]) {
    let path = Path::new("/h/.gemini/tmp/ab/chats/session-1.json");
    let _header = dialect.describe(input).header;
    let _messages = dialect.messages(input).len();
    let _document = dialect.document_lines(input).is_some();
    let _facts = dialect.sidecar_facts(path, input).len();
    let head = &input[..input.len().min(64 * 1024)];
    let candidate = Candidate {
        path,
        head,
        companion: Some(input),
    };
    let _recognised = dialect.recognise(&candidate);
    let _id = dialect.session_id(&candidate);
    let _kept = recognise_document(&candidate).is_some();
    let key = SessionKey::new(dialect.agent(), "s").unwrap();
    let mut builder = SessionBuilder::new(&key, dialect, 0);
    let mut reader = LineReader::new(input);
    while let Some(line) = reader.next_line().unwrap() {
        let _problem = builder.push(&line).is_some();
    }
    for sealed in builder.take_chunk().sealed {
        Segment::open(&sealed.bytes).unwrap();
    }
}

/// The slowest inputs of that many bytes, the slowest first. What takes longer than `limit` is read
/// again: another process may have had the processor.
fn slowest(bytes: usize, limit: Duration) -> Vec<(Duration, String)> {
    let mut times = Vec::new();
    for (name, input) in hostile(bytes) {
        for dialect in dialect::all() {
            let taken = || {
                let started = Instant::now();
                read_all(*dialect, &input);
                started.elapsed()
            };
            let mut best = taken();
            for _ in 0..5 {
                if best > limit {
                    best = best.min(taken());
                }
            }
            times.push((best, format!("{}: {name}", dialect.agent())));
        }
    }
    times.sort_unstable_by(|one, other| other.cmp(one));
    times
}

#[test]
fn no_odd_input_takes_long() {
    let limit = Duration::from_millis(200);
    let times = slowest(16 * 1024, limit);
    assert!(times.len() > 5000, "only {} inputs", times.len());
    assert!(times[0].0 < limit, "{:?}", times[0]);
}

#[test]
#[ignore = "some thousand inputs of 1 MiB: some minutes"]
fn no_odd_input_of_a_mebibyte_takes_a_second() {
    let limit = Duration::from_secs(1);
    let times = slowest(1024 * 1024, limit);
    assert!(times[0].0 < limit, "{:?}", times[0]);
}
