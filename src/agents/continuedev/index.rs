//! `sessions.json`: the list of sessions, with titles, folders and times.

use crate::agents::parts::documents::list;
use crate::agents::parts::fields::{fields_of, owned, text_filled};
use crate::agents::parts::lines::body;
use crate::agents::parts::{paths, times};
use crate::agents::state::SidecarFacts;
use crate::json::Json;

/// Its name.
pub(super) const NAME: &str = "sessions.json";

/// What it tells of each session. A time is a number in a text.
pub(super) fn facts(bytes: &[u8]) -> Vec<SidecarFacts> {
    let text = String::from_utf8_lossy(bytes);
    let rows = Json::parse(body(&text)).ok().and_then(list);
    let told = |row: Json<'_>| {
        let [id, title, folder, created] = fields_of(
            Some(row),
            &["sessionId", "title", "workspaceDirectory", "dateCreated"],
        );
        let written = owned(created);
        let number = written.as_deref().and_then(|time| Json::parse(time).ok());
        Some(SidecarFacts {
            id: owned(id)?,
            title: owned(title).filter(|title| !super::history::is_no_title(title)),
            project: text_filled(folder)
                .and_then(paths::folder_of_uri)
                .map(std::borrow::Cow::into_owned),
            created_us: times::time_us(created).or_else(|| times::time_us(number)),
            ..SidecarFacts::default()
        })
    };
    rows.unwrap_or_default()
        .into_iter()
        .filter_map(told)
        .collect()
}
