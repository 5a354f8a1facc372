//! Paths of files as bytes: the folder that one lies in, and what lies in a folder.

use std::collections::BTreeSet;

use crate::model::error::Result;

fn is_separator(byte: u8) -> bool {
    byte == b'/' || (cfg!(windows) && byte == b'\\')
}

/// The folder that a path lies in; that of the root is empty.
pub(crate) fn folder_of(path: &[u8]) -> Option<&[u8]> {
    let end = path.iter().rposition(|byte| is_separator(*byte))?;
    path.get(..end)
}

/// How the paths in a folder begin.
pub(crate) fn below(folder: &[u8]) -> Vec<u8> {
    let separator = if cfg!(windows) && folder.contains(&b'\\') {
        b'\\'
    } else {
        b'/'
    };
    [folder, &[separator]].concat()
}

/// Of the folders that files lay in which are gone, and those above them: the outermost below which no session is
/// any more. From each upwards as far as a folder that has one: those above it have that too.
pub(crate) fn emptied(
    gone: &BTreeSet<Vec<u8>>,
    mut has_session_below: impl FnMut(&[u8]) -> Result<bool>,
) -> Result<Vec<Vec<u8>>> {
    let (mut needed, mut empty) = (BTreeSet::new(), BTreeSet::new());
    for path in gone {
        let mut at = path.as_slice();
        while let Some(folder) = folder_of(at) {
            if needed.contains(folder) || empty.contains(folder) {
                break;
            }
            if has_session_below(folder)? {
                needed.insert(folder);
                break;
            }
            empty.insert(folder);
            at = folder;
        }
    }
    // What lies below a folder goes with that.
    let is_outermost =
        |folder: &&&[u8]| folder_of(folder).is_none_or(|above| !empty.contains(above));
    Ok(empty
        .iter()
        .filter(is_outermost)
        .map(|folder| folder.to_vec())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_end_at_the_root() {
        assert_eq!(folder_of(b"/a/b.jsonl"), Some(&b"/a"[..]));
        assert_eq!(folder_of(b"/a"), Some(&b""[..]));
        assert_eq!(folder_of(b""), None);
        assert_eq!(below(b""), b"/");
        assert_eq!(below(b"/a"), b"/a/");
    }
}
