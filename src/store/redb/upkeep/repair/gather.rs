//! What can be read of a damaged file: every row that is what was written, and where it stands.
//!
//! First all that the last commit leads to, then the one before it, and then, only where rows are
//! missing, pages that nothing leads to. A row's checksum covers its key, so a row is right or is
//! not taken; but what nothing leads to may be older than what was lost.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::keys;
use crate::codec::deleted_row::DeletedRow;
use crate::codec::file_order::FileOrder;
use crate::codec::properties_row;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::Properties;
use crate::store::redb::pages::{
    Event, Extent, Leaf, Node, PAGE_BYTES, PageFile, Shape, Walk, tables,
};
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::segments;

/// The longest page that is looked for where nothing leads to it: no value is longer.
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Tables whose rows are worth looking for where nothing leads to them.
const SOUGHT: [&str; 8] = [
    "sessions",
    "records",
    "attachments",
    "properties",
    "aliases",
    "sources",
    "deleted",
    "file_orders",
];

/// How far a row can be believed to be the last of its key; the first is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// All pages on the way to it are as they were written.
    Sound,
    /// The last commit leads to it, through a damaged page.
    Reached,
    /// The commit before the last leads to it, or nothing.
    Old,
}

/// A row that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    /// What is known of it.
    pub value: T,
    /// How far it can be believed.
    pub trust: Trust,
    /// Whether other contents under the same key could be believed as much.
    pub is_ambiguous: bool,
}

/// Rows by key.
pub(crate) type Rows<K, T> = BTreeMap<K, Found<T>>;

/// A value that is read again when it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Where it stands.
    pub place: Extent,
    /// Its last bytes: its checksum.
    pub checksum: u64,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Summary rows.
    pub sessions: Rows<u64, SessionRow>,
    /// Names of sessions, from pages that are sound: a name has no checksum of its own.
    pub names: BTreeMap<u64, (String, String)>,
    /// Parts of segments.
    pub records: Rows<(u64, u64, u32), Stored>,
    /// Parts of attachments.
    pub attachments: Rows<(u64, String, u32), Stored>,
    /// What is kept beside the lines.
    pub properties: Rows<u64, Properties>,
    /// Claims to aliases.
    pub claims: Rows<(String, String, u64), u64>,
    /// Import states.
    pub sources: Rows<(Vec<u8>, u32), SourceRow>,
    /// File orders.
    pub file_orders: Rows<u64, FileOrder>,
    /// Marks of deleted sessions.
    pub deleted: Rows<(String, String, Vec<u8>), DeletedRow>,
    /// The number of the next session.
    pub next_session: u64,
    /// Rows that the tables say they have.
    pub expected: BTreeMap<String, u64>,
    /// Pages that are not as they were written.
    pub pages_damaged: u64,
}

/// Which of two rows of one key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    New,
    Old,
    /// The old one, for want of a reason.
    Unknown,
}

impl Choice {
    fn new_if(is_later: bool) -> Self {
        if is_later { Self::New } else { Self::Old }
    }
}

/// Notes a row, if it is better than what is there.
fn note<K: Ord, T>(
    rows: &mut Rows<K, T>,
    (key, value): (K, T),
    trust: Trust,
    choose: impl FnOnce(&T, &T) -> Choice,
) {
    let found = Found {
        value,
        trust,
        is_ambiguous: false,
    };
    match rows.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(found);
        }
        Entry::Occupied(mut entry) => {
            let there = entry.get_mut();
            // Rows come by several ways, from old commits too: the one that is known better stays,
            // whichever came first.
            if trust > there.trust {
                return;
            }
            if trust < there.trust {
                *there = found;
                return;
            }
            let choice = choose(&found.value, &there.value);
            // Once two rows could not be told apart, a third that is later than one of them does
            // not settle it.
            let is_ambiguous = there.is_ambiguous || choice == Choice::Unknown;
            if choice == Choice::New {
                *there = found;
            }
            there.is_ambiguous = is_ambiguous;
        }
    }
}

/// For rows that do not tell which is later: equal ones are one, others are ambiguous.
fn equal_or_unknown<T: PartialEq>(new: &T, old: &T) -> Choice {
    if new == old {
        Choice::Old
    } else {
        Choice::Unknown
    }
}

/// Reads all of a file that can be read. `progress` is told the bytes looked at, and those in all.
pub(crate) fn gather(
    file: &PageFile,
    progress: &mut dyn FnMut(u64, u64) -> Result<()>,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut walk = Walk::new(file);
    let length = file.length()?;
    for (at, slot) in file.header()?.slots().into_iter().enumerate() {
        // The commit before the last one is asked only for what this one lacks: its rows may be
        // older, or of what was removed since.
        let is_last = at == 0;
        if !is_last && !gathered.lacks_rows() {
            break;
        }
        let Some(root) = slot.and_then(|slot| slot.user) else {
            gathered.pages_damaged += u64::from(is_last);
            continue;
        };
        let (found, damaged) = tables(file, Some(&root))?;
        if is_last {
            gathered.pages_damaged += damaged.len() as u64;
        }
        for table in &found {
            // The length of a table stands beside its root: it counts only if every page that says
            // such things is right.
            if is_last && damaged.is_empty() {
                gathered.expected.insert(table.name.clone(), table.length);
            }
            let Some(root) = &table.root else { continue };
            walk.tree(root, table.shape, &mut |event| {
                match event {
                    Event::Damage(_) => gathered.pages_damaged += u64::from(is_last),
                    Event::Leaf {
                        leaf,
                        offset,
                        is_sound,
                    } => {
                        // On a page with a wrong checksum a row that is right is still its own
                        // proof, but one from a sound page is rather believed.
                        let trust = match (is_last, is_sound) {
                            (false, _) => Trust::Old,
                            (true, true) => Trust::Sound,
                            (true, false) => Trust::Reached,
                        };
                        gathered.leaf(&table.name, &leaf, offset, trust);
                        progress(offset.min(length), length)?;
                    }
                }
                Ok(())
            })?;
        }
    }
    // Last of all, and only if need be: a page that nothing leads to may hold what was removed.
    if gathered.lacks_rows() {
        gathered.seek(file, &walk, progress)?;
    }
    progress(length, length)?;
    Ok(gathered)
}

impl Gathered {
    /// Whether a table has more rows than were found, or nobody knows how many it has.
    fn lacks_rows(&self) -> bool {
        SOUGHT.iter().any(|table| {
            let expected = self.expected.get(*table).copied();
            expected.is_none_or(|expected| self.found(table) < expected)
        })
    }

    /// Rows of a table that were found.
    pub(crate) fn found(&self, table: &str) -> u64 {
        let found = match table {
            "sessions" => self.sessions.len(),
            "records" => self.records.len(),
            "attachments" => self.attachments.len(),
            "properties" => self.properties.len(),
            "aliases" => self.claims.len(),
            "sources" => self.sources.len(),
            "deleted" => self.deleted.len(),
            "file_orders" => self.file_orders.len(),
            _ => 0,
        };
        found as u64
    }

    /// Takes the rows of a page.
    fn leaf(&mut self, table: &str, leaf: &Leaf<'_>, offset: u64, trust: Trust) {
        for at in 0..leaf.count() {
            let Some((key, value)) = leaf.row(at) else {
                continue;
            };
            let place = Extent {
                offset: offset + value.start as u64,
                length: value.len(),
            };
            let value = leaf.page().get(value).unwrap_or_default();
            // What cannot be read is what this is for: it is listed as missing later.
            let _taken: Option<()> = self.row(table, key, (value, place), trust);
        }
    }

    /// Takes a row, if it is what was written.
    fn row(
        &mut self,
        table: &str,
        key: &[u8],
        (value, place): (&[u8], Extent),
        trust: Trust,
    ) -> Option<()> {
        match table {
            // This row and those of names have no checksum of their own: only a sound page is
            // believed.
            "store_info" if trust == Trust::Sound && key == b"next_session" => {
                self.next_session = keys::number(value)?;
            }
            "session_keys" if trust == Trust::Sound => {
                let (name, number) = (keys::session(key)?, keys::number(value)?);
                self.names.insert(number, name);
            }
            "sessions" => {
                let number = keys::number(key)?;
                let row = SessionRow::decode(number, value).ok()?;
                note(&mut self.sessions, (number, row), trust, |new, old| {
                    // Sequence numbers only grow: the higher one is later.
                    let age = |row: &SessionRow| (row.next, row.updated_us, row.records);
                    Choice::new_if(age(new) > age(old))
                });
            }
            "records" => {
                let key = keys::record(key)?;
                segments::open(key, value).ok()?;
                let stored = stored(value, place)?;
                note(&mut self.records, (key, stored), trust, same_content);
            }
            "attachments" => {
                let key = keys::attachment(key)?;
                attachments::open_part(key.0, &key.1, key.2, value).ok()?;
                let stored = stored(value, place)?;
                note(&mut self.attachments, (key, stored), trust, same_content);
            }
            "properties" => {
                let number = keys::number(key)?;
                let properties = properties_row::decode(number, value).ok()?;
                let row = (number, properties);
                note(&mut self.properties, row, trust, equal_or_unknown);
            }
            "aliases" => {
                let key = keys::alias(key)?;
                let alias = SessionKey::new(key.0.as_str(), key.1.as_str()).ok()?;
                let number = properties_row::decode_claim(&alias, key.2, value).ok()?;
                note(&mut self.claims, (key, number), trust, equal_or_unknown);
            }
            "sources" => {
                let key = keys::source(key)?;
                let row = SourceRow::decode(&key.0, key.1, value).ok()?;
                note(&mut self.sources, (key, row), trust, |new, old| {
                    let age = |row: &SourceRow| (row.next_sequence, row.mtime_ns);
                    Choice::new_if(age(new) > age(old))
                });
            }
            "file_orders" => {
                let number = keys::number(key)?;
                let order = FileOrder::decode(number, value).ok()?;
                note(&mut self.file_orders, (number, order), trust, |new, old| {
                    Choice::new_if((new.next, new.revision) > (old.next, old.revision))
                });
            }
            "deleted" => {
                let key = keys::deleted(key)?;
                let named = (key.0.as_str(), key.1.as_str(), key.2.as_slice());
                let row = DeletedRow::decode(named, value).ok()?;
                note(&mut self.deleted, (key, row), trust, |new, old| {
                    Choice::new_if(new.deleted_us > old.deleted_us)
                });
            }
            _ => {}
        }
        Some(())
    }

    /// Looks for pages of rows that nothing leads to.
    fn seek(
        &mut self,
        file: &PageFile,
        walk: &Walk<'_>,
        progress: &mut dyn FnMut(u64, u64) -> Result<()>,
    ) -> Result<()> {
        let length = file.length()?;
        let wanted: Vec<&str> = SOUGHT
            .into_iter()
            .filter(|table| {
                let expected = self.expected.get(*table).copied();
                expected.is_none_or(|expected| self.found(table) < expected)
            })
            .collect();
        let mut offset = PAGE_BYTES;
        while offset < length {
            // What a tree led to was taken, and is rather believed.
            if !walk.has_seen(offset) {
                let place = Extent {
                    offset,
                    length: usize::try_from(PAGE_BYTES).unwrap_or(usize::MAX),
                };
                self.page(file, &file.read(place)?, offset, &wanted)?;
            }
            progress(offset, length)?;
            offset += PAGE_BYTES;
        }
        Ok(())
    }

    /// Takes the rows of what may be a page of one of some tables.
    fn page(&mut self, file: &PageFile, start: &[u8], offset: u64, wanted: &[&str]) -> Result<()> {
        for table in wanted {
            // How long its keys are no tree says of a page that nothing leads to: the table says it
            // that it may be of.
            let key = match *table {
                "sessions" | "properties" => Some(8),
                "records" => Some(20),
                _ => None,
            };
            let shape = Shape { key, value: None };
            let Some(Node::Leaf(leaf)) = Node::of(start, shape) else {
                return Ok(());
            };
            // A page may be several times as long as the shortest: the ends of its rows tell.
            let longer = leaf
                .end()
                .filter(|end| (start.len()..PAGE_BYTES_MAX).contains(end));
            match longer {
                None => self.leaf(table, &leaf, offset, Trust::Old),
                Some(length) => {
                    let whole = file.read(Extent { offset, length })?;
                    if let Some(Node::Leaf(leaf)) = Node::of(&whole, shape) {
                        self.leaf(table, &leaf, offset, Trust::Old);
                    }
                }
            }
        }
        Ok(())
    }
}

fn stored(value: &[u8], place: Extent) -> Option<Stored> {
    let (_, checksum) = value.split_last_chunk::<8>()?;
    Some(Stored {
        place,
        checksum: u64::from_le_bytes(*checksum),
    })
}

/// Of two contents that differ nobody knows which is later.
fn same_content(new: &Stored, old: &Stored) -> Choice {
    equal_or_unknown(&new.checksum, &old.checksum)
}
