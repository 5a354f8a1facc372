//! What a repair writes of the things that sessions have beside their lines: properties and aliases,
//! each made from the other where one is lost.

use std::collections::BTreeMap;

use super::rebuild::Rebuilder;
use crate::codec::properties_row;
use crate::codec::session_row::Given;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::properties::Properties;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::schema::{ALIASES, PROPERTIES};

impl Rebuilder<'_> {
    /// Writes properties and aliases; both are made from each other where one is lost.
    pub(super) fn properties(&mut self) -> Result<()> {
        let mut kept: BTreeMap<u64, Properties> = BTreeMap::new();
        let mut lost = Vec::new();
        for (number, row) in &self.kept {
            let found = self.gathered.properties.get(number);
            let properties = found.map_or_else(|| shown(&row.given), |found| found.value.clone());
            if found.is_none() && properties != Properties::default() {
                lost.push(*number);
            }
            kept.insert(*number, properties);
        }
        // In the order in which they stand in line.
        let mut line: Vec<(SessionKey, u64)> = Vec::new();
        for ((agent, alias, _), claim) in &self.gathered.claims {
            let number = claim.value;
            let (Some(row), Some(properties)) = (self.kept.get(&number), kept.get_mut(&number))
            else {
                continue;
            };
            let is_lost = !self.gathered.properties.contains_key(&number);
            if is_lost && !properties.aliases.contains(alias) {
                properties.aliases.push(alias.clone());
            }
            let alias = SessionKey::new(agent.as_str(), alias.as_str())?;
            let is_listed =
                row.agent == *agent && properties.aliases.iter().any(|a| a == alias.id());
            if is_listed && !line.contains(&(alias.clone(), number)) {
                line.push((alias, number));
            }
        }
        // Where the claim is lost, so is its place: it stands behind those that are known.
        for (number, properties) in &kept {
            let Some(row) = self.kept.get(number) else {
                continue;
            };
            for alias in &properties.aliases {
                let alias = (
                    SessionKey::new(row.agent.as_str(), alias.as_str())?,
                    *number,
                );
                if !line.contains(&alias) {
                    line.push(alias);
                }
            }
        }
        for number in lost {
            let detail = "what is kept beside its lines is lost but for what a list shows";
            self.lose("properties", Some(number), detail.to_owned());
        }
        self.write_properties(&kept, &line)
    }

    fn write_properties(
        &mut self,
        kept: &BTreeMap<u64, Properties>,
        line: &[(SessionKey, u64)],
    ) -> Result<()> {
        let action = storage("write the properties of a session");
        let txn = self.bulk()?.writer.txn();
        let mut table = txn
            .open_table(PROPERTIES)
            .map_err(storage("write properties"))?;
        for (number, kept) in kept
            .iter()
            .filter(|(_, kept)| **kept != Properties::default())
        {
            let row = properties_row::encode(*number, kept)
                .map_err(|error| properties::corrupt(*number, &error))?;
            table.insert(*number, row.as_slice()).map_err(&action)?;
        }
        // Anew and without gaps: only the order counts.
        let mut places: BTreeMap<&SessionKey, u64> = BTreeMap::new();
        let mut table = txn.open_table(ALIASES).map_err(storage("write an alias"))?;
        for (alias, number) in line {
            let place = places.entry(alias).or_default();
            let claim = properties_row::encode_claim(alias, *place, *number)
                .map_err(|error| properties::corrupt_alias(alias, &error))?;
            table
                .insert((alias.agent(), alias.id(), *place), claim.as_slice())
                .map_err(&action)?;
            *place += 1;
        }
        Ok(())
    }
}

/// Properties from what a list shows of them.
fn shown(given: &Given) -> Properties {
    Properties {
        title: given.title.clone(),
        project: given.project.clone(),
        parent: given.parent.clone(),
        pinned: given.pinned,
        archived: given.archived,
        ..Properties::default()
    }
}
