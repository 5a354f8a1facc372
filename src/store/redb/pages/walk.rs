//! Walks all of a tree, in order, and tells of every page that is not as it was written. What can
//! be read of a damaged page is given nevertheless, and marked.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Extent, Leaf, Node, PageFile, Root, Shape, place_of};
use crate::model::error::Result;

/// Most levels of a tree: one of pages with two children each would be larger than any disk.
const LEVELS_MAX: usize = 64;

/// A page that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where it stands; the number of no page has no place.
    pub place: Option<Extent>,
    /// What is wrong.
    pub detail: String,
}

impl Damage {
    /// The page, for a message.
    pub(crate) fn shown(&self) -> String {
        match self.place {
            Some(place) => format!("{} bytes at byte {}", place.length, place.offset),
            None => "a page that cannot be".to_owned(),
        }
    }
}

/// What is met on a walk.
#[derive(Debug)]
pub(crate) enum Event<'p> {
    /// A page of rows, and where it stands. Its rows may be wrong if it is not sound, or if a page
    /// above it is not.
    Leaf {
        /// The rows.
        leaf: Leaf<'p>,
        /// Where the page begins.
        offset: u64,
        /// Whether it and all above it are as they were written.
        is_sound: bool,
    },
    /// A page that is not as it was written.
    Damage(Damage),
}

/// A table, as the tree of tables has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRoot {
    /// Its name.
    pub name: String,
    /// Its keys and values.
    pub shape: Shape,
    /// Its root; an empty table has none.
    pub root: Option<Root>,
    /// Rows in it.
    pub length: u64,
}

impl TableRoot {
    /// Reads a row of the tree of tables: `[3][length u64][root? u8][root][key length? u8][u32]
    /// [value length? u8][u32]`, and what is of no matter here.
    pub(crate) fn of(name: &[u8], value: &[u8]) -> Option<Self> {
        let size = |flag: usize| {
            let bytes = value.get(flag + 1..)?.first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*bytes)).ok()?;
            Some((*value.get(flag)? != 0).then_some(length))
        };
        if value.first() != Some(&3) {
            return None;
        }
        Some(Self {
            name: String::from_utf8(name.to_vec()).ok()?,
            shape: Shape {
                key: size(42)?,
                value: size(47)?,
            },
            root: match value.get(9)? {
                0 => None,
                _ => Some(Root::of(value.get(10..)?)?),
            },
            length: u64::from_le_bytes(*value.get(1..)?.first_chunk::<8>()?),
        })
    }
}

/// The tables below a root of the header, and what is damaged on the way to them.
pub(crate) fn tables(
    pages: &PageFile,
    root: Option<&Root>,
) -> Result<(Vec<TableRoot>, Vec<Damage>)> {
    let shape = Shape {
        key: None,
        value: None,
    };
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    let mut walk = Walk::new(pages);
    if let Some(root) = root {
        walk.tree(root, shape, &mut |event| {
            match event {
                Event::Leaf { leaf, .. } => {
                    for at in 0..leaf.count() {
                        let row = leaf
                            .row(at)
                            .and_then(|(key, value)| TableRoot::of(key, leaf.page().get(value)?));
                        found.extend(row);
                    }
                }
                Event::Damage(damage) => damaged.push(damage),
            }
            Ok(())
        })?;
    }
    Ok((found, damaged))
}

/// A walk, which visits no page twice: a damaged branch may lead in circles.
#[derive(Debug)]
pub(crate) struct Walk<'f> {
    pages: &'f PageFile,
    seen: BTreeSet<u64>,
    /// Pages read.
    pub pages_read: u64,
}

/// A key, and how keys compare: what is up to it is not looked at.
pub(crate) type Behind<'k> = (&'k [u8], fn(&[u8], &[u8]) -> Ordering);

/// A page that is still to be visited.
struct Step {
    number: u64,
    checksum: u128,
    level: usize,
    is_sound: bool,
}

impl<'f> Walk<'f> {
    /// A walk through a file.
    pub(crate) fn new(pages: &'f PageFile) -> Self {
        Self {
            pages,
            seen: BTreeSet::new(),
            pages_read: 0,
        }
    }

    /// Whether the page that begins at a byte has been visited.
    pub(crate) fn has_seen(&self, offset: u64) -> bool {
        self.seen.contains(&offset)
    }

    /// Visits every page of a tree, in the order of its keys.
    pub(crate) fn tree(
        &mut self,
        root: &Root,
        shape: Shape,
        visit: &mut dyn FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        self.tree_behind(root, shape, None, &|| false, visit)
            .map(drop)
    }

    /// The same, without the pages whose keys are all up to a key, and until `is_enough` says so behind a
    /// page of rows; then the last key of that page is given.
    pub(crate) fn tree_behind(
        &mut self,
        root: &Root,
        shape: Shape,
        behind: Option<Behind<'_>>,
        is_enough: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(Event<'_>) -> Result<()>,
    ) -> Result<Option<Vec<u8>>> {
        let mut steps = vec![Step {
            number: root.page,
            checksum: root.checksum,
            level: 0,
            is_sound: true,
        }];
        let mut last: Option<Vec<u8>> = None;
        while let Some(step) = steps.pop() {
            // Behind a page of rows at the earliest: a walk that got nowhere would begin at the
            // same place again.
            if last.is_some() && is_enough() {
                return Ok(last);
            }
            let mut noting = |event: Event<'_>| {
                if let Event::Leaf { leaf, .. } = &event
                    && let Some((key, _)) = leaf.count().checked_sub(1).and_then(|at| leaf.row(at))
                    // Damage can lead to pages before the place, and from there the walk would go
                    // on in a circle.
                    && behind.is_none_or(|(from, compare)| compare(key, from).is_gt())
                {
                    last = Some(key.to_vec());
                }
                visit(event)
            };
            self.step(&step, shape, (&mut steps, behind), &mut noting)?;
        }
        Ok(None)
    }

    fn step(
        &mut self,
        step: &Step,
        shape: Shape,
        (steps, behind): (&mut Vec<Step>, Option<Behind<'_>>),
        visit: &mut dyn FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        let place = place_of(step.number);
        let damage = |detail: &str| {
            Event::Damage(Damage {
                place,
                detail: detail.to_owned(),
            })
        };
        let Some(at) = place else {
            return visit(damage("a page number that cannot be"));
        };
        // A damaged branch can lead back up, or into another tree: without this a walk would not
        // end.
        if !self.seen.insert(at.offset) || step.level > LEVELS_MAX {
            return visit(damage("two ways lead to this page"));
        }
        let bytes = self.pages.read(at)?;
        self.pages_read += 1;
        if bytes.is_empty() {
            return visit(damage("the file ends before this page"));
        }
        let Some(node) = Node::of(&bytes, shape) else {
            return visit(damage("neither rows nor a branch"));
        };
        // The rows are given all the same: each of them proves itself, and a repair wants what
        // there is.
        let is_right = node.checksum() == Some(step.checksum);
        if !is_right {
            visit(damage("another checksum than the page above it says"))?;
        }
        let is_sound = step.is_sound && is_right;
        match node {
            Node::Leaf(leaf) => visit(Event::Leaf {
                leaf,
                offset: at.offset,
                is_sound,
            }),
            Node::Branch(branch) => {
                // What cannot be told is looked at.
                let is_done = |at: usize| {
                    let separator = branch.key(at).filter(|_| at + 1 < branch.children());
                    behind.zip(separator).is_some_and(|((from, compare), key)| {
                        is_sound && compare(key, from).is_le()
                    })
                };
                // A stack gives the last first: so leaves come in the order of their keys.
                let children = (0..branch.children()).rev().filter(|at| !is_done(*at));
                for (number, checksum) in children.filter_map(|at| branch.child(at)) {
                    steps.push(Step {
                        number,
                        checksum,
                        level: step.level + 1,
                        is_sound,
                    });
                }
                Ok(())
            }
        }
    }
}
