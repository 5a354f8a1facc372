//! Files of any content: they grow between two imports, and come back byte for byte.

use std::fs;

use proptest::prelude::*;

use crate::harness::{Home, export_as_lines, files_below};
use crate::import::{open, run_in, says};

/// Bytes that are near to lines of JSON, or far from them.
fn any_content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(says("x").into_bytes()),
        Just(b"{\"type\":\"message\",\"message\":{\"role\":\"user\"".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(vec![0; 300]),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_files_come_back_byte_for_byte(
        first in prop::collection::vec(any_content(), 1..5),
        more in prop::collection::vec(any_content(), 5),
    ) {
        let home = Home::new();
        let store = open(&home);
        let path = |number: usize| match number % 3 {
            0 => format!("in/.claude/projects/-w/{number}.jsonl"),
            1 => format!("in/.ggcode/sessions/{number}.jsonl"),
            _ => format!("in/some where/{number}.jsonl"),
        };
        let mut contents = first;
        for (number, content) in contents.iter().enumerate() {
            home.write(&path(number), content);
        }
        prop_assert_eq!(run_in(&home, &store).skipped, 0);
        // Then every file grows.
        for (number, content) in contents.iter_mut().enumerate() {
            content.extend(&more[number]);
            home.write(&path(number), &content);
        }
        let report = run_in(&home, &store);
        prop_assert_eq!(report.skipped, 0);
        prop_assert_eq!(report.generations, 0);

        fs::remove_dir_all(home.path().join("in")).unwrap();
        let out = home.path().join("out");
        export_as_lines(&store, &out);
        let mut found: Vec<Vec<u8>> =
            files_below(&out).iter().map(|path| fs::read(path).unwrap()).collect();
        found.sort();
        contents.sort();
        prop_assert_eq!(found, contents);
    }
}
