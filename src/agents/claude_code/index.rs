//! `sessions-index.json`: what Claude Code, or agentx's sample homes, noted of a folder's
//! sessions. It is a cache and often stale, so it only fills what lines leave open.

use std::path::Path;

use crate::json::Json;

use crate::agents::home::IndexRow;
use crate::agents::parts::fields::{elements, entries, fields, fields_of, owned};
use crate::agents::parts::lines::body;
use crate::agents::parts::paths::{below, names};
use crate::agents::parts::{times, titles};
use crate::agents::state::SidecarFacts;

/// The rows of an index in either form; `None` if it is none.
pub(super) fn rows(bytes: &[u8]) -> Option<Vec<IndexRow>> {
    let text = String::from_utf8_lossy(bytes);
    let [list, sessions] = fields(body(&text), &["entries", "sessions"]).ok()?;
    if let Some(list) = list {
        let rows = elements(list).into_iter().filter_map(|row| {
            let [id] = fields_of(Some(row), &["sessionId"]);
            Some(read(owned(id)?, row))
        });
        return Some(rows.collect());
    }
    // The sample homes have an object by ids in place of a list.
    let sessions = sessions.filter(|sessions| sessions.is_object())?;
    let rows = entries(sessions).into_iter();
    Some(rows.map(|(id, row)| read(id, row)).collect())
}

fn read(id: String, row: Json<'_>) -> IndexRow {
    let [project, branch, prompt, summary, created, modified] = fields_of(
        Some(row),
        &[
            "projectPath",
            "gitBranch",
            "firstPrompt",
            "summary",
            "created",
            "modified",
        ],
    );
    let (first_prompt, summary) = (owned(prompt), owned(summary));
    let facts = SidecarFacts {
        id,
        title: summary.clone().or_else(|| first_prompt.clone()),
        // A cache that is often stale: what was asked first by it only counts where no line says
        // more.
        title_rank: Some(if summary.is_some() {
            titles::SUMMARY
        } else {
            titles::LAST_PROMPT
        }),
        project: owned(project),
        created_us: times::time_us(created),
        updated_us: times::time_us(modified),
        ..SidecarFacts::default()
    };
    IndexRow {
        facts,
        first_prompt,
        summary,
        branch: owned(branch),
    }
}

/// The project that a folder's name stands for: each `-` was a `/`, or any other character that
/// is not a letter or a digit. **This is a guess**, for sessions of which nothing else tells the
/// project: `/w/my-app` and `/w/my/app` have the same folder.
pub(super) fn decoded_project(path: &Path) -> Option<String> {
    let names = names(path);
    let [folder, _, ..] = below(&names, &["projects"])? else {
        return None;
    };
    let rest = folder.strip_prefix('-').filter(|rest| !rest.is_empty())?;
    Some(format!("/{}", rest.replace('-', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_index_are_read() {
        let real = br#"{"version":1,"entries":[{"sessionId":"s","firstPrompt":"read","summary":"Reading","messageCount":6,"created":"2026-04-04T01:41:00.000Z","modified":"2026-04-04T01:47:00.000Z","gitBranch":"main","projectPath":"/w/shop"},{"no":"id"},7]}"#;
        let seed = br#"{"sessions":{"s":{"projectPath":"/w/shop","gitBranch":"main","firstPrompt":"read","summary":"Reading","created":1775266860000,"modified":1775267220000}}}"#;
        let (real, seed) = (rows(real).unwrap(), rows(seed).unwrap());
        assert_eq!(real, seed);
        assert_eq!(real.len(), 1);
        assert_eq!(real[0].facts.id, "s");
        assert_eq!(real[0].facts.title.as_deref(), Some("Reading"));
        assert_eq!(real[0].facts.created_us, Some(1_775_266_860_000_000));
        for broken in [&b""[..], b"{", b"[]", b"{}", br#"{"sessions":[]}"#] {
            assert_eq!(rows(broken), None);
        }
    }

    #[test]
    fn a_folders_name_is_decoded_as_far_as_it_goes() {
        for (path, expected) in [
            ("/h/.claude/projects/-w-my-app/s.jsonl", Some("/w/my/app")),
            ("/h/.claude/projects/-w/s/subagents/a.jsonl", Some("/w")),
            ("/h/.claude/projects/s.jsonl", None),
            ("/h/.claude/projects/-/s.jsonl", None),
            ("/h/.claude/projects/D--w/s.jsonl", None),
            ("/x/s.jsonl", None),
        ] {
            let found = decoded_project(Path::new(path));
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}
