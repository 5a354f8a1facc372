//! Bad bytes: a good store, and after that every kind of damage in every region of it. An answer is
//! right, or an error; `verify` notices; `repair` saves what is left and lists what is not.
//!
//! The environment's `SCROLLBACK_SWEEP_STEP` sets how many bytes apart the damage is.

mod answers;
mod store;
pub(crate) mod sweep;
