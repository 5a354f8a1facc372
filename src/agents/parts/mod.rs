//! What the formats of several agents have in common: readers and writers that know no agent.

pub(crate) mod blocks;
pub(crate) mod compact;
pub(crate) mod documents;
pub(crate) mod entries;
pub(crate) mod fields;
pub(crate) mod go_json;
pub(crate) mod heads;
pub(crate) mod injected;
pub(crate) mod lines;
pub(crate) mod meta_file;
pub(crate) mod own_folder;
pub(crate) mod paths;
pub(crate) mod pieces;
#[cfg(feature = "sqlite")]
pub(crate) mod rows;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod times;
pub(crate) mod titles;
pub(crate) mod tokens;
pub(crate) mod values;
