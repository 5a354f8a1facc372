//! The contents of an id, as an import makes them: another one beside those that are there, and the
//! plain id for the newest.

use super::bulk::RedbBulk;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::contents::{content_id, giving, newness, taking};
use crate::store::properties::Claims;
use crate::store::redb::tables::contents::corrupt_content;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::writer::Writer;

impl RedbBulk<'_> {
    /// Creates a session of a plain id: the first one has it, and another one is another content of
    /// it. Returns its number and its key. A chunk, if an empty one, has to follow, and at the end
    /// [`settle`](Self::settle).
    pub(crate) fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)> {
        let Some((number, row)) = self.writer.session(key)? else {
            let number = self.writer.new_number(key)?;
            let row = SessionRow::new(key, 0);
            self.writer.put_row(number, None, &row)?;
            return Ok((number, key.clone()));
        };
        let mut contents = self.writer.contents(key)?;
        // An id of one content has no rows here: the first one gets its row together with the
        // second.
        if contents.is_empty() {
            self.writer.put_content(key, row.content, number)?;
            contents.push((row.content, number));
        }
        let mut content = contents
            .iter()
            .map(|(content, _)| *content)
            .max()
            .unwrap_or(0);
        // Another home's session may have the name: numbers are given once.
        let (content, name) = loop {
            content += 1;
            let name = SessionKey::new(key.agent(), content_id(key.id(), content))?;
            if self.writer.number_of(&name)?.is_none() {
                break (content, name);
            }
        };
        let other = self.writer.new_number(&name)?;
        let made = SessionRow {
            content,
            contents: 0,
            ..SessionRow::new(&name, 0)
        };
        self.writer.put_row(other, None, &made)?;
        self.writer.put_content(key, content, other)?;
        let counted = SessionRow {
            contents: u32::try_from(contents.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            ..row.clone()
        };
        self.writer.put_row(number, Some(&row), &counted)?;
        Ok((other, name))
    }

    /// Gives the plain id to the newest of its contents. Returns the number of that.
    pub(crate) fn settle(&mut self, key: &SessionKey) -> Result<Option<u64>> {
        settle(&self.writer, key)
    }
}

/// Gives a plain id to the newest of its contents, with what belongs to the id: a title that was given,
/// pin, aliases.
pub(crate) fn settle(writer: &Writer<'_>, key: &SessionKey) -> Result<Option<u64>> {
    let contents = writer.contents(key)?;
    let mut rows = Vec::with_capacity(contents.len());
    for (content, number) in &contents {
        let row = writer.row(*number)?;
        if row.content != *content || row.agent != key.agent() {
            return Err(corrupt_content(
                key,
                *content,
                "it leads to another session",
            ));
        }
        rows.push((*number, row));
    }
    let Some((newest, row)) = rows.iter().max_by_key(|(_, row)| newness(row)).cloned() else {
        return writer.number_of(key);
    };
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    if let [(number, only)] = rows.as_slice() {
        // The others are gone: a plain id of one content has no rows of its own.
        writer.remove_content(key, only.content)?;
        let named = writer.rename(*number, only, key.id())?;
        let named = SessionRow {
            contents: 1,
            ..named
        };
        writer.put_row(*number, Some(only), &named)?;
        return Ok(Some(*number));
    }
    if row.is_listed() && row.id == key.id() {
        let counted = SessionRow {
            contents: count,
            ..row.clone()
        };
        if counted != row {
            writer.put_row(newest, Some(&row), &counted)?;
        }
        return Ok(Some(newest));
    }
    let mut kept = None;
    if let Some((number, before)) = rows.iter().find(|(_, row)| row.is_listed()) {
        // The one that has the plain id gives way first: a key and an alias have one owner at a
        // time.
        kept = Some(take_properties(writer, *number)?);
        // Read again: taking its properties has changed it.
        let before = (*number, writer.row(*number)?, before.content);
        let named = writer.rename(before.0, &before.1, &content_id(key.id(), before.2))?;
        let named = SessionRow {
            contents: 0,
            ..named
        };
        writer.put_row(before.0, Some(&before.1), &named)?;
    }
    let named = writer.rename(newest, &row, key.id())?;
    let named = SessionRow {
        contents: count,
        ..named
    };
    writer.put_row(newest, Some(&row), &named)?;
    if let Some(kept) = kept {
        give_properties(writer, newest, kept)?;
    }
    Ok(Some(newest))
}

/// Takes from a session what belongs to its id; the summary of its messages stays.
fn take_properties(writer: &Writer<'_>, number: u64) -> Result<Properties> {
    let none = PropertiesChange::default();
    let had = properties::change(writer, number, &none, Claims::InLine)?;
    properties::change(writer, number, &taking(), Claims::InLine)?;
    Ok(had)
}

/// Gives a session what belongs to its id.
fn give_properties(writer: &Writer<'_>, number: u64, had: Properties) -> Result<()> {
    let none = PropertiesChange::default();
    let own = properties::change(writer, number, &none, Claims::InLine)?;
    let all = giving(had, own);
    properties::change(writer, number, &all, Claims::InLine).map(drop)
}
