//! The connections of a store: made when they are needed, a bounded number of them, given back after each
//! call.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scrollback::{Cause, Error, Result};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Config;

use crate::connection::Connection;
use crate::errors::{Failure, Tried, not_connected};
use crate::hosts::{self, Server};
use crate::options::{Isolation, Options};
use crate::sql::Sql;
use crate::tls::Connector;

/// How much longer than the server may work an answer is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// The connections.
pub(crate) struct Pool {
    /// `None` once the pool is dropped.
    runtime: Option<Runtime>,
    servers: Vec<Server>,
    /// How long each of them may take to be connected to.
    share: Duration,
    connector: Connector,
    options: Options,
    sql: Arc<Sql>,
    /// The server, for errors: without a password.
    name: String,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    /// A pool of connections to the server of a URL. Connects to nothing yet.
    pub(crate) fn new(url: &str, options: Options, sql: Arc<Sql>) -> Result<Self> {
        let failed = |source: Cause| Error::Storage {
            action: "use the URL of the server",
            source,
        };
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // The client's words repeat no part of the URL, which may hold a password.
            failed(error.to_string().into())
        })?;
        if config.get_application_name().is_none() {
            config.application_name("scrollback");
        }
        let (servers, share) = hosts::servers(&config, options.connect_wait)
            .map_err(|reason| failed(reason.into()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("scrollback-postgres")
            .enable_all()
            .build();
        Ok(Self {
            runtime: Some(runtime.map_err(|error| failed(Box::new(error)))?),
            connector: Connector::new(&config, &options)?,
            name: name_of(&config, &servers),
            servers,
            share,
            options,
            sql,
            state: Mutex::default(),
            freed: Condvar::new(),
        })
    }

    /// The server, for errors.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the store was opened.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that nobody else uses.
    pub(crate) fn get(&self) -> Tried<Lent<'_>> {
        let end = Instant::now() + self.options.connect_wait;
        let most = self.options.connections.max(1);
        let mut state = self.state();
        loop {
            while let Some(idle) = state.idle.pop() {
                // The server may have closed it while it lay here.
                if idle.is_broken() {
                    state.open -= 1;
                } else {
                    return Ok(Lent::new(self, idle));
                }
            }
            if state.open < most {
                // Counted before it is made: no lock is held while it connects, and nobody is to go
                // over the bound meanwhile.
                state.open += 1;
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Unreached(Error::Busy {
                    reason: format!("all {most} connections to `{}` are in use", self.name),
                }));
            }
            let waited = self.freed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        match self.connect() {
            Ok(made) => Ok(Lent::new(self, made)),
            Err(failure) => {
                self.state().open -= 1;
                // Its place is free, and somebody may be waiting for it.
                self.freed.notify_one();
                Err(failure)
            }
        }
    }

    fn connect(&self) -> Tried<Connection> {
        let unavailable = |source: Cause| {
            Failure::Unreached(Error::Unavailable {
                store: self.name.clone(),
                source,
            })
        };
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| unavailable("the store is closed".into()))?;
        let client = self
            .connector
            .connect(runtime.handle(), &self.servers, self.share)
            .map_err(|refusals| Failure::Unreached(not_connected(&self.name, refusals)))?;
        // The server ends a statement itself; waiting longer finds one that cannot be reached any
        // more.
        let wait = self.options.statement_timeout + GRACE;
        let sql = Arc::clone(&self.sql);
        let mut made = Connection::new(client, sql, self.options.prepares, wait);
        made.batch(&settings(&self.options))
            .map_err(|failure| Failure::Unreached(failure.told(&self.name, "connect")))?;
        Ok(made)
    }

    fn put_back(&self, connection: Connection) {
        let mut state = self.state();
        if connection.is_broken() {
            state.open -= 1;
        } else {
            state.idle.push(connection);
        }
        drop(state);
        self.freed.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Without waiting: the caller's thread may belong to a runtime, where waiting is refused.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What every connection is told first.
///
/// All statements ask for few rows by their keys. While the server does not know how large a new table has become, it
/// may plan to read all of it, and keep to that plan; so it is told not to.
fn settings(options: &Options) -> String {
    let isolation = match options.isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::Serializable => "serializable",
    };
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; \
         SET default_transaction_isolation = '{isolation}'; \
         SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
        options.statement_timeout.as_millis(),
        options.lock_timeout.as_millis(),
    )
}

/// The servers and the database, without a password.
fn name_of(config: &Config, servers: &[Server]) -> String {
    let names: Vec<&str> = servers.iter().map(|server| &*server.name).collect();
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("postgres://{}/{database}", names.join(","))
}

/// A connection for the length of a call.
pub(crate) struct Lent<'p> {
    pool: &'p Pool,
    /// `None` once it was given back.
    connection: Option<Connection>,
}

impl<'p> Lent<'p> {
    fn new(pool: &'p Pool, connection: Connection) -> Self {
        Self {
            pool,
            connection: Some(connection),
        }
    }

    /// Gives the connection up before the call ends, with whatever it holds.
    pub(crate) fn give_up(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.give_up();
            self.pool.put_back(connection);
        }
    }

    /// The connection.
    pub(crate) fn connection(&mut self) -> Tried<&mut Connection> {
        self.connection.as_mut().ok_or(Failure::Silent)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.put_back(connection);
        }
    }
}

impl std::fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
