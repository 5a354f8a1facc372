//! Every page of the file: that it has the checksum that the page above it says, up to the root's
//! in the header. This finds what no row tells: a damaged key, a damaged branch, a file that was
//! cut.

use std::collections::BTreeMap;

use super::Checker;
use crate::model::error::Result;
use crate::store::redb::pages::{
    Damage, Event, Header, PAGE_BYTES, PageFile, Root, TableRoot, Walk, tables,
};
use crate::store::redb::tables::schema::{self, NAMES};

/// What is wrong: table, key, detail.
pub(super) type Wrong = (&'static str, String, String);

/// The tables that a verification does not read: damage in one of them is the engine's matter.
const ENGINE: &str = "(engine)";

impl Checker<'_, '_, '_> {
    /// Checks all pages, if the storage is a file.
    pub(crate) fn pages(&mut self) -> Result<()> {
        let Some(file) = self.snapshot.pages() else {
            return Ok(());
        };
        let mut wrong = Vec::new();
        // The snapshot keeps the pages of the tables, so one look is enough. The engine's own pages
        // and the header may change while they are looked at.
        let slot = file.settled_header()?.slots().into_iter().flatten().next();
        if let Some(root) = slot.and_then(|slot| slot.user) {
            let (found, damaged) = trees(file, &root)?;
            wrong.extend(damaged);
            for name in NAMES.iter().filter(|name| !found.contains_key(**name)) {
                // A store of an older format that is only read does not have all of them yet.
                if !schema::OF_LATER_FORMATS.contains(name) {
                    wrong.push(("(tables)", (*name).to_owned(), "not there".to_owned()));
                }
            }
        }
        for (table, key, detail) in wrong {
            self.problem(table, key, detail, None);
        }
        self.pages_of_engine()
    }

    /// Checks the header, and the pages that are the engine's own.
    pub(crate) fn pages_of_engine(&mut self) -> Result<()> {
        let Some(file) = self.snapshot.pages() else {
            return Ok(());
        };
        let of_engine = file.stable(|header| {
            let mut wrong = head(file, header)?;
            let slot = header.slots().into_iter().flatten().next();
            if let Some(root) = slot.and_then(|slot| slot.system) {
                wrong.extend(trees(file, &root)?.1);
            }
            Ok((!wrong.is_empty()).then_some(wrong))
        })?;
        for (table, key, detail) in of_engine.unwrap_or_default() {
            self.problem(table, key, detail, None);
        }
        Ok(())
    }
}

/// Checks the header, and the length of the file.
fn head(file: &PageFile, header: &Header) -> Result<Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut say = |key: &str, detail: String| wrong.push(("(file)", key.to_owned(), detail));
    if !header.has_known_sizes() {
        say("its header", "sizes of pages that no store has".to_owned());
    }
    match header.slots() {
        [None, _] => say("its header", "the last commit is damaged".to_owned()),
        // Of a file that was not left in order one slot may be half written.
        [Some(_), None] if header.is_clean() => {
            say(
                "its header",
                "the commit before the last is damaged".to_owned(),
            );
        }
        [Some(last), Some(other)] if header.is_clean() && other.transaction > last.transaction => {
            let detail = "it leads to the commit before the last".to_owned();
            say("its header", detail);
        }
        _ => {}
    }
    let length = file.length()?;
    let expected = header.length().filter(|_| header.is_clean());
    let differs = expected.is_some_and(|expected| expected != length) || length % PAGE_BYTES != 0;
    // A write that is under way may have made it longer already.
    let is_growing = expected.is_some_and(|expected| expected < length) && file.is_being_written();
    if differs && !is_growing {
        let expected = expected.map_or_else(|| "whole pages".to_owned(), |e| format!("{e} bytes"));
        say("its end", format!("{length} bytes, expected {expected}"));
    }
    Ok(wrong)
}

/// What is wrong with a page of a table.
pub(super) fn tell(table: &'static str, damage: &Damage) -> Wrong {
    (table, damage.shown(), damage.detail.clone())
}

/// Walks all tables below a root of the header; gives the tables, and what is damaged.
fn trees(file: &PageFile, root: &Root) -> Result<(BTreeMap<String, TableRoot>, Vec<Wrong>)> {
    let (found, damaged) = tables(file, Some(root))?;
    let mut wrong: Vec<Wrong> = damaged.iter().map(|one| tell("(tables)", one)).collect();
    // One walk for all tables: a page that two of them lead to is damage.
    let mut walk = Walk::new(file);
    for table in &found {
        let name = schema::name_of(&table.name).unwrap_or(ENGINE);
        let mut rows = 0;
        if let Some(root) = &table.root {
            walk.tree(root, table.shape, &mut |event| {
                match event {
                    Event::Leaf { leaf, .. } => rows += leaf.count() as u64,
                    Event::Damage(damage) => wrong.push(tell(name, &damage)),
                }
                Ok(())
            })?;
        }
        if rows != table.length {
            let detail = format!("{rows} rows in its pages, expected {}", table.length);
            wrong.push((name, "(all)".to_owned(), detail));
        }
    }
    let by_name = found.into_iter().map(|table| (table.name.clone(), table));
    Ok((by_name.collect(), wrong))
}
