//! The contracts of [`Store`](crate::Store) and of [`SessionStore`](crate::picoclaw::SessionStore) as named tests over any implementation.
//!
//! A store of your own keeps what programs rely on if it keeps these contracts: each is one
//! sentence, with a program that finds out. In the tests of your crate, with
//! `scrollback = { version = "0.1", features = ["conformance"] }` among its dev-dependencies,
//! [`store_tests`](crate::store_tests) makes a test of each of them:
//!
//! ```
//! mod my_store {
//!     # use scrollback::MemoryStore as MyStore;
//!     scrollback::store_tests!(|| Box::new(MyStore::default()));
//! }
//! ```
//!
//! so that `cargo test` shows them by name:
//!
//! ```text
//! test my_store::append_is_all_or_none ... ok
//! test my_store::list_breaks_ties_newer_session_first ... FAILED
//! ```
//!
//! or all of them are run at once, and reported on:
//!
//! ```
//! use scrollback::conformance::run_store;
//! # use scrollback::MemoryStore as MyStore;
//!
//! let report = run_store(&|| Box::new(MyStore::default()));
//! assert!(report.is_clean(), "{report}");
//! ```
//!
//! Each call of what makes the store has to give a new, empty one, and several of them may live
//! at the same time: a file or a name space of its own each. Nothing is kept from one to the
//! next. The store's clock has to be later than 2001; nothing else is asked of it. Contracts
//! about threads try again what [is retryable](crate::Error::is_retryable).
//!
//! [`session_store_tests`](crate::session_store_tests) and [`run_session_store`] do the same for a
//! [`SessionStore`](crate::picoclaw::SessionStore). Two more families are for stores that can do more:
//!
//! - [`reopening_tests`](crate::reopening_tests), for stores that can be opened again. What they
//!   need is a maker of places, each of which can be opened many times, one after another.
//! - [`torn_tests`](crate::torn_tests), for stores that can take a file as it is, even one whose
//!   last line was torn.
//!
//! ```
//! use scrollback::conformance::{OpenStore, run_reopening};
//! use scrollback::{Options, RedbStore, Store};
//!
//! # fn main() -> std::io::Result<()> {
//! # let report = {
//! let make = || -> OpenStore {
//!     let folder = tempfile::tempdir().expect("a temporary folder");
//!     Box::new(move || {
//!         let path = folder.path().join("sessions.redb");
//!         Box::new(RedbStore::open(path, Options::default()).expect("a store"))
//!     })
//! };
//! let report = run_reopening(&make);
//! # report };
//! assert!(report.is_clean(), "{report}");
//! # Ok(()) }
//! ```
//!
//! No contract panics, and a store that panics fails the contract alone: what does not hold is a
//! [`Failure`], with what was expected and what came.

mod check;
mod contract;
mod make;
mod session_store;
mod store;
mod subject;
#[macro_use]
mod tables;

pub use self::contract::{Contract, Failure, Report, run_all, run_one};
pub use self::make::{MakePlace, MakeSessionStore, MakeStore, MakeTorn, OpenStore};
use self::store::{
    appending, batches, cleaning, compacting, families, hiding, listing, meta, properties, reading,
    removing, reopening, replacing, saving, scanning, searching, threads, torn, viewing, written,
};

/// The contracts of every [`Store`](crate::Store).
pub const STORE: &[Contract<MakeStore>] = __scrollback_store_contracts!([contracts]);

/// The contracts of a [`Store`](crate::Store) that can be opened again.
pub const REOPENING: &[Contract<MakePlace>] = __scrollback_reopening_contracts!([contracts]);

/// The contracts of a [`Store`](crate::Store) that can hold a line without its end.
pub const TORN: &[Contract<MakeTorn>] = __scrollback_torn_contracts!([contracts]);

/// The contracts of every [`SessionStore`](crate::picoclaw::SessionStore).
pub const SESSION_STORE: &[Contract<MakeSessionStore>] =
    __scrollback_session_store_contracts!([contracts]);

/// Runs the contracts of every [`Store`](crate::Store).
pub fn run_store(make: &MakeStore) -> Report {
    run_all(STORE, make)
}

/// Runs the contracts of a [`Store`](crate::Store) that can be opened again.
pub fn run_reopening(make: &MakePlace) -> Report {
    run_all(REOPENING, make)
}

/// Runs the contracts of a [`Store`](crate::Store) that can hold a line without its end.
pub fn run_torn(make: &MakeTorn) -> Report {
    run_all(TORN, make)
}

/// Runs the contracts of every [`SessionStore`](crate::picoclaw::SessionStore).
pub fn run_session_store(make: &MakeSessionStore) -> Report {
    run_all(SESSION_STORE, make)
}

/// A test for each contract of [`Store`](crate::Store), of what the given closure makes; see
/// [`conformance`](crate::conformance).
#[macro_export]
macro_rules! store_tests {
    ($make:expr) => {
        $crate::__scrollback_store_contracts! {
            [$crate::__scrollback_contract_tests] STORE, MakeStore, $make
        }
    };
}

/// A test for each contract of a [`Store`](crate::Store) that can be opened again, of the places
/// that the given closure makes; see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! reopening_tests {
    ($make:expr) => {
        $crate::__scrollback_reopening_contracts! {
            [$crate::__scrollback_contract_tests] REOPENING, MakePlace, $make
        }
    };
}

/// A test for each contract of a [`Store`](crate::Store) that can hold a torn line, of what the
/// given closure makes; see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! torn_tests {
    ($make:expr) => {
        $crate::__scrollback_torn_contracts! {
            [$crate::__scrollback_contract_tests] TORN, MakeTorn, $make
        }
    };
}

/// A test for each contract of [`SessionStore`](crate::picoclaw::SessionStore), of what the given closure
/// makes; see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! session_store_tests {
    ($make:expr) => {
        $crate::__scrollback_session_store_contracts! {
            [$crate::__scrollback_contract_tests] SESSION_STORE, MakeSessionStore, $make
        }
    };
}
