//! Where agents keep their sessions by default: the one place of the library, besides the tool,
//! that asks the environment.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{self, Path, PathBuf};

use crate::agents::default_home::{Environment, Platform, joined};
use crate::agents::{all, told};

/// The homes of agents, as far as they can be told: the folder of all that an agent keeps, or its
/// database. A home need not be there.
///
/// ```
/// use scrollback::provider::Places;
///
/// let places = Places::under("/home/ada");
/// assert_eq!(places.home("codex"), Some("/home/ada/.codex".as_ref()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Places {
    homes: BTreeMap<&'static str, PathBuf>,
    /// Places besides the homes; the last name may begin and end around a `*`.
    more: BTreeMap<&'static str, Vec<PathBuf>>,
}

impl Places {
    /// The default places of this user.
    ///
    /// Only absolute paths count: without a home folder and without variables there are none.
    pub fn from_environment() -> Self {
        Self::in_environment(env::home_dir(), &|name| env::var_os(name))
    }

    /// The default places in a home folder, whatever the environment says.
    ///
    /// A relative path is one of the current folder; an empty one gives no places.
    pub fn under(home: impl Into<PathBuf>) -> Self {
        Self::in_environment(path::absolute(home.into()).ok(), &|_| None)
    }

    /// The default places of a user with that home folder and those environment variables. Nothing
    /// else is asked.
    pub fn in_environment(
        home: Option<PathBuf>,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Self {
        let environment = Environment {
            home,
            variable,
            platform: Platform::HERE,
        };
        let homes = all().iter().filter_map(|agent| {
            let home = environment.first_of(agent.homes())?;
            Some((agent.agent(), home))
        });
        let more = all().iter().map(|agent| {
            let places = agent.more_places().iter();
            let places = places.filter_map(|place| environment.first_of(&[*place]));
            (agent.agent(), places.collect())
        });
        Self {
            homes: homes.collect(),
            more: more.collect(),
        }
    }

    /// The home of an agent, by its name or another name that is taken for it.
    pub fn home(&self, agent: &str) -> Option<&Path> {
        let agent = told(agent)?.agent();
        self.homes.get(agent).map(PathBuf::as_path)
    }

    /// Every home that can be told, by agent.
    pub fn homes(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.homes
            .iter()
            .map(|(agent, home)| (*agent, home.as_path()))
    }

    /// What an [import of every agent's sessions](crate::import_places) takes: the folders and
    /// databases in those homes that hold sessions and are there, by agent.
    ///
    /// ```
    /// use scrollback::provider::Places;
    ///
    /// let home = tempfile::tempdir()?;
    /// let sessions = home.path().join(".codex/sessions");
    /// std::fs::create_dir_all(&sessions)?;
    /// assert_eq!(Places::under(home.path()).sessions(), [("codex", sessions)]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sessions(&self) -> Vec<(&'static str, PathBuf)> {
        let mut all = self.candidates();
        all.retain(|(_, path)| path.try_exists().unwrap_or(true));
        all
    }

    /// The folders and databases of [`sessions`](Self::sessions), and those that are not there.
    pub fn candidates(&self) -> Vec<(&'static str, PathBuf)> {
        // An agent may have no home of its own, but a folder among those of others.
        let of = |(agent, more): (&&'static str, &Vec<PathBuf>)| {
            let folders = told(agent).map_or(&[][..], |agent| agent.folders());
            let home = self.homes.get(agent).into_iter();
            let in_home = home.flat_map(|home| folders.iter().map(|below| joined(home, below)));
            let all = in_home.chain(more.iter().flat_map(|path| matching(path)));
            all.map(|path| (*agent, path)).collect::<Vec<_>>()
        };
        self.more.iter().flat_map(of).collect()
    }
}

/// The paths that a path with a `*` in its last name stands for; the path itself without one.
fn matching(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some((start, end)) = name.and_then(|name| name.split_once('*')) else {
        return vec![path.to_owned()];
    };
    let entries = path.parent().map(std::fs::read_dir);
    let Some(Ok(entries)) = entries else {
        return Vec::new();
    };
    let fits = |name: &str| {
        let rest = name.strip_prefix(start);
        rest.is_some_and(|rest| rest.ends_with(end))
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = paths
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(fits)
        })
        .collect();
    // A folder's names come in any order, and a list is to be the same each time.
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_go_before_the_home_folder() {
        let variable = |name: &str| match name {
            "CLAUDE_CONFIG_DIR" => Some("/c".into()),
            "CODEX_HOME" => Some("relative".into()),
            "XDG_DATA_HOME" => Some("/data".into()),
            "GEMINI_CLI_HOME" => Some("/g".into()),
            _ => None,
        };
        let places = Places::in_environment(Some("/home/ada".into()), &variable);
        assert_eq!(places.home("claude-code"), Some("/c".as_ref()));
        assert_eq!(places.home("claude"), Some("/c".as_ref()));
        assert_eq!(places.home("codex"), Some("/home/ada/.codex".as_ref()));
        assert_eq!(places.home("gemini"), Some("/g/.gemini".as_ref()));
        let database = Path::new("/data/opencode/opencode.db");
        assert_eq!(places.home("opencode"), Some(database));
        let plain = Places::under("/home/ada");
        assert_eq!(plain.home("gemini"), Some("/home/ada/.gemini".as_ref()));
        let database = Path::new("/home/ada/.local/share/opencode/opencode.db");
        assert_eq!(plain.home("opencode"), Some(database));
        assert_eq!(plain.home("nobody"), None);
    }

    #[test]
    fn a_relative_home_is_one_of_the_current_folder() {
        let home = env::current_dir().unwrap().join("some/home");
        assert_eq!(Places::under("some/home"), Places::under(home.clone()));
        let codex = home.join(".codex");
        assert_eq!(
            Places::under("some/home").home("codex"),
            Some(codex.as_path())
        );
        assert_eq!(Places::under("").candidates(), []);
    }

    #[test]
    fn hazard_6_8_9_without_a_home_folder_no_path_is_relative() {
        let places = |home: Option<PathBuf>| Places::in_environment(home, &|_| None);
        assert_eq!(places(None).candidates(), []);
        assert_eq!(places(Some("home".into())).candidates(), []);
    }

    #[test]
    fn what_is_there_of_every_agents_sessions_is_given() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        assert_eq!(places.sessions(), []);
        for agent in all().iter().filter(|agent| !agent.homes().is_empty()) {
            let own = places.home(agent.agent()).unwrap();
            let there = joined(own, agent.folders()[0]);
            std::fs::create_dir_all(&there).unwrap();
            let found = places.sessions();
            assert!(found.contains(&(agent.agent(), there)), "{agent:?}");
            let in_home = found.iter().all(|(_, path)| path.starts_with(home.path()));
            assert!(in_home, "{found:?}");
        }
    }
}
