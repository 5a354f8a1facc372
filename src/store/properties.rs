//! What may be kept of a session beside its lines, and which parts of that a list shows: the rules
//! that every store shares.

use super::fold::project_of;
use crate::agents;
use crate::codec::row::RowError;
use crate::codec::session_row::{Given, SessionRow};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::limits::{
    ALIASES_MAX, FACT_BYTES_MAX, GIVEN_BYTES_MAX, ID_BYTES_MAX, SCOPE_BYTES_MAX, SUMMARY_BYTES_MAX,
    TITLE_BYTES_MAX,
};
use crate::model::properties::{Properties, PropertiesChange};
use crate::model::raw_json::RawJson;
use crate::model::text::{cut, title_line};

/// What becomes of an alias that another session of the agent has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claims {
    /// It is refused, and nothing is written; so is what passes a limit.
    Exclusive,
    /// It stays with that session, and this one is next in line; what passes a limit is cut or
    /// left out. For what is imported: one odd file never stops the rest.
    InLine,
}

/// The properties of a session after a change.
pub(crate) fn changed(
    properties: &Properties,
    change: &PropertiesChange,
    own_id: &str,
    claims: Claims,
) -> Result<Properties> {
    let changed = change.apply(properties, own_id);
    match claims {
        Claims::InLine => Ok(fitted(changed)),
        Claims::Exclusive => check(&changed).map(|()| changed),
    }
}

/// Whether properties are within the limits.
fn check(properties: &Properties) -> Result<()> {
    let length = |text: &Option<String>| text.as_deref().map_or(0, str::len);
    let longest_alias = properties.aliases.iter().map(String::len).max();
    let limits = [
        (
            "length of a title in bytes",
            length(&properties.title),
            GIVEN_BYTES_MAX,
        ),
        (
            "length of a project in bytes",
            length(&properties.project),
            GIVEN_BYTES_MAX,
        ),
        (
            "length of a parent in bytes",
            length(&properties.parent),
            GIVEN_BYTES_MAX,
        ),
        (
            "length of a summary in bytes",
            properties.summary.len(),
            SUMMARY_BYTES_MAX,
        ),
        (
            "number of aliases of a session",
            properties.aliases.len(),
            ALIASES_MAX,
        ),
        (
            "length of an alias in bytes",
            longest_alias.unwrap_or(0),
            ID_BYTES_MAX,
        ),
        (
            "length of a scope in bytes",
            scope_bytes(properties),
            SCOPE_BYTES_MAX,
        ),
    ];
    match limits.iter().find(|(_, actual, limit)| actual > limit) {
        Some((what, actual, limit)) => Err(Error::TooLarge {
            what,
            actual: *actual as u64,
            limit: *limit as u64,
        }),
        None => Ok(()),
    }
}

fn scope_bytes(properties: &Properties) -> usize {
    let scope = properties.scope.as_ref().map(RawJson::as_str);
    scope.map_or(0, str::len)
}

/// As much of properties as the limits allow.
fn fitted(mut properties: Properties) -> Properties {
    let shorten = |text: &mut String, bytes_max: usize| {
        let length = cut(text, bytes_max).len();
        text.truncate(length);
    };
    let given = [
        &mut properties.title,
        &mut properties.project,
        &mut properties.parent,
    ];
    for text in given.into_iter().flatten() {
        shorten(text, GIVEN_BYTES_MAX);
    }
    shorten(&mut properties.summary, SUMMARY_BYTES_MAX);
    properties
        .aliases
        .retain(|alias| alias.len() <= ID_BYTES_MAX);
    properties.aliases.truncate(ALIASES_MAX);
    // A part of a JSON value is none: it cannot be cut.
    if scope_bytes(&properties) > SCOPE_BYTES_MAX {
        properties.scope = None;
    }
    properties
}

/// The name of the session that a claim to an alias leads to.
pub(crate) fn claimer(alias: &SessionKey, row: &SessionRow) -> Result<SessionKey, RowError> {
    let key = row.key()?;
    if key.agent() == alias.agent() {
        return Ok(key);
    }
    Err(RowError(format!(
        "leads to `{key}`, a session of another agent"
    )))
}

/// The place in line behind the last one, and never in a gap: nobody gets a name before one who waits for it.
pub(crate) fn place_behind(last: Option<u64>) -> Result<u64, RowError> {
    let Some(last) = last else { return Ok(0) };
    let full = || RowError("the line for it is full".to_owned());
    last.checked_add(1).ok_or_else(full)
}

/// The session that comes from the file where its agent would keep one of this key, if nothing but the file's
/// name tells its key.
pub(crate) fn named_by_file(key: &SessionKey) -> Option<SessionKey> {
    let id = agents::of_agent(key.agent()).id_by_file(key.id())?;
    SessionKey::new(key.agent(), id).ok()
}

/// Whether a session that its agent has put away stays so after a change: not if somebody takes it
/// out here.
pub(crate) fn stays_archived(by_agent: bool, change: &PropertiesChange) -> bool {
    by_agent && change.archived != Some(false)
}

/// The properties of a session that its summary row holds. A blank text is none.
pub(crate) fn given(properties: &Properties) -> Given {
    let filled = |text: &Option<String>, short: fn(&str) -> String| {
        let short = short(text.as_deref().unwrap_or_default());
        Some(short).filter(|text| !text.is_empty())
    };
    Given {
        title: filled(&properties.title, |text| title_line(text, TITLE_BYTES_MAX)),
        project: filled(&properties.project, project_of),
        parent: filled(&properties.parent, |text| {
            cut(text, FACT_BYTES_MAX).to_owned()
        }),
        pinned: properties.pinned,
        archived: properties.archived,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_a_limit_is_refused_or_cut_and_never_in_between() {
        let long = Properties {
            title: Some("資".repeat(GIVEN_BYTES_MAX)),
            summary: "é".repeat(SUMMARY_BYTES_MAX),
            aliases: (0..300)
                .map(|n| n.to_string())
                .chain(["a".repeat(ID_BYTES_MAX + 1)])
                .collect(),
            scope: Some(RawJson::parse(format!("\"{}\"", "a".repeat(SCOPE_BYTES_MAX))).unwrap()),
            ..Properties::default()
        };
        assert!(matches!(check(&long), Err(Error::TooLarge { .. })));
        let fitted = fitted(long);
        assert!(check(&fitted).is_ok());
        assert_eq!(fitted.title.unwrap(), "資".repeat(GIVEN_BYTES_MAX / 3));
        assert_eq!(fitted.summary.len(), SUMMARY_BYTES_MAX);
        assert_eq!((fitted.aliases.len(), fitted.scope), (ALIASES_MAX, None));
    }

    #[test]
    fn a_list_shows_the_start_of_what_was_given_and_no_blank() {
        let properties = Properties {
            title: Some(format!("a\nb {}", "c".repeat(TITLE_BYTES_MAX))),
            project: Some("/w/demo/".to_owned()),
            parent: Some(String::new()),
            ..Properties::default()
        };
        let given = given(&properties);
        assert!(given.title.unwrap().starts_with("a b c"));
        assert_eq!(given.project.as_deref(), Some("/w/demo"));
        assert_eq!(given.parent, None);
    }
}
