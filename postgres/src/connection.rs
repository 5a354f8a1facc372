//! One connection: statements, prepared once each, with an end to every wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::block::wait_until;
use crate::errors::{Failure, Tried};
use crate::sql::{Query, Sql};

/// A value of a statement.
pub(crate) type Value<'v> = &'v (dyn ToSql + Sync);

/// A connection to the server.
pub(crate) struct Connection {
    client: Client,
    sql: Arc<Sql>,
    prepared: HashMap<usize, Statement>,
    prepares: bool,
    /// How long an answer is waited for: longer than the server may work at it.
    wait: Duration,
    is_broken: bool,
}

impl Connection {
    /// Over a client that is connected.
    pub(crate) fn new(client: Client, sql: Arc<Sql>, prepares: bool, wait: Duration) -> Self {
        Self {
            client,
            sql,
            prepared: HashMap::new(),
            prepares,
            wait,
            is_broken: false,
        }
    }

    /// Whether nothing more is to be sent on it.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken || self.client.is_closed()
    }

    /// Gives it up: what is under way on it may still be done.
    pub(crate) fn give_up(&mut self) {
        self.is_broken = true;
    }

    fn wait<T>(
        is_broken: &mut bool,
        wait: Duration,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Tried<T> {
        let Some(answer) = wait_until(answer, Instant::now() + wait) else {
            // The statement is still under way, and another one would wait behind it.
            *is_broken = true;
            return Err(Failure::Silent);
        };
        let answer = answer.map_err(Failure::from);
        if answer.as_ref().is_err_and(Failure::is_unknown) {
            *is_broken = true;
        }
        answer
    }

    /// The statement, prepared on this connection.
    fn statement(&mut self, query: Query) -> Tried<Statement> {
        if let Some(ready) = self.prepared.get(&(query as usize)) {
            return Ok(ready.clone());
        }
        let preparing = self.client.prepare(self.sql.text(query));
        let made = Self::wait(&mut self.is_broken, self.wait, preparing)?;
        // A pooler may give each transaction another connection, on which the statement is not
        // prepared.
        if self.prepares {
            self.prepared.insert(query as usize, made.clone());
        }
        Ok(made)
    }

    /// The rows of a statement.
    pub(crate) fn query(&mut self, query: Query, values: &[Value<'_>]) -> Tried<Vec<Row>> {
        let statement = self.statement(query)?;
        let answer = self.client.query(&statement, values);
        Self::wait(&mut self.is_broken, self.wait, answer)
    }

    /// How many rows a statement has changed.
    pub(crate) fn execute(&mut self, query: Query, values: &[Value<'_>]) -> Tried<u64> {
        let statement = self.statement(query)?;
        let answer = self.client.execute(&statement, values);
        Self::wait(&mut self.is_broken, self.wait, answer)
    }

    /// Sends statements that have no values.
    pub(crate) fn batch(&mut self, text: &str) -> Tried<()> {
        let answer = self.client.batch_execute(text);
        Self::wait(&mut self.is_broken, self.wait, answer)
    }

    /// The rows of a statement that is sent once.
    pub(crate) fn query_once(&mut self, text: &str, values: &[Value<'_>]) -> Tried<Vec<Row>> {
        let answer = self.client.query(text, values);
        Self::wait(&mut self.is_broken, self.wait, answer)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("is_broken", &self.is_broken)
            .finish_non_exhaustive()
    }
}
