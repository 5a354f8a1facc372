//! Where agents keep their sessions by default: the one place of the library, besides the tool,
//! that asks the environment.

use std::env;
use std::ffi::OsString;
use std::path::{self, PathBuf};

/// The folders of agents, as far as they can be told. A folder need not be there.
///
/// ```
/// use scrollback::provider::Places;
///
/// let places = Places::under("/home/ada");
/// assert_eq!(places.codex.as_deref(), Some("/home/ada/.codex".as_ref()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Places {
    /// Claude Code's: `$CLAUDE_CONFIG_DIR`, else `~/.claude`.
    pub claude_code: Option<PathBuf>,
    /// Codex's: `$CODEX_HOME`, else `~/.codex`.
    pub codex: Option<PathBuf>,
    /// Gemini CLI's: `.gemini` in `$GEMINI_CLI_HOME`, else in `~`.
    pub gemini: Option<PathBuf>,
    /// OpenCode's database: `$OPENCODE_DB`, else `opencode/opencode.db` in `$XDG_DATA_HOME`,
    /// else in `~/.local/share`.
    pub opencode: Option<PathBuf>,
}

impl Places {
    /// The default places of this user.
    ///
    /// Only absolute paths count: without a home folder and without variables there are none.
    pub fn from_environment() -> Self {
        Self::of(env::home_dir(), &|name| env::var_os(name))
    }

    /// The default places in a home folder, whatever the environment says.
    ///
    /// A relative path is one of the current folder; an empty one gives no places.
    pub fn under(home: impl Into<PathBuf>) -> Self {
        Self::of(path::absolute(home.into()).ok(), &|_| None)
    }

    /// The places that are there: what an [`import`](crate::import) of all agents reads.
    ///
    /// ```
    /// use scrollback::provider::Places;
    ///
    /// let home = tempfile::tempdir()?;
    /// std::fs::create_dir(home.path().join(".codex"))?;
    /// let places = Places::under(home.path());
    /// assert_eq!(places.paths(), [home.path().join(".codex")]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn paths(&self) -> Vec<PathBuf> {
        let all = [&self.claude_code, &self.codex, &self.gemini, &self.opencode];
        all.into_iter()
            .flatten()
            .filter(|path| path.exists())
            .cloned()
            .collect()
    }

    fn of(home: Option<PathBuf>, variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let named = |name: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = home.filter(|home| home.is_absolute());
        let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let data = named("XDG_DATA_HOME").or_else(|| in_home(".local/share"));
        let gemini = named("GEMINI_CLI_HOME").or_else(|| home.clone());
        Self {
            claude_code: named("CLAUDE_CONFIG_DIR").or_else(|| in_home(".claude")),
            codex: named("CODEX_HOME").or_else(|| in_home(".codex")),
            gemini: gemini.map(|folder| folder.join(".gemini")),
            opencode: named("OPENCODE_DB")
                .or_else(|| data.map(|data| data.join("opencode/opencode.db"))),
        }
    }
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
        let places = Places::of(Some("/home/ada".into()), &variable);
        assert_eq!(places.claude_code, Some("/c".into()));
        assert_eq!(places.codex, Some("/home/ada/.codex".into()));
        assert_eq!(places.gemini, Some("/g/.gemini".into()));
        assert_eq!(places.opencode, Some("/data/opencode/opencode.db".into()));
        let plain = Places::under("/home/ada");
        assert_eq!(plain.gemini, Some("/home/ada/.gemini".into()));
        let database = "/home/ada/.local/share/opencode/opencode.db";
        assert_eq!(plain.opencode, Some(database.into()));
    }

    #[test]
    fn a_relative_home_is_one_of_the_current_folder() {
        let home = env::current_dir().unwrap().join("some/home");
        assert_eq!(Places::under("some/home"), Places::under(home.clone()));
        assert_eq!(Places::under("some/home").codex, Some(home.join(".codex")));
        assert_eq!(Places::under(""), Places::default());
    }

    #[test]
    fn hazard_6_8_9_without_a_home_folder_no_path_is_relative() {
        assert_eq!(Places::of(None, &|_| None), Places::default());
        assert_eq!(
            Places::of(Some("home".into()), &|_| None),
            Places::default()
        );
    }
}
