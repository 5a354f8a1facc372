//! Verification of what is kept of sessions beside their lines, and of their other names.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable as _;

use super::Checker;
use crate::codec::properties_row;
use crate::codec::row::RowError;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::store::properties::given;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::properties::{corrupt, corrupt_alias, open_table};
use crate::store::redb::tables::schema::{ALIASES, PROPERTIES};

/// Aliases and who lists them.
type Listed = BTreeSet<(SessionKey, u64)>;

impl Checker<'_, '_, '_> {
    /// Every row belongs to a session that shows what it says, and every alias that a session
    /// lists is claimed for it, and for nobody else.
    pub(crate) fn properties(&mut self) -> Result<()> {
        let mut shown = BTreeMap::new();
        let mut listed = Listed::new();
        match open_table(self.snapshot.txn(), PROPERTIES) {
            Ok(None) => {}
            Err(error) => self.note(error, None)?,
            Ok(Some(table)) => {
                let read = storage("verify the properties");
                for entry in table.iter().map_err(&read)? {
                    let (number, value) = entry.map_err(&read)?;
                    let number = number.value();
                    match properties_row::decode(number, value.value()) {
                        Ok(properties) => {
                            shown.insert(number, given(&properties));
                            self.list(number, &properties.aliases, &mut listed)?;
                        }
                        Err(error) => self.note(corrupt(number, &error), Some(number))?,
                    }
                }
            }
        }
        let differing: Vec<u64> = self
            .found
            .rows
            .iter()
            // A session to which nothing was given has no row.
            .filter(|(number, row)| shown.remove(number).unwrap_or_default() != row.given)
            .map(|(number, _)| *number)
            .collect();
        for number in differing {
            let detail = "the summary row shows something else".to_owned();
            let key = format!("session {number}");
            self.problem("properties", key, detail, Some(number));
        }
        for number in shown.into_keys() {
            let detail = "properties of a session that is not there".to_owned();
            self.problem("properties", format!("session {number}"), detail, None);
        }
        self.aliases(listed)
    }

    /// Notes the aliases that a session lists.
    fn list(&mut self, number: u64, aliases: &[String], listed: &mut Listed) -> Result<()> {
        let Some(agent) = self.found.rows.get(&number).map(|row| row.agent.clone()) else {
            return Ok(());
        };
        for alias in aliases {
            match SessionKey::new(agent.as_str(), alias.as_str()) {
                Ok(alias) if listed.insert((alias.clone(), number)) => {}
                Ok(_) => {
                    let error = RowError(format!("alias `{alias}` is listed twice"));
                    self.note(corrupt(number, &error), Some(number))?;
                }
                Err(error) => {
                    self.note(corrupt(number, &RowError(error.to_string())), Some(number))?;
                }
            }
        }
        Ok(())
    }

    /// Every claim is one of those listed, once, and none is missing.
    fn aliases(&mut self, mut listed: Listed) -> Result<()> {
        match open_table(self.snapshot.txn(), ALIASES) {
            Ok(None) => {}
            Err(error) => self.note(error, None)?,
            Ok(Some(table)) => {
                let read = storage("verify the aliases");
                for entry in table.iter().map_err(&read)? {
                    let (key, value) = entry.map_err(&read)?;
                    let (agent, alias, place) = key.value();
                    self.found.report.index_entries += 1;
                    let alias = match SessionKey::new(agent, alias) {
                        Ok(alias) => alias,
                        Err(error) => {
                            let key = format!("{agent}:{alias}");
                            self.problem("aliases", key, error.to_string(), None);
                            continue;
                        }
                    };
                    match properties_row::decode_claim(&alias, place, value.value()) {
                        // Taken off the list: what is left of it at the end leads nowhere.
                        Ok(number) if listed.remove(&(alias.clone(), number)) => {}
                        Ok(number) => {
                            let detail = format!("session {number} does not list it, or only once");
                            let error = RowError(detail);
                            self.note(corrupt_alias(&alias, &error), Some(number))?;
                        }
                        Err(error) => self.note(corrupt_alias(&alias, &error), None)?,
                    }
                }
            }
        }
        for (alias, number) in listed {
            let detail = format!("session {number} lists it, but it leads nowhere");
            self.note(corrupt_alias(&alias, &RowError(detail)), Some(number))?;
        }
        Ok(())
    }
}
