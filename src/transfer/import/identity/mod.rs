//! Which session a file is: the file line by line (`shape`), what is stored under its id (`content`),
//! how well the two fit (`fit`), and what becomes of the records and their order then (`outcome`).
//!
//! A line is known by its digest. When in doubt a file is another content of its id: that loses nothing,
//! a wrong join does. Nothing here opens a file or writes to a store.

pub(super) mod content;
pub(super) mod fit;
pub(super) mod outcome;
pub(super) mod shape;

pub(super) use self::content::{Content, Head};
pub(super) use self::fit::{Choice, choose};
pub(super) use self::outcome::{Change, Outcome, Step, outcome};
pub(super) use self::shape::{FileShape, Shaper};

/// A line that is shorter, in bytes, may be said twice: where it comes again, it is another one.
const TELLING_BYTES: u64 = 40;

/// Lines that a file and a content have in common, at the least, where only a part of them fits...
pub(super) const COMMON_LINES: usize = 3;

/// ... and the bytes of these.
pub(super) const COMMON_BYTES: u64 = 200;

/// Earlier states of a file that are remembered with its order, by lines and digest.
pub(super) const EARLIER_MAX: usize = 16;
