//! What the path of a file tells: names, stems, and the folders that agents keep sessions in.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

/// Endings of files that hold one record a line.
const ENDINGS: [&str; 2] = [".jsonl", ".ndjson"];

/// Files of agents that are no part of a session, wherever they lie.
const PRIVATE: [&str; 8] = [
    ".credentials.json",
    "credentials.json",
    "oauth_creds.json",
    ".netrc",
    "auth.json",
    "settings.json",
    "settings.local.json",
    "config.toml",
];

/// Names on the way to a file.
pub(crate) type Names = Rc<[String]>;

/// The names on the way to a file, its own the last.
pub(crate) fn names(path: &Path) -> Names {
    thread_local! {
        // Some thirty agents are asked about each file, one after the other.
        static LAST: RefCell<(PathBuf, Names)> = RefCell::new((PathBuf::new(), Rc::new([])));
    }
    LAST.with_borrow_mut(|(last, names)| {
        // By its bytes: paths that differ in a separator alone are equal, and cost more to compare.
        if last.as_os_str() != path.as_os_str() {
            *names = normal(path).map(readable).collect();
            path.clone_into(last);
        }
        Rc::clone(names)
    })
}

fn normal(path: &Path) -> impl DoubleEndedIterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// A name as text; bytes that are not UTF-8 are percent-encoded.
fn readable(name: &OsStr) -> String {
    // Nearly all are: each agent is asked about the names of each file.
    if let Some(name) = name.to_str() {
        return name.to_owned();
    }
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _written = write!(text, "%{byte:02X}").is_ok();
        }
    }
    text
}

/// The name of a file, or of whatever the path ends in; never empty.
pub(crate) fn name(path: &Path) -> String {
    let last = normal(path).next_back().map(readable);
    last.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unnamed".to_owned())
}

/// The name of a file without the ending of a line file; never empty.
pub(crate) fn stem(path: &Path) -> String {
    let name = name(path);
    match without_ending(&name) {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => name,
    }
}

/// The name of a `.json` file without that ending, if there is something before it.
pub(crate) fn document_stem(path: &Path) -> Option<String> {
    let mut name = name(path);
    name.truncate(name.strip_suffix(".json")?.len());
    (!name.is_empty()).then_some(name)
}

/// Whether a file of that name is one document.
pub(crate) fn is_document(name: &str) -> bool {
    name.strip_suffix(".json").is_some()
}

/// Whether the file says by its name that it holds one record a line.
pub(crate) fn is_lines(path: &Path) -> bool {
    without_ending(&name(path)).is_some()
}

fn without_ending(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| {
        let cut = name.len().checked_sub(ending.len())?;
        let (stem, found) = name.split_at_checked(cut)?;
        found.eq_ignore_ascii_case(ending).then_some(stem)
    })
}

/// The names below the last place in `names` where `folder` (one or more names) occurs; at least
/// the file's own.
pub(crate) fn below<'n>(names: &'n [String], folder: &[&str]) -> Option<&'n [String]> {
    let at = names
        .windows(folder.len())
        .rposition(|window| window == folder)?;
    names
        .get(at + folder.len()..)
        .filter(|rest| !rest.is_empty())
}

/// Whether a file of this name is never taken: credentials and settings.
pub(crate) fn is_private(name: &str) -> bool {
    PRIVATE.contains(&name) || name == ".env" || name.starts_with(".env.")
}

/// Whether a name is a UUID.
pub(crate) fn is_uuid(name: &str) -> bool {
    name.len() == 36
        && name.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The UUID at the end of a name.
pub(crate) fn uuid_at_end(name: &str) -> Option<&str> {
    let (_, uuid) = name.split_at_checked(name.len().checked_sub(36)?)?;
    is_uuid(uuid).then_some(uuid)
}

/// A percent-encoded name decoded; the name itself where that gives no text.
pub(crate) fn percent_decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        // A `%` without two digits behind it was no escape, and stays.
        let encoded = after
            .split_at_checked(2)
            .filter(|_| *first == b'%')
            .and_then(|(digits, after)| Some((hex(digits)?, after)));
        let (byte, after) = encoded.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| name.to_owned())
}

/// The folder that a `file://` URI names, or a path that stands in the place of one.
pub(crate) fn folder_of_uri(uri: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let Some(path) = uri.strip_prefix("file://") else {
        let is_other = uri.contains("://");
        return (!is_other && !uri.is_empty()).then_some(uri);
    };
    let path = percent_decoded(path);
    // A drive of Windows stands behind a slash.
    let drive = path.strip_prefix('/').filter(|rest| {
        let mut letters = rest.chars();
        letters
            .next()
            .is_some_and(|drive| drive.is_ascii_alphabetic())
            && letters.next() == Some(':')
    });
    let path = drive.map_or(path.clone(), ToOwned::to_owned);
    (!path.is_empty()).then_some(Cow::Owned(path))
}

fn hex(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_is_never_empty() {
        for (path, expected) in [
            ("/a/b.jsonl", "b"),
            ("/a/b.c.NDJSON", "b.c"),
            ("/a/.jsonl", ".jsonl"),
            ("/a/b.txt", "b.txt"),
            ("/", "unnamed"),
            ("/a/has space.jsonl", "has space"),
        ] {
            assert_eq!(stem(Path::new(path)), expected, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_percent_encoded() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(OsStr::from_bytes(b"/a/x\xff\xc3.jsonl"));
        assert_eq!(stem(path), "x%FF%C3");
        assert!(is_lines(path));
    }

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(percent_decoded("telegram%3A12%2f3"), "telegram:12/3");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%+1%zz"), "%+1%zz");
        assert_eq!(percent_decoded("%FF"), "%FF");
        assert_eq!(percent_decoded("%E8%B3%87"), "資");
    }

    #[test]
    fn a_uri_names_a_folder() {
        for (uri, expected) in [
            ("file:///w/shop", Some("/w/shop")),
            ("file:///w/a%20b", Some("/w/a b")),
            ("file:///C:/w", Some("C:/w")),
            ("/w/shop", Some("/w/shop")),
            ("vscode-remote://ssh/w", None),
            ("file://", None),
            ("", None),
        ] {
            assert_eq!(folder_of_uri(uri.into()).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn the_folder_nearest_to_the_file_counts() {
        let names = names(Path::new(
            "/x/.claude/projects/y/.claude/projects/z/s.jsonl",
        ));
        assert_eq!(
            below(&names, &[".claude", "projects"]).unwrap(),
            ["z", "s.jsonl"]
        );
        assert!(below(&names, &[".codex", "sessions"]).is_none());
    }

    #[test]
    fn uuids_are_told_from_other_names() {
        assert!(is_uuid("019bf109-50bc-7a81-9199-1232bc0ad438"));
        assert!(!is_uuid("019bf109-50bc-7a81-9199-1232bc0ad43g"));
        let name = "rollout-2026-04-03T09-05-00-019bf109-50bc-7a81-9199-1232bc0ad438";
        assert_eq!(
            uuid_at_end(name),
            Some("019bf109-50bc-7a81-9199-1232bc0ad438")
        );
        assert_eq!(
            uuid_at_end("資料資料資料資料資料資料資料資料資料資料"),
            None
        );
    }
}
