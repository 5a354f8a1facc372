//! What is wrong with one row, as far as the row itself shows it: for those that read tables whole.
//!
//! Rows of indexes have no checksum of their own: whether they are right shows in the rows that
//! they lead to, which `verify` compares.

use redb::{Key, Value};

use super::read::corrupt_session;
use super::{attachments, bulk, properties, segments};
use crate::codec::properties_row;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;

/// The rows of one table.
pub(crate) trait Rows<K: Key, V: Value> {
    /// Tells what is wrong with a row; the error names its table and its key.
    fn check(key: &K::SelfType<'_>, value: &V::SelfType<'_>) -> Result<()>;
}

/// Rows of which nothing can be told.
pub(crate) struct Unchecked;

impl<K: Key, V: Value> Rows<K, V> for Unchecked {
    fn check(_key: &K::SelfType<'_>, _value: &V::SelfType<'_>) -> Result<()> {
        Ok(())
    }
}

/// Summary rows.
pub(crate) struct Sessions;

impl Rows<u64, &'static [u8]> for Sessions {
    fn check(number: &u64, value: &&[u8]) -> Result<()> {
        SessionRow::decode(*number, value)
            .map(drop)
            .map_err(|error| corrupt_session(*number, error.to_string()))
    }
}

/// Parts of segments.
pub(crate) struct Records;

impl Rows<segments::RecordsKey, &'static [u8]> for Records {
    fn check(key: &segments::RecordsKey, value: &&[u8]) -> Result<()> {
        segments::check_part(*key, value)
    }
}

/// Parts of attachments.
pub(crate) struct Attachments;

impl Rows<(u64, &'static str, u32), &'static [u8]> for Attachments {
    fn check(key: &(u64, &str, u32), value: &&[u8]) -> Result<()> {
        let (number, name, part) = *key;
        attachments::check_part(number, name, part, value)
    }
}

/// What is kept of sessions beside their lines.
pub(crate) struct Properties;

impl Rows<u64, &'static [u8]> for Properties {
    fn check(number: &u64, value: &&[u8]) -> Result<()> {
        properties_row::decode(*number, value)
            .map(drop)
            .map_err(|error| properties::corrupt(*number, &error))
    }
}

/// Claims to aliases.
pub(crate) struct Aliases;

impl Rows<(&'static str, &'static str, u64), &'static [u8]> for Aliases {
    fn check(key: &(&str, &str, u64), value: &&[u8]) -> Result<()> {
        let (agent, alias, place) = *key;
        let alias = SessionKey::new(agent, alias).map_err(|error| Error::Corrupt {
            table: "aliases",
            key: format!("{agent}:{alias}"),
            detail: error.to_string(),
        })?;
        properties_row::decode_claim(&alias, place, value)
            .map(drop)
            .map_err(|error| properties::corrupt_alias(&alias, &error))
    }
}

/// The import state of files.
pub(crate) struct Sources;

impl Rows<(&'static [u8], u32), &'static [u8]> for Sources {
    fn check(key: &(&[u8], u32), value: &&[u8]) -> Result<()> {
        let (path, generation) = *key;
        SourceRow::decode(path, generation, value)
            .map(drop)
            .map_err(|error| bulk::corrupt_source(path, generation, &error.to_string()))
    }
}
