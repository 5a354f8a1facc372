//! Damage of every kind that was seen, and lines made to cost as much as they can.

use proptest::prelude::*;

use super::*;

const RECORD: &str = r#"{"type":"message","n":-1.5e3,"ok":true,"list":[{"a":"b"},[]],"text":"a \"quoted\" \u00e9 é","in":{"x":null}}"#;

fn texts(body: &str) -> Vec<&str> {
    split(body)
        .values
        .iter()
        .map(|value| value.object.get())
        .collect()
}

fn problem(body: &str) -> String {
    let split = split(body);
    split.problem(split.values.len(), 0)
}

#[test]
fn a_record_behind_a_cut_off_one_is_found_wherever_the_cut_is() {
    for (cut, _) in RECORD.char_indices().skip(1) {
        for gap in ["", " ", "\0\0\0"] {
            let line = format!("{}{gap}{RECORD}", RECORD.split_at(cut).0);
            let split = split(&line);
            let last = split.values.last().map(|value| value.object.get());
            assert_eq!(last, Some(RECORD), "cut at {cut}: {line}");
            assert!(
                split
                    .values
                    .iter()
                    .all(|value| value.object.get() == RECORD),
                "cut at {cut}: an inner part taken for a record: {split:?}"
            );
        }
    }
}

#[test]
fn all_whole_objects_are_found() {
    assert_eq!(
        texts(r#"{"a":1}{"b":2} {"c":3}"#),
        [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]
    );
    assert_eq!(texts("\0\0{\"a\":1}\0"), ["{\"a\":1}"]);
    assert_eq!(texts(r#"{"a":{"b":1} oops}"#), [] as [&str; 0]);
    assert_eq!(texts(r#"{"a":1}{"b":"#), [r#"{"a":1}"#]);
    assert_eq!(texts(r#"x": "y"}{"a":1}"#), [r#"{"a":1}"#]);
    assert_eq!(texts(r#"[{"a":1}]"#), [] as [&str; 0]);
}

#[test]
fn the_problem_is_named() {
    for (body, expected) in [
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("\0\0", "NUL bytes instead of text"),
        ("{\"a\":[1,", "cut off before its end"),
        ("not json", "not JSON: expected ident at column 2"),
        ("{broken", "not JSON: key must be a string at column 2"),
        ("NaN", "not JSON: expected value at column 1"),
        (r#"{"a":1}{"b":2}"#, "2 JSON objects on one line"),
        (r#"{"a":1}{"b":"#, "a whole record, then a cut-off one"),
        (r#"{"a":"x{"b":2}"#, "a cut-off record, then a whole one"),
        (
            r#"{"a":1} tail"#,
            "a JSON object among text that is not JSON",
        ),
        ("{\"a\":1}\0\0", "NUL bytes beside a JSON object"),
        (
            r#"{"a":1}x{"b":2}"#,
            "2 JSON objects on one line, and text that is not JSON",
        ),
    ] {
        assert_eq!(problem(body), expected, "{body:?}");
    }
}

#[test]
fn hostile_lines_take_bounded_work() {
    let started = std::time::Instant::now();
    for unit in [
        "{\"a\":",
        "{\"a\":{\"a\" ",
        "{",
        "[{\"",
        "{\"\\",
        "\0{\"",
        "{}",
        "x{\"a",
        "\"{\"",
    ] {
        let line = unit.repeat(4_000_000 / unit.len());
        assert!(split(&line).values.len() <= LINE_MESSAGES_MAX, "{unit:?}");
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn whatever_is_found_is_an_object_of_the_line(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(RECORD.to_owned()),
                (0..RECORD.len()).prop_map(|cut| RECORD.split_at(floor(RECORD, cut)).0.to_owned()),
                "[{}\\[\\]\",:0\\\\ a]{0,12}",
                any::<String>(),
            ],
            0..6,
        ),
    ) {
        let line = pieces.concat();
        let mut from = 0;
        for value in split(&line).values {
            let at = line.split_at(from).1.find(value.object.get());
            prop_assert!(at.is_some(), "found twice or out of order");
            from += at.unwrap() + value.object.get().len();
            prop_assert!(serde_json::from_str::<IgnoredAny>(value.object.get()).is_ok());
            prop_assert_eq!(value.object.get().as_bytes().first(), Some(&b'{'));
        }
    }
}

/// What stands behind more noise than is tried stays part of the noise: the line is kept whole and
/// flagged as damaged in any case.
#[test]
fn records_are_found_up_to_the_last_try() {
    for (tries, found) in [(TRIES_MAX, 1), (TRIES_MAX + 1, 0)] {
        let body = "{\"a\"x".repeat(tries) + "{\"a\":1}";
        let split = split(&body);
        assert_eq!(split.values.len(), found, "{tries}");
        assert_ne!(split.unread, Unread::Nothing);
    }
}
