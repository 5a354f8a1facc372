//! Where agents have their homes by default: rules, and what they lead to in an environment that
//! is passed in. Nothing here asks the environment itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where a default home begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The absolute path in this environment variable.
    Variable(&'static str),
    /// The user's home folder: what most agents use on Linux, macOS and Windows alike.
    Home,
    /// `$XDG_DATA_HOME`, else `.local/share` in the home folder, on every platform: what programs
    /// do that follow the XDG rules and do not ask where they run.
    XdgData,
    /// The platform's own folder for what applications keep: on Linux as [`XdgData`](Self::XdgData),
    /// on macOS `Library/Application Support`, on Windows `%APPDATA%`, else `AppData/Roaming`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "no agent of today keeps its sessions there")
    )]
    AppData,
    /// The platform's own folder for settings: on Linux `$XDG_CONFIG_HOME`, else `.config` in the home
    /// folder, elsewhere as [`AppData`](Self::AppData).
    AppConfig,
}

/// A place where an agent's home may be by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DefaultHome {
    /// Where it begins.
    pub root: Root,
    /// The path below that, with `/` between names; may be empty.
    pub below: &'static str,
}

impl DefaultHome {
    /// A folder in the user's home folder.
    pub(crate) const fn in_home(below: &'static str) -> Self {
        Self {
            root: Root::Home,
            below,
        }
    }

    /// A folder where the XDG rules keep what programs keep.
    pub(crate) const fn in_data(below: &'static str) -> Self {
        Self {
            root: Root::XdgData,
            below,
        }
    }

    /// A folder where the platform keeps settings.
    pub(crate) const fn in_settings(below: &'static str) -> Self {
        Self {
            root: Root::AppConfig,
            below,
        }
    }

    /// What a variable names, or something below it.
    pub(crate) const fn in_variable(name: &'static str, below: &'static str) -> Self {
        Self {
            root: Root::Variable(name),
            below,
        }
    }

    /// The names on the way to it from its root, wherever that is: by these a home, or a copy of it,
    /// is known in any folder. `None` where a variable alone names it. The home of a database is the
    /// folder that this lies in.
    pub(crate) fn names(&self) -> Option<Vec<&'static str>> {
        let mut names: Vec<&str> = match self.root {
            Root::Variable(_) | Root::AppData | Root::AppConfig => return None,
            Root::Home => Vec::new(),
            Root::XdgData => vec![".local", "share"],
        };
        names.extend(self.below.split('/').filter(|name| !name.is_empty()));
        if names
            .last()
            .is_some_and(|name| name.strip_suffix(".db").is_some())
        {
            names.pop();
        }
        (!names.is_empty()).then_some(names)
    }
}

/// The sort of system that homes are looked for on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Platform {
    /// Linux, and whatever is like it.
    #[default]
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one that this was built for.
    pub(crate) const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };
}

/// What of an environment tells where homes are.
pub(crate) struct Environment<'e> {
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// The value of a variable.
    pub variable: &'e dyn Fn(&str) -> Option<OsString>,
    /// The platform.
    pub platform: Platform,
}

impl Environment<'_> {
    /// The first of these places that can be told. Only absolute paths count.
    pub(crate) fn first_of(&self, homes: &[DefaultHome]) -> Option<PathBuf> {
        homes.iter().find_map(|home| {
            let root = self.root(home.root)?;
            Some(joined(&root, home.below))
        })
    }

    fn root(&self, root: Root) -> Option<PathBuf> {
        match (root, self.platform) {
            (Root::Variable(name), _) => self.named(name),
            (Root::Home, _) => self.home(),
            // Agents that go by this do so on every system.
            (Root::XdgData, _) | (Root::AppData, Platform::Linux) => {
                let below = || Some(joined(&self.home()?, ".local/share"));
                self.named("XDG_DATA_HOME").or_else(below)
            }
            (Root::AppConfig, Platform::Linux) => {
                let below = || Some(joined(&self.home()?, ".config"));
                self.named("XDG_CONFIG_HOME").or_else(below)
            }
            (Root::AppData | Root::AppConfig, Platform::MacOs) => {
                Some(joined(&self.home()?, "Library/Application Support"))
            }
            (Root::AppData | Root::AppConfig, Platform::Windows) => {
                let below = || Some(joined(&self.home()?, "AppData/Roaming"));
                self.named("APPDATA").or_else(below)
            }
        }
    }

    fn named(&self, name: &str) -> Option<PathBuf> {
        let path = (self.variable)(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone().filter(|home| home.is_absolute())
    }
}

/// A path below a folder, name by name, so that it has the platform's separators.
pub(crate) fn joined(folder: &Path, below: &str) -> PathBuf {
    let mut path = folder.to_owned();
    path.extend(below.split('/').filter(|name| !name.is_empty()));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(platform: Platform, set: &[(&str, &str)], homes: &[DefaultHome]) -> Option<PathBuf> {
        let variable = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).into())
        };
        let environment = Environment {
            home: Some("/home/ada".into()),
            variable: &variable,
            platform,
        };
        environment.first_of(homes)
    }

    #[test]
    fn the_first_that_can_be_told_counts() {
        let homes = [
            DefaultHome::in_variable("A_HOME", "data"),
            DefaultHome::in_home(".a"),
        ];
        for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
            let found = |set: &[(&str, &str)]| first(platform, set, &homes);
            assert_eq!(found(&[]), Some("/home/ada/.a".into()));
            assert_eq!(found(&[("A_HOME", "/a")]), Some("/a/data".into()));
            assert_eq!(
                found(&[("A_HOME", "relative")]),
                Some("/home/ada/.a".into())
            );
        }
        assert_eq!(first(Platform::Linux, &[], &[]), None);
    }

    #[test]
    fn each_platform_has_its_own_folder_for_applications() {
        let app = [DefaultHome {
            root: Root::AppData,
            below: "a",
        }];
        let set = [("XDG_DATA_HOME", "/data"), ("APPDATA", "/roaming")];
        for (platform, plain, told) in [
            (Platform::Linux, ".local/share/a", "/data/a"),
            (
                Platform::MacOs,
                "Library/Application Support/a",
                "/home/ada/Library/Application Support/a",
            ),
            (Platform::Windows, "AppData/Roaming/a", "/roaming/a"),
        ] {
            let plain = Path::new("/home/ada").join(plain);
            assert_eq!(first(platform, &[], &app), Some(plain), "{platform:?}");
            assert_eq!(
                first(platform, &set, &app),
                Some(told.into()),
                "{platform:?}"
            );
        }
    }
}
