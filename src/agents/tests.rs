//! What holds for every dialect, on good, damaged and arbitrary lines.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::model::limits::LINE_MESSAGES_MAX;
use crate::model::record::{RecordFlags, RecordKind};

/// The sample lines of each agent that has some, the first of which is a message.
fn samples() -> impl Iterator<Item = (&'static dyn Agent, &'static [&'static str])> {
    let samples = all().iter().map(|agent| (*agent, agent.samples().lines));
    samples.filter(|(_, lines)| !lines.is_empty())
}

/// Every dialect with a line of its own that is a message.
fn messages_of_each() -> impl Iterator<Item = (&'static dyn Dialect, &'static str)> {
    samples().map(|(agent, lines)| (agent as &dyn Dialect, lines[0]))
}

#[track_caller]
fn check(dialect: &dyn Dialect, line: &[u8]) -> RecordKind {
    let described = dialect.describe(line);
    let header = described.header;
    let shown = String::from_utf8_lossy(line);
    assert_eq!(
        header.messages as usize,
        dialect.messages(line).len(),
        "{dialect:?}: {shown}"
    );
    assert!(header.messages as usize <= LINE_MESSAGES_MAX);
    assert_eq!(
        header.kind == RecordKind::Message,
        header.messages > 0,
        "{dialect:?}: {shown}"
    );
    let damaged = header.flags.contains(RecordFlags::DAMAGED);
    assert!(
        damaged || header.kind != RecordKind::Malformed,
        "{dialect:?}: {shown}"
    );
    let flagged = damaged || header.flags.contains(RecordFlags::LOSSY);
    assert_eq!(described.problem.is_some(), flagged, "{dialect:?}: {shown}");
    header.kind
}

#[test]
fn blank_lines_have_no_problem() {
    for dialect in all() {
        for line in ["", "\n", "\r\n", " \t \n", "\u{feff}\n"] {
            // picoclaw counts what is not quite empty, and cannot read it.
            let is_empty = line.trim_end_matches(['\r', '\n']).is_empty();
            let expected = if dialect.agent() == "picoclaw" && !is_empty {
                RecordKind::Malformed
            } else {
                RecordKind::Blank
            };
            assert_eq!(check(*dialect, line.as_bytes()), expected, "{line:?}");
        }
    }
}

#[test]
fn what_is_no_object_is_malformed_and_says_why() {
    for dialect in all() {
        for (line, problem) in [
            ("[]\n", "not a JSON object"),
            ("null", "not a JSON object"),
            ("\"x\"", "not a JSON object"),
            ("NaN", "not JSON: expected value at column 1"),
            (
                "\u{feff}  {broken",
                "not JSON: key must be a string at column 7",
            ),
            ("{\"type\":\"mess\n", "cut off before its end"),
            ("\0\0\0\0", "NUL bytes instead of text"),
        ] {
            assert_eq!(
                check(*dialect, line.as_bytes()),
                RecordKind::Malformed,
                "{line:?}"
            );
            assert_eq!(
                dialect.describe(line.as_bytes()).problem.as_deref(),
                Some(problem)
            );
        }
    }
}

#[test]
fn kinds_that_are_not_known_are_kept_without_a_problem() {
    for dialect in all() {
        let line = b"{\"type\":\"of-next-year\",\"x\":[1,{\"y\":1e400}]}\r\n";
        assert_eq!(check(*dialect, line), RecordKind::Unknown, "{dialect:?}");
    }
}

#[test]
fn marks_and_line_ends_around_a_line_do_not_matter() {
    for (dialect, line) in messages_of_each() {
        let plain = dialect.describe(line.as_bytes());
        assert_eq!(plain.header.kind, RecordKind::Message);
        for around in [
            format!("{line}\n"),
            format!(" {line} \r\n"),
            format!("\u{feff}{line}\r\n"),
        ] {
            assert_eq!(dialect.describe(around.as_bytes()), plain, "{around:?}");
        }
    }
}

#[test]
fn damaged_lines_give_the_messages_that_are_whole() {
    for (dialect, line) in messages_of_each() {
        let (cut, _) = line.split_at(line.len() / 2);
        for (damaged, messages, problem) in [
            (format!("{line}{line}\n"), 2, "2 JSON objects on one line"),
            (
                format!("{cut}{line}\n"),
                1,
                "a cut-off record, then a whole one",
            ),
            (
                format!("{line}{cut}\n"),
                1,
                "a whole record, then a cut-off one",
            ),
            (
                format!("\0\0\0{line}\n"),
                1,
                "NUL bytes beside a JSON object",
            ),
            (
                format!("{cut}\0\0{line}\n"),
                1,
                "a cut-off record, then a whole one",
            ),
            (format!("{cut}\n"), 0, "cut off before its end"),
        ] {
            let described = dialect.describe(damaged.as_bytes());
            check(dialect, damaged.as_bytes());
            assert_eq!(
                described.header.messages, messages,
                "{dialect:?}: {damaged:?}"
            );
            assert_eq!(
                described.problem.as_deref(),
                Some(problem),
                "{dialect:?}: {damaged:?}"
            );
            assert!(described.header.flags.contains(RecordFlags::DAMAGED));
            let whole = &dialect.messages(line.as_bytes())[0];
            assert!(
                dialect
                    .messages(damaged.as_bytes())
                    .iter()
                    .all(|message| message == whole)
            );
        }
    }
}

#[test]
fn a_line_of_very_many_messages_is_capped() {
    for (dialect, line) in messages_of_each() {
        let damaged = line.repeat(LINE_MESSAGES_MAX + 3);
        check(dialect, damaged.as_bytes());
        let described = dialect.describe(damaged.as_bytes());
        assert_eq!(described.header.messages as usize, LINE_MESSAGES_MAX);
    }
}

#[test]
fn bytes_that_are_not_text_are_replaced_and_reported() {
    for (dialect, line) in messages_of_each() {
        let bad = line.replace("hi", "\u{1}").into_bytes();
        let bad: Vec<u8> = bad
            .into_iter()
            .map(|byte| if byte == 1 { 0xff } else { byte })
            .collect();
        check(dialect, &bad);
        let described = dialect.describe(&bad);
        assert!(described.header.flags.contains(RecordFlags::LOSSY));
        let problem = "not valid UTF-8, read with replacement characters";
        assert_eq!(described.problem.as_deref(), Some(problem));
        assert_eq!(
            dialect.messages(&bad)[0].plain_text(),
            "\u{fffd}",
            "{dialect:?}"
        );

        let lone = line.replace("hi", "\\ud83d");
        check(dialect, lone.as_bytes());
        let described = dialect.describe(lone.as_bytes());
        assert_eq!(described.header.kind, RecordKind::Message);
        assert!(described.header.flags.contains(RecordFlags::LOSSY));
        assert_eq!(
            dialect.messages(lone.as_bytes())[0].plain_text(),
            "\u{fffd}",
            "{dialect:?}"
        );
    }
}

#[test]
fn odd_values_fail_a_field_and_not_the_line() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for (dialect, line) in messages_of_each() {
        for odd in [
            "1e400",
            "-0",
            "99999999999999999999999999",
            "{}",
            "[]",
            "null",
            &deep,
        ] {
            for key in [
                "id",
                "uuid",
                "timestamp",
                "time",
                "model",
                "usage",
                "cwd",
                "title",
                "new",
            ] {
                let odd = format!("{},\"{key}\":{odd}}}\n", line.strip_suffix('}').unwrap());
                assert_eq!(
                    check(dialect, odd.as_bytes()),
                    RecordKind::Message,
                    "{dialect:?} {key}"
                );
            }
        }
    }
}

#[test]
fn the_last_of_two_values_counts() {
    for (dialect, line) in messages_of_each() {
        let role = r#""role":"assistant""#;
        let twice = line.replace(r#""role":"#, &format!("{role},\"role\":"));
        let (once, twice) = (
            dialect.describe(line.as_bytes()),
            dialect.describe(twice.as_bytes()),
        );
        assert_eq!(once, twice);
    }
}

#[test]
fn every_dialect_is_recognised_by_its_lines_and_no_other_takes_them() {
    for (agent, lines) in samples() {
        let head = lines.join("\n");
        let damaged = format!("\0\0\0\nnot json\n{{\"type\":\"cut\n\n{head}");
        for head in [&head, &damaged] {
            let candidate = Candidate::new(Path::new("/x/some.jsonl"), head.as_bytes());
            let found = recognise(&candidate).map(Dialect::agent);
            assert_eq!(found, Some(agent.agent()), "{head}");
        }
    }
}

#[test]
fn an_agent_without_a_dialect_is_read_by_the_fallback() {
    assert_eq!(of_agent("codex").agent(), "codex");
    assert_eq!(of_agent("nobody").agent(), "jsonl");
    assert!(named("nobody").is_none());
}

/// A line made of whole, cut, doubled and overwritten lines of one dialect.
fn damaged(lines: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..lines.len(), any::<prop::sample::Index>(), 0..4_u8).prop_map(
        move |(line, at, what)| {
            let mut bytes = lines[line].as_bytes().to_vec();
            let at = at.index(bytes.len());
            match what {
                0 => bytes.truncate(at),
                1 => bytes[at] = b'"',
                2 => bytes[at] = 0,
                _ => {}
            }
            bytes
        },
    );
    let noise = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        "[{}\\[\\]\",:0\\\\ ]{0,6}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(prop_oneof![3 => piece, 1 => noise], 0..5)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn describe_and_messages_agree_on_damaged_lines(
        (dialect, line) in (0..samples().count())
            .prop_map(|at| samples().nth(at).unwrap())
            .prop_flat_map(|(agent, lines)| (Just(agent), damaged(lines))),
    ) {
        check(dialect, &line);
    }

    #[test]
    fn no_bytes_make_a_dialect_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for dialect in all() {
            check(*dialect, &bytes);
            let candidate = Candidate::new(Path::new("/x/a.jsonl"), &bytes);
            let _found = recognise(&candidate).is_some();
            prop_assert!(!dialect.session_id(&candidate).is_empty());
            prop_assert!(recognise_document(&candidate).is_none());
        }
    }
}

/// It may be an inner part of what was lost.
#[test]
fn an_object_of_no_known_kind_behind_noise_is_no_record() {
    for (dialect, _) in messages_of_each() {
        let described = dialect.describe(br#"noise {"x":1}"#);
        let kind = described.header.kind;
        assert_eq!(kind, RecordKind::Malformed, "{}", dialect.agent());
        let problem = described.problem.unwrap();
        assert!(problem.starts_with("not JSON"), "{problem}");
    }
}

/// The dialect that is surest of a file is asked first by its place: the answer has to be the one
/// that all of them together give.
#[test]
fn a_file_is_of_the_dialect_that_is_surest_of_it() {
    const OTHERS: [&str; 7] = [
        "/copy/projects/-w/s.jsonl",
        "/copy/sessions/2026/04/03/rollout-2026-04-03T09-00-00-u.jsonl",
        "/copy/chats/session-1.jsonl",
        "/h/.jcode/sessions/session_1.jsonl",
        "/h/.jcode/sessions/0f0e0d0c-0b0a-0908-0706-050403020100.jsonl",
        "/h/.celeste/sessions/chats/s.jsonl",
        "/x/s.json",
    ];
    let paths = || all().iter().flat_map(|agent| agent.samples().paths);
    for (_, lines) in samples() {
        for line in lines
            .iter()
            .chain(&["", "{\"\\u0073crollback\":1,\"type\":\"x\"}"])
        {
            for path in paths().chain(&OTHERS) {
                for companion in [None, Some(&b"{}"[..])] {
                    let candidate =
                        Candidate::new(Path::new(path), line.as_bytes()).beside(companion);
                    // The first of the surest.
                    let surest = all()
                        .iter()
                        .rev()
                        .max_by_key(|one| one.recognise(&candidate));
                    let surest = surest.filter(|one| one.recognise(&candidate) > Recognition::No);
                    assert_eq!(
                        recognise(&candidate).map(Dialect::agent),
                        surest.map(|one| one.agent()),
                        "{path} {line}"
                    );
                }
            }
        }
    }
}
