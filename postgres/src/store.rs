//! The store.

use std::sync::Arc;

use scrollback::Result;
use scrollback::kit::Lately;

use crate::numbers::Numbers;
use crate::options::Options;
use crate::pool::Pool;
use crate::schema;
use crate::sql::{Sql, quoted};

/// A store on a PostgreSQL server. Any number of processes and machines use it at the same time; an open one is
/// shared by threads.
///
/// # Durability
///
/// What a call says is written was committed by the server. Whether that survives the loss of the server's
/// machine rests on its settings: `fsync`, `full_page_writes` and `synchronous_commit` on (its defaults), and
/// `synchronous_standby_names` for a fail-over that loses nothing.
///
/// # Errors
///
/// [`Unavailable`](scrollback::Error::Unavailable) where the server cannot be reached and nothing was written,
/// [`Busy`](scrollback::Error::Busy) where others were in the way for too long: both
/// [may be tried again](scrollback::Error::is_retryable). Where the answer of a commit is lost, the call finds out
/// whether it was done; [`CommitUnknown`](scrollback::Error::CommitUnknown) says that it could not.
#[derive(Debug)]
pub struct PostgresStore {
    pool: Pool,
    numbers: Numbers,
    lately: Lately,
}

impl PostgresStore {
    /// Opens a store: connects, and makes the tables if they are not there.
    ///
    /// `url` is `postgres://user:password@host:port/database`, or the words of libpq (`host=... user=...`).
    /// With `sslmode=require` the connection is encrypted and the server's certificate checked;
    /// `sslmode=prefer`, the default, does so if the server can.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](scrollback::Error::Unavailable);
    /// [`UnsupportedVersion`](scrollback::Error::UnsupportedVersion) if a newer version has made the tables;
    /// [`Storage`](scrollback::Error::Storage) if the URL is none, or the role may not do it.
    pub fn open(url: &str, options: Options) -> Result<Self> {
        let schema = quoted(&options.schema);
        let sql = Arc::new(Sql::new(&schema));
        let pool = Pool::new(url, options, sql)?;
        schema::ready(&pool, &schema)?;
        Ok(Self {
            pool,
            numbers: Numbers::default(),
            lately: Lately::default(),
        })
    }

    /// The server and its database, as errors name them: without a password.
    pub fn name(&self) -> &str {
        self.pool.name()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn remembered(&self) -> &Lately {
        &self.lately
    }
}
