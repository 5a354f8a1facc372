//! A PostgreSQL server of the tests' own: in a folder that goes with it, on a socket and a port of this machine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use scrollback_postgres::{Options, PostgresStore};

/// Where Debian's package and others have the server's programs.
const PLACES: [&str; 6] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/local/bin",
    "/usr/bin",
];

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    pub(crate) port: u16,
    settings: String,
}

/// The server that most tests share, and that ends with the last of them; `None` where none can be had,
/// which is said aloud.
pub(crate) fn shared() -> Option<Arc<Cluster>> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = shared.upgrade() {
        return Some(running);
    }
    let started = Arc::new(Cluster::start("")?);
    *shared = Arc::downgrade(&started);
    Some(started)
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Says that a test is skipped, or fails where it must not be.
fn skip(reason: &str) {
    assert!(
        std::env::var_os("SCROLLBACK_POSTGRES").is_none_or(|wish| wish != "required"),
        "no PostgreSQL server: {reason}"
    );
    eprintln!("SKIPPED: no PostgreSQL server: {reason}");
}

/// Sends a signal to a process of a server, which may have gone by itself.
pub(crate) fn signal(pid: &str, signal: &str) {
    let _status = Command::new("kill")
        .args([signal, pid])
        .stderr(Stdio::null())
        .status();
}

/// Makes a folder or a file the server's user's own.
pub(crate) fn give_to_server(path: &Path) -> bool {
    let owned = Command::new("chown").arg("postgres").arg(path).status();
    owned.is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

impl Cluster {
    /// Makes and starts one, with some settings.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let cluster = Self::prepared(free_port(), settings)?;
        cluster.init(&[]);
        cluster.up();
        Some(cluster)
    }

    /// The same, with its log of changes in a folder that it makes.
    pub(crate) fn start_with_log(log: &Path, settings: &str) -> Option<Self> {
        let cluster = Self::prepared(free_port(), settings)?;
        cluster.init(&["-X", &log.display().to_string()]);
        cluster.up();
        Some(cluster)
    }

    /// Makes and starts a standby that follows this one: what it calls itself there, its port and its settings.
    pub(crate) fn standby(&self, name: &str, port: u16, settings: &str) -> Self {
        let primary = format!("host=127.0.0.1 port={} user=tester", self.port);
        let settings = format!(
            "-c primary_conninfo='{primary} application_name={name}' \
             -c wal_retrieve_retry_interval=200ms {settings}"
        );
        let standby = Self::prepared(port, &settings).unwrap();
        let data = standby.data();
        let made = standby.run(
            "pg_basebackup",
            &["-d", &primary, "-D", &data, "-R", "-N", "-c", "fast"],
        );
        assert!(made.status.success(), "{made:?}");
        standby.up();
        standby
    }

    /// A folder for one, where there are programs and a user to run them as.
    fn prepared(port: u16, settings: &str) -> Option<Self> {
        let named = std::env::var_os("PG_BINDIR").map(PathBuf::from);
        let places = named.into_iter().chain(PLACES.map(PathBuf::from));
        let Some(programs) = { places }.find(|place| place.join("initdb").exists()) else {
            skip("initdb is not there; Debian's package postgresql has it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // The server refuses to be root's.
        if is_root() && !give_to_server(folder.path()) {
            skip("root needs a user `postgres` to run it as");
            return None;
        }
        Some(Self {
            folder,
            programs,
            port,
            settings: settings.to_owned(),
        })
    }

    fn init(&self, more: &[&str]) {
        let data = self.data();
        let arguments = [
            "-D", &data, "-U", "tester", "-A", "trust", "-E", "UTF8", "-N",
        ];
        let made = self.run("initdb", &[&arguments, more].concat());
        assert!(made.status.success(), "{made:?}");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Makes a standby one that takes writes.
    pub(crate) fn promote(&self) {
        let promoted = self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"]);
        assert!(promoted.status.success(), "{promoted:?}");
    }

    /// What statements give, a line a row, its columns with `|` between them.
    pub(crate) fn sql(&self, text: &str) -> String {
        let done = self.try_sql(text);
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    pub(crate) fn try_sql(&self, text: &str) -> Output {
        self.try_sql_as("tester", text)
    }

    pub(crate) fn try_sql_as(&self, role: &str, text: &str) -> Output {
        let url = self.url().replace("tester", role);
        self.run("psql", &[&url, "-Atc", text])
    }

    /// Waits until a condition holds on the server.
    pub(crate) fn wait_for(&self, condition: &str) {
        for _ in 0..300 {
            if self.sql(&format!("SELECT {condition}")).trim() == "t" {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("not within 30 s: {condition}");
    }

    /// Runs one of the server's programs, as a user who may.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Starts the server.
    pub(crate) fn up(&self) {
        let data = self.data();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={} \
             -c max_connections=200 -c shared_buffers=256MB {}",
            self.port,
            self.folder.path().display(),
            self.settings
        );
        let log = self.folder.path().join("log").display().to_string();
        // What was killed a moment ago may hold the memory of the folder still.
        for _ in 0..50 {
            let arguments = ["-D", &data, "-l", &log, "-w", "-o", &options, "start"];
            if self.run("pg_ctl", &arguments).status.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// Starts the server that may be there, or not any more.
    pub(crate) fn up_again(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
        self.up();
    }

    /// Kills the server and all that it has started, as a machine that fails does.
    pub(crate) fn kill(&self) {
        let pids = std::fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).unwrap();
        let pid = pids.lines().next().unwrap();
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", pid])
            .output()
            .unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        for pid in std::iter::once(pid).chain(children.split_whitespace()) {
            signal(pid, "-9");
        }
        std::fs::remove_file(Path::new(&self.data()).join("postmaster.pid")).unwrap_or_default();
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://tester@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// Options of a store with a schema of its own.
    #[expect(clippy::unused_self, reason = "a schema of a cluster")]
    pub(crate) fn options(&self) -> Options {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Options::default()
            .with_schema(format!("test_{number}"))
            .with_connections(4)
    }

    pub(crate) fn open(&self, options: Options) -> PostgresStore {
        PostgresStore::open(&self.url(), options).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}
