//! docs/reliability.md: every promise and every failure has its row there, and every test that is
//! named is in the tree.

use crate::page::{Tests, rows, tests};
use crate::source::{File, read, rust_files};

const PAGE: &str = "docs/reliability.md";

/// The first cells of the rows that have to be there, each with a test: the promises of the
/// design, and what issue 4 asks for.
const ROWS: [&str; 18] = [
    "1. The stored value is the line",
    "2. One transaction",
    "3. `Ok` means on disk",
    "4. Nothing is lost by use",
    "5. Nothing hides a session",
    "6. Several processes",
    "7. A list never touches records",
    "8. Text is untrusted, files are private",
    "group commit",
    "many processes",
    "power cuts",
    "I/O faults",
    "bad bytes in the store",
    "repair",
    "bad bytes in JSONL",
    "backup and restore",
    "security",
    "soak",
];

/// The tests that the cells of a row name.
fn named_in<'p>(row: &[&'p str]) -> Vec<(String, &'p str)> {
    row.iter().flat_map(|cell| tests(cell)).collect()
}

/// What is wrong with the page.
fn complaints(page: &str, files: &[File]) -> Vec<String> {
    let known = Tests::of(files);
    let rows = rows(page);
    let mut complaints = Vec::new();
    for wanted in ROWS {
        let mut found = rows.iter().filter(|row| row.first() == Some(&wanted));
        match found.next().map(|row| named_in(row)) {
            None => complaints.push(format!("`{wanted}` has no row")),
            Some(named) if named.is_empty() => {
                complaints.push(format!("`{wanted}` names no test"));
            }
            Some(_) => {}
        }
    }
    for row in &rows {
        for (file, test) in named_in(row) {
            if !known.has(&file, test) {
                complaints.push(format!("{test} is not in {file}"));
            }
        }
    }
    complaints
}

#[test]
fn every_promise_and_failure_is_shown_by_a_test_that_is_there() {
    let found = complaints(&read(PAGE), &rust_files());
    assert!(found.is_empty(), "{PAGE}:\n{}", found.join("\n"));
}

#[test]
fn a_page_that_lacks_a_row_or_names_no_test_is_found() {
    let page = "| soak | x | `kill::nothing_of_the_kind` |\n| repair | x | soon |\n";
    let found = complaints(page, &rust_files());
    assert!(found.contains(&"nothing_of_the_kind is not in tests/it/kill.rs".to_owned()));
    assert!(found.contains(&"`repair` names no test".to_owned()));
    assert!(found.contains(&"`security` has no row".to_owned()));
    assert_eq!(found.len(), ROWS.len());
}
