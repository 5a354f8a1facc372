//! The pages on the way to a key or a range: whether an answer that says "there is none" can be
//! believed. Costs a read and a checksum of each of these pages, some microseconds.

use redb::{Key, TableDefinition, Value};

use super::node::Branch;
use super::{Header, Leaf, Node, PageFile, Root, Shape, TableRoot, place_of};
use crate::model::error::{Error, Result};
use crate::store::redb::tables::schema;

/// Most levels of a tree.
const LEVELS_MAX: usize = 64;

/// The keys and values of the tree of tables.
const TABLES: Shape = Shape {
    key: None,
    value: None,
};

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
        let mut page = Vec::new();
        let wrong = self.stable(|header| {
            // Both slots are wrong while the header is being written, and after it was damaged:
            // the engine has opened it, so this is no matter here.
            let Some(tables) = header.slots()[0].and_then(|slot| slot.user) else {
                return Ok(None);
            };
            let mut found = None;
            let way = (name.as_bytes(), name.as_bytes());
            let wrong = self.check_range::<&str>(&tables, TABLES, way, &mut page, &mut |leaf| {
                found = table_in(leaf, name);
            })?;
            let root = found.and_then(|table| Some((table.root?, table.shape)));
            match (wrong, root) {
                (None, Some((root, shape))) => {
                    self.check_range::<K>(&root, shape, range, &mut page, &mut |_| ())
                }
                (wrong, _) => Ok(wrong),
            }
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

    /// Shows the keys and values of a small table, as a commit left them; none of them where a page on
    /// the way is not as it was written.
    pub(crate) fn rows_of<K: Key, V: Value>(
        &self,
        table: TableDefinition<'static, K, V>,
        header: &Header,
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<()> {
        let name = redb::TableHandle::name(&table);
        let Some(tables) = header.slots()[0].and_then(|slot| slot.user) else {
            return Ok(());
        };
        let (mut page, mut found) = (Vec::new(), None);
        let way = (name.as_bytes(), name.as_bytes());
        self.check_range::<&str>(&tables, TABLES, way, &mut page, &mut |leaf| {
            found = table_in(leaf, name);
        })?;
        let Some((root, shape)) = found.and_then(|table| Some((table.root?, table.shape))) else {
            return Ok(());
        };
        // Keys are text here, of which no byte is 255.
        let all: (&[u8], &[u8]) = (&[], &[u8::MAX]);
        self.check_range::<&[u8]>(&root, shape, all, &mut page, &mut |leaf| {
            for (key, value) in (0..leaf.count()).filter_map(|at| leaf.row(at)) {
                if let Some(value) = leaf.page().get(value) {
                    each(key, value);
                }
            }
        })?;
        Ok(())
    }

    /// What is wrong with one of the pages of a tree that hold a range of keys. Each page is read
    /// into `page`; `visit` is shown those of rows.
    fn check_range<K: Key>(
        &self,
        root: &Root,
        shape: Shape,
        (first, last): (&[u8], &[u8]),
        page: &mut Vec<u8>,
        visit: &mut dyn FnMut(&Leaf<'_>),
    ) -> Result<Option<String>> {
        let mut steps = vec![(root.page, root.checksum, 0)];
        while let Some((number, checksum, level)) = steps.pop() {
            // A damaged branch may lead back up: without the bound this would not end.
            let Some(place) = place_of(number).filter(|_| level <= LEVELS_MAX) else {
                return Ok(Some("a page number that cannot be".to_owned()));
            };
            self.read_into(place, page)?;
            let node = Node::of(page, shape).filter(|node| node.checksum() == Some(checksum));
            match node {
                None => {
                    let (length, offset) = (place.length, place.offset);
                    return Ok(Some(format!(
                        "{length} bytes at byte {offset}: not what was written"
                    )));
                }
                Some(Node::Leaf(leaf)) => visit(&leaf),
                Some(Node::Branch(branch)) => {
                    let (from, to) = (
                        child_for::<K>(&branch, first),
                        child_for::<K>(&branch, last),
                    );
                    for (number, checksum) in (from..=to).filter_map(|at| branch.child(at)) {
                        steps.push((number, checksum, level + 1));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The place of the child that a key is in: it has the keys above the separator before it, up to
/// its own.
fn child_for<K: Key>(branch: &Branch<'_>, key: &[u8]) -> usize {
    let (mut low, mut high) = (0, branch.children() - 1);
    while low < high {
        let middle = low.midpoint(high);
        let is_before = branch
            .key(middle)
            .is_some_and(|separator| K::compare(separator, key).is_lt());
        if is_before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The table of a name, if it is in a page of the tree of tables.
fn table_in(leaf: &Leaf<'_>, name: &str) -> Option<TableRoot> {
    (0..leaf.count()).find_map(|at| {
        let (key, value) = leaf.row(at)?;
        let is_it = key == name.as_bytes();
        TableRoot::of(key, leaf.page().get(value).filter(|_| is_it)?)
    })
}
