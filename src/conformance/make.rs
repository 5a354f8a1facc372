//! What makes the things that contracts are about.

use crate::facade::SessionStore;
use crate::model::key::SessionKey;
use crate::store::Store;

/// What makes new, empty stores.
pub type MakeStore = dyn Fn() -> Box<dyn Store>;

/// Opens the store of one place, again and again: what was stored is there each time. A store is
/// dropped before the next is opened.
pub type OpenStore = Box<dyn Fn() -> Box<dyn Store>>;

/// What makes new places, with an empty store in each.
pub type MakePlace = dyn Fn() -> OpenStore;

/// What makes new stores that hold one session: this one, with the lines of a file as they are.
pub type MakeTorn = dyn Fn(&SessionKey, &[u8]) -> Box<dyn Store>;

/// What makes new, empty stores of sessions by key.
pub type MakeSessionStore = dyn Fn() -> Box<dyn SessionStore>;
