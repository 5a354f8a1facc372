//! The index of messages: which records cannot hold what is searched for.
//!
//! It only ever leaves records out. Every record at or past its session's row in `search_tails` is read by
//! each search; every other one lies in the range of a document whose lists have all that it says, and that its
//! message says before it, as its agent's reader read it then. What cannot be read of the index is read around.
//!
//! - `candidates`: which records a search has to read; `guide`: hands them to the search
//! - `gather`: what records say, as documents; `parts`: messages on several records; `transpose` and `fill`: documents to lists, and these to rows; `merge`: small runs to larger ones
//! - `runs`: runs read whole
//! - `calls`: building it and dropping it

mod calls;
mod candidates;
mod fill;
mod gather;
mod guide;
mod merge;
mod parts;
pub(crate) mod runs;
mod transpose;

pub use self::calls::Indexed;
pub(crate) use self::guide::RedbGuide;
pub(crate) use self::parts::grams_of;
