//! Files of folders (indexes, lists of prompts, the states of databases): they go with the last session
//! of the folder that they lie in.
//!
//! A folder's file is needed while a session came from that folder, or from one below it. Whether one
//! did is looked up from the folder of a deleted session upwards, until a folder is found that is needed:
//! those above it are as well.

use std::collections::BTreeSet;

use redb::Table;

use crate::codec::source_row::SourceRow;
use crate::model::error::Result;
use crate::store::path_bytes::{below, emptied};
use crate::store::redb::engine::errors::storage;
use crate::store::redb::tables::ranges::within;

/// What errors say was being done.
const ACTION: &str = "delete the files of a folder";

/// The tables that a folder's file has rows in.
pub(crate) struct FolderFiles<'t, 'w> {
    /// Its source.
    pub sources: &'t mut Table<'w, (&'static [u8], u32), &'static [u8]>,
    /// The way back to that.
    pub session_sources: &'t mut Table<'w, (u64, &'static [u8], u32), ()>,
    /// Its bytes.
    pub attachments: &'t mut Table<'w, (u64, &'static str, u32), &'static [u8]>,
}

impl FolderFiles<'_, '_> {
    /// Deletes the files of the folders that deleted sessions came from, by the paths of their files, and
    /// that no session comes from any more.
    pub(crate) fn delete_unneeded(&mut self, gone: &BTreeSet<Vec<u8>>) -> Result<()> {
        for folder in emptied(gone, |folder| self.has_session_below(folder))? {
            self.delete_below(&folder)?;
        }
        Ok(())
    }

    fn has_session_below(&self, folder: &[u8]) -> Result<bool> {
        let start = below(folder);
        for entry in within(self.sources, (start.as_slice(), 0).., ACTION)? {
            let (key, value) = entry?;
            let (path, generation) = key.value();
            if !path.starts_with(&start) {
                break;
            }
            // What cannot be read may be a session's.
            if SourceRow::decode(path, generation, value.value()).map_or(1, |row| row.session) != 0
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn delete_below(&mut self, folder: &[u8]) -> Result<()> {
        let start = below(folder);
        let mut files = Vec::new();
        for entry in within(self.sources, (start.as_slice(), 0).., ACTION)? {
            let (key, value) = entry?;
            let (path, generation) = key.value();
            if !path.starts_with(&start) {
                break;
            }
            // A row that cannot be read does not tell under which name the bytes lie: it stays.
            if let Ok(row) = SourceRow::decode(path, generation, value.value()) {
                files.push((path.to_vec(), generation, row.name));
            }
        }
        let action = storage(ACTION);
        for (path, generation, name) in files {
            let path = path.as_slice();
            self.sources.remove((path, generation)).map_err(&action)?;
            self.session_sources
                .remove((0, path, generation))
                .map_err(&action)?;
            let name = name.as_str();
            self.attachments
                .retain_in((0, name, 0)..=(0, name, u32::MAX), |key, _| {
                    (key.0, key.1) != (0, name)
                })
                .map_err(&action)?;
        }
        Ok(())
    }
}
