//! Histories of several clients at once, and whether they can be told as a sequence of calls that happen one at a
//! time: each at some moment between its call and its answer.
//!
//! - `checker`: finds such a sequence for any model, or none
//! - `session`: the model of a session, the calls and what they are answered
//! - `recording`: clients who call a store at random, and write down what happens when
//!
//! Sessions know nothing of each other, so each is checked by itself: all of them together can be told as a sequence
//! if each can. The tests of the store on a server include this folder too.

mod checker;
pub(crate) mod recording;
pub(crate) mod session;
