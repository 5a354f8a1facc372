//! The library says nothing of what is in sessions unless it is asked: it prints nothing, what it
//! logs are errors, and errors name places, not contents.

use crate::source;

/// Macros that print; those of the tool's one writer are `writeln!` to it.
const PRINTING: [&str; 6] = [
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "stdout()",
];

#[test]
fn the_library_prints_nothing() {
    let mut looked_at = 0;
    for file in source::rust_files().iter().filter(|file| file.is_crate()) {
        let code = source::code(&file.text);
        let code = code.split("mod tests {").next().unwrap_or(&code);
        let is_tool = file.path.starts_with("cli/src/") || file.path.ends_with("tests.rs");
        for word in PRINTING {
            let is_there = code.contains(word)
                && !is_tool
                && !file.path.starts_with("src/store/redb/tests/sweeps/");
            assert!(!is_there, "{} has {word}", file.path);
        }
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[test]
fn only_errors_are_logged() {
    let mut calls = 0;
    for file in source::rust_files().iter().filter(|file| file.is_crate()) {
        let code = source::code(&file.text);
        for (at, _) in code.match_indices("tracing::") {
            let call: String = file.text[at..].chars().take(160).collect();
            let words = ["error", "warn"];
            let level = words
                .iter()
                .any(|word| call.starts_with(&format!("tracing::{word}!")));
            assert!(level, "{}: {call}", file.path);
            let tells = ["error", "store = %path.display()"];
            assert!(
                tells.iter().any(|word| call.contains(word)),
                "{}: {call}",
                file.path
            );
            calls += 1;
        }
    }
    assert!(calls > 0);
}
