//! The repository's own text, for `tidy`: its files, and their code without comments and strings.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

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

    /// Whether it is compiled into the library or what stands beside it, and is no test.
    pub(crate) fn is_crate(&self) -> bool {
        ["src/", "migrations/", "cli/src/", "postgres/src/"]
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

/// The code alone: comments and strings and characters are blanked, line feeds and byte places stay.
pub(crate) fn code(text: &str) -> String {
    let tokens: TokenStream = text
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    let blank = |byte: u8| if byte == b'\n' { byte } else { b' ' };
    let mut out: Vec<u8> = text.bytes().map(blank).collect();
    copy(tokens, text, &mut out);
    String::from_utf8(out).expect("whole tokens are copied")
}

fn copy(tokens: TokenStream, text: &str, out: &mut [u8]) {
    let mut keep = |place: Range<usize>, spelled: &str| {
        // A comment that documents comes as an attribute, which nobody has spelled.
        if text.get(place.clone()) == Some(spelled) {
            out[place].copy_from_slice(spelled.as_bytes());
        }
    };
    let mut groups = Vec::new();
    for token in tokens {
        let place = token.span().byte_range();
        match token {
            TokenTree::Group(group) => groups.push(group),
            TokenTree::Literal(literal) => {
                let spelled = literal.to_string();
                if spelled.starts_with(|first: char| first.is_ascii_digit()) {
                    keep(place, &spelled);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => keep(place, &token.to_string()),
        }
    }
    for group in groups {
        for place in [group.span_open(), group.span_close()] {
            let place = place.byte_range();
            if place.len() == 1 {
                out[place.clone()].copy_from_slice(&text.as_bytes()[place]);
            }
        }
        copy(group.stream(), text, out);
    }
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
