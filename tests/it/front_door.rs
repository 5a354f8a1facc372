//! The rule that the tool uses the public library, and no way around it.

use crate::source::{self, File, code, identifiers};
use crate::tidy::assert_none;

/// The tool uses what the library gives to everybody: none of its files, none of what it has for
/// its own tests.
fn through_the_wall(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("cli/")) {
        // Tests have the library's own helpers, so that there is one of each.
        let is_test = file.path.starts_with("cli/tests/");
        for line in file.text.lines() {
            let reaches = ["#[path", "include!", "include_str!", "include_bytes!"]
                .iter()
                .any(|way| line.contains(way));
            let is_out = line.contains("../") && !(is_test && line.contains("/tests/it/"));
            if reaches && is_out {
                complaints.push(format!("{} reaches out of `cli/`: {line}", file.path));
            }
        }
        let text = code(&file.text);
        for (place, name) in identifiers(&text) {
            if ["fuzz", "conformance"].contains(&name) && text[..place].ends_with("scrollback::") {
                complaints.push(format!("{} names `scrollback::{name}`", file.path));
            }
        }
    }
    complaints
}

#[test]
fn the_tool_uses_what_everybody_can() {
    let files = source::rust_files();
    assert!(
        files.iter().any(|file| file.path == "cli/src/main.rs"),
        "the tool has moved"
    );
    assert_none(&through_the_wall(&files));
    let manifest = source::read("cli/Cargo.toml");
    let library = "scrollback = { path = \"..\", version = \"0.1.0\", features = [\"html\", \"md5\", \"regex\", \"sqlite\"] }";
    assert!(
        manifest.lines().any(|line| line == library),
        "cli/Cargo.toml depends on the library in another way than `{library}`"
    );
}

#[test]
fn a_way_around_the_public_api_is_found() {
    let found = |path, text| through_the_wall(&[File::new(path, text)]).len();
    let module = "#[path = \"../../src/jsonl/mod.rs\"]\nmod jsonl;";
    assert_eq!(found("cli/src/main.rs", module), 1);
    assert_eq!(found("cli/tests/it/main.rs", module), 1);
    let helper = "#[path = \"../../../tests/it/harness.rs\"]\nmod harness;";
    assert_eq!(found("cli/tests/it/main.rs", helper), 0);
    assert_eq!(found("cli/src/main.rs", helper), 1);
    assert_eq!(
        found("cli/src/a.rs", "include!(\"../../src/error.rs\");"),
        1
    );
    assert_eq!(found("cli/src/a.rs", "use scrollback::fuzz::words;"), 1);
    assert_eq!(found("src/lib.rs", module), 0);
}
