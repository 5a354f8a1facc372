//! `kimi.json`: the folders that Kimi CLI was run in. A session lies in a folder of the hash of its own, which
//! nothing beside it tells.

use super::md5;
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
    let mut folders = folders.filter(|folder| md5::hash(folder) == hash);
    folders.next()
}
