//! Rows of the index of messages: runs, their documents, their lists, and the record from which on a
//! session is not indexed.

use bincode::{Decode, Encode};

use super::row::{self, RowError, RowFormat};

const VERSION: u8 = 1;

/// Documents in one row.
pub(crate) const BLOCK_DOCUMENTS: u32 = 128;

/// A run: the row of table `search_runs`, version 1. The run's number is the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RunRow {
    /// The version of what is a piece of a text.
    pub grams: u16,
    /// How many documents it has.
    pub documents: u32,
    /// Bytes of its rows.
    pub bytes: u64,
    /// Whose lines it has, each agent with the version of the reader that read them.
    pub readers: Vec<(String, u16)>,
}

/// Some records of a session, of which a run's lists speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Document {
    /// The session.
    pub session: u64,
    /// Its first record.
    pub first: u64,
    /// Its last one.
    pub last: u64,
    /// Which of the run's readers read it.
    pub reader: u16,
}

impl RunRow {
    /// The stored bytes.
    pub(crate) fn encode(&self, run: u32) -> Result<Vec<u8>, RowError> {
        row::encode(RowFormat::SearchRun, VERSION, &run.to_be_bytes(), self)
    }

    /// Reads stored bytes.
    pub(crate) fn decode(run: u32, bytes: &[u8]) -> Result<Self, RowError> {
        row::decode(RowFormat::SearchRun, VERSION, &run.to_be_bytes(), bytes)
    }
}

/// The stored bytes of a block of documents.
pub(crate) fn encode_documents(
    key: (u32, u32),
    documents: &[Document],
) -> Result<Vec<u8>, RowError> {
    let documents = documents.to_vec();
    row::encode_short::<{ row::BODY_BYTES_MAX }, _>(
        RowFormat::SearchDocuments,
        VERSION,
        &key_bytes(key),
        &documents,
    )
}

/// Reads a block of documents.
pub(crate) fn decode_documents(key: (u32, u32), bytes: &[u8]) -> Result<Vec<Document>, RowError> {
    let documents: Vec<Document> = row::decode_short::<{ row::BODY_BYTES_MAX }, _>(
        RowFormat::SearchDocuments,
        VERSION,
        &key_bytes(key),
        bytes,
    )?;
    if documents
        .iter()
        .any(|document| document.last < document.first)
    {
        return Err(RowError("a document that ends before it begins".to_owned()));
    }
    Ok(documents)
}

/// The stored bytes of a row of lists.
pub(crate) fn seal_lists(key: (u32, u32), body: &[u8]) -> Vec<u8> {
    row::seal(RowFormat::SearchGrams, VERSION, &key_bytes(key), body)
}

/// The body of a row of lists.
pub(crate) fn open_lists(key: (u32, u32), bytes: &[u8]) -> Result<&[u8], RowError> {
    row::open(RowFormat::SearchGrams, VERSION, &key_bytes(key), bytes)
}

/// The stored bytes of the record from which on a session is in no document.
pub(crate) fn encode_tail(session: u64, from: u64) -> Vec<u8> {
    let body = from.to_le_bytes();
    row::seal(
        RowFormat::SearchTail,
        VERSION,
        &session.to_be_bytes(),
        &body,
    )
}

/// Reads them.
pub(crate) fn decode_tail(session: u64, bytes: &[u8]) -> Result<u64, RowError> {
    let body = row::open(
        RowFormat::SearchTail,
        VERSION,
        &session.to_be_bytes(),
        bytes,
    )?;
    let body = body.try_into().map(u64::from_le_bytes);
    body.map_err(|_| RowError("a number that is cut short".to_owned()))
}

fn key_bytes((run, other): (u32, u32)) -> [u8; 8] {
    (u64::from(run) << 32 | u64::from(other)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let run = RunRow {
            grams: 1,
            documents: 2,
            bytes: 3,
            readers: vec![("codex".to_owned(), 4)],
        };
        let bytes = run.encode(7).unwrap();
        let body = [
            &[30, 1, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0][..],
            &1_u64.to_le_bytes(),
            &5_u64.to_le_bytes(),
            b"codex",
            &[4, 0],
        ];
        assert_eq!(bytes[..bytes.len() - 8], body.concat());
        assert_eq!(RunRow::decode(7, &bytes).unwrap(), run);
        assert!(RunRow::decode(8, &bytes).is_err());
        let document = Document {
            session: 1,
            first: 2,
            last: 3,
            reader: 0,
        };
        let bytes = encode_documents((7, 1), &[document]).unwrap();
        assert_eq!(bytes[..bytes.len() - 8], [31, 1, 1, 1, 2, 3, 0]);
        assert_eq!(decode_documents((7, 1), &bytes).unwrap(), [document]);
        assert!(decode_documents((7, 0), &bytes).is_err());
        let bytes = seal_lists((7, 9), b"x");
        assert_eq!(open_lists((7, 9), &bytes).unwrap(), b"x");
        assert_eq!((bytes[0], open_lists((7, 8), &bytes).is_err()), (32, true));
        let bytes = encode_tail(5, 6);
        assert_eq!((bytes[0], decode_tail(5, &bytes).unwrap()), (33, 6));
        assert!(decode_tail(6, &bytes).is_err());
    }
}
