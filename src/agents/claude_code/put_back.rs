//! Where Claude Code looks for a session that is put back: in the folder of its project. The folder's name is the
//! real path of the project in composed form (NFC), each UTF-16 unit but ASCII letters and digits a `-`; of names over
//! 200 units the start, and a hash that is not made here: the folder that is there is looked for.

use std::path::Path;

use super::layout::SUBAGENTS;
use crate::model::session::Summary;

/// The folder of projects in the home.
const PROJECTS: &str = "projects";
/// Longest name of a project's folder before it is cut.
const NAME_MAX: usize = 200;

/// The place below a home; see [`Agent::place_in_home`](crate::agents::Agent::place_in_home).
pub(super) fn place(home: &Path, summary: &Summary, was: Option<&[String]>) -> Option<Vec<String>> {
    let project = summary.project.as_deref();
    let Some(was) = was else {
        let folder = folder_of(home, project?, None)?;
        return Some(named(folder, summary));
    };
    let [projects, folder, rest @ ..] = was else {
        return Some(was.to_vec());
    };
    // Where the session went to another folder later, its file stays where it was.
    let is_its = project.is_some_and(|project| is_name_of(folder, &encoded(project)));
    let again = project.filter(|_| is_its && projects == PROJECTS);
    let again = again.and_then(|project| folder_of(home, project, Some(folder)));
    let folder = again.unwrap_or_else(|| folder.clone());
    Some([&[projects.clone(), folder], rest].concat())
}

/// The file of a session in its folder, and of a sub-agent in its parent's.
fn named(folder: String, summary: &Summary) -> Vec<String> {
    let id = summary.key.id();
    let mut names = vec![PROJECTS.to_owned(), folder];
    match summary.parent.as_ref().filter(|_| summary.subagent) {
        Some(parent) => {
            names.extend([parent.clone(), SUBAGENTS.to_owned()]);
            names.push(format!("agent-{id}.jsonl"));
        }
        None => names.push(format!("{id}.jsonl")),
    }
    names
}

/// The folder of a project: by its real path, where it is there.
fn folder_of(home: &Path, project: &str, was: Option<&String>) -> Option<String> {
    let real = Path::new(project).canonicalize().ok();
    let real = real.as_deref().and_then(Path::to_str).unwrap_or(project);
    let name = encoded(real);
    if name.len() <= NAME_MAX {
        return Some(name);
    }
    if let Some(was) = was.filter(|was| is_name_of(was, &name)) {
        return Some(was.clone());
    }
    let entries = std::fs::read_dir(home.join(PROJECTS)).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found: Vec<String> = names.filter(|found| is_name_of(found, &name)).collect();
    found.sort();
    found.into_iter().next()
}

/// Whether a folder is called by a name, which may be too long for one.
fn is_name_of(folder: &str, name: &str) -> bool {
    let Some(start) = name.get(..NAME_MAX).filter(|_| name.len() > NAME_MAX) else {
        return folder == name;
    };
    let rest = folder.strip_prefix(start);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The name of a path, whole. Marks that stand behind a letter make one sign with it in composed form, so they add
/// nothing; which letters and marks have one sign is not looked up.
fn encoded(path: &str) -> String {
    let mut name = String::new();
    let mut is_letter = false;
    for c in path.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if is_mark(c) && is_letter {
            if name.pop().is_some() {
                name.push('-');
            }
            is_letter = false;
            continue;
        } else {
            // The agent goes over UTF-16 units: a sign outside of the first plane becomes two.
            name.extend(std::iter::repeat_n('-', c.len_utf16()));
        }
        is_letter = c.is_alphabetic();
    }
    name
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::SessionKey;

    fn summary(project: Option<&str>) -> Summary {
        let key = SessionKey::new("claude-code", "s").unwrap();
        let mut summary = Summary::new(key, 1, chrono::DateTime::UNIX_EPOCH);
        summary.project = project.map(str::to_owned);
        summary
    }

    fn names(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_folder_is_called_by_its_path() {
        for (path, expected) in [
            ("/w/my-app", "-w-my-app"),
            ("/w/my_app.v2 x", "-w-my-app-v2-x"),
            ("/w/caf\u{e9}", "-w-caf-"),
            ("/w/cafe\u{301}", "-w-caf-"),
            ("/w/資料", "-w---"),
            ("/w/\u{1f600}", "-w---"),
        ] {
            assert_eq!(encoded(path), expected, "{path}");
        }
    }

    #[test]
    fn a_file_goes_to_the_folder_of_its_project() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let to = |project, was: Option<&str>| {
            let was = was.map(names);
            place(home, &summary(project), was.as_deref()).map(|names| names.join("/"))
        };
        for (project, was, expected) in [
            (Some("/none/w"), None, Some("projects/-none-w/s.jsonl")),
            (None, None, None),
            // What is known of where it was goes before what its lines say later.
            (
                Some("/none/w/sub"),
                Some("projects/-none-w/s.jsonl"),
                Some("projects/-none-w/s.jsonl"),
            ),
            (
                Some("/none/w"),
                Some("projects/-none-w/s/tool-results/a.txt"),
                Some("projects/-none-w/s/tool-results/a.txt"),
            ),
            (None, Some("history.jsonl"), Some("history.jsonl")),
        ] {
            assert_eq!(to(project, was).as_deref(), expected, "{project:?} {was:?}");
        }
        let mut child = summary(Some("/none/w"));
        (child.parent, child.subagent) = (Some("p".to_owned()), true);
        let place = place(home, &child, None).unwrap();
        assert_eq!(
            place.join("/"),
            "projects/-none-w/p/subagents/agent-s.jsonl"
        );
    }

    #[test]
    fn of_a_long_path_the_folder_is_looked_for() {
        let home = tempfile::tempdir().unwrap();
        let project = format!("/none/{}", "long/".repeat(60));
        let start: String = encoded(&project).chars().take(NAME_MAX).collect();
        let to = |was: Option<&[String]>| place(home.path(), &summary(Some(&project)), was);
        assert_eq!(to(None), None);
        let there = format!("{start}-1k2j3h");
        std::fs::create_dir_all(home.path().join(PROJECTS).join(&there)).unwrap();
        assert_eq!(to(None).unwrap()[1], there);
        let was = [
            PROJECTS.to_owned(),
            format!("{start}-other"),
            "s.jsonl".to_owned(),
        ];
        assert_eq!(to(Some(&was)).unwrap(), was);
    }

    #[cfg(unix)]
    #[test]
    fn a_project_behind_a_link_is_its_real_folder() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        let link = root.join("link").to_str().unwrap().to_owned();
        let was = [PROJECTS.to_owned(), encoded(&link), "s.jsonl".to_owned()];
        let place = place(&root, &summary(Some(&link)), Some(&was)).unwrap();
        assert_eq!(place[1], encoded(root.join("real").to_str().unwrap()));
    }
}
