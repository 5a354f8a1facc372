//! `kimi.json`: the folders that Kimi CLI was run in. A session lies in a folder of the hash of its own, which
//! nothing beside it tells.

use crate::agents::parts::fields::{elements, fields, fields_of, owned};
use crate::agents::parts::lines::body;

/// The folder of that hash, by a list of folders.
pub(super) fn of_hash(list: &[u8], hash: &str) -> Option<String> {
    let content = String::from_utf8_lossy(list);
    let [all] = fields(body(&content), &["work_dirs"]).ok()?;
    // One of another machine is named before the hash.
    let hash = hash.rsplit('_').next().unwrap_or(hash);
    let folders = elements(all?).into_iter().filter_map(|folder| {
        let [path] = fields_of(Some(folder), &["path"]);
        owned(path)
    });
    let mut folders = folders.filter(|folder| has_hash(folder, hash));
    folders.next()
}

/// Whether a folder is named by a hash. Unknown of all without the feature `md5`.
#[cfg(feature = "md5")]
fn has_hash(folder: &str, hash: &str) -> bool {
    use md5::Digest as _;

    let digits = md5::Md5::digest(folder)
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    digits.eq(hash.chars())
}

#[cfg(not(feature = "md5"))]
fn has_hash(_folder: &str, _hash: &str) -> bool {
    false
}

#[cfg(all(test, feature = "md5"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_by_its_hash_and_by_one_of_another_machine() {
        let list = br#"{"work_dirs":[{"path":"/w"},{"path":"/w/shop","kaos":"local"}]}"#;
        for (hash, expected) in [
            ("463b9ceeec4169ed9ecf158956389b4b", Some("/w/shop")),
            ("ssh_463b9ceeec4169ed9ecf158956389b4b", Some("/w/shop")),
            ("463b9ceeec4169ed9ecf158956389b4", None),
            ("d41d8cd98f00b204e9800998ecf8427e", None),
        ] {
            assert_eq!(of_hash(list, hash).as_deref(), expected, "{hash}");
        }
    }
}
