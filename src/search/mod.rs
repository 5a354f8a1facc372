//! Searching text: what is asked for, which parts of a message are looked at, and where in it a match
//! stands.
//!
//! All of it is pure: no store, no I/O. What folds and what is a word is frozen here, and does not follow
//! the tables of the compiler's version: an index that was written by one build is read by another.

mod asked;
mod fold;
mod fold_table;
mod gram_set;
mod grams;
mod language;
#[cfg(feature = "regex")]
mod literals;
mod needles;
mod pattern;
mod pieces;
mod plan;
mod snippet;
mod term;
mod words;

pub(crate) use self::fold::folded;
pub(crate) use self::gram_set::{GramSet, PackedSet};
pub(crate) use self::grams::{BUCKETS, VERSION as GRAM_VERSION};
pub(crate) use self::needles::Needles;
pub use self::pattern::Pattern;
pub(crate) use self::pieces::{Pieces, each_text, pieces};
pub(crate) use self::plan::Plan;
pub use self::snippet::Snippet;
pub(crate) use self::snippet::snippet;
