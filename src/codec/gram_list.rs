//! Which documents have what is in a bucket: lists of consecutive buckets, packed, in rows of one page.
//!
//! A row is `[end u32][list]...`: it speaks of the buckets from its key to `end`, and of those without a
//! list no document has anything. A list is the distance of its bucket from the one before, twice the
//! number of its documents (and one more for a bitmap), and then nothing, where those are all documents;
//! one number, of one document; a bitmap; or the distances between documents in Rice's code, behind their
//! length in bytes.

use super::numbers::{number, take_number};
use super::rice::{self, rice_shift};
use super::row::RowError;

/// Bytes of a body at most: with its frame and its key it fills a page of 4 KiB.
pub(crate) const ROW_BYTES_MAX: usize = 4032;

/// Most documents of a run: a list is no longer than an eighth of that then.
pub(crate) const DOCUMENTS_MAX: u32 = 4096;

/// Packs lists into rows.
#[derive(Debug)]
pub(crate) struct RowPacker {
    documents: u32,
    first: u32,
    last: u32,
    body: Vec<u8>,
    list: Vec<u8>,
}

impl RowPacker {
    /// For lists over so many documents.
    pub(crate) fn new(documents: u32) -> Self {
        Self {
            documents,
            first: 0,
            last: 0,
            body: Vec::with_capacity(ROW_BYTES_MAX),
            list: Vec::new(),
        }
    }

    /// Takes the list of the next bucket: documents in ascending order, at least one. Gives the row that is
    /// full without it: its first bucket, and its body.
    pub(crate) fn push(&mut self, bucket: u32, documents: &[u32]) -> Option<(u32, Vec<u8>)> {
        self.list.clear();
        pack(&mut self.list, documents, self.documents);
        // The distance takes at most five bytes.
        let full = 4 + self.body.len() + 5 + self.list.len() > ROW_BYTES_MAX;
        let row = full.then(|| self.end(bucket));
        number(&mut self.body, u64::from(bucket - self.last));
        self.body.extend_from_slice(&self.list);
        self.last = bucket;
        row
    }

    /// Ends the row before a bucket, with which the next one begins.
    pub(crate) fn end(&mut self, bucket: u32) -> (u32, Vec<u8>) {
        let body = [&bucket.to_le_bytes()[..], &self.body].concat();
        let first = std::mem::replace(&mut self.first, bucket);
        self.last = bucket;
        self.body.clear();
        (first, body)
    }
}

fn pack(out: &mut Vec<u8>, documents: &[u32], all: u32) {
    let count = documents.len() as u64;
    let bitmap_bytes = all.div_ceil(8) as usize;
    // Of a single document the one is all, which takes no number.
    if let ([only], 2..) = (documents, all) {
        number(out, 2);
        number(out, u64::from(*only));
        return;
    }
    if count == u64::from(all) {
        number(out, count * 2);
        return;
    }
    let shift = rice_shift(count, all);
    let mut bits = count * u64::from(shift + 1);
    let mut next = 0;
    for document in documents {
        bits += u64::from((document - next) >> shift);
        next = document + 1;
    }
    let length = bits.div_ceil(8);
    // With the byte that its length takes: else a bitmap is as short.
    if length + 1 < bitmap_bytes as u64 {
        number(out, count * 2);
        number(out, length);
        let mut bits = rice::Writer::new(out);
        let mut next = 0;
        for document in documents {
            bits.push(document - next, shift);
            next = document + 1;
        }
        bits.end();
        return;
    }
    number(out, count * 2 + 1);
    let start = out.len();
    out.resize(start + bitmap_bytes, 0);
    for document in documents {
        if let Some(byte) = out.get_mut(start + *document as usize / 8) {
            *byte |= 1 << (document % 8);
        }
    }
}

/// A row that was read: the end of its buckets, and lists still packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists<'r> {
    /// Behind the last bucket of which the row speaks.
    pub end: u32,
    first: u32,
    documents: u32,
    rest: &'r [u8],
}

impl<'r> Lists<'r> {
    /// Opens the body of a row.
    pub(crate) fn open(first: u32, documents: u32, body: &'r [u8]) -> Result<Self, RowError> {
        let (end, rest) = body.split_first_chunk::<4>().ok_or_else(cut)?;
        let end = u32::from_le_bytes(*end);
        if end < first || documents > DOCUMENTS_MAX {
            return Err(RowError(format!("buckets from {first} to {end}")));
        }
        Ok(Self {
            end,
            first,
            documents,
            rest,
        })
    }

    /// The documents of a bucket, which is within.
    pub(crate) fn of(mut self, wanted: u32) -> Result<Vec<u32>, RowError> {
        while !self.rest.is_empty() {
            let (bucket, packed) = self.next_packed()?;
            if bucket == wanted {
                return packed.unpack(self.documents);
            }
            if bucket > wanted {
                break;
            }
        }
        Ok(Vec::new())
    }

    /// All lists, each with its bucket.
    pub(crate) fn all(mut self) -> Result<Vec<(u32, Vec<u32>)>, RowError> {
        let mut all = Vec::new();
        while !self.rest.is_empty() {
            let (bucket, packed) = self.next_packed()?;
            all.push((bucket, packed.unpack(self.documents)?));
        }
        Ok(all)
    }

    fn next_packed(&mut self) -> Result<(u32, Packed<'r>), RowError> {
        let distance = take_number(&mut self.rest)?;
        let bucket = u64::from(self.first) + distance;
        let bucket = u32::try_from(bucket).ok().filter(|at| *at < self.end);
        let bucket = bucket.ok_or_else(cut)?;
        self.first = bucket;
        let head = take_number(&mut self.rest)?;
        let count = u32::try_from(head / 2).map_err(|_| cut())?;
        // The cases in the order in which they are written: in a run of one document that one is
        // all of them, and has no number behind it.
        let how = if count == 1 && self.documents > 1 && head % 2 == 0 {
            How::One(take_number(&mut self.rest)?)
        } else if count == self.documents && head % 2 == 0 {
            How::All
        } else {
            let length = match head % 2 {
                1 => u64::from(self.documents.div_ceil(8)),
                _ => take_number(&mut self.rest)?,
            };
            let length = usize::try_from(length).map_err(|_| cut())?;
            let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
            self.rest = rest;
            match head % 2 {
                1 => How::Bitmap(bytes),
                _ => How::Rice(bytes),
            }
        };
        Ok((bucket, Packed { count, how }))
    }
}

fn cut() -> RowError {
    RowError("lists of buckets that are cut short".to_owned())
}

struct Packed<'r> {
    count: u32,
    how: How<'r>,
}

enum How<'r> {
    All,
    One(u64),
    Bitmap(&'r [u8]),
    Rice(&'r [u8]),
}

impl Packed<'_> {
    fn unpack(self, all: u32) -> Result<Vec<u32>, RowError> {
        let mut documents = Vec::new();
        match self.how {
            How::All => documents.extend(0..all),
            How::One(one) => documents.push(u32::try_from(one).map_err(|_| cut())?),
            How::Bitmap(bytes) => {
                for (at, byte) in (0_u32..).zip(bytes) {
                    let set = (0..8).filter(|bit| byte >> bit & 1 == 1);
                    documents.extend(set.map(|bit| at * 8 + bit));
                }
            }
            How::Rice(bytes) => {
                let shift = rice_shift(u64::from(self.count), all);
                let mut bits = rice::Reader::new(bytes);
                let mut next = 0_u32;
                for _ in 0..self.count {
                    let distance = bits.next(shift).ok_or_else(cut)?;
                    let document = next.checked_add(distance).filter(|one| *one < all);
                    let document = document.ok_or_else(cut)?;
                    documents.push(document);
                    next = document + 1;
                }
            }
        }
        // Bits behind the last document would name some that the run does not have.
        let is_right = documents.len() == self.count as usize;
        if is_right && documents.last().is_none_or(|last| *last < all) {
            return Ok(documents);
        }
        Err(cut())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_come_back(
            all in 1_u32..=DOCUMENTS_MAX,
            lists in prop::collection::btree_map(
                0_u32..400_000, prop::collection::btree_set(any::<u32>(), 1..300), 1..60),
        ) {
            let lists: Vec<(u32, Vec<u32>)> = lists
                .into_iter()
                .map(|(bucket, documents)| {
                    let documents: std::collections::BTreeSet<u32> =
                        documents.into_iter().map(|one| one % all).collect();
                    (bucket, documents.into_iter().collect())
                })
                .collect();
            let mut packer = RowPacker::new(all);
            let mut rows = Vec::new();
            for (bucket, documents) in &lists {
                rows.extend(packer.push(*bucket, documents));
            }
            rows.push(packer.end(400_000));
            let mut found = Vec::new();
            let mut reached = 0;
            for (first, body) in &rows {
                prop_assert!(body.len() <= ROW_BYTES_MAX);
                prop_assert_eq!(*first, reached);
                let row = Lists::open(*first, all, body).unwrap();
                reached = row.end;
                found.extend(row.all().unwrap());
                for (bucket, documents) in &lists {
                    if (*first..row.end).contains(bucket) {
                        prop_assert_eq!(&row.of(*bucket).unwrap(), documents);
                    }
                }
            }
            prop_assert_eq!(found, lists);
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..200), all in 0_u32..5000,
        ) {
            if let Ok(row) = Lists::open(3, all, &bytes) {
                drop(row.all());
                drop(row.of(7));
            }
        }
    }
}
