//! How a store on a server is opened.

use std::path::PathBuf;
use std::time::Duration;

use scrollback::Stamps;

/// The isolation of the store's transactions. Every promise of the store holds at both: what is written is
/// checked against the version that was read, in the statement that writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// `READ COMMITTED`, PostgreSQL's own default.
    #[default]
    ReadCommitted,
    /// `SERIALIZABLE`, the only one that some servers of this protocol have. What such a server refuses is
    /// sent again.
    Serializable,
}

/// How a store on a server is opened.
///
/// ```
/// use scrollback_postgres::Options;
///
/// let options = Options::default().with_schema("team_a").with_connections(4);
/// assert_eq!(options.schema, "team_a");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The schema that the tables lie in. Each schema is a store of its own. The default is `scrollback`.
    pub schema: String,
    /// Most connections that are open at a time. The default is 8.
    pub connections: usize,
    /// How long a call waits for a connection that is free before it fails with
    /// [`Busy`](scrollback::Error::Busy), and how long a connection may take to be made before it fails with
    /// [`Unavailable`](scrollback::Error::Unavailable). The default is 10 seconds.
    pub connect_wait: Duration,
    /// How long the server may work at a statement. The default is 60 seconds.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock. The default is 10 seconds.
    pub lock_timeout: Duration,
    /// How long a call goes on finding out whether a commit was done whose answer was lost, before it fails
    /// with [`CommitUnknown`](scrollback::Error::CommitUnknown). The default is 15 seconds.
    pub resolve_wait: Duration,
    /// The isolation of transactions.
    pub isolation: Isolation,
    /// Whether tables that are not there are made, and older ones brought up to date. The default is yes;
    /// without, a store that needs it cannot be opened.
    pub migrates: bool,
    /// Whether statements are prepared under names, which some connection poolers do not bear. The default
    /// is yes.
    pub prepares: bool,
    /// Certificates in PEM that a server's is checked against, in place of the system's.
    pub root_certificates: Option<PathBuf>,
    /// The clock and the ids.
    pub stamps: Stamps,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: "scrollback".to_owned(),
            connections: 8,
            connect_wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(10),
            resolve_wait: Duration::from_secs(15),
            isolation: Isolation::default(),
            migrates: true,
            prepares: true,
            root_certificates: None,
            stamps: Stamps::default(),
        }
    }
}

impl Options {
    /// The same, with the tables in this schema.
    #[must_use]
    pub fn with_schema(self, schema: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            ..self
        }
    }

    /// The same, with at most so many connections, and at least one.
    #[must_use]
    pub fn with_connections(self, connections: usize) -> Self {
        Self {
            connections,
            ..self
        }
    }

    /// The same, waiting so long for a connection.
    #[must_use]
    pub fn with_connect_wait(self, connect_wait: Duration) -> Self {
        Self {
            connect_wait,
            ..self
        }
    }

    /// The same, with at most so long for a statement.
    #[must_use]
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self {
            statement_timeout,
            ..self
        }
    }

    /// The same, with at most so long for a lock.
    #[must_use]
    pub fn with_lock_timeout(self, lock_timeout: Duration) -> Self {
        Self {
            lock_timeout,
            ..self
        }
    }

    /// The same, finding out so long whether a commit was done.
    #[must_use]
    pub fn with_resolve_wait(self, resolve_wait: Duration) -> Self {
        Self {
            resolve_wait,
            ..self
        }
    }

    /// The same, with this isolation.
    #[must_use]
    pub fn with_isolation(self, isolation: Isolation) -> Self {
        Self { isolation, ..self }
    }

    /// The same, making tables or not.
    #[must_use]
    pub fn with_migrates(self, migrates: bool) -> Self {
        Self { migrates, ..self }
    }

    /// The same, with statements prepared under names or not.
    #[must_use]
    pub fn with_prepares(self, prepares: bool) -> Self {
        Self { prepares, ..self }
    }

    /// The same, checking the server's certificate against those in a file.
    #[must_use]
    pub fn with_root_certificates(self, path: impl Into<PathBuf>) -> Self {
        Self {
            root_certificates: Some(path.into()),
            ..self
        }
    }

    /// The same, with this clock and these ids.
    #[must_use]
    pub fn with_stamps(self, stamps: Stamps) -> Self {
        Self { stamps, ..self }
    }
}
