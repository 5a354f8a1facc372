//! A session on its way from one store to another: its lines, packed as they lie, and all that is kept of it
//! beside them. It knows no engine.

use super::course::StoredCourse;
use super::source::Source;
use crate::codec::batch_row::BatchRow;
use crate::codec::chain::{Chain, Digest, digest_of};
use crate::codec::file_order::FileOrder;
use crate::codec::row::RowError;
use crate::codec::segment::{Packer, Sealed, Segment};
use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::Role;
use crate::model::properties::Properties;
use crate::model::record::{RecordFlags, RecordHeader};

/// A segment of fewer bytes is packed anew with those beside it: appends of a line each make one each.
const SMALL_SEGMENT_BYTES: usize = 8 * 1024;

/// Looks at a record: its number, what was found in it, its line.
type EachRecord<'e> = dyn FnMut(u64, RecordHeader, &[u8]) -> Result<()> + 'e;

/// What is kept of a session beside its lines, its row included.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    /// The row. What is one store's own is not in it: how it lays records out, when it wrote to the session.
    pub row: SessionRow,
    /// Batches that the row has no room for, by their ids.
    pub batches: Vec<(u128, BatchRow)>,
    /// What only other lines tell, and what leads to them.
    pub course: StoredCourse,
    /// What was given to it.
    pub properties: Properties,
    /// Its aliases, each with its place in the line of those who claim it.
    pub claims: Vec<(String, u64)>,
    /// Which records its file has, in which order.
    pub file_order: Option<FileOrder>,
    /// What it was imported from. The session's number is 0 in it.
    pub sources: Vec<Source>,
}

impl Beside {
    /// The same without what is one store's alone: numbers of sessions, and how it lays out its rows.
    pub(crate) fn normal(mut self) -> Self {
        self.row = normal_row(&self.row);
        self.batches.sort_unstable_by_key(|(id, _)| *id);
        for source in &mut self.sources {
            source.row.session = 0;
        }
        self.sources.sort_by(|one, other| {
            (&one.path, one.generation).cmp(&(&other.path, other.generation))
        });
        self
    }

    /// Whether both say the same. Places in the lines for aliases may differ: other sessions stand there too.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        self.row == other.row
            && self.batches == other.batches
            && self.course == other.course
            && self.properties == other.properties
            && self.file_order == other.file_order
            && self.sources == other.sources
    }

    /// Its name.
    pub(crate) fn key(&self) -> Result<SessionKey> {
        self.row.key().map_err(|error| corrupt(&self.row, &error))
    }
}

/// A session with everything that is kept of it.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    /// What is kept beside its lines.
    pub beside: Beside,
    /// Its records, packed, in their order.
    pub segments: Vec<Sealed>,
    /// The names of the files that are kept with it.
    pub attachments: Vec<String>,
}

/// Where a session comes to lie in another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The number that it has there; `None` for a new one.
    pub number: Option<u64>,
    /// The records before this one are there already, and stay.
    pub from: u64,
}

/// The digests of a session's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineDigests {
    /// The digest chain, over what the row's covers.
    pub chain: Chain,
    /// The same, of the records before a given one.
    pub before: Chain,
    /// Over all records, with their numbers and what was found in them.
    pub all: Digest,
}

impl Carried {
    /// Shows `each` all records, in order.
    fn each(&self, each: &mut EachRecord<'_>) -> Result<()> {
        for sealed in &self.segments {
            let segment = open(&self.beside.row, sealed)?;
            for (sequence, header, line) in segment.records() {
                each(sequence, header, line)?;
            }
        }
        Ok(())
    }

    /// Reads all lines, and checks them against the session's digest chain. `end` is the record before which a
    /// chain is wanted too.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt) if they are not those that were stored.
    pub(crate) fn digests(&self, end: u64) -> Result<LineDigests> {
        let row = &self.beside.row;
        let mut chain = Chain::starting_at(row.chain.from);
        let (mut before, mut all) = (chain, Chain::starting_at(0));
        let mut records = 0;
        self.each(&mut |sequence, header, line| {
            let digest = digest_of(line);
            chain.take(sequence, &digest);
            if sequence < end {
                before.take(sequence, &digest);
            }
            all.push(&digest_of(&described(sequence, header, &digest)));
            records += 1;
            Ok(())
        })?;
        if let Some(detail) = row.chain.differs_from(&chain) {
            return Err(corrupt(row, &RowError(detail)));
        }
        // The chain of a session from before there were chains does not cover its first records.
        if records != row.records {
            let detail = format!("{records} records, the row says {}", row.records);
            return Err(corrupt(row, &RowError(detail)));
        }
        Ok(LineDigests {
            chain,
            before,
            all: all.digest,
        })
    }

    /// Takes the records from one on, packed: as they lie, but for small segments, which go together.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub(crate) fn take_segments(&mut self, from: u64) -> Result<Vec<Sealed>> {
        let (mut taken, mut packer) = (Vec::new(), Packer::default());
        let segments = std::mem::take(&mut self.segments);
        for sealed in segments {
            // Records of it are there already: what is left of it is packed anew.
            let begins_before = sealed.first < from;
            if !begins_before && sealed.bytes.len() >= SMALL_SEGMENT_BYTES {
                taken.extend(packer.seal());
                taken.push(sealed);
                continue;
            }
            let segment = open(&self.beside.row, &sealed)?;
            for (sequence, header, line) in segment.records().filter(|record| record.0 >= from) {
                // A line without its end stays alone, so that an import can replace it.
                let is_torn = header.flags.contains(RecordFlags::UNTERMINATED);
                if is_torn || packer.is_full_for(sequence, line.len()) {
                    taken.extend(packer.seal());
                }
                packer.push(sequence, header, line);
            }
        }
        taken.extend(packer.seal());
        Ok(taken)
    }

    /// Whether this is an earlier state of another: every line is there too, but for those that the other has
    /// removed, and for a last one without its end, which it has whole.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub(crate) fn is_before(&self, later: &Self) -> Result<bool> {
        let (own, other) = (&self.beside.row, &later.beside.row);
        if own.next > other.next || own.chain.rewrites > other.chain.rewrites {
            return Ok(false);
        }
        // Only where records were removed or replaced since may one be missing.
        let may_lack = own.chain.rewrites < other.chain.rewrites;
        let mut rest = later.lines();
        let mut next = rest.next().transpose()?;
        let mut fits = true;
        self.each(&mut |sequence, header, line| {
            while fits && next.as_ref().is_some_and(|(at, _)| *at < sequence) {
                next = rest.next().transpose()?;
            }
            fits &= match &next {
                Some((at, found)) if *at == sequence => {
                    let is_torn = header.flags.contains(RecordFlags::UNTERMINATED);
                    found == line || may_lack && is_torn && found.starts_with(line)
                }
                _ => may_lack,
            };
            Ok(())
        })?;
        Ok(fits)
    }

    /// Numbers and lines, a segment in memory at a time.
    fn lines(&self) -> impl Iterator<Item = Result<(u64, Vec<u8>)>> + '_ {
        let row = &self.beside.row;
        self.segments.iter().flat_map(move |sealed| {
            let lines = open(row, sealed).map(|segment| {
                let owned = |(at, _, line): (u64, RecordHeader, &[u8])| (at, line.to_vec());
                segment.records().map(owned).collect::<Vec<_>>()
            });
            match lines {
                Ok(lines) => lines.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        })
    }
}

/// A row without what is its store's own: how that lays records out, and when it wrote to it.
pub(crate) fn normal_row(row: &SessionRow) -> SessionRow {
    SessionRow {
        tail_first: row.next,
        tail_bytes: 0,
        blocks: 0,
        written_us: None,
        ..row.clone()
    }
}

/// What a digest over a whole record is made of.
fn described(sequence: u64, header: RecordHeader, line: &Digest) -> Vec<u8> {
    let mut bytes = sequence.to_le_bytes().to_vec();
    bytes.extend_from_slice(&[
        header.kind.code(),
        header.role.map_or(0, Role::code),
        header.flags.bits(),
    ]);
    bytes.extend_from_slice(&header.messages.to_le_bytes());
    bytes.extend_from_slice(&header.time_us.unwrap_or(i64::MIN).to_le_bytes());
    bytes.extend_from_slice(line);
    bytes
}

fn open(row: &SessionRow, sealed: &Sealed) -> Result<Segment> {
    Segment::open(&sealed.bytes).map_err(|error| corrupt(row, &error))
}

/// A session whose records are not those that were stored.
fn corrupt(row: &SessionRow, error: &RowError) -> Error {
    Error::Corrupt {
        table: "records",
        key: format!("{}:{}", row.agent, row.id),
        detail: error.0.clone(),
    }
}
