//! SQLite databases of other programs: opened so that nothing of them changes, asked only for what is named,
//! and their values as text and JSON. Knows no agent's tables.

pub(crate) mod open;
pub(crate) mod sql;
pub(crate) mod values;
