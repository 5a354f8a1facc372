//! What an export has beside what is now: older contents of files, below `.older/`, where no agent
//! looks, with a list of them.

use serde::Serialize;

use super::item::{Content, Item};
use crate::model::error::Result;
use crate::transfer::older::{FOLDER, LIST, LIST_FORMAT};

/// The list of older contents: what lies where, and what it is an older content of.
#[derive(Debug, Default)]
pub(super) struct Older {
    listed: Vec<Listed>,
}

/// One older content.
#[derive(Debug, Serialize)]
struct Listed {
    /// Its place in the export.
    path: String,
    /// The file that it was: that is where a newer content lies, or lay.
    of: String,
    /// Its number among the contents of that file, or of that session, from 1.
    number: u32,
    /// The time of the file, in nanoseconds since 1970.
    mtime_ns: Option<i64>,
}

/// The list as JSON.
#[derive(Debug, Serialize)]
struct List<'l> {
    scrollback_older: u32,
    files: &'l [Listed],
}

impl Older {
    /// Notes a content.
    pub(super) fn note(
        &mut self,
        place: &[Vec<u8>],
        of: &[Vec<u8>],
        (number, mtime_ns): (u32, Option<i64>),
    ) {
        let shown = |names: &[Vec<u8>]| {
            let names = names.iter().map(|name| String::from_utf8_lossy(name));
            names.collect::<Vec<_>>().join("/")
        };
        self.listed.push(Listed {
            path: shown(place),
            of: shown(of),
            number,
            mtime_ns,
        });
    }

    /// The file of the list, if there is anything in it.
    pub(super) fn item(&self) -> Result<Option<Item>> {
        if self.listed.is_empty() {
            return Ok(None);
        }
        let list = List {
            scrollback_older: LIST_FORMAT,
            files: &self.listed,
        };
        let mut bytes = serde_json::to_vec_pretty(&list).map_err(|error| {
            let source = Box::new(error);
            crate::model::error::Error::Storage {
                action: "list the older contents",
                source,
            }
        })?;
        bytes.push(b'\n');
        Ok(Some(Item {
            names: place(&[LIST.as_bytes().to_vec()]),
            bytes: bytes.len() as u64,
            content: Content::Written(bytes),
            session: 0,
            mtime_ns: None,
        }))
    }
}

/// A place in the folder of older contents.
fn place(names: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&[FOLDER.as_bytes().to_vec()], names].concat()
}

/// The place of a content: below its number, so that the file keeps its name.
pub(super) fn numbered(number: u32, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
    place(&[&[number.to_string().into_bytes()], names].concat())
}

/// Whether a place is one of them.
pub(super) fn is_older(names: &[Vec<u8>]) -> bool {
    names
        .first()
        .is_some_and(|first| first == FOLDER.as_bytes())
}
