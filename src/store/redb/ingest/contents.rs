//! The contents of an id, as an import makes them: another one beside those that are there, and the
//! plain id for the newest.

use super::bulk::RedbBulk;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::contents::{content_id, free_content, giving, newness, taking};
use crate::store::properties::Claims;
use crate::store::redb::tables::contents::corrupt_content;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::writer::Writer;

impl RedbBulk<'_> {
    /// Creates a session of a plain id: the first one has it, and another one is another content of
    /// it. Returns its number and its key. A chunk, if an empty one, has to follow, and at the end
    /// [`settle`](Self::settle).
    pub(crate) fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)> {
        // By this name alone: the newest content of another id may be called by it too, and has another one.
        let Some(number) = self.writer.number_of(key)? else {
            let number = self.writer.new_number(key)?;
            let row = SessionRow::new(key, 0);
            self.writer.put_row(number, None, &row)?;
            return Ok((number, key.clone()));
        };
        let row = self.writer.row(number)?;
        if !row.is_listed() {
            // A content of another id has none of its own.
            return self.create_content(&SessionKey::new(key.agent(), row.plain_id())?);
        }
        let mut contents = self.writer.contents(key)?;
        // An id of one content has no rows here: the first one gets its row together with the
        // second.
        if contents.is_empty() {
            self.writer.put_content(key, row.content, number)?;
            contents.push((row.content, number));
        }
        let (content, name) = next_content(&self.writer, key, &contents)?;
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

/// The next number of a content of an id, and its name.
fn next_content(
    writer: &Writer<'_>,
    key: &SessionKey,
    contents: &[(u32, u64)],
) -> Result<(u32, SessionKey)> {
    free_content(key, contents, &|name| Ok(writer.number_of(name)?.is_some()))
}

/// Takes the plain id from a content, which gets the name of its number. While it had the other one, a session of
/// another folder may have got that name: then it gets another number.
fn demote(
    writer: &Writer<'_>,
    key: &SessionKey,
    (number, before): (u64, &SessionRow),
    contents: &[(u32, u64)],
) -> Result<()> {
    let own = SessionKey::new(key.agent(), content_id(key.id(), before.content))?;
    let (content, name) = match writer.number_of(&own)? {
        Some(other) if other != number => {
            let free = next_content(writer, key, contents)?;
            writer.remove_content(key, before.content)?;
            writer.put_content(key, free.0, number)?;
            free
        }
        _ => (before.content, own),
    };
    let named = SessionRow {
        content,
        contents: 0,
        ..writer.rename(number, before, name.id())?
    };
    writer.put_row(number, Some(before), &named)
}

/// Gives a plain id to the newest of its contents, with what belongs to the id: a title that was given,
/// pin, aliases.
pub(crate) fn settle(writer: &Writer<'_>, key: &SessionKey) -> Result<Option<u64>> {
    let contents = writer.contents(key)?;
    let mut rows = Vec::with_capacity(contents.len());
    let mut newest = None;
    for (content, number) in &contents {
        let row = writer.row(*number)?;
        if row.content != *content || row.agent != key.agent() {
            return Err(corrupt_content(
                key,
                *content,
                "it leads to another session",
            ));
        }
        let newness = newness(&row, writer.file_order(*number)?.as_ref());
        newest = newest.max(Some((newness, rows.len())));
        rows.push((*number, row));
    }
    let Some((newest, row)) = newest.and_then(|(_, place)| rows.get(place)).cloned() else {
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
    if let Some((number, _)) = rows.iter().find(|(_, row)| row.is_listed()) {
        // The one that has the plain id gives way first: a key and an alias have one owner at a
        // time.
        kept = Some(take_properties(writer, *number)?);
        // Read again: taking its properties has changed it.
        let before = writer.row(*number)?;
        demote(writer, key, (*number, &before), &contents)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents;
    use crate::store::ingest::IngestStore;
    use crate::store::{MemoryStore, Options, RedbStore, SessionBuilder};

    #[test]
    fn a_content_whose_name_somebody_has_gets_another_number() {
        let folder = tempfile::tempdir().unwrap();
        let file = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let memory = MemoryStore::default();
        let stores: [&dyn IngestStore; 2] = [&file, &memory];
        let named = |id: &str| SessionKey::new("jsonl", id).unwrap();
        for store in stores {
            let mut bulk = store.begin(&store.restored_mark().unwrap()).unwrap();
            let mut put = |key: &SessionKey, time, is_content| {
                let (number, key) = if is_content {
                    bulk.create_content(key).unwrap()
                } else {
                    (bulk.create(key).unwrap(), key.clone())
                };
                let mut builder = SessionBuilder::new(&key, agents::of_agent("jsonl"), time);
                let chunk = builder.take_chunk();
                bulk.write_chunk(number, &chunk, None).unwrap();
                if is_content {
                    bulk.settle(&named("c")).unwrap();
                }
                number
            };
            let first = put(&named("c"), 1_000_000, true);
            let second = put(&named("c"), 2_000_000, true);
            // As an earlier version gave it away while the second content had the plain id.
            let other = put(&named("c~2"), 1_500_000, false);
            let third = put(&named("c"), 3_000_000, true);
            bulk.commit().unwrap();
            let number = |id: &str| store.summary(&named(id)).map(|found| found.number).ok();
            let found = ["c", "c~1", "c~2", "c~3", "c~4"].map(number);
            let expected = [third, first, other, third, second].map(Some);
            assert_eq!(found, expected);
        }
        let told = file.verify_deep(&[], &mut crate::store::unwatched).unwrap();
        assert_eq!(told.problems, []);
    }
}
