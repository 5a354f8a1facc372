//! No file is made with the mode that the umask leaves: a rule over the source, of the tool too. What
//! it comes to under each umask is tested in `cli/tests/it/security/modes.rs`.

use crate::source;

/// Calls that make a file or folder with the mode that the umask leaves, by file: each of them is
/// one too many, or stands here with its reason.
const ALLOWED: [(&str, &str); 3] = [
    // The mode of the file that it takes the place of.
    ("src/store/redb/copies/copy_file.rs", "set_permissions"),
    // A copy of another program's database, in a private temporary folder.
    ("src/agents/parts/sqlite/open.rs", "fs::copy"),
    // The rewritten history keeps the mode that its owner gave it.
    ("src/transfer/histories/journal/mod.rs", "set_permissions"),
];

/// Files of the crate that are tests alone.
const TESTS: [&str; 6] = [
    "/tests.rs",
    "/round_trip.rs",
    "/sweeps/",
    "src/fuzz/",
    "/hostile_text.rs",
    "/snapshots.rs",
];

fn wide_calls(files: &[source::File]) -> Vec<String> {
    let calls = [
        "File::create",
        "fs::write",
        "fs::copy",
        "create_dir",
        "create_dir_all",
        "set_permissions",
        "hard_link",
    ];
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_crate()) {
        let code = source::code(&file.text);
        let code = code.split("mod tests {").next().unwrap_or(&code);
        let is_tests = TESTS.iter().any(|name| file.path.contains(name));
        for call in calls {
            let is_allowed = ALLOWED.contains(&(file.path.as_str(), call));
            if !is_tests && !is_allowed && code.contains(&format!("{call}(")) {
                found.push(format!("{}: {call}", file.path));
            }
        }
        let makes =
            code.matches(".create(true)").count() + code.matches(".create_new(true)").count();
        let modes = code.matches("OpenOptionsExt::mode").count() + code.matches("private(").count();
        if !is_tests && makes > modes {
            found.push(format!("{}: makes files without a mode", file.path));
        }
    }
    found
}

#[test]
fn no_file_is_made_with_the_mode_that_the_umask_leaves() {
    let found = wide_calls(&source::rust_files());
    assert_eq!(found, Vec::<String>::new());
    let wide = "fn f() { File::create(path); }";
    assert_eq!(
        wide_calls(&[source::File::new("src/store/x.rs", wide)]).len(),
        1
    );
    let wide = "fn f() { OpenOptions::new().create_new(true); }";
    assert_eq!(
        wide_calls(&[source::File::new("src/store/x.rs", wide)]).len(),
        1
    );
}
