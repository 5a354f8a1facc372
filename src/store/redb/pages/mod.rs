//! The engine's file, read page by page, below the engine: it checks no checksums while it reads,
//! so a flipped bit in a key or in a branch hides rows without a word.
//!
//! - `node`: one page; `walk`: a whole tree, damaged or not; `check`: the pages on the way to a key
//!   or a range, for the answers that say "there is none"
//!
//! Nothing here writes. A snapshot that is open keeps the pages of the last commit, and of those
//! after it, from being used again, so a tree can be read beside writers: see [`PageFile::stable`].
//! The layout is that of redb's file format 3 with its default sizes, the only ones that a store
//! is made with.

mod check;
mod node;
mod walk;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use xxhash_rust::xxh3::xxh3_128;

pub(crate) use self::node::{Leaf, Node, Shape};
pub(crate) use self::walk::{Damage, Event, TableRoot, Walk, tables};
use crate::model::error::{Error, Result};
use crate::store::redb::engine::locks;

/// Bytes of a page of order 0.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Pages of order 0 in a region.
const REGION_PAGES: u64 = 1 << 20;

/// Bytes that a page number has for the place in a region, and for the region.
const PLACE_BITS: u64 = 20;

/// Largest order of a page: no row of a store is as long as that.
const ORDER_MAX: u32 = 20;

const HEADER_BYTES: usize = 320;
const GOD_BYTE: usize = 9;
const PRIMARY: u8 = 1;
const RECOVERY_REQUIRED: u8 = 2;
const SLOTS: [usize; 2] = [64, 192];
const SLOT_BYTES: usize = 128;

/// Tries to read a tree before one that changes all the time is let be.
const TRIES: usize = 8;

/// No page of a store is larger, but for very long lines of attachments.
const LARGE_PAGE_BYTES: usize = 1024 * 1024;

/// Where bytes stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extent {
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub length: usize,
}

/// The root of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// The number of its page.
    pub page: u64,
    /// Its checksum.
    pub checksum: u128,
    /// Rows in the tree.
    pub length: u64,
}

impl Root {
    /// Reads the 32 bytes of a root.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            page: u64::from_le_bytes(*bytes.first_chunk::<8>()?),
            checksum: u128::from_le_bytes(*bytes.get(8..)?.first_chunk::<16>()?),
            length: u64::from_le_bytes(*bytes.get(24..)?.first_chunk::<8>()?),
        })
    }
}

/// What a commit left: the roots of the two trees of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Number of the transaction.
    pub transaction: u64,
    /// The tree of the store's tables.
    pub user: Option<Root>,
    /// The tree of the engine's own tables.
    pub system: Option<Root>,
}

impl Slot {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<16>()?;
        if xxh3_128(body) != u128::from_le_bytes(*sum) {
            return None;
        }
        let root =
            |flag: usize, at: usize| (*body.get(flag)? != 0).then(|| Root::of(body.get(at..)?))?;
        Some(Self {
            transaction: u64::from_le_bytes(*body.get(104..)?.first_chunk::<8>()?),
            user: root(1, 8),
            system: root(2, 40),
        })
    }
}

/// The first bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    bytes: Vec<u8>,
}

impl Header {
    fn god_byte(&self) -> u8 {
        self.bytes.get(GOD_BYTE).copied().unwrap_or_default()
    }

    fn slot(&self, at: usize) -> Option<Slot> {
        let start = *SLOTS.get(at)?;
        Slot::of(self.bytes.get(start..start + SLOT_BYTES)?)
    }

    /// The last commit, and the one before it, as far as their checksums are right.
    pub(crate) fn slots(&self) -> [Option<Slot>; 2] {
        let primary = usize::from(self.god_byte() & PRIMARY);
        [self.slot(primary), self.slot(1 - primary)]
    }

    /// Whether the file was left in order by whoever wrote last.
    pub(crate) fn is_clean(&self) -> bool {
        self.god_byte() & RECOVERY_REQUIRED == 0
    }

    fn number(&self, at: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..)?.first_chunk::<4>()?;
        Some(u64::from(u32::from_le_bytes(*bytes)))
    }

    /// The length that the file has to have, if it was left in order.
    pub(crate) fn length(&self) -> Option<u64> {
        let (full, rest) = (self.number(24)?, self.number(28)?);
        Some(PAGE_BYTES * (1 + full.checked_mul(REGION_PAGES)?.checked_add(rest)?))
    }

    /// Whether the sizes are those of every store.
    pub(crate) fn has_known_sizes(&self) -> bool {
        self.number(12) == Some(PAGE_BYTES)
            && self.number(16) == Some(0)
            && self.number(20) == Some(REGION_PAGES)
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct PageFile {
    file: File,
    path: PathBuf,
    /// Held by a commit of this process. In exclusive mode the engine writes its pages in any order,
    /// the header perhaps first.
    commit: RwLock<()>,
}

impl PageFile {
    /// Opens a file for reading.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::Io {
            action: "open the store",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            commit: RwLock::new(()),
        })
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io {
            action: "read",
            path: self.path.clone(),
            source,
        }
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> Result<u64> {
        let metadata = self.file.metadata().map_err(|source| self.io(source))?;
        Ok(metadata.len())
    }

    /// Whether somebody is writing to it: then it may be longer than its header says.
    pub(crate) fn is_being_written(&self) -> bool {
        locks::is_being_written(&self.file)
    }

    /// The bytes at a place: fewer where the file ends before.
    pub(crate) fn read(&self, place: Extent) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(place, &mut bytes)?;
        Ok(bytes)
    }

    /// As [`read`](Self::read), in the place of what `bytes` holds.
    pub(crate) fn read_into(&self, place: Extent, bytes: &mut Vec<u8>) -> Result<()> {
        // A damaged number can speak of gigabytes: room is made for what the file can have there.
        let length = match place.length {
            length if length <= LARGE_PAGE_BYTES => length,
            length => {
                let there = self.length()?.saturating_sub(place.offset);
                length.min(usize::try_from(there).unwrap_or(usize::MAX))
            }
        };
        bytes.clear();
        bytes.resize(length, 0);
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match read_at(&self.file, rest, place.offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // So the system calls a place that no file can have.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
                Err(error) => return Err(self.io(error)),
            }
        }
        bytes.truncate(done);
        Ok(())
    }

    /// The header.
    pub(crate) fn header(&self) -> Result<Header> {
        let bytes = self.read(Extent {
            offset: 0,
            length: HEADER_BYTES,
        })?;
        Ok(Header { bytes })
    }

    /// Held while a commit of this process is written.
    pub(crate) fn committing(&self) -> RwLockWriteGuard<'_, ()> {
        self.commit.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The header between two commits of this process: all pages that it leads to are written.
    pub(crate) fn settled_header(&self) -> Result<Header> {
        let _no_commit = self.commit.read().unwrap_or_else(PoisonError::into_inner);
        self.header()
    }

    /// Reads from the header on, again if somebody has committed meanwhile, or does so just now.
    /// `work` gives what it found wrong; that counts only where nothing has changed while it looked.
    pub(crate) fn stable<T>(
        &self,
        mut work: impl FnMut(&Header) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        // Mostly nothing is wrong, and then nobody is waited for: what is may be a commit on its
        // way.
        if work(&self.header()?)?.is_none() {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let before = self.settled_header()?;
            let Some(wrong) = work(&before)? else {
                return Ok(None);
            };
            if self.settled_header()? == before {
                return Ok(Some(wrong));
            }
            std::thread::yield_now();
        }
        Ok(None)
    }
}

/// Reads from a place, in one call and without a lock: it does not matter where the file stands.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

/// Reads from a place, in one call and without a lock: it does not matter where the file stands.
#[cfg(windows)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, offset)
}

/// Where a page stands.
pub(crate) fn place_of(number: u64) -> Option<Extent> {
    // The engine's page numbers: 5 bits of order, 20 of the region, 20 of the place, which counts
    // pages of that order.
    let order = u32::try_from(number >> 59).ok()?;
    if order > ORDER_MAX {
        return None;
    }
    let index = number & ((1 << PLACE_BITS) - 1) >> order;
    let region = (number >> PLACE_BITS) & ((1 << PLACE_BITS) - 1);
    let length = PAGE_BYTES << order;
    Some(Extent {
        offset: PAGE_BYTES + region * REGION_PAGES * PAGE_BYTES + index * length,
        length: usize::try_from(length).ok()?,
    })
}
