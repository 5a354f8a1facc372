//! `state.json`: what Kimi notes of a session.

use crate::agents::parts::fields::{fields, is_true, owned, text};
use crate::agents::parts::lines::body;
use crate::agents::parts::{times, titles};
use crate::agents::state::SidecarFacts;

/// What it tells.
pub(super) fn facts(id: String, bytes: &[u8]) -> SidecarFacts {
    let content = String::from_utf8_lossy(bytes);
    let keys = [
        "title",
        "titleKind",
        "isCustomTitle",
        "custom_title",
        "customTitle",
        "createdAt",
        "updatedAt",
        "cwd",
        "workDir",
        "forkedFrom",
    ];
    let Ok(
        [
            title,
            kind,
            is_custom,
            given,
            also_given,
            created,
            updated,
            cwd,
            folder,
            origin,
        ],
    ) = fields(body(&content), &keys)
    else {
        return SidecarFacts {
            id,
            ..SidecarFacts::default()
        };
    };
    let given = owned(given).or_else(|| owned(also_given));
    // Versions differ in how they mark a title that the user gave.
    let is_given =
        given.is_some() || is_true(is_custom) || text(kind).is_some_and(|kind| kind == "custom");
    SidecarFacts {
        id,
        title: given.or_else(|| owned(title)),
        title_rank: Some(if is_given {
            titles::CHOSEN
        } else {
            titles::GENERATED
        }),
        project: owned(cwd).or_else(|| owned(folder)),
        parent: owned(origin),
        created_us: times::time_us(created),
        updated_us: times::time_us(updated),
        ..SidecarFacts::default()
    }
}
