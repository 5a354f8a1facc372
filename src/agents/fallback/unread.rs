//! Agents whose sessions are not read: where they keep them, so that an import can say what it has
//! seen and passed over. Data alone; an agent that gets a format goes from the list.
//!
//! A place is the names of folders that stand one behind the other on the way to a file, wherever
//! that begins: so a copy of a home is known too, on every platform.

use std::path::Path;

use crate::agents::parts::paths;

/// A sort of file that holds sessions which are not read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What people call the agent.
    pub title: &'static str,
    /// What one such file is.
    pub what: &'static str,
    /// What several are.
    pub many: &'static str,
    /// The folders on the way to it.
    place: &'static [&'static str],
    /// How its name begins and ends.
    name: (&'static str, &'static str),
}

/// Entries: the agent, what one file is, what several are, the place, how the name begins and ends.
macro_rules! unread {
    ($($title:literal: $what:literal, $many:literal, [$($place:literal),*], ($start:literal, $end:literal);)*) => {
        &[$(Unread {
            title: $title,
            what: $what,
            many: $many,
            place: &[$($place),*],
            name: ($start, $end),
        },)*]
    };
}

/// Every sort that is known. The first that fits counts.
const ALL: &[Unread] = unread! {
    "Antigravity": "conversation", "conversations", ["antigravity", "conversations"], ("", "");
    "Antigravity": "conversation", "conversations", ["antigravity", "implicit"], ("", "");
    "Antigravity CLI": "conversation", "conversations", ["antigravity-cli", "conversations"], ("", "");
    "Cursor": "database", "databases", [".cursor", "chats"], ("store", ".db");
    "Cursor": "database", "databases", ["Cursor", "User"], ("state", ".vscdb");
    "Hermes": "session", "sessions", [".hermes", "sessions"], ("session_", ".json");
    "Kiro CLI": "database", "databases", ["kiro-cli"], ("data", ".sqlite3");
    "Kiro": "conversation", "conversations", ["globalStorage", "kiro.kiroagent"], ("", ".chat");
    "Trae": "database", "databases", ["Trae", "User"], ("state", ".vscdb");
    "Warp": "database", "databases", ["warp-terminal"], ("warp", ".sqlite");
    "Warp": "database", "databases", ["warp", "Warp", "data"], ("warp", ".sqlite");
    "Windsurf": "database", "databases", ["Windsurf", "User"], ("state", ".vscdb");
    "Zed": "database", "databases", ["zed", "threads"], ("threads", ".db");
    "Zed": "database", "databases", ["Zed", "threads"], ("threads", ".db");
};

/// Lists of sessions or prompts that are files of lines and no session, of agents without a format: the
/// folder that they lie in, and their name.
const LISTS: [(&[&str], &str); 1] = [(&[".qwen"], "history.jsonl")];

/// What a file is that an agent without a format keeps sessions in, by its path.
pub(crate) fn unread(path: &Path) -> Option<&'static Unread> {
    let name = path.file_name()?.to_str()?;
    let mut fitting = ALL
        .iter()
        .filter(|sort| {
            let rest = name.strip_prefix(sort.name.0);
            rest.is_some_and(|rest| rest.ends_with(sort.name.1))
        })
        .peekable();
    // Most files have no such name, and their folders are not looked at.
    fitting.peek()?;
    let names = paths::names(path);
    fitting.find(|sort| sort.place.is_empty() || paths::below(&names, sort.place).is_some())
}

/// Whether a file of lines is a list of sessions or prompts.
pub(super) fn is_list(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let mut named = LISTS.iter().filter(|(_, list)| *list == name).peekable();
    if named.peek().is_none() {
        return false;
    }
    let names = paths::names(path);
    named.any(|(folder, _)| matches!(paths::below(&names, folder), Some([_])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_by_its_place_is_told() {
        let found = |path: &str| unread(Path::new(path)).map(|sort| (sort.title, sort.what));
        for (path, expected) in [
            (
                "/h/.local/share/zed/threads/threads.db",
                Some(("Zed", "database")),
            ),
            ("/h/zed/threads/threads.db-wal", None),
            ("/h/work/threads.db", None),
            (
                "/h/x/antigravity/conversations/0a.pb",
                Some(("Antigravity", "conversation")),
            ),
            (
                "/h/.config/Code/User/globalStorage/kiro.kiroagent/0a/0b.chat",
                Some(("Kiro", "conversation")),
            ),
            ("/h/0a/0b.chat", None),
            (
                "/h/.hermes/sessions/session_1.json",
                Some(("Hermes", "session")),
            ),
            ("/h/.local/share/goose/sessions/sessions.db", None),
            ("/w/.aider.chat.history.md", None),
            ("/h/.continue/sessions/0a.json", None),
        ] {
            assert_eq!(found(path), expected, "{path}");
        }
        assert!(is_list(Path::new("/h/.qwen/history.jsonl")));
        assert!(!is_list(Path::new("/h/.qwen/projects/history.jsonl")));
        assert!(!is_list(Path::new("/h/history.jsonl")));
    }

    #[test]
    fn nothing_that_an_agent_s_format_reads_is_told_as_not_read() {
        for agent in crate::agents::all() {
            for path in agent.samples().paths {
                let found = unread(Path::new(path)).map(|sort| sort.title);
                assert_eq!(found, None, "{path}");
            }
        }
    }

    #[test]
    fn no_sort_takes_everything() {
        for sort in ALL {
            let has_name = !sort.name.0.is_empty() || sort.name.1 == ".json";
            assert!(sort.place.len() > 1 || has_name, "{sort:?}");
            assert!(!sort.title.is_empty() && sort.many != sort.what, "{sort:?}");
        }
    }
}
