//! Paths as bytes: how a store remembers names of any file system, and names made from ids.

use std::path::{Component, Path, PathBuf};

/// The bytes of a path. On systems where names are not bytes, what is not Unicode is replaced.
#[cfg(unix)]
pub(in crate::transfer) fn to_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

/// The bytes of a path. On systems where names are not bytes, what is not Unicode is replaced.
#[cfg(not(unix))]
pub(in crate::transfer) fn to_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// The path of some bytes.
#[cfg(unix)]
pub(in crate::transfer) fn from_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The path of some bytes.
#[cfg(not(unix))]
pub(in crate::transfer) fn from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Whether a file name ends with a dot and one of these extensions, whatever the case of its
/// letters. Unlike [`Path::extension`], this finds one in `.jsonl` too.
pub(in crate::transfer) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let found = name.get(dot + 1..).unwrap_or_default();
    extensions
        .iter()
        .any(|extension| found.eq_ignore_ascii_case(extension.as_bytes()))
}

/// The plain names in some bytes of a path: nothing that could lead out of a folder is left.
pub(in crate::transfer) fn plain_components(bytes: &[u8]) -> Vec<Vec<u8>> {
    from_bytes(bytes)
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(to_bytes(Path::new(name))),
            _ => None,
        })
        .filter(|name| !name.contains(&0))
        .collect()
}

/// How many components two paths have in common, from the start.
pub(in crate::transfer) fn common_components(left: &Path, right: &Path) -> usize {
    left.components()
        .zip(right.components())
        .take_while(|(left, right)| left == right)
        .count()
}

/// A path as text that no other path has: bytes that are not UTF-8 and `%` are percent-encoded,
/// and so is a `~` that only digits follow, since `~2` marks a second content of the same name.
pub(in crate::transfer) fn to_name(path: &Path) -> String {
    let mut name = String::new();
    for chunk in to_bytes(path).utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' => name.push_str("%25"),
                _ => name.push(letter),
            }
        }
        for byte in chunk.invalid() {
            push_encoded(&mut name, *byte);
        }
    }
    match name.rsplit_once('~') {
        Some((start, digits))
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{start}%7E{digits}")
        }
        _ => name,
    }
}

/// Longest file name that is made from an id, in bytes without its extension.
const ID_NAME_BYTES_MAX: usize = 180;

/// A file name (without extension) made from a session id, the same on every file system: only
/// `[A-Za-z0-9._-]` stay, the rest is percent-encoded, and so is a dot at the start. A longer name
/// is cut, and told apart by a hash of the id behind a `~`, which no other name has.
pub(crate) fn file_safe(id: &str) -> String {
    let mut name = String::new();
    for byte in id.bytes() {
        let safe = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if safe || (byte == b'.' && !name.is_empty()) {
            name.push(char::from(byte));
        } else {
            push_encoded(&mut name, byte);
        }
    }
    if name.len() > ID_NAME_BYTES_MAX {
        name.truncate(ID_NAME_BYTES_MAX - 33);
        let hash = xxhash_rust::xxh3::xxh3_128(id.as_bytes());
        return format!("{name}~{hash:032x}");
    }
    name
}

fn push_encoded(name: &mut String, byte: u8) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    name.push('%');
    for half in [byte >> 4, byte & 15] {
        name.extend(DIGITS.get(usize::from(half)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leads_out_is_left_of_a_path() {
        let plain = |text: &str| {
            let names = plain_components(text.as_bytes());
            names
                .into_iter()
                .map(|name| String::from_utf8(name).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(plain("../../etc/passwd"), ["etc", "passwd"]);
        assert_eq!(plain("/etc/./x//y"), ["etc", "x", "y"]);
        assert_eq!(plain(".."), Vec::<String>::new());
        assert_eq!(plain("a\0b/c"), ["c"]);
    }

    #[test]
    fn different_paths_have_different_names() {
        assert_eq!(to_name(Path::new("a/b c.txt")), "a/b c.txt");
        assert_eq!(to_name(Path::new("100%")), "100%25");
        assert_eq!(to_name(Path::new("x~2")), "x%7E2");
        assert_eq!(to_name(Path::new("x~y")), "x~y");
        #[cfg(unix)]
        assert_eq!(to_name(&from_bytes(b"a\xff")), "a%FF");
    }

    #[test]
    fn a_name_from_an_id_is_safe_and_bounded() {
        assert_eq!(file_safe("telegram:1/2"), "telegram%3A1%2F2");
        assert_eq!(file_safe(".."), "%2E.");
        assert_eq!(file_safe("a.b-C_9"), "a.b-C_9");
        let (one, two) = (file_safe(&"x".repeat(1000)), file_safe(&"x".repeat(1001)));
        assert!(one.len() <= ID_NAME_BYTES_MAX && two.len() <= ID_NAME_BYTES_MAX);
        assert_ne!(one, two);
        assert_ne!(one, file_safe(&one), "the id that looks like the cut name");
        assert!(file_safe(&"é".repeat(500)).len() <= ID_NAME_BYTES_MAX);
    }

    #[test]
    fn an_extension_is_found_in_a_name_without_more() {
        assert!(has_extension(Path::new("a/.jsonl"), &["jsonl"]));
        assert!(has_extension(Path::new("a/b.JSONL"), &["ndjson", "jsonl"]));
        assert!(!has_extension(Path::new("a.jsonl/b"), &["jsonl"]));
        assert!(!has_extension(Path::new("jsonl"), &["jsonl"]));
    }

    #[test]
    fn paths_share_components_not_letters() {
        assert_eq!(common_components(Path::new("/a/bc"), Path::new("/a/bd")), 2);
    }
}
