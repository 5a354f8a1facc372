//! The pages on the way to a key or a range: whether an answer that says "there is none" can be
//! believed. Costs a read and a checksum of each of these pages, some microseconds.

use redb::{Key, TableDefinition, Value};

use super::super::schema;
use super::{Node, PageFile, Root, Shape, place_of, tables};
use crate::error::{Error, Result};

/// Most levels of a tree.
const LEVELS_MAX: usize = 64;

impl PageFile {
    /// Checks the pages that hold, or would hold, the keys from `first` to `last`.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if one of them is not as it was written.
    pub(crate) fn check<K: Key, V: Value>(
        &self,
        table: TableDefinition<'static, K, V>,
        first: &K::SelfType<'_>,
        last: &K::SelfType<'_>,
    ) -> Result<()> {
        let name = schema::name_of(redb::TableHandle::name(&table)).unwrap_or("(tables)");
        let (first, last) = (K::as_bytes(first), K::as_bytes(last));
        let range = (first.as_ref(), last.as_ref());
        let wrong = self.stable(|header| {
            // Both slots are wrong while the header is being written, and after it was damaged:
            // the engine has opened it, so this is no matter here.
            let Some(slot) = header.slots()[0] else {
                return Ok(None);
            };
            let (tables, damaged) = tables(self, slot.user.as_ref())?;
            if let Some(damage) = damaged.first() {
                return Ok(Some(format!("{}: {}", damage.shown(), damage.detail)));
            }
            let table = tables.iter().find(|found| found.name == name);
            let Some((root, shape)) = table.and_then(|table| Some((table.root?, table.shape)))
            else {
                return Ok(None);
            };
            self.check_range::<K>(&root, shape, range)
        })?;
        match wrong {
            None => Ok(()),
            Some(detail) => Err(Error::Corrupt {
                table: name,
                key: "a page on the way to it".to_owned(),
                detail,
            }),
        }
    }

    fn check_range<K: Key>(
        &self,
        root: &Root,
        shape: Shape,
        (first, last): (&[u8], &[u8]),
    ) -> Result<Option<String>> {
        let mut steps = vec![(root.page, root.checksum, 0)];
        while let Some((number, checksum, level)) = steps.pop() {
            let Some(place) = place_of(number).filter(|_| level <= LEVELS_MAX) else {
                return Ok(Some("a page number that cannot be".to_owned()));
            };
            let bytes = self.read(place)?;
            let node = Node::of(&bytes, shape).filter(|node| node.checksum() == Some(checksum));
            match node {
                None => {
                    let (length, offset) = (place.length, place.offset);
                    return Ok(Some(format!(
                        "{length} bytes at byte {offset}: not what was written"
                    )));
                }
                Some(Node::Leaf(_)) => {}
                Some(Node::Branch(branch)) => {
                    let before = |at: usize, key: &[u8]| {
                        branch
                            .key(at)
                            .is_some_and(|separator| K::compare(separator, key).is_lt())
                    };
                    // A child at a place has the keys above the separator before it, up to its own.
                    let keys = branch.children() - 1;
                    let from = (0..keys).take_while(|at| before(*at, first)).count();
                    let to = (0..keys).take_while(|at| before(*at, last)).count();
                    for (number, checksum) in (from..=to).filter_map(|at| branch.child(at)) {
                        steps.push((number, checksum, level + 1));
                    }
                }
            }
        }
        Ok(None)
    }
}
