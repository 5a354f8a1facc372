//! Rules over the source text. Each rule is a function from files to complaints, with one test
//! that the tree keeps it and one that it can be broken.

use std::path::{Path, PathBuf};

use crate::circles;
use crate::modules::{self, Named};
use crate::source::{self, File, code, identifiers};

/// The layers from the lowest to the highest; a module names only modules before it.
const LAYERS: [&str; 13] = [
    "system",
    "json",
    "model",
    "jsonl",
    "codec",
    "render",
    "search",
    "agents",
    "store",
    "provider",
    "transfer",
    "facade",
    "conformance",
];

/// Folders in which circles are still to be broken: each counts as one file.
const WITH_CIRCLES: [&str; 0] = [];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// A module names only modules of lower layers, and by their own path.
fn upward_arrows(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let path = file.module_path();
        let Some(own) = path.first().and_then(|module| rank(module)) else {
            continue;
        };
        for named in Named::of(file).top_names() {
            match rank(named) {
                Some(other) if other <= own => {}
                Some(_) => complaints.push(format!("{} names `{named}`, above it", file.path)),
                None => complaints.push(format!(
                    "{} names `crate::{named}`; name the module that it lies in",
                    file.path
                )),
            }
        }
    }
    complaints
}

/// No file leads back to itself.
fn circles(files: &[File]) -> Vec<String> {
    let arrows = modules::arrows(files, &WITH_CIRCLES);
    let mut complaints = Vec::new();
    for circle in circles::circles(&arrows) {
        complaints.push(format!("{} files are a circle:", circle.len()));
        for file in &circle {
            let named: Vec<&str> = arrows[file]
                .intersection(&circle)
                .map(String::as_str)
                .collect();
            complaints.push(format!("  {file} names {}", named.join(", ")));
        }
    }
    complaints
}

#[test]
fn no_file_leads_back_to_itself() {
    assert_none(&circles(&source::rust_files()));
}

#[test]
fn arrows_between_modules_point_down() {
    assert_none(&upward_arrows(&source::rust_files()));
}

#[test]
fn an_upward_arrow_is_found() {
    let up = |path, text| upward_arrows(&[File::new(path, text)]).len();
    assert_eq!(up("src/model/key.rs", "use crate::store::Store;"), 1);
    assert_eq!(
        up(
            "src/codec/mod.rs",
            "use crate::{model::key::SessionKey, cli::run};"
        ),
        1
    );
    assert_eq!(up("src/render/mod.rs", "use super::store::Store;"), 1);
    assert_eq!(
        up(
            "src/agents/a/b.rs",
            "fn f() { super::super::super::transfer::import() }"
        ),
        1
    );
    assert_eq!(up("src/store/mod.rs", "use crate::SessionKey;"), 1);
    assert_eq!(
        up(
            "src/store/mod.rs",
            "use crate::{codec::row, model::{key, record}};"
        ),
        0
    );
    assert_eq!(
        up(
            "src/store/mod.rs",
            "// use crate::cli;\nconst A: &str = \"crate::cli\";"
        ),
        0
    );
    assert_eq!(
        up("migrations/0001_first.rs", "use crate::transfer::import;"),
        1
    );
}

/// Who may name what: an identifier, and the folders whose code may hold it.
const ROOMS: [(&str, &[&str]); 12] = [
    ("md5", &["src/agents/kimi/"]),
    ("regex", &["src/search/"]),
    ("regex_syntax", &["src/search/"]),
    (
        "rusqlite",
        &[
            "src/agents/opencode/",
            "src/agents/parts/rows/",
            "src/agents/parts/sqlite/",
        ],
    ),
    (
        "sha2",
        &[
            "src/codec/",
            "src/store/redb/tests/chain_paths.rs",
            "src/agents/",
            "src/facade/",
        ],
    ),
    ("redb", &["src/store/", "migrations/"]),
    ("bincode", &["src/codec/"]),
    ("clap", &["cli/src/"]),
    ("indicatif", &["cli/src/"]),
    ("terminal_size", &["cli/src/"]),
    ("unicode_width", &["cli/src/"]),
    ("etcetera", &["cli/src/"]),
];

fn strangers(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_crate()) {
        let text = code(&file.text);
        for (place, name) in identifiers(&text) {
            let rest = text[place + name.len()..].trim_start();
            let rooms: Option<&[&str]> = match name {
                "println" | "eprintln" | "print" | "eprint" | "dbg" if rest.starts_with('!') => {
                    // A sweep says how many cases it had; it is no part of the library.
                    Some(&["cli/src/", "src/store/redb/tests/sweeps/"])
                }
                "env" if !rest.starts_with('!') => Some(&["cli/src/", "src/provider/"]),
                _ => ROOMS
                    .iter()
                    .find(|(word, _)| *word == name)
                    .map(|(_, rooms)| *rooms),
            };
            if rooms.is_some_and(|rooms| !rooms.iter().any(|room| file.path.starts_with(room))) {
                let line = text[..place].matches('\n').count() + 1;
                complaints.push(format!("{}:{line} names `{name}`", file.path));
            }
        }
    }
    complaints
}

#[test]
fn only_its_own_room_names_a_dependency_or_prints_or_asks_the_environment() {
    assert_none(&strangers(&source::rust_files()));
}

#[test]
fn a_name_in_the_wrong_room_is_found() {
    let found = |path, text| strangers(&[File::new(path, text)]).len();
    assert_eq!(found("src/model/key.rs", "fn f(e: redb::Error) {}"), 1);
    assert_eq!(
        found("src/store/schema.rs", "#[derive(bincode::Encode)]"),
        1
    );
    assert_eq!(found("src/lib.rs", "use clap::Parser;"), 1);
    assert_eq!(found("src/store/mod.rs", "fn f() { println!(\"a\") }"), 1);
    assert_eq!(
        found("src/transfer/import/mod.rs", "std::env::var(\"HOME\")"),
        1
    );
    assert_eq!(
        found(
            "cli/src/main.rs",
            "std::env::var(\"HOME\"); eprintln!(); use clap::Args;"
        ),
        0
    );
    assert_eq!(
        found(
            "src/model/key.rs",
            "// as redb::Error\nlet a = \"redb::b\"; env!(\"X\");"
        ),
        0
    );
}

/// Every file starts by saying what it is, holds one concern, and is named after it.
fn shapeless(files: &[File]) -> Vec<String> {
    const LINES_MAX: usize = 500;
    const VAGUE: [&str; 8] = [
        "util", "utils", "common", "helper", "helpers", "misc", "shared", "stuff",
    ];
    let mut complaints = Vec::new();
    for file in files {
        if !file.text.starts_with("//! ") {
            complaints.push(format!("{} does not start with `//! `", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!(
                "{} has {lines} lines, more than {LINES_MAX}",
                file.path
            ));
        }
        let stem = Path::new(&file.path).file_stem().unwrap().to_string_lossy();
        if VAGUE.contains(&stem.as_ref()) {
            complaints.push(format!("{}: name the concern", file.path));
        }
    }
    complaints
}

#[test]
fn every_file_has_a_doc_one_concern_and_a_name() {
    assert_none(&shapeless(&source::rust_files()));
}

#[test]
fn a_file_without_doc_or_name_or_end_is_found() {
    let found = |path: &str, text: &str| shapeless(&[File::new(path, text)]).len();
    assert_eq!(found("src/a.rs", "use std::io;"), 1);
    assert_eq!(found("src/a.rs", &format!("//! A.{}", "\n".repeat(501))), 1);
    assert_eq!(found("src/util.rs", "//! A."), 1);
    assert_eq!(found("src/a.rs", &format!("//! A.{}", "\n".repeat(500))), 0);
}

/// Nothing is left for later: no notes to self, no stubs.
fn unfinished(files: &[File]) -> Vec<String> {
    // In pieces, so that this file keeps its own rule.
    let notes = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let stubs = [concat!("to", "do"), concat!("unimpl", "emented")];
    let mut complaints = Vec::new();
    for file in files {
        let mut complain = |word| complaints.push(format!("{} holds `{word}`", file.path));
        for note in notes {
            if identifiers(&file.text).any(|(_, name)| name == note) {
                complain(note);
            }
        }
        if file.is("rs") {
            let text = code(&file.text);
            for stub in stubs {
                let called = |place: usize| text[place + stub.len()..].starts_with('!');
                if identifiers(&text).any(|(place, name)| name == stub && called(place)) {
                    complain(stub);
                }
            }
        }
    }
    complaints
}

#[test]
fn nothing_is_left_for_later() {
    let mut files = source::rust_files();
    files.extend(source::documents());
    assert_none(&unfinished(&files));
}

#[test]
fn a_note_to_self_is_found() {
    let found = |text: String| unfinished(&[File::new("src/a.rs", &text)]).len();
    assert_eq!(found(format!("// {}: later", concat!("TO", "DO"))), 1);
    assert_eq!(found(format!("fn a() {{ {}!() }}", concat!("to", "do"))), 1);
    assert_eq!(
        found(format!(
            "fn a() {{ {}!(\"x\") }}",
            concat!("unimpl", "emented")
        )),
        1
    );
    let larger = format!("let todo = \"a\"; // {}L", concat!("XX", "X"));
    assert_eq!(found(larger), 0);
}

/// Every file of the integration tests is part of the binary, and in its table of contents.
fn undeclared(files: &[File], folder: &str) -> Vec<String> {
    let main = format!("{folder}main.rs");
    let main = files
        .iter()
        .find(|file| file.path == main)
        .expect("main.rs");
    let declared = code(&main.text);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with(folder)) {
        let rest = file.path[folder.len()..]
            .trim_end_matches(".rs")
            .trim_end_matches("/mod");
        if rest == "main" || rest.contains('/') {
            continue;
        }
        if !declared
            .lines()
            .any(|line| line.trim() == format!("mod {rest};"))
        {
            complaints.push(format!("{} is not declared in {folder}main.rs", file.path));
        }
        let listed = main.text.lines().filter(|line| line.starts_with("//! "));
        if !listed
            .into_iter()
            .any(|line| line.contains(&format!("`{rest}`")))
        {
            complaints.push(format!("{} is not described in {folder}main.rs", file.path));
        }
    }
    complaints
}

#[test]
fn every_test_module_is_declared_and_described() {
    for folder in ["tests/it/", "cli/tests/it/"] {
        assert_none(&undeclared(&source::rust_files(), folder));
    }
}

#[test]
fn a_forgotten_test_module_is_found() {
    let main = File::new("tests/it/main.rs", "//! - `a`: first\n\nmod a;");
    let found = |path| undeclared(&[main.clone(), File::new(path, "//! A.")], "tests/it/").len();
    assert_eq!(found("tests/it/a.rs"), 0);
    assert_eq!(found("tests/it/b.rs"), 2);
}

/// Links within the repository lead somewhere.
fn dead_links(files: &[File], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for part in file.text.split("](").skip(1) {
            let Some(target) = part.split([')', ' ', '\n']).next() else {
                continue;
            };
            if target.contains("://") || target.starts_with("mailto:") || target.starts_with('#') {
                continue;
            }
            let target = target.split('#').next().unwrap_or_default();
            let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
            if target.starts_with('/') || !exists(&folder.join(target)) {
                complaints.push(format!(
                    "{} links to `{target}`, which is not there",
                    file.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn links_in_documents_lead_somewhere() {
    let root = source::root();
    assert_none(&dead_links(&source::documents(), |path| {
        root.join(path).exists()
    }));
}

#[test]
fn a_dead_link_is_found() {
    let here = |path: &Path| path == Path::new("docs/here.md");
    let found = |text| dead_links(&[File::new("docs/a.md", text)], here).len();
    assert_eq!(
        found("[a](gone.md) [b](here.md#part) [c](here.md) [d](https://example.org)"),
        1
    );
    assert_eq!(found("[a](/docs/here.md)"), 1);
}

/// No file of the repository names a folder of the machine that it was written on.
fn machine_paths(files: &[File], folders: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for folder in folders {
            let whole = |place: usize| {
                let before = file.text[..place].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && !"/._-".contains(c))
            };
            if file
                .text
                .match_indices(folder.as_str())
                .any(|(place, _)| whole(place))
            {
                complaints.push(format!("{} names `{folder}`", file.path));
            }
        }
    }
    complaints
}

#[test]
fn no_file_names_a_folder_of_this_machine() {
    let root = source::root();
    let mut folders = vec![root.display().to_string()];
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from) {
        folders.push(target.display().to_string());
    }
    // A folder such as `/src` says nothing about a machine.
    folders.retain(|folder| folder.matches('/').count() > 1);
    assert_none(&machine_paths(&source::all_files(), &folders));
}

#[test]
fn a_folder_of_this_machine_is_found() {
    let folders = ["/builds/one".to_owned()];
    let found = |text| machine_paths(&[File::new("README.md", text)], &folders).len();
    assert_eq!(found("run `/builds/one/target/debug/scrollback`"), 1);
    assert_eq!(found("see a/builds/one"), 0);
}

/// Every limit says what it is and is tested at its edge.
fn loose_limits(limits: &str, tests: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut documented = false;
    for line in limits.lines() {
        if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap_or_default();
            if !documented {
                complaints.push(format!("`{name}` has no doc"));
            }
            if !identifiers(&code(tests)).any(|(_, tested)| tested == name) {
                complaints.push(format!("`{name}` is in no test of tests/it/limits*.rs"));
            }
        }
        documented = line.starts_with("///");
    }
    complaints
}

#[test]
fn every_limit_is_documented_and_tested() {
    let limits = source::read("src/model/limits.rs");
    assert!(limits.contains("pub const "), "the limits have moved");
    let tests = [
        "limits",
        "limits_of_batches",
        "limits_of_files",
        "limits_of_searches",
    ]
    .map(|file| source::read(&format!("tests/it/{file}.rs")))
    .concat();
    assert_none(&loose_limits(&limits, &tests));
}

#[test]
fn a_loose_limit_is_found() {
    assert_eq!(
        loose_limits("pub const A_MAX: u64 = 1;", "// A_MAX").len(),
        2
    );
    assert_eq!(
        loose_limits("/// A.\npub const A_MAX: u64 = 1;", "f(A_MAX);").len(),
        0
    );
}

pub(crate) fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
