//! What is kept of a session beside its lines, in cells, and the claims to other names.

use super::cells::{Cell, CellQuery, Table, last_of, push_text, take_text};
use super::draft::Draft;
use crate::codec::properties_row;
use crate::codec::row::RowError;
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::properties::{Properties, PropertiesChange};
use crate::store::properties::{self, Claims};

fn corrupt_alias(alias: &SessionKey, error: &RowError) -> Error {
    Error::Corrupt {
        table: Table::Aliases.name(),
        key: alias.to_string(),
        detail: error.0.clone(),
    }
}

fn corrupt(number: u64, error: &RowError) -> Error {
    Error::Corrupt {
        table: Table::Properties.name(),
        key: format!("session {number}"),
        detail: error.0.clone(),
    }
}

/// The start of the keys of all claims to an alias.
fn line_of(alias: &SessionKey) -> Vec<u8> {
    let mut key = Vec::new();
    push_text(&mut key, alias.id().as_bytes());
    push_text(&mut key, alias.agent().as_bytes());
    key
}

impl Draft<'_> {
    /// The properties of a session.
    pub(crate) fn properties(&self, number: u64) -> Result<Properties> {
        match self.get(Table::Properties, number, &[])? {
            Some(bytes) => {
                properties_row::decode(number, &bytes).map_err(|error| corrupt(number, &error))
            }
            None => Ok(Properties::default()),
        }
    }

    /// The claims to an alias, the first in line first: places, and session numbers.
    fn claims(&self, alias: &SessionKey) -> Result<Vec<(u64, u64)>> {
        let line = line_of(alias);
        let all = CellQuery::of(Table::Aliases, 0).between(line.clone(), last_of(&line));
        let mut found = Vec::new();
        for (key, value) in self.cells(&all)? {
            let place = key.get(line.len()..).and_then(|key| key.first_chunk::<8>());
            let place = place.map_or(0, |place| u64::from_be_bytes(*place));
            let number = properties_row::decode_claim(alias, place, &value)
                .map_err(|error| corrupt_alias(alias, &error))?;
            found.push((place, number));
        }
        Ok(found)
    }

    /// The name of the session that a claim leads to.
    fn claimer(&self, alias: &SessionKey, number: u64) -> Result<SessionKey> {
        properties::claimer(alias, &self.row(number)?).map_err(|error| corrupt_alias(alias, &error))
    }

    /// The session that has an alias.
    pub(crate) fn by_alias(&self, alias: &SessionKey) -> Result<Option<SessionKey>> {
        match self.claims(alias)?.first() {
            // The session that had it may be gone by now: then none has it.
            Some((_, number)) if self.row_if_there(*number)?.is_none() => Ok(None),
            Some((_, number)) => self.claimer(alias, *number).map(Some),
            None => self.by_file(alias),
        }
    }

    /// The sessions that have a text as an alias, of whatever agent, or of the one that it names.
    pub(crate) fn by_any_alias(&self, text: &str) -> Result<Vec<SessionKey>> {
        let mut start = Vec::new();
        push_text(&mut start, text.as_bytes());
        let end = [start.as_slice(), &[0xFF]].concat();
        let all = CellQuery::of(Table::Aliases, 0).between(start.clone(), end);
        let mut aliases = Vec::new();
        for (key, _) in self.cells(&all)? {
            let mut rest = key.get(start.len()..).unwrap_or_default();
            let agent = take_text(&mut rest).and_then(|agent| String::from_utf8(agent).ok());
            let alias = agent.and_then(|agent| SessionKey::new(agent, text).ok());
            aliases.extend(alias.filter(|alias| aliases.last() != Some(alias)));
        }
        let mut found = Vec::new();
        for alias in aliases {
            found.extend(self.by_alias(&alias)?);
        }
        Ok(found)
    }

    /// The session that was imported from the file where its agent would keep one of this key, if
    /// nothing but the file's name tells its key.
    fn by_file(&self, key: &SessionKey) -> Result<Option<SessionKey>> {
        let Some(named) = properties::named_by_file(key) else {
            return Ok(None);
        };
        let Some((number, row)) = self.session(&named)? else {
            return Ok(None);
        };
        if row.attachments > 0 || self.session(key)?.is_some() {
            return Ok(None);
        }
        let sources = CellQuery::of(Table::SessionSources, number).with_limit(1);
        Ok((!self.cells(&sources)?.is_empty()).then_some(named))
    }

    /// Changes the properties of a session; returns what they are then.
    pub(crate) fn change_properties(
        &mut self,
        number: u64,
        change: &PropertiesChange,
        manner: Claims,
    ) -> Result<Properties> {
        let row = self.row(number)?;
        let old = self.properties(number)?;
        let new = properties::changed(&old, change, &row.id, manner)?;
        let archived_by_agent = properties::stays_archived(row.archived_by_agent, change);
        if new == old && archived_by_agent == row.archived_by_agent {
            return Ok(new);
        }
        self.change_claims((number, &row), (&old.aliases, &new.aliases), manner)?;
        self.put_properties(number, &new)?;
        let changed = SessionRow {
            given: properties::given(&new),
            archived_by_agent,
            ..row
        };
        // Aliases, a summary and a scope are in no row.
        self.put_written_row(number, &changed)?;
        Ok(new)
    }

    /// Writes the properties of a session.
    pub(crate) fn put_properties(&mut self, number: u64, properties: &Properties) -> Result<()> {
        if *properties == Properties::default() {
            self.remove(Table::Properties, number, &[]);
            return Ok(());
        }
        let encoded = properties_row::encode(number, properties);
        let encoded = encoded.map_err(|error| corrupt(number, &error))?;
        self.put(Table::Properties, number, &[], encoded);
        Ok(())
    }

    /// The places of a session in the lines for its aliases.
    pub(crate) fn places(
        &self,
        (number, row): (u64, &SessionRow),
        aliases: &[String],
    ) -> Result<Vec<(String, u64)>> {
        let mut found = Vec::new();
        for alias in aliases {
            let claims = self.claims(&SessionKey::new(row.agent.as_str(), alias.as_str())?)?;
            let own = claims.iter().find(|(_, other)| *other == number);
            found.extend(own.map(|(place, _)| (alias.clone(), *place)));
        }
        Ok(found)
    }

    /// Claims aliases for a session that has no claim to them: at a place, or, where that is taken, behind
    /// the last one.
    pub(crate) fn claim_at(
        &mut self,
        (number, row): (u64, &SessionRow),
        wanted: &[(String, u64)],
    ) -> Result<()> {
        for (alias, place) in wanted {
            let alias = SessionKey::new(row.agent.as_str(), alias.as_str())?;
            let claims = self.claims(&alias)?;
            // A copy keeps the places in line, so that an alias leads to the same session as
            // before.
            let is_taken = claims.iter().any(|(other, _)| other == place);
            let place = if is_taken {
                properties::place_behind(claims.last().map(|(last, _)| *last))
            } else {
                Ok(*place)
            };
            let corrupt = |error| corrupt_alias(&alias, &error);
            let place = place.map_err(corrupt)?;
            let claim = properties_row::encode_claim(&alias, place, number).map_err(corrupt)?;
            self.put_new(Table::Aliases, 0, &claim_cell(&alias, place).key, claim);
        }
        Ok(())
    }

    /// Gives up the aliases that a session no longer lists, and claims those that are new to it.
    pub(crate) fn change_claims(
        &mut self,
        (number, row): (u64, &SessionRow),
        (old, new): (&[String], &[String]),
        manner: Claims,
    ) -> Result<()> {
        for alias in old.iter().filter(|alias| !new.contains(alias)) {
            let alias = SessionKey::new(row.agent.as_str(), alias.as_str())?;
            // A session claims an alias once.
            let claims = self.claims(&alias)?;
            if let Some((place, _)) = claims.iter().find(|(_, other)| *other == number) {
                self.remove(Table::Aliases, 0, &claim_cell(&alias, *place).key);
            }
        }
        for alias in new.iter().filter(|alias| !old.contains(alias)) {
            let alias = SessionKey::new(row.agent.as_str(), alias.as_str())?;
            let claims = self.claims(&alias)?;
            // The first in line has the name.
            if let (Claims::Exclusive, Some((_, other))) = (manner, claims.first()) {
                return Err(Error::AliasTaken {
                    by: self.claimer(&alias, *other)?,
                    alias: alias.id().to_owned(),
                });
            }
            let corrupt = |error| corrupt_alias(&alias, &error);
            let place = properties::place_behind(claims.last().map(|(last, _)| *last));
            let place = place.map_err(corrupt)?;
            let claim = properties_row::encode_claim(&alias, place, number).map_err(corrupt)?;
            // Two that claim at the same time would have one place: the slower one begins again.
            self.put_new(Table::Aliases, 0, &claim_cell(&alias, place).key, claim);
        }
        Ok(())
    }
}

fn claim_cell(alias: &SessionKey, place: u64) -> Cell {
    let mut key = line_of(alias);
    key.extend_from_slice(&place.to_be_bytes());
    Cell::new(Table::Aliases, 0, key)
}
