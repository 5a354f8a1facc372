//! One page of the engine's trees, read with every bound checked: a page may be damaged.
//!
//! - leaf: `[1][0][pairs u16]`, ends of keys and of values (u32 each, where they vary), keys, values
//! - branch: `[2][0][keys u16][0 u32]`, checksums (u128) and numbers (u64) of the children, ends of
//!   the keys (u32, where they vary), keys
//!
//! All little endian. A page's checksum is xxh3-128 of its bytes up to the end of its last value or
//! key; it stands in the page above, so that the root's vouches for all of the tree.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

const LEAF: u8 = 1;
const BRANCH: u8 = 2;

/// Bytes of a leaf before its ends of keys.
const LEAF_HEAD: usize = 4;

/// Bytes of a branch before its checksums.
const BRANCH_HEAD: usize = 8;

/// How long the keys and the values of a tree are, where all of them are equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Length of a key.
    pub key: Option<usize>,
    /// Length of a value.
    pub value: Option<usize>,
}

/// The number at a place, little endian.
fn u32_at(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

/// The count in the head of a page.
fn count(page: &[u8]) -> Option<usize> {
    let bytes = page.get(2..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*bytes)))
}

/// The checksum of the first bytes of a page, if it has so many.
fn checksum(page: &[u8], end: Option<usize>) -> Option<u128> {
    page.get(..end?).map(xxh3_128)
}

/// What a page is.
#[derive(Debug)]
pub(crate) enum Node<'p> {
    /// Rows.
    Leaf(Leaf<'p>),
    /// Ways to further pages.
    Branch(Branch<'p>),
}

impl<'p> Node<'p> {
    /// Reads a page's head. `None` if it is neither kind, or empty.
    pub(crate) fn of(page: &'p [u8], shape: Shape) -> Option<Self> {
        let count = count(page).filter(|count| *count > 0)?;
        match page.first() {
            Some(&LEAF) => Some(Self::Leaf(Leaf { page, count, shape })),
            Some(&BRANCH) => Some(Self::Branch(Branch { page, count, shape })),
            _ => None,
        }
    }

    /// The page's checksum, as far as it can be told where it ends.
    pub(crate) fn checksum(&self) -> Option<u128> {
        match self {
            Self::Leaf(leaf) => checksum(leaf.page, leaf.end()),
            Self::Branch(branch) => checksum(branch.page, branch.end()),
        }
    }
}

/// A page of rows.
#[derive(Debug)]
pub(crate) struct Leaf<'p> {
    page: &'p [u8],
    count: usize,
    shape: Shape,
}

impl<'p> Leaf<'p> {
    /// How many rows it says it has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Where its last value ends.
    pub(crate) fn end(&self) -> Option<usize> {
        self.value_end(self.count.checked_sub(1)?)
    }

    fn keys_start(&self) -> usize {
        let ends = usize::from(self.shape.key.is_none()) + usize::from(self.shape.value.is_none());
        LEAF_HEAD + 4 * self.count * ends
    }

    fn key_end(&self, at: usize) -> Option<usize> {
        match self.shape.key {
            Some(length) => self
                .keys_start()
                .checked_add(length.checked_mul(at.checked_add(1)?)?),
            None => u32_at(self.page, LEAF_HEAD + 4 * at),
        }
    }

    fn value_end(&self, at: usize) -> Option<usize> {
        let keys = if self.shape.key.is_none() {
            4 * self.count
        } else {
            0
        };
        match self.shape.value {
            Some(length) => self
                .key_end(self.count.checked_sub(1)?)?
                .checked_add(length.checked_mul(at.checked_add(1)?)?),
            None => u32_at(self.page, LEAF_HEAD + keys + 4 * at),
        }
    }

    /// The key at a place, and where its value stands in the page. `None` if that is not inside the
    /// page.
    pub(crate) fn row(&self, at: usize) -> Option<(&'p [u8], Range<usize>)> {
        let (key_start, value_start) = match at.checked_sub(1) {
            None => (self.keys_start(), self.key_end(self.count.checked_sub(1)?)?),
            Some(before) => (self.key_end(before)?, self.value_end(before)?),
        };
        let key = self.page.get(key_start..self.key_end(at)?)?;
        let value = value_start..self.value_end(at)?;
        // A damaged end can lead out of the page: callers slice without asking again.
        self.page.get(value.clone())?;
        Some((key, value))
    }

    /// The page.
    pub(crate) fn page(&self) -> &'p [u8] {
        self.page
    }
}

/// A page of ways to further pages.
#[derive(Debug)]
pub(crate) struct Branch<'p> {
    page: &'p [u8],
    count: usize,
    shape: Shape,
}

impl<'p> Branch<'p> {
    fn ends(&self) -> usize {
        BRANCH_HEAD + (16 + 8) * (self.count + 1)
    }

    fn key_end(&self, at: usize) -> Option<usize> {
        match self.shape.key {
            Some(length) => self
                .ends()
                .checked_add(length.checked_mul(at.checked_add(1)?)?),
            None => u32_at(self.page, self.ends() + 4 * at),
        }
    }

    /// Where its last key ends.
    pub(crate) fn end(&self) -> Option<usize> {
        self.key_end(self.count.checked_sub(1)?)
    }

    /// How many children it says it has.
    pub(crate) fn children(&self) -> usize {
        self.count + 1
    }

    /// A child: the number of its page, and its checksum.
    pub(crate) fn child(&self, at: usize) -> Option<(u64, u128)> {
        let sum = self.page.get(BRANCH_HEAD + 16 * at..)?;
        let number = self
            .page
            .get(BRANCH_HEAD + 16 * (self.count + 1) + 8 * at..)?;
        Some((
            u64::from_le_bytes(*number.first_chunk::<8>()?),
            u128::from_le_bytes(*sum.first_chunk::<16>()?),
        ))
    }

    /// The key at a place: it sorts at or above all that the child at that place has, and below
    /// all that the next one has.
    pub(crate) fn key(&self, at: usize) -> Option<&'p [u8]> {
        let start = match at.checked_sub(1) {
            Some(before) => self.key_end(before)?,
            None if self.shape.key.is_none() => self.ends() + 4 * self.count,
            None => self.ends(),
        };
        self.page.get(start..self.key_end(at)?)
    }
}
