//! The repository's own text, for `tidy`: its files, and their code without comments and strings.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether its name ends so.
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| own == extension)
    }

    /// Whether it is compiled into the library or the tool, and is no test.
    pub(crate) fn is_crate(&self) -> bool {
        ["src/", "migrations/", "cli/src/"]
            .iter()
            .any(|folder| self.path.starts_with(folder))
    }

    /// The path of its module below the crate; empty for files outside of it and for its roots.
    /// Migrations belong
    /// to the store's `migrate`.
    pub(crate) fn module_path(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        match path.split_once('/') {
            Some(("src", "lib" | "main")) => Vec::new(),
            Some(("src", path)) => path.split('/').collect(),
            Some(("migrations", name)) => vec!["store", "redb", "migrate", name],
            _ => Vec::new(),
        }
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file.
pub(crate) fn rust_files() -> Vec<File> {
    let files: Vec<File> = all_files()
        .into_iter()
        .filter(|file| file.is("rs"))
        .collect();
    assert!(
        files.len() > 40,
        "only {} Rust files: is this the root?",
        files.len()
    );
    files
}

/// The documents for people: Markdown in the root, in `docs` and beside the migrations.
pub(crate) fn documents() -> Vec<File> {
    let mut files = all_files();
    files.retain(|file| file.is("md") && !file.path.starts_with("examples/sessions/"));
    assert!(!files.is_empty(), "no documents: is this the root?");
    files
}

/// Every text file of the repository; what git ignores and hidden folders but `.ci` are left out.
pub(crate) fn all_files() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            let skipped = matches!(path.as_str(), "target" | ".git" | ".scrollback-demo");
            if !skipped && !entry.path().join("CACHEDIR.TAG").exists() {
                collect(&entry.path(), &format!("{path}/"), files);
            }
        } else if kind.is_file()
            && path != ".git"
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(File { path, text });
        }
    }
}

/// The code alone: comments and the insides of strings and characters are blanked, line feeds and
/// byte places stay.
pub(crate) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b'/' if rest.starts_with(b"//") => until(rest, b"\n", 2),
            b'/' if rest.starts_with(b"/*") => block_comment(rest),
            b'"' => string(rest),
            b'r' if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => raw(rest),
            b'\'' if rest.get(1) == Some(&b'\\') => until(rest, b"'", 3) + 1,
            b'\'' => character(&text[at..]),
            _ => 0,
        };
        let end = (at + length).min(bytes.len());
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole characters are blanked")
}

fn until(rest: &[u8], end: &[u8], from: usize) -> usize {
    let tail = rest.get(from..).unwrap_or_default();
    tail.windows(end.len())
        .position(|window| window == end)
        .map_or(rest.len(), |at| from + at)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    until(rest, &end, 2 + hashes) + end.len()
}

/// The length of a character literal, or 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(2);
    match characters.next() {
        Some((at, '\'')) => at + 1,
        _ => 0,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Every identifier of a text, with its place.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut place = 0;
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter_map(move |word| {
            let at = place + text[place..].find(word)?;
            place = at + word.len();
            (!word.is_empty()).then_some((at, word))
        })
}

/// The modules right below the crate that a file names, by `crate::` or by `super::`.
pub(crate) fn top_modules(file: &File) -> Vec<String> {
    let text = code(&file.text);
    let mut named = Vec::new();
    for (place, name) in identifiers(&text) {
        // `$crate` leads to what a macro's caller sees of this crate, not to a module.
        if name == "crate" && !text[..place].ends_with('$') {
            after_path(&text[place + name.len()..], &mut named);
        }
    }
    let supers = "super::".repeat(file.module_path().len());
    for (place, _) in text.match_indices(&supers) {
        // A longer or a shorter run of them leads elsewhere.
        if !text[..place].ends_with("::") && !text[place + supers.len()..].starts_with("super") {
            let mut found = Vec::new();
            after_path(&text[place + supers.len() - 2..], &mut found);
            named.extend(found.into_iter().filter(|name| crate::tidy::is_layer(name)));
        }
    }
    named
}

/// The first names of the path or group of paths after `crate` or `super`.
fn after_path(rest: &str, named: &mut Vec<String>) {
    let Some(rest) = rest.trim_start().strip_prefix("::") else {
        return;
    };
    let rest = rest.trim_start();
    let first = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        named.push(first(rest));
        return;
    };
    let mut depth = 0;
    let mut start = true;
    for (at, c) in group.char_indices() {
        if start && depth == 0 && !c.is_whitespace() && c != '}' {
            named.push(first(&group[at..]));
            start = false;
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ => {}
        }
    }
}

#[test]
fn code_is_what_is_neither_comment_nor_text() {
    let text = "a // b\n\"c\\\"d\" e /* f /* g */ h */ 'i' '\\'' 'j r#\"k\"l\"# m 'é' n";
    let stripped = code(text);
    assert_eq!(stripped.len(), text.len());
    let found: Vec<&str> = identifiers(&stripped).map(|(_, name)| name).collect();
    assert_eq!(found, ["a", "e", "j", "m", "n"]);
    for (place, name) in identifiers(&stripped) {
        assert_eq!(&text[place..place + name.len()], name);
    }
}
