//! The file with a session's removed lines, and its note, which is always written before what it
//! tells of can be wrong:
//!
//! 1. The note says that lines are in the making behind those that are settled.
//! 2. The lines are appended, and are on disk.
//! 3. The note says which records they are, and where they end.
//! 4. The records are removed from the store: one transaction, of somebody else.
//! 5. The note says that they are settled.
//!
//! A run that stops leaves one of three notes. Settled: nothing is behind the lines. Writing: what is
//! behind them is cut off. Written: the store is asked. A line stays if its record is gone from there,
//! and goes if the record is still there. It must not know how records are removed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{
    self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::note::{Held, Note, Open, Owner, Runs, invalid};
use super::place::ArchiveFile;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{ScanQuery, Store, StoreExt as _, StoreId};
use crate::transfer::files::atomic::{append_private, sync_folder};

/// A line of the file.
struct Line {
    sequence: u64,
    /// Where it ends.
    end: u64,
    hash: u128,
}

/// The file of one session, with its lock held.
#[derive(Debug)]
pub(super) struct Lines {
    place: ArchiveFile,
    owner: Owner,
    held: Held,
    /// Whether the note on disk says something else.
    is_stale: bool,
    /// Lines that are being added.
    adding: Option<Adding>,
    /// The highest sequence number that is settled: what comes is beyond it, but for a store that was
    /// restored.
    reach: Option<u64>,
    /// The settled lines by their records; read when it is needed.
    known: Option<HashMap<u64, Vec<u128>>>,
}

#[derive(Debug)]
struct Adding {
    file: BufWriter<File>,
    bytes: u64,
    runs: Runs,
}

impl Lines {
    /// Opens the file of a session of a store, and settles what a run has left that did not come to
    /// its end.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file is not as its note says; those of reading the session.
    pub(super) fn open(
        place: ArchiveFile,
        owner: Owner,
        (store, id): (&dyn Store, Option<&StoreId>),
        key: &SessionKey,
    ) -> Result<Self> {
        let noted = place.found.as_ref().and_then(|note| note.held.clone());
        let is_new = noted.is_none();
        let mut lines = Self {
            place,
            owner,
            held: noted.unwrap_or_default(),
            is_stale: false,
            adding: None,
            reach: None,
            known: None,
        };
        let length = lines.length()?;
        // A file of before there were notes: its lines are nobody's, and stay as they are.
        if is_new {
            (lines.held.before, lines.held.bytes) = (length, length);
            return Ok(lines);
        }
        // A run that was stopped may have written any number of lines behind those that are
        // settled; one that came to its last note wrote exactly so many.
        let (least, most) = match &lines.held.open {
            None => (lines.held.bytes, lines.held.bytes),
            Some(Open::Writing {}) => (lines.held.bytes, u64::MAX),
            Some(Open::Written { bytes, .. }) => (*bytes, *bytes),
        };
        if !(least..=most).contains(&length) {
            return Err(lines.failed("go on with the archive", &format!(
                "it has {length} bytes, and its note tells of {least}: somebody else changed it; \
                 move both away, or name another folder"
            )));
        }
        match lines.held.open {
            None => {}
            // Nothing was removed from the store yet: those lines come again.
            Some(Open::Writing {}) => {
                lines.cut(lines.held.bytes)?;
                lines.close();
            }
            Some(Open::Written { .. }) => lines.settle(store, id, key)?,
        }
        lines.reach = lines.held.runs.last();
        Ok(lines)
    }

    /// Adds the line of a record, unless it is there. Not on disk before [`written`](Self::written).
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then [`take_back`](Self::take_back) is to follow.
    pub(super) fn add(&mut self, sequence: u64, line: &[u8]) -> Result<()> {
        let is_ended = line.ends_with(b"\n");
        if self.reach >= Some(sequence) && self.held.runs.contains(sequence) {
            // A store that was restored gives a number again: to the same record, or to another one.
            let hash = if is_ended {
                xxh3_128(line)
            } else {
                xxh3_128(&[line, b"\n"].concat())
            };
            if self
                .known()?
                .get(&sequence)
                .is_some_and(|all| all.contains(&hash))
            {
                return Ok(());
            }
        }
        // Only when there is a line to add: a run that archives nothing leaves note and file as
        // they are.
        if self.adding.is_none() {
            self.adding = Some(self.begin()?);
        }
        let Some(adding) = &mut self.adding else {
            return Ok(());
        };
        // Without an end this line and the next would be one, and the note tells records by
        // counting lines.
        let end: &[u8] = if is_ended { b"" } else { b"\n" };
        for bytes in [line, end] {
            adding.bytes += bytes.len() as u64;
            let written = adding.file.write_all(bytes);
            written.map_err(|source| self.place.error("write", source))?;
        }
        adding.runs.push(sequence);
        Ok(())
    }

    /// Returns when all lines that were added are on disk, and the note tells of them. `id` is that
    /// of the store that they are going to be removed from.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; then [`take_back`](Self::take_back) is to follow.
    pub(super) fn written(&mut self, id: Option<&StoreId>) -> Result<()> {
        let Some(adding) = &mut self.adding else {
            return Ok(());
        };
        // On disk before the note says so: a note that tells of lines which a power cut took would
        // count records as kept that are not.
        let synced = adding
            .file
            .flush()
            .and_then(|()| adding.file.get_ref().sync_all());
        synced.map_err(|source| self.place.error("write", source))?;
        self.held.open = Some(Open::Written {
            bytes: adding.bytes,
            runs: adding.runs.clone(),
            store: id.and_then(|id| id.file.clone()),
        });
        self.write_note()?;
        self.adding = None;
        Ok(())
    }

    /// Takes back lines that were added and not all written; what fails of it is done by the next
    /// run.
    pub(super) fn take_back(&mut self) {
        if let Some(adding) = self.adding.take() {
            // What it holds back is not to be written any more.
            let (file, _) = adding.file.into_parts();
            drop(file);
        }
        if let Some(Open::Written { .. }) = &self.held.open {
            // The note on disk may say so or not: both are right as long as the lines are there.
            self.held.open = Some(Open::Writing {});
            if self.write_note().is_err() {
                return;
            }
        }
        if self.held.open.is_some() && self.cut(self.held.bytes).is_ok() {
            self.close();
        }
        self.finish();
    }

    /// Settles lines of which all records are gone from the store.
    pub(super) fn settle_all(&mut self) {
        if let Some(Open::Written { bytes, runs, .. }) = self.held.open.take() {
            self.held.bytes = bytes;
            self.held.runs.extend(&runs);
            self.known = None;
            self.is_stale = true;
        }
        self.finish();
    }

    /// Settles lines by what the store has now.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] and those of reading the session: the next run does it.
    pub(super) fn settle(
        &mut self,
        store: &dyn Store,
        id: Option<&StoreId>,
        key: &SessionKey,
    ) -> Result<()> {
        let Some(Open::Written {
            runs, store: of, ..
        }) = self.held.open.clone()
        else {
            return Ok(());
        };
        // A copy of the store does not know whether they were removed from the other one.
        if of.as_ref() != id.and_then(|id| id.file.as_ref()) {
            self.settle_all();
            return Ok(());
        }
        let written = self.read_lines(self.held.bytes, &runs)?;
        let there = self.still_there(&written, store, key)?;
        // Whoever compacts takes the first records of a session, so those that are there are the last.
        let gone = written
            .iter()
            .rposition(|line| !there.contains(&line.sequence));
        let kept = gone.map_or(0, |last| last + 1);
        if kept == written.len() {
            self.settle_all();
            return Ok(());
        }
        let mut runs = Runs::default();
        for line in written.iter().take(kept) {
            runs.push(line.sequence);
            self.held.bytes = line.end;
        }
        self.held.runs.extend(&runs);
        self.known = None;
        self.held.open = Some(Open::Writing {});
        self.write_note()?;
        self.cut(self.held.bytes)?;
        self.close();
        self.finish();
        Ok(())
    }

    /// Writes the note if it says something else. What fails of it is done by the next run.
    pub(super) fn finish(&mut self) {
        if self.is_stale {
            drop(self.write_note());
        }
    }

    /// Those of the lines whose very record the session still has.
    fn still_there(
        &self,
        written: &[Line],
        store: &dyn Store,
        key: &SessionKey,
    ) -> Result<HashSet<u64>> {
        let mut there = HashSet::new();
        // A session that was deleted and made again has none of the records: all that was written
        // is gone from the store.
        let is_same = match (store.summary(key), &self.owner) {
            (Ok(summary), Owner::Session { number, .. }) => summary.number == *number,
            (Err(Error::NotFound { .. }), _) | (Ok(_), Owner::History { .. }) => false,
            (Err(error), _) => return Err(error),
        };
        let sequences = written.iter().map(|line| line.sequence);
        let (Some(first), Some(last), true) = (sequences.clone().min(), sequences.max(), is_same)
        else {
            return Ok(there);
        };
        // A number may stand for another line by now, where the last one was replaced: the line decides.
        let hashes: HashMap<u64, u128> = written
            .iter()
            .map(|line| (line.sequence, line.hash))
            .collect();
        let query = ScanQuery {
            from: Some(first),
            ..ScanQuery::default()
        };
        for record in store.records(key, query) {
            let mut record = record?;
            if record.sequence > last {
                break;
            }
            if !record.line.ends_with(b"\n") {
                record.line.push(b'\n');
            }
            if hashes.get(&record.sequence) == Some(&xxh3_128(&record.line)) {
                there.insert(record.sequence);
            }
        }
        Ok(there)
    }

    /// Notes that lines are in the making, and opens the file behind those that are settled.
    fn begin(&mut self) -> Result<Adding> {
        // Before the first byte: without the note, lines that a kill leaves would be taken for
        // somebody else's change.
        self.held.open = Some(Open::Writing {});
        self.write_note()?;
        let path = &self.place.lines;
        let opened = append_private(path).and_then(|file| {
            sync_folder(path.parent().unwrap_or(path))?;
            Ok(file)
        });
        let mut file = opened.map_err(|source| self.place.error("write", source))?;
        // Lines of before there were notes may end without a terminator: the first new one would
        // become a part of them.
        if self.held.before == self.held.bytes && !self.ends_a_line(&file)? {
            let ended = file.write_all(b"\n").and_then(|()| file.sync_all());
            ended.map_err(|source| self.place.error("write", source))?;
            self.held.bytes += 1;
            self.held.before += 1;
            self.write_note()?;
        }
        Ok(Adding {
            file: BufWriter::with_capacity(256 * 1024, file),
            bytes: self.held.bytes,
            runs: Runs::default(),
        })
    }

    /// Whether what was there before there was a note ends with a whole line.
    fn ends_a_line(&self, mut file: &File) -> Result<bool> {
        let Some(last) = self.held.bytes.checked_sub(1) else {
            return Ok(true);
        };
        let mut byte = [0];
        let read = file
            .seek(SeekFrom::Start(last))
            .and_then(|_| file.read_exact(&mut byte));
        read.map_err(|source| self.place.error("read", source))?;
        Ok(byte == *b"\n")
    }

    fn known(&mut self) -> Result<&HashMap<u64, Vec<u128>>> {
        let mut known: HashMap<u64, Vec<u128>> = HashMap::new();
        if self.known.is_none() {
            // From where notes begin: nobody knows whose records the lines before are.
            for line in self.read_lines(self.held.before, &self.held.runs)? {
                known.entry(line.sequence).or_default().push(line.hash);
            }
        }
        Ok(self.known.get_or_insert(known))
    }

    /// Reads the lines of records from a place on.
    fn read_lines(&self, from: u64, runs: &Runs) -> Result<Vec<Line>> {
        let read = || -> io::Result<Vec<Line>> {
            let mut file = File::open(&self.place.lines)?;
            file.seek(SeekFrom::Start(from))?;
            let mut file = BufReader::with_capacity(256 * 1024, file);
            let (mut lines, mut text, mut end) = (Vec::new(), Vec::new(), from);
            for sequence in runs.all() {
                text.clear();
                end += file.read_until(b'\n', &mut text)? as u64;
                // Numbers are told by counting lines, so one that is missing would shift all behind
                // it.
                if !text.ends_with(b"\n") {
                    return Err(invalid("it has fewer lines than its note says"));
                }
                let hash = xxh3_128(&text);
                lines.push(Line {
                    sequence,
                    end,
                    hash,
                });
            }
            Ok(lines)
        };
        read().map_err(|source| self.place.error("read", source))
    }

    fn length(&self) -> Result<u64> {
        match fs::symlink_metadata(&self.place.lines) {
            Ok(there) if there.is_file() => Ok(there.len()),
            Ok(_) => Err(self.failed("write", "it is a link or no file: links are not followed")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(self.place.error("look at", error)),
        }
    }

    /// Cuts off what is behind a place.
    fn cut(&self, bytes: u64) -> Result<()> {
        let cut = |path: &Path| -> io::Result<()> {
            match OpenOptions::new().write(true).open(path) {
                Ok(file) => {
                    file.set_len(bytes)?;
                    file.sync_all()
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && bytes == 0 => Ok(()),
                Err(error) => Err(error),
            }
        };
        if self.length()? > bytes {
            cut(&self.place.lines).map_err(|source| self.place.error("shorten", source))?;
        }
        Ok(())
    }

    /// Nothing is behind the lines that are settled.
    fn close(&mut self) {
        self.held.open = None;
        self.is_stale = true;
    }

    fn write_note(&mut self) -> Result<()> {
        Note::new(&self.owner, Some(self.held.clone())).write(&self.place.note)?;
        self.is_stale = false;
        Ok(())
    }

    fn failed(&self, action: &'static str, reason: &str) -> Error {
        self.place.error(action, invalid(reason))
    }
}

impl ArchiveFile {
    fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::Io {
            action,
            path: self.lines.clone(),
            source,
        }
    }
}

#[cfg(test)]
impl Lines {
    /// Gives the system what was added, as a run does that is killed before the note says so.
    pub(super) fn flush_for_tests(&mut self) {
        if let Some(adding) = &mut self.adding {
            adding.file.flush().unwrap();
        }
    }

    /// Bytes of the lines that are settled.
    pub(super) fn settled_for_tests(&self) -> u64 {
        self.held.bytes
    }
}
