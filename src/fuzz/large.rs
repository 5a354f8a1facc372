//! Inputs as large as they are odd: the time that they take grows with their length alone.

use std::path::Path;
use std::time::{Duration, Instant};

use super::words::{FIELDS, ODD, VALUES};
use crate::agents::{self, Agent, Candidate, recognise_document};
use crate::codec::segment::Segment;
use crate::jsonl::LineReader;
use crate::model::key::SessionKey;
use crate::store::SessionBuilder;

/// Pieces that are hard on readers when they are repeated.
const PIECES: [&str; 20] = [
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
];

/// Inputs, each with its name.
type Inputs = Vec<(String, Vec<u8>)>;

/// Adds a piece repeated to so many bytes, between a head and a tail.
fn push(inputs: &mut Inputs, bytes: usize, name: &str, (head, piece, tail): (&str, &[u8], &str)) {
    let times = bytes / piece.len().max(1);
    let input = [head.as_bytes(), &piece.repeat(times), tail.as_bytes()].concat();
    inputs.push((name.to_owned(), input));
}

/// Bytes and brackets over and over.
fn repeated_pieces(inputs: &mut Inputs, bytes: usize) {
    for odd in ODD {
        let name = odd.escape_ascii().to_string();
        let record = "{\"type\":\"user\"}";
        push(inputs, bytes, &name, ("", odd, ""));
        let text = ("{\"role\":\"user\",\"content\":\"", odd, "\"}");
        push(inputs, bytes, &format!("{name} in a text"), text);
        push(
            inputs,
            bytes,
            &format!("{name} between records"),
            (record, odd, record),
        );
    }
    for piece in PIECES {
        push(inputs, bytes, piece, ("", piece.as_bytes(), ""));
        let list = ("{\"messages\":[", piece.as_bytes(), "]}");
        push(inputs, bytes, &format!("{piece} in a list"), list);
    }
    for value in VALUES {
        let values = format!("{value},");
        let list = ("{\"messages\":[", values.as_bytes(), "1]}");
        push(inputs, bytes, &format!("{value} in a list"), list);
    }
    // Readers that call themselves for each bracket run out of stack here.
    let nested = bytes / 2;
    let deep = ["[".repeat(nested), "]".repeat(nested)]
        .concat()
        .into_bytes();
    inputs.push(("brackets that close".to_owned(), deep));
}

/// Each field over and over, all the way down, and with a long value.
fn repeated_fields(inputs: &mut Inputs, bytes: usize) {
    for field in FIELDS {
        for value in ["1", "\"x\"", "{\"id\":\"a\"}"] {
            let pair = format!("\"{field}\":{value},");
            push(inputs, bytes, &pair, ("{", pair.as_bytes(), "\"z\":1}"));
        }
        let start = format!("{{\"{field}\":");
        push(
            inputs,
            bytes,
            &format!("a deep {field}"),
            (&start, b"[", ""),
        );
        push(inputs, bytes, &start, ("", start.as_bytes(), "1"));
        let list = format!("{{\"type\":\"message\",\"role\":\"user\",\"id\":\"a\",\"{field}\":[");
        let element = b"{\"id\":\"a\",\"type\":\"user\",\"content\":\"x\"},";
        push(
            inputs,
            bytes,
            &format!("a long {field}"),
            (&list, element, "1]}"),
        );
        push(
            inputs,
            bytes,
            &format!("{field} of texts"),
            (&list, b"\"x\",", "1]}"),
        );
    }
}

fn read_all(dialect: &'static dyn Agent, input: &[u8]) {
    let mut paths = dialect.samples().paths.iter().map(Path::new);
    let document = paths.rfind(|path| path.extension().is_some_and(|ending| ending == "json"));
    let path = document.unwrap_or(Path::new("/x/export.json"));
    let _header = dialect.describe(input).header;
    let _messages = dialect.messages(input).len();
    let _document = dialect.document_lines(input).is_some();
    let _facts = dialect.sidecar_facts(path, input).len();
    let head = &input[..input.len().min(64 * 1024)];
    let candidate = Candidate::new(path, head).beside(Some(input));
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
    let mut inputs = Inputs::new();
    repeated_pieces(&mut inputs, bytes);
    repeated_fields(&mut inputs, bytes);
    for (name, input) in inputs {
        for dialect in agents::all() {
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
    let limit = Duration::from_millis(250);
    let times = slowest(8 * 1024, limit);
    assert!(times.len() > 5000, "only {} inputs", times.len());
    assert!(times[0].0 < limit, "{:?}", times[0]);
}

#[test]
#[ignore = "some thousand inputs of 1 MiB: a quarter of an hour"]
fn no_odd_input_of_a_mebibyte_takes_a_second() {
    let limit = Duration::from_secs(1);
    let times = slowest(1024 * 1024, limit);
    assert!(times[0].0 < limit, "{:?}", times[0]);
}
