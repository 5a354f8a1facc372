//! Every page of the tables, in several snapshots: a walk over all of them in one would keep the pages of
//! all that is removed meanwhile.
//!
//! A table is walked in the order of its keys. After a second the walk goes on behind the last row that it
//! came to, in the table as it is then.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use redb::{Key, TableDefinition, TableHandle as _, Value};

use super::pages::{Wrong, tell};
use crate::model::error::Result;
use crate::store::redb::pages::{Event, PageFile, TableRoot, Walk, tables};
use crate::store::redb::tables::each::{EachTable, Rows, each_table};
use crate::store::redb::tables::schema::{self, NAMES};
use crate::store::redb::tables::snapshot::Snapshot;

/// How long one snapshot is read: what is written meanwhile takes new space for so long.
pub(super) const SLICE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 1_000 });

/// How keys of a table compare.
type Compare = fn(&[u8], &[u8]) -> Ordering;

/// How the keys of each table compare.
#[derive(Default)]
struct Orders(BTreeMap<String, Compare>);

impl EachTable for Orders {
    fn table<K: Key + 'static, V: Value + 'static, R: Rows<K, V>>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()> {
        self.0.insert(table.name().to_owned(), K::compare);
        Ok(())
    }
}

/// What is wrong with the pages of the tables. `go_on` is asked behind each slice.
pub(super) fn walk<'s>(
    take: &dyn Fn() -> Result<Snapshot<'s>>,
    go_on: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<Wrong>> {
    let mut orders = Orders::default();
    each_table(&mut orders)?;
    let mut wrong = BTreeSet::new();
    for name in NAMES {
        let Some(compare) = orders.0.get(name) else {
            continue;
        };
        let mut after = None;
        loop {
            let snapshot = take()?;
            let Some(file) = snapshot.pages() else {
                return Ok(Vec::new());
            };
            // As this snapshot has it: the root of a table moves with each commit.
            let Some(table) = table_of(file, name, &mut wrong)? else {
                break;
            };
            let (found, next) = slice(file, &table, after.as_deref(), *compare)?;
            // Not held while the caller is told and may take long: it keeps the pages of what is
            // removed.
            drop(snapshot);
            wrong.extend(found);
            go_on()?;
            let Some(next) = next else { break };
            after = Some(next);
        }
    }
    Ok(wrong.into_iter().collect())
}

/// A table as it is now.
fn table_of(
    file: &PageFile,
    name: &'static str,
    wrong: &mut BTreeSet<Wrong>,
) -> Result<Option<TableRoot>> {
    // By the header of now: each commit since the last slice may have moved the table's root.
    let slot = file.settled_header()?.slots().into_iter().flatten().next();
    let Some(root) = slot.and_then(|slot| slot.user) else {
        return Ok(None);
    };
    let (found, damaged) = tables(file, Some(&root))?;
    wrong.extend(damaged.iter().map(|one| tell("(tables)", one)));
    let table = found.into_iter().find(|table| table.name == name);
    if table.is_none() && !schema::OF_LATER_FORMATS.contains(&name) {
        wrong.insert(("(tables)", name.to_owned(), "not there".to_owned()));
    }
    Ok(table)
}

/// Walks a table for a while, behind a key. Gives what is wrong, and the key to go on behind.
fn slice(
    file: &PageFile,
    table: &TableRoot,
    after: Option<&[u8]>,
    compare: Compare,
) -> Result<(Vec<Wrong>, Option<Vec<u8>>)> {
    let name = schema::name_of(&table.name).unwrap_or("(tables)");
    let (mut wrong, mut rows, began) = (Vec::new(), 0, Instant::now());
    let mut next = None;
    if let Some(root) = &table.root {
        let mut walk = Walk::new(file);
        let behind = after.map(|key| (key, compare));
        next = walk.tree_behind(
            root,
            table.shape,
            behind,
            &|| began.elapsed() >= SLICE,
            &mut |event| {
                match event {
                    Event::Leaf { leaf, .. } => rows += leaf.count() as u64,
                    Event::Damage(damage) => wrong.push(tell(name, &damage)),
                }
                Ok(())
            },
        )?;
    }
    // Of a table that was walked in several snapshots nobody knows how many rows it should have had.
    if after.is_none() && next.is_none() && rows != table.length {
        let detail = format!("{rows} rows in its pages, expected {}", table.length);
        wrong.push((name, "(all)".to_owned(), detail));
    }
    Ok((wrong, next))
}
