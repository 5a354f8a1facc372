//! The contents of an id, in cells, and the homes of ids that are not unique by themselves.

use super::cells::{CellQuery, Table, push_text, take_text};
use super::draft::Draft;
use crate::agents;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::naming::without_number;
use crate::model::properties::PropertiesChange;
use crate::store::contents::{content_id, free_content, giving, newness, taking};
use crate::store::ingest::HomeId;
use crate::store::properties::Claims;

/// The start of the keys of all cells of a name.
fn named(agent: &str, id: &str) -> Vec<u8> {
    let mut key = Vec::new();
    push_text(&mut key, agent.as_bytes());
    push_text(&mut key, id.as_bytes());
    key
}

fn content_key(key: &SessionKey, content: u32) -> Vec<u8> {
    [&named(key.agent(), key.id()), &content.to_be_bytes()[..]].concat()
}

fn home_key(wanted: &SessionKey, home: &[u8]) -> Vec<u8> {
    [&named(wanted.agent(), wanted.id()), home].concat()
}

fn corrupt(key: &SessionKey, detail: &str) -> Error {
    Error::Corrupt {
        table: Table::Contents.name(),
        key: key.to_string(),
        detail: detail.to_owned(),
    }
}

impl Draft<'_> {
    /// The contents of a plain id, by their numbers: none where the id is not there, or has one.
    pub(crate) fn contents(&self, key: &SessionKey) -> Result<Vec<(u32, u64)>> {
        let range = (content_key(key, 0), content_key(key, u32::MAX));
        let cells = CellQuery::of(Table::Contents, 0).between(range.0, range.1);
        let read = |(cell, value): &(Vec<u8>, Vec<u8>)| {
            let content = cell
                .last_chunk::<4>()
                .map(|bytes| u32::from_be_bytes(*bytes));
            let number = value.first_chunk::<8>();
            let number = number.map(|bytes| u64::from_be_bytes(*bytes));
            content.zip(number)
        };
        let found: Option<Vec<(u32, u64)>> = self.cells(&cells)?.iter().map(read).collect();
        found.ok_or_else(|| corrupt(key, "a content that names no session"))
    }

    /// Notes which session a content is.
    pub(crate) fn put_content(&mut self, key: &SessionKey, content: u32, number: u64) {
        let value = number.to_be_bytes().to_vec();
        self.put(Table::Contents, 0, &content_key(key, content), value);
    }

    /// Forgets a content.
    pub(crate) fn remove_content(&mut self, key: &SessionKey, content: u32) {
        self.remove(Table::Contents, 0, &content_key(key, content));
    }

    /// Notes the home, or a beginning, of the session that is kept under an id.
    pub(crate) fn put_home(&mut self, wanted: &SessionKey, home: &[u8], id: &str) {
        let value = id.as_bytes().to_vec();
        self.put(Table::Homes, 0, &home_key(wanted, home), value);
    }

    /// The id under which the session of a home is kept, or of a beginning.
    pub(crate) fn at_home(&self, wanted: &SessionKey, home: &[u8]) -> Result<Option<String>> {
        let found = self.get(Table::Homes, 0, &home_key(wanted, home))?;
        Ok(found.map(|id| String::from_utf8_lossy(&id).into_owned()))
    }

    /// Every home and beginning.
    pub(crate) fn homes(&self) -> Result<Vec<HomeId>> {
        let cells = self.cells(&CellQuery::of(Table::Homes, 0))?;
        let read = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let mut rest = key.as_slice();
            let mut text = || take_text(&mut rest).and_then(|text| String::from_utf8(text).ok());
            let (agent, id) = (text()?, text()?);
            Some(HomeId {
                wanted: SessionKey::new(agent, id).ok()?,
                place: rest.to_vec(),
                id: String::from_utf8(value.clone()).ok()?,
            })
        };
        let damaged = |key: &[u8]| Error::Corrupt {
            table: Table::Homes.name(),
            key: String::from_utf8_lossy(key).into_owned(),
            detail: "a home that names no session".to_owned(),
        };
        let homes = cells
            .iter()
            .map(|cell| read(cell).ok_or_else(|| damaged(&cell.0)));
        homes.collect()
    }

    /// Forgets the homes of the session that was kept under an id, where its id is not unique.
    pub(crate) fn forget_homes(&mut self, key: &SessionKey) -> Result<Vec<Vec<u8>>> {
        let mut gone = Vec::new();
        if agents::of_agent(key.agent()).has_unique_ids() {
            return Ok(gone);
        }
        let plain = without_number(key.id());
        for wanted in [Some(key.id()), plain].into_iter().flatten() {
            let start = named(key.agent(), wanted);
            let end = [start.as_slice(), &[0xFF; 4096]].concat();
            let start_length = start.len();
            let all = CellQuery::of(Table::Homes, 0).between(start, end);
            for (home, id) in self.cells(&all)? {
                if id == key.id().as_bytes() {
                    self.remove(Table::Homes, 0, &home);
                    gone.push(home.get(start_length..).unwrap_or_default().to_vec());
                }
            }
        }
        Ok(gone)
    }

    /// Creates a session of a plain id: the first one has it, and another one is another content of it.
    pub(crate) fn create_content(&mut self, key: &SessionKey) -> Result<(u64, SessionKey)> {
        // By this name alone: the newest content of another id may be called by it too, and has another one.
        let Some(number) = self.number_of(key)? else {
            return Ok((self.create(key)?, key.clone()));
        };
        let row = self.row(number)?;
        if !row.is_listed() {
            // A content of another id has none of its own.
            return self.create_content(&SessionKey::new(key.agent(), row.plain_id())?);
        }
        let mut contents = self.contents(key)?;
        // An id of one content has no cells here: the first one gets its own together with the
        // second.
        if contents.is_empty() {
            self.put_content(key, row.content, number);
            contents.push((row.content, number));
        }
        let (content, name) = self.next_content(key, &contents)?;
        let other = self.engine().new_number()?;
        let made = SessionRow {
            content,
            contents: 0,
            ..SessionRow::new(&name, 0)
        };
        self.put_row(other, &made)?;
        self.put_content(key, content, other);
        let counted = SessionRow {
            contents: count(contents.len().saturating_add(1)),
            ..row
        };
        self.put_row(number, &counted)?;
        Ok((other, name))
    }

    /// The next number of a content of an id, and its name.
    fn next_content(&self, key: &SessionKey, contents: &[(u32, u64)]) -> Result<(u32, SessionKey)> {
        free_content(key, contents, &|name| Ok(self.number_of(name)?.is_some()))
    }

    /// Takes the plain id from a content, which gets the name of its number. While it had the other one, a session
    /// of another folder may have got that name: then it gets another number.
    fn demote(&mut self, key: &SessionKey, number: u64) -> Result<()> {
        let before = self.row(number)?;
        let own = SessionKey::new(key.agent(), content_id(key.id(), before.content))?;
        let (content, name) = match self.number_of(&own)? {
            Some(other) if other != number => {
                let free = self.next_content(key, &self.contents(key)?)?;
                self.remove_content(key, before.content);
                self.put_content(key, free.0, number);
                free
            }
            _ => (before.content, own),
        };
        let named = SessionRow { content, ..before };
        self.rename((number, &named), name.id(), 0)
    }

    /// Creates a session of a name that is free.
    pub(crate) fn create(&mut self, key: &SessionKey) -> Result<u64> {
        let number = self.engine().new_number()?;
        self.put_row(number, &SessionRow::new(key, 0))?;
        Ok(number)
    }

    /// Gives a plain id to the newest of its contents, with what belongs to the id: a title that was
    /// given, pin, aliases. Returns the number of that.
    pub(crate) fn settle(&mut self, key: &SessionKey) -> Result<Option<u64>> {
        let (mut rows, mut newest) = (Vec::new(), None);
        for (content, number) in self.contents(key)? {
            let row = self.row(number)?;
            if row.content != content || row.agent != key.agent() {
                return Err(corrupt(key, "a content that leads to another session"));
            }
            let newness = newness(&row, self.file_order(number)?.as_ref());
            newest = newest.max(Some((newness, rows.len())));
            rows.push((number, row));
        }
        let Some((newest, row)) = newest.and_then(|(_, place)| rows.get(place)).cloned() else {
            return self.number_of(key);
        };
        if let [(number, only)] = rows.as_slice() {
            // The others are gone: a plain id of one content has no cells of its own.
            self.remove_content(key, only.content);
            self.rename((*number, only), key.id(), 1)?;
            return Ok(Some(*number));
        }
        let all = count(rows.len());
        if row.is_listed() && row.id == key.id() {
            if row.contents != all {
                self.rename((newest, &row), key.id(), all)?;
            }
            return Ok(Some(newest));
        }
        let before = rows.iter().find(|(_, row)| row.is_listed());
        let mut kept = None;
        if let Some((number, _)) = before {
            // The one that has the plain id gives way first: a key and an alias have one owner at a
            // time.
            let none = PropertiesChange::default();
            kept = Some(self.change_properties(*number, &none, Claims::InLine)?);
            self.change_properties(*number, &taking(), Claims::InLine)?;
            self.demote(key, *number)?;
        }
        self.rename((newest, &row), key.id(), all)?;
        if let Some(had) = kept {
            let none = PropertiesChange::default();
            let own = self.change_properties(newest, &none, Claims::InLine)?;
            self.change_properties(newest, &giving(had, own), Claims::InLine)?;
        }
        Ok(Some(newest))
    }

    fn rename(&mut self, (number, row): (u64, &SessionRow), id: &str, contents: u32) -> Result<()> {
        let named = SessionRow {
            id: id.to_owned(),
            contents,
            ..row.clone()
        };
        self.put_row(number, &named)
    }
}

fn count(contents: usize) -> u32 {
    u32::try_from(contents).unwrap_or(u32::MAX)
}
