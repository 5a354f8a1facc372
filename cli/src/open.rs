//! Where the store lies and how a command opens it; what a command holds while it runs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use scrollback::chrono::{DateTime, Utc};

use super::exit::Failure;
use super::output::Output;
use etcetera::BaseStrategy as _;

use super::server;
use scrollback::report::{RepairReport, TableReads};
use scrollback::{Error, Ingest, Options, RedbStore, Watcher};

/// A store that is open, of whatever kind.
pub(crate) type Opened = Rc<dyn Ingest>;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// `SCROLLBACK_STORE`.
    pub store: Option<OsString>,
    /// `SCROLLBACK_NOW`.
    pub now: Option<OsString>,
    /// The person's home folder.
    pub home: Option<PathBuf>,
    /// The platform's folder for this program's data.
    pub data: Option<PathBuf>,
}

impl Environment {
    /// That of the process.
    pub(crate) fn of_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folders = etcetera::base_strategy::choose_native_strategy().ok();
        Self {
            store: set("SCROLLBACK_STORE"),
            now: set("SCROLLBACK_NOW"),
            home: folders
                .as_ref()
                .map(|folders| folders.home_dir().to_owned()),
            data: folders.map(|folders| folders.data_dir().join("scrollback")),
        }
    }
}

/// Which store is meant, and how it is opened.
#[derive(Debug)]
pub(crate) struct ChosenStore {
    path: PathBuf,
    options: Options,
    home: Option<PathBuf>,
    /// Whether the command line names it.
    is_named: bool,
}

impl ChosenStore {
    /// Finds out which store is meant, and what time it is.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if neither the command line nor the environment names a store, or if
    /// `SCROLLBACK_NOW` is no time.
    pub(crate) fn find(store: Option<PathBuf>, environment: Environment) -> Result<Self, Failure> {
        let options = options(environment.now.as_ref())?;
        let default = || environment.data.map(|data| data.join("scrollback.redb"));
        let is_named = store.is_some();
        let path = store
            .or(environment.store.map(PathBuf::from))
            .or_else(default);
        let none = "this system names no data folder: name a store with `--store FILE`";
        let path = path.ok_or_else(|| Failure::Usage(none.to_owned()))?;
        Ok(Self {
            path,
            options,
            home: environment.home,
            is_named,
        })
    }

    /// The same, with a wait of so many seconds for other processes, if any are given.
    pub(crate) fn waiting(mut self, seconds: Option<u64>) -> Self {
        if let Some(seconds) = seconds {
            self.options.lock_wait = Duration::from_secs(seconds);
        }
        self
    }
}

/// What a person is told whose store cannot be shared.
const ONE_AT_A_TIME: &str = "note: this file system has no range locks, so one process at a time \
                             can use the store; keep it on a local disk to share it";

/// What a command holds while it runs.
pub(crate) struct Tool {
    /// Where it prints.
    pub out: Output,
    target: ChosenStore,
    opened: Option<Rc<RedbStore>>,
    /// A store on a server.
    connected: Option<Opened>,
    /// Last, so that it outlives the store in it.
    scratch: Option<tempfile::TempDir>,
}

impl Tool {
    /// A tool that has not opened its store yet.
    pub(crate) fn new(target: ChosenStore, out: Output) -> Self {
        Self {
            out,
            target,
            opened: None,
            connected: None,
            scratch: None,
        }
    }

    /// The time, from the clock that the store uses.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.target.options.stamps.clock)()
    }

    /// A new id, from the source that the store uses.
    pub(crate) fn new_id(&self) -> String {
        (self.target.options.stamps.ids)().to_string()
    }

    /// The person's home folder.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.target.home.as_deref()
    }

    /// How stores are opened.
    pub(crate) fn options(&self) -> &Options {
        &self.target.options
    }

    /// The store's file, if the command line names it: another command has to be told too.
    pub(crate) fn named_store(&self) -> Option<&Path> {
        self.target.is_named.then_some(self.target.path.as_path())
    }

    /// The store's file.
    pub(crate) fn store_path(&self) -> &Path {
        &self.target.path
    }

    /// Saves what can be read of the store, which has to be there, into a new one.
    pub(crate) fn repair(
        &self,
        target: &Path,
        progress: &mut Watcher<'_>,
    ) -> Result<RepairReport, Failure> {
        self.check_there()?;
        let options = self.target.options.clone();
        Ok(RedbStore::repair(
            &self.target.path,
            target,
            options,
            progress,
        )?)
    }

    /// The mode of the store's file, if others than its owner may read or write it.
    #[cfg(unix)]
    pub(crate) fn shared_mode(&self) -> Option<u32> {
        let found = std::fs::metadata(&self.target.path).ok()?;
        let mode = std::os::unix::fs::MetadataExt::mode(&found) & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }

    /// The mode of the store's file, if others than its owner may read or write it.
    #[cfg(not(unix))]
    pub(crate) fn shared_mode(&self) -> Option<u32> {
        None
    }

    /// Opens the store, which has to be there, for reading.
    pub(crate) fn open_to_read(&mut self) -> Result<Opened, Failure> {
        match self.connect()? {
            Some(store) => Ok(store),
            None => Ok(self.open_file_to_read("read this")?),
        }
    }

    /// Opens the store, which has to be there, for reading and writing.
    pub(crate) fn open_to_change(&mut self) -> Result<Opened, Failure> {
        match self.connect()? {
            Some(store) => Ok(store),
            None => Ok(self.open_file_to_change("change this")?),
        }
    }

    /// Opens the store for reading and writing, and creates it if it is not there.
    pub(crate) fn open_or_create(&mut self) -> Result<Opened, Failure> {
        match self.connect()? {
            Some(store) => Ok(store),
            None => Ok(self.open_or_create_file()?),
        }
    }

    /// Opens a store of another name, which has to be there, for reading.
    pub(crate) fn open_other_to_read(&self, store: &Path) -> Result<Opened, Failure> {
        let options = &self.target.options;
        if let Some(url) = server::url(store) {
            return server::open(url, options);
        }
        let opened = RedbStore::open_read_only(store, options.clone())?;
        Ok(Rc::new(opened))
    }

    /// Opens a store of another name for reading and writing, and creates it if it is not there.
    pub(crate) fn open_other_or_create(&self, store: &Path) -> Result<Opened, Failure> {
        let options = &self.target.options;
        if let Some(url) = server::url(store) {
            return server::open(url, options);
        }
        Ok(Rc::new(RedbStore::open(store, options.clone())?))
    }

    /// The name of a store, without a password.
    pub(crate) fn name_of(store: &Path) -> String {
        match server::url(store) {
            Some(url) => server::shown(url),
            None => store.display().to_string(),
        }
    }

    /// The store on a server, if one is meant.
    fn connect(&mut self) -> Result<Option<Opened>, Failure> {
        let Some(url) = server::url(&self.target.path) else {
            return Ok(None);
        };
        if self.connected.is_none() {
            self.connected = Some(server::open(url, &self.target.options)?);
        }
        Ok(self.connected.clone())
    }

    /// The store that is open, if it is a file.
    pub(crate) fn file_store(&self) -> Option<Rc<RedbStore>> {
        self.opened.clone()
    }

    /// The store's name, without a password.
    pub(crate) fn store_name(&self) -> String {
        Self::name_of(&self.target.path)
    }

    /// Whether the store is on a server.
    pub(crate) fn is_on_server(&self) -> bool {
        server::url(&self.target.path).is_some()
    }

    /// Refuses a store on a server, for commands that are about a file.
    pub(crate) fn check_file(&self, what: &str) -> Result<(), Failure> {
        match server::url(&self.target.path) {
            Some(_) => Err(Failure::Usage(format!(
                "only a store in a file can {what}, and this one is on a server: use the server's own \
                 programs"
            ))),
            None => Ok(()),
        }
    }

    /// Opens the store, which has to be there and a file, for reading.
    pub(crate) fn open_file_to_read(&mut self, what: &str) -> Result<Rc<RedbStore>, Failure> {
        self.check_file(what)?;
        self.check_there()?;
        let store = RedbStore::open_read_only(&self.target.path, self.target.options.clone())?;
        Ok(self.hold(store))
    }

    /// Opens the store, which has to be there and a file, for reading and writing.
    pub(crate) fn open_file_to_change(&mut self, what: &str) -> Result<Rc<RedbStore>, Failure> {
        self.check_file(what)?;
        self.check_there()?;
        self.open_or_create_file()
    }

    fn open_or_create_file(&mut self) -> Result<Rc<RedbStore>, Failure> {
        let store = RedbStore::open(&self.target.path, self.target.options.clone())?;
        Ok(self.hold(store))
    }

    /// Opens a store for a rehearsal: the one that is there, for reading, or else an empty one
    /// that goes when the command ends.
    pub(crate) fn open_to_rehearse(&mut self) -> Result<Opened, Failure> {
        if self.target.path.exists() || server::url(&self.target.path).is_some() {
            return self.open_to_read();
        }
        let folder = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make a temporary folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let store = RedbStore::open(
            folder.path().join("empty.redb"),
            self.target.options.clone(),
        )?;
        self.scratch = Some(folder);
        Ok(self.hold(store))
    }

    /// Closes the store, as far as nobody else here holds it.
    pub(crate) fn close(&mut self) {
        self.opened = None;
        self.connected = None;
    }

    /// Rows read so far.
    pub(crate) fn table_reads(&self) -> TableReads {
        self.opened
            .as_ref()
            .map(|store| store.table_reads())
            .unwrap_or_default()
    }

    fn hold(&mut self, store: RedbStore) -> Rc<RedbStore> {
        if self.opened.is_none() && store.mode() != store.options().mode {
            self.out.notice(ONE_AT_A_TIME);
        }
        Rc::clone(self.opened.insert(Rc::new(store)))
    }

    /// Whether there is a store.
    pub(crate) fn check_there(&self) -> Result<(), Failure> {
        self.check_file("be used so")?;
        match std::fs::metadata(&self.target.path) {
            Ok(_) => Ok(()),
            Err(source) => {
                let missing = source.kind() == io::ErrorKind::NotFound;
                let hint = "import something first (`scrollback import PATH`), or name another \
                            store with `--store FILE`";
                Err(Failure::Error {
                    error: Error::Io {
                        action: "open the store",
                        path: self.target.path.clone(),
                        source,
                    },
                    hint: missing.then(|| hint.to_owned()),
                })
            }
        }
    }
}

fn options(now: Option<&OsString>) -> Result<Options, Failure> {
    let mut options = Options::default();
    if let Some(text) = now {
        let time = text
            .to_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let Some(time) = time else {
            let text = "`SCROLLBACK_NOW` is not a time such as `2026-01-01T12:00:00Z`";
            return Err(Failure::Usage(text.to_owned()));
        };
        let time = time.to_utc();
        options = options.with_clock(move || time);
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::super::output::tests::captured;
    use super::*;

    fn find(store: Option<&str>, environment: Environment) -> Result<ChosenStore, Failure> {
        ChosenStore::find(store.map(PathBuf::from), environment)
    }

    #[test]
    fn the_argument_wins_over_the_environment_and_that_over_the_data_folder() {
        let environment = Environment {
            store: Some("from-environment".into()),
            data: Some("data".into()),
            ..Environment::default()
        };
        let path = |store, environment| find(store, environment).unwrap().path;
        assert_eq!(
            path(Some("argument"), environment.clone()),
            Path::new("argument")
        );
        assert_eq!(
            path(None, environment.clone()),
            Path::new("from-environment")
        );
        let environment = Environment {
            store: None,
            ..environment
        };
        assert_eq!(path(None, environment), Path::new("data/scrollback.redb"));
        assert!(matches!(
            find(None, Environment::default()),
            Err(Failure::Usage(_))
        ));
    }

    #[test]
    fn the_clock_can_be_set_for_tests() {
        let with = |now: &str| Environment {
            now: Some(now.into()),
            ..Environment::default()
        };
        let fixed = find(Some("s"), with("2026-06-01T12:00:00Z")).unwrap();
        assert_eq!(
            (fixed.options.stamps.clock)().to_rfc3339(),
            "2026-06-01T12:00:00+00:00"
        );
        assert!(matches!(
            find(Some("s"), with("yesterday")),
            Err(Failure::Usage(_))
        ));
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made_by_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.redb");
        let target = find(path.to_str(), Environment::default()).unwrap();
        let mut tool = Tool::new(target, captured(false, false).0);
        for outcome in [tool.open_to_read(), tool.open_to_change()].map(|opened| opened.map(drop)) {
            let Err(Failure::Error {
                hint: Some(hint), ..
            }) = outcome
            else {
                panic!("no hint")
            };
            assert!(hint.contains("scrollback import"), "{hint}");
        }
        assert!(!path.exists());
    }
}
