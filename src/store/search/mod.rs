//! Searching a store: which sessions and messages a query means, read newest first, a page at a time.
//!
//! - What fits is decided by the message as it is shown ([`evaluate`]): whatever says where to look can only
//!   leave out what cannot fit.
//! - Sessions are read by several threads, and given in their order.

mod by_lines;
mod evaluate;
mod hit;
mod query;
mod rank;
mod reads;
mod run;
mod state;
mod walk;

pub use self::hit::{Hit, SearchCounts, SearchPage, UnreadSession};
pub use self::query::{SearchCursor, SearchQuery, Sort};
pub(crate) use self::reads::{Everywhere, Guide, Reads, Where, first_of};
pub(crate) use self::run::{counts, page};
pub(crate) use self::state::{exceptions_of, state};
