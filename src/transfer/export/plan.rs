//! Which files an export as lines writes, and where they go.
//!
//! Imported files come first, the newest contents before the older ones, so that they have the
//! plain names; then sessions without a file; then the agents' own files about them.

use std::collections::HashMap;

use memchr::{memrchr, memrchr_iter};

use super::format::ExportFormat;
use super::item::{Content, Item};
use super::older::{self, Older};
use super::place::{self, Folders};
use crate::agents;
use crate::codec::file_order;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::{SourceKind, SourceRow};
use crate::model::error::{Error, Result};
use crate::model::session::Summary;
use crate::store::{IngestStore, Source, Sources};
use crate::transfer::export::file_names::Targets;
use crate::transfer::files::paths;
use crate::transfer::import::document_place::DOCUMENT_BYTES_MAX;
use crate::transfer::import::sidecar_facts;
use crate::transfer::older::below;

/// The files of an export.
pub(super) struct Plan<'s> {
    /// The store.
    pub store: &'s dyn IngestStore,
    /// What was imported, and into which sessions.
    pub snapshot: &'s dyn Sources,
    /// The files.
    pub items: Vec<Item>,
    /// The files of each session, by its number.
    pub homes: HashMap<u64, SessionFiles>,
    /// What is told of the files.
    pub notes: Vec<(Vec<Vec<u8>>, String)>,
    older: Older,
    targets: Targets,
    folders: Folders,
}

/// The files of a session: places in [`Plan::items`].
#[derive(Debug, Default)]
pub(super) struct SessionFiles {
    /// The one with its lines.
    pub lines: Option<usize>,
    /// Where it came from, name by name: another file may have taken that place.
    lines_from: Vec<Vec<u8>>,
    /// Those that are kept whole, the newest contents first.
    pub whole: Vec<usize>,
    /// The document that its first records came from.
    pub document: Option<usize>,
    /// The folder of the database that they came from.
    database: Option<Vec<Vec<u8>>>,
    /// The sequence number after all records that came from files.
    pub(super) imported: u64,
    /// How far its newest document goes, and the time of that.
    pub(super) told: Option<(u64, i64)>,
    /// Where its file lies, as its agent last had it; the other places have copies.
    place: Option<file_order::SourceId>,
    /// Whether its document says less than is known of it now.
    outdated: bool,
}

impl SessionFiles {
    /// Whether records came to the session that are in no file, or in none yet.
    pub(super) fn is_changed(&self, next_sequence: u64) -> bool {
        self.outdated || self.imported != next_sequence
    }
}

impl<'s> Plan<'s> {
    /// Of an export that writes nothing yet.
    pub(super) fn new(store: &'s dyn IngestStore, snapshot: &'s dyn Sources) -> Self {
        Self {
            store,
            snapshot,
            items: Vec::new(),
            homes: HashMap::new(),
            notes: Vec::new(),
            older: Older::default(),
            targets: Targets::default(),
            folders: Folders::default(),
        }
    }
}

impl Plan<'_> {
    /// Takes from the file orders of the sessions where their files lie, and whether they have records
    /// that are not in those.
    pub(super) fn take_orders(&mut self) -> Result<()> {
        for (number, home) in self.homes.iter_mut().filter(|(number, _)| **number != 0) {
            let Some(order) = self.snapshot.file_order(*number)? else {
                continue;
            };
            home.place = order.place;
            // With something appended here no count may look as if all records came from the file.
            home.imported = if order.here.is_empty() { order.next } else { 0 };
        }
        Ok(())
    }

    /// Adds a file, at a place of its own. Returns its place in the list.
    pub(super) fn push(&mut self, wanted: &[Vec<u8>], item: Item) -> usize {
        let names = self.targets.claim(wanted);
        self.items.push(Item { names, ..item });
        self.items.len() - 1
    }

    /// Adds an older content, or one whose place is taken: where no agent looks.
    fn push_older(&mut self, names: &[Vec<u8>], number: u32, item: Item) -> usize {
        let place = self.push(&older::numbered(number, names), item);
        if let Some(item) = self.items.get(place) {
            self.older.note(&item.names, names, (number, item.mtime_ns));
        }
        place
    }

    /// Ends the plan with the list of older contents.
    pub(super) fn list_older(&mut self) -> Result<()> {
        self.items.extend(self.older.item()?);
        Ok(())
    }

    /// Adds the lines of a session; tells if another one has its place.
    fn push_session(&mut self, wanted: &[Vec<u8>], item: Item) -> usize {
        let place = self.push(wanted, item);
        if let Some(item) = self.items.get(place)
            && item.names != wanted
        {
            let name = wanted.last().map(Vec::as_slice).unwrap_or_default();
            let reason = format!(
                "would be called `{}`, as another session is already: its agent may not find it",
                String::from_utf8_lossy(name)
            );
            self.notes.push((item.names.clone(), reason));
        }
        place
    }

    /// The file of a source, unless its session was deleted. There may be a newer content of it.
    pub(super) fn take_source(&mut self, source: &Source, is_older: bool) -> Result<()> {
        let row = &source.row;
        let components = paths::plain_components(&row.relative);
        let was_older = below(&components);
        // The document that lay in another place before says less than the one that it became.
        let told = self.homes.get(&row.session).and_then(|home| home.told);
        let became_another = is_document(source) && told.is_some_and(|told| reached(source) < told);
        let is_older = is_older || was_older.is_some() || became_another;
        let mut names = vec![row.agent.clone().into_bytes()];
        names.extend_from_slice(was_older.unwrap_or(&components));
        if row.session == 0 {
            // A database has a row without a name, and no content here. What an earlier version kept of
            // one may hold credentials: its sessions are exported as lines.
            let is_database = agents::is_database_of(&row.agent, &source.path);
            if !row.name.is_empty() && !is_database {
                self.push_whole(&names, source, is_older);
            }
            return Ok(());
        }
        let Some(session) = self.snapshot.row(row.session)? else {
            return Ok(());
        };
        // Of the contents of an id the newest alone is where its agent looks.
        let older_content = (!session.is_listed()).then_some(session.content);
        let summary = summary_of(session, row.session)?;
        let is_own = row.next_sequence > 0 || summary.record_count == 0;
        let is_old_form = row.kind == SourceKind::Attachment && is_read_anew(row, &names);
        let outdated = is_old_form && is_own && self.is_outdated(source, &summary)?;
        let home = self.homes.entry(row.session).or_default();
        home.outdated |= outdated && home.document.is_none();
        let is_changed = home.is_changed(summary.next_sequence);
        if row.kind == SourceKind::Attachment {
            // Under its own name the agent would take the document over again, in place of what was
            // said since: it gets the name that the agent gives to what it has taken over.
            if is_changed && is_old_form {
                names
                    .iter_mut()
                    .rev()
                    .take(1)
                    .for_each(|name| name.extend(b".migrated"));
            }
            if older_content.is_none()
                && let Some(beside) = self.beside_lines(row, &names)
            {
                names = beside;
            }
            let is_own_document = is_own && row.next_sequence > 0;
            let lies_apart = is_older || older_content.is_some();
            let is_second = !is_own_document && self.targets.is_taken(&names);
            let place = self.push_whole(&names, source, lies_apart || is_second);
            let home = self.homes.entry(row.session).or_default();
            home.whole.push(place);
            if home.document.is_none() && is_own {
                home.document = Some(place);
            }
            return Ok(());
        }
        let place = file_order::source_id(&source.path, source.generation);
        // The file is written where its agent last had it, and once.
        if home.lines.is_some() || home.place.as_ref().is_some_and(|its| *its != place) {
            return Ok(());
        }
        if is_in_database(&row.agent, &source.path) {
            // A database is never written: its sessions go as lines into the folder that it lay in.
            names.truncate(names.len().saturating_sub(1).max(1));
            home.database = Some(names);
            return Ok(());
        }
        if names.len() == 1 {
            names.push(paths::file_safe(summary.key.id()).into_bytes());
        }
        let item = Item {
            mtime_ns: if is_changed {
                updated_ns(&summary)
            } else {
                Some(row.mtime_ns)
            },
            ..Item::lines(&summary)
        };
        let place = match older_content {
            Some(content) => self.push_older(&names, content, item),
            None => self.push_session(&names, item),
        };
        let home = self.homes.entry(row.session).or_default();
        home.lines = Some(place);
        home.lines_from = names;
        Ok(())
    }

    /// Where a meta file goes that lay beside the lines of its session: beside them again, under
    /// the name that they have now.
    fn beside_lines(&self, row: &SourceRow, names: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
        let home = self.homes.get(&row.session)?;
        let lines = &self.items.get(home.lines?)?.names;
        let (name, folder) = names.split_last()?;
        let (from, from_folder) = home.lines_from.split_last()?;
        let (now, now_folder) = lines.split_last()?;
        let meta = agents::of_agent(&row.agent).meta_ending().as_bytes();
        let stem = name.strip_suffix(meta)?;
        // What is left of the name of the lines is their ending, and no more of a name.
        let ending = from.strip_prefix(stem)?;
        if folder != from_folder || memrchr(b'.', ending) != Some(0) {
            return None;
        }
        let name = [now.strip_suffix(ending)?, meta].concat();
        Some([now_folder, &[name]].concat())
    }

    /// Whether something is known of a session that a document has no place for, or says otherwise.
    fn is_outdated(&self, document: &Source, summary: &Summary) -> Result<bool> {
        if summary.mark > 0 {
            return Ok(true);
        }
        let row = &document.row;
        // Nothing of so large a one was ever read, so nothing could say otherwise.
        if row.size > DOCUMENT_BYTES_MAX {
            return Ok(false);
        }
        let known = match self.snapshot.session_state_parts(row.session) {
            Ok(parts) => parts.properties,
            Err(Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        self.snapshot
            .read_attachment(row.session, &row.name, &mut bytes)?;
        let dialect = agents::of_agent(&row.agent);
        let told = dialect.sidecar_facts(&paths::from_bytes(&document.path), &bytes);
        let told = told.into_iter().next().unwrap_or_default();
        let has_name = |alias: &String| *alias != told.id;
        Ok(
            known.summary != sidecar_facts::properties_of(&told, &summary.key).summary
                || known.scope.is_some()
                || known.aliases.iter().any(has_name),
        )
    }

    /// A file that was kept whole.
    fn push_whole(&mut self, names: &[Vec<u8>], source: &Source, is_older: bool) -> usize {
        let row = &source.row;
        let mut names = names.to_vec();
        if names.len() == 1 {
            names.push(paths::file_safe(&row.name).into_bytes());
        }
        let item = Item {
            names: Vec::new(),
            content: Content::Attachment(row.name.clone()),
            session: row.session,
            mtime_ns: Some(row.mtime_ns),
            bytes: row.offset,
        };
        // Two folders may have had an index of this name, and an agent reads only one.
        if is_older || (row.session == 0 && self.targets.is_taken(&names)) {
            return self.push_older(&names, source.generation, item);
        }
        self.push(&names, item)
    }

    /// The lines of a session that no file holds.
    /// `content` is its number, if it is an older content of its id.
    pub(super) fn take_session(
        &mut self,
        (summary, content): (&Summary, Option<u32>),
        sources: &[Source],
    ) -> Result<()> {
        let home = self.homes.entry(summary.number).or_default();
        if home.lines.is_some() {
            return Ok(());
        }
        let is_changed = home.is_changed(summary.next_sequence);
        let agent = summary.key.agent();
        let folder = match (home.document, &home.database) {
            // The document itself comes back: its lines would be a second copy of it.
            (Some(_), _) if !is_changed => return Ok(()),
            // It went on since: its lines, which have all of it, go beside the document.
            (Some(document), _) => {
                let names = self.items.get(document).map(|item| item.names.as_slice());
                let folder = names.and_then(<[Vec<u8>]>::split_last);
                folder.map(|(_, folder)| folder.to_vec())
            }
            (None, Some(folder)) => Some(folder.clone()),
            (None, None) => None,
        };
        let name = place::name_of(summary);
        let mut names = match (folder, &name) {
            (Some(folder), _) => folder,
            (None, None) => vec![agent.as_bytes().to_vec()],
            (None, Some(_)) => {
                let mut names = vec![agent.as_bytes().to_vec()];
                names.extend(self.folders.of_agent(agent, sources, self.snapshot)?);
                names
            }
        };
        names.extend(name.unwrap_or_else(|| place::plain_name(summary)));
        let item = Item {
            mtime_ns: updated_ns(summary),
            ..Item::lines(summary)
        };
        let place = match content {
            Some(content) => self.push_older(&names, content, item),
            None => self.push_session(&names, item),
        };
        self.homes.entry(summary.number).or_default().lines = Some(place);
        Ok(())
    }
}

impl Item {
    /// The lines of a session, at no place yet.
    fn lines(summary: &Summary) -> Self {
        Self {
            names: Vec::new(),
            content: Content::Session(summary.key.clone(), ExportFormat::Jsonl),
            session: summary.number,
            mtime_ns: None,
            bytes: summary.bytes,
        }
    }
}

/// A session as lists show it.
pub(super) fn summary_of(row: SessionRow, number: u64) -> Result<Summary> {
    row.into_summary(number).map_err(|error| Error::Corrupt {
        table: "sessions",
        key: format!("session {number}"),
        detail: error.to_string(),
    })
}

/// When a session was last changed: some agents go by the time of the file.
pub(super) fn updated_ns(summary: &Summary) -> Option<i64> {
    summary.updated_at.timestamp_nanos_opt()
}

/// Whether a session lies in a database of its agent, by the path of its source: that of the file,
/// `#`, and the session's id.
fn is_in_database(agent: &str, path: &[u8]) -> bool {
    memrchr_iter(b'#', path)
        .filter_map(|end| path.get(..end))
        .any(|file| {
            let databases = agents::of_agent(agent).databases();
            agents::is_database_of(agent, file)
                || databases.is_some_and(|databases| databases.is_in_tree(&paths::from_bytes(file)))
        })
}

/// Whether the agent takes the file for newer than the lines beside it.
fn is_read_anew(row: &SourceRow, names: &[Vec<u8>]) -> bool {
    let name = names.last().map(Vec::as_slice).unwrap_or_default();
    agents::of_agent(&row.agent).is_read_anew(name)
}

/// Whether records of a session were made from a file that is kept whole.
pub(super) fn is_document(source: &Source) -> bool {
    source.row.kind == SourceKind::Attachment && source.row.next_sequence > 0
}

/// How far the records of a session were made from a document. Of two that are as far one was kept when its
/// last turn changed elsewhere: the newer file has what became of it.
pub(super) fn reached(source: &Source) -> (u64, i64) {
    (source.row.next_sequence, source.row.mtime_ns)
}

/// The newest content of every path, in the order of the paths; and the older ones, newer before
/// older.
pub(super) fn newest_first(sources: Vec<&Source>) -> (Vec<&Source>, Vec<&Source>) {
    let (mut newest, mut older): (Vec<&Source>, Vec<&Source>) = (Vec::new(), Vec::new());
    for source in sources {
        // Sources come by path and then by generation, so the last one of a path is the newest.
        match newest.last_mut() {
            Some(last) if last.path == source.path => {
                older.push(std::mem::replace(last, source));
            }
            _ => newest.push(source),
        }
    }
    older.sort_by(|left, right| {
        left.path
            .cmp(&right.path)
            .then(right.generation.cmp(&left.generation))
    });
    (newest, older)
}
