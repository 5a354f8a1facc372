//! Rows of what is kept of a session beside its lines, and of its other names.

use bincode::{Decode, Encode};

use super::row::{self, RowError, RowFormat};
use crate::model::key::SessionKey;
use crate::model::properties::Properties;
use crate::model::raw_json::RawJson;

const VERSION: u8 = 1;

/// Most bytes of a body: what all limits of properties add up to, and room for lengths.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A session's properties, version 1. The session's number is the key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct PropertiesRow {
    title: Option<String>,
    project: Option<String>,
    parent: Option<String>,
    pinned: bool,
    archived: bool,
    summary: String,
    aliases: Vec<String>,
    scope: Option<String>,
}

/// The stored bytes of a session's properties.
pub(crate) fn encode(number: u64, properties: &Properties) -> Result<Vec<u8>, RowError> {
    let Properties {
        title,
        project,
        parent,
        pinned,
        archived,
        summary,
        aliases,
        scope,
    } = properties.clone();
    let row = PropertiesRow {
        title,
        project,
        parent,
        pinned,
        archived,
        summary,
        aliases,
        scope: scope.map(|scope| scope.as_str().to_owned()),
    };
    let key = number.to_be_bytes();
    row::encode_within::<BODY_BYTES_MAX, _>(RowFormat::Properties, VERSION, &key, &row)
}

/// Reads a session's properties.
pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Properties, RowError> {
    let key = number.to_be_bytes();
    let row: PropertiesRow =
        row::decode_within::<BODY_BYTES_MAX, _>(RowFormat::Properties, VERSION, &key, bytes)?;
    let scope = row.scope.map(RawJson::parse).transpose();
    Ok(Properties {
        title: row.title,
        project: row.project,
        parent: row.parent,
        pinned: row.pinned,
        archived: row.archived,
        summary: row.summary,
        aliases: row.aliases,
        scope: scope.map_err(|error| RowError(error.to_string()))?,
    })
}

/// The stored bytes of a claim: the number of the session that has an alias.
pub(crate) fn encode_claim(
    alias: &SessionKey,
    claim: u64,
    number: u64,
) -> Result<Vec<u8>, RowError> {
    row::encode(RowFormat::Alias, VERSION, &claim_key(alias, claim), &number)
}

/// Reads a claim.
pub(crate) fn decode_claim(alias: &SessionKey, claim: u64, bytes: &[u8]) -> Result<u64, RowError> {
    row::decode(RowFormat::Alias, VERSION, &claim_key(alias, claim), bytes)
}

fn claim_key(alias: &SessionKey, claim: u64) -> Vec<u8> {
    let mut key = alias.agent().as_bytes().to_vec();
    key.extend_from_slice(alias.id().as_bytes());
    key.extend_from_slice(&claim.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties() -> Properties {
        Properties {
            title: Some("Trip".to_owned()),
            project: None,
            parent: Some("p".to_owned()),
            pinned: true,
            archived: false,
            summary: "They planned a trip.".to_owned(),
            aliases: vec!["telegram:1".to_owned(), "t".to_owned()],
            scope: Some(RawJson::parse("{\"v\":1.0}").unwrap()),
        }
    }

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let bytes = encode(9, &properties()).unwrap();
        assert_eq!(decode(9, &bytes), Ok(properties()));
        assert!(decode(8, &bytes).is_err());
        let alias = SessionKey::new("picoclaw", "t").unwrap();
        let claim = encode_claim(&alias, 1, 9).unwrap();
        assert_eq!(decode_claim(&alias, 1, &claim), Ok(9));
        assert!(decode_claim(&alias, 0, &claim).is_err());
        let hashes = [&bytes, &claim].map(|bytes| xxhash_rust::xxh3::xxh3_64(bytes));
        assert_eq!(
            hashes, GOLDEN,
            "the layout of a released version never changes: {hashes:#x?}"
        );
    }

    const GOLDEN: [u64; 2] = [0xcdf6_3bdf_1e89_d592, 0x6671_31e1_8c77_8d54];

    #[test]
    fn every_flipped_byte_is_noticed() {
        let bytes = encode(9, &properties()).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(decode(9, &damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_largest_properties_fit_into_a_row() {
        use crate::model::limits::{
            ALIASES_MAX, GIVEN_BYTES_MAX, ID_BYTES_MAX, SCOPE_BYTES_MAX, SUMMARY_BYTES_MAX,
        };
        let given = || Some("g".repeat(GIVEN_BYTES_MAX));
        let mut largest = Properties {
            title: given(),
            project: given(),
            parent: given(),
            pinned: true,
            archived: true,
            summary: "s".repeat(SUMMARY_BYTES_MAX),
            aliases: vec!["a".repeat(ID_BYTES_MAX); ALIASES_MAX],
            scope: RawJson::parse(format!("\"{}\"", "s".repeat(SCOPE_BYTES_MAX - 2))).ok(),
        };
        let bytes = encode(9, &largest).unwrap();
        assert_eq!(decode(9, &bytes).as_ref(), Ok(&largest));
        largest.summary = "s".repeat(BODY_BYTES_MAX);
        assert!(encode(9, &largest).is_err());
    }
}
