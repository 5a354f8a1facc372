//! Paths of files as bytes: the folder that one lies in, and what lies in a folder.

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
