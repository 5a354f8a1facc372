//! A Scrollback store on a PostgreSQL server: [`PostgresStore`], for sessions that several machines share.
//!
//! ```no_run
//! use scrollback::{Expect, Message, NewRecord, Role, SessionKey, Store};
//! use scrollback_postgres::{Options, PostgresStore};
//!
//! let store = PostgresStore::open("postgres://worker@db.internal/sessions", Options::default())?;
//! let hello = NewRecord::message(Message::text(Role::User, "hello"));
//! store.append(&SessionKey::native("chat-1")?, Expect::Any, None, &[hello])?;
//! # Ok::<(), scrollback::Error>(())
//! ```
//!
//! It is an engine of [`scrollback::kit`], so every call means what it means over a file, and
//! [`import`](scrollback::import) and [`export_all`](scrollback::export_all) take it. `docs/postgres.md` says when
//! to use it, what rests on the server's settings, and what was tested.
//!
//! Calls are synchronous and may be made from any thread, also one of an async runtime: they block it, as
//! `docs/async.md` says, but need none and disturb none. The connections are served by one thread of the
//! store's own.

mod attempts;
mod block;
mod commit;
mod connection;
mod engine;
mod errors;
mod hosts;
mod numbers;
mod options;
mod pinned;
mod pool;
mod reads;
mod schema;
mod sql;
mod store;
mod tls;

pub use options::{Isolation, Options};
pub use store::PostgresStore;
