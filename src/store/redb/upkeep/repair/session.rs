//! One session of a repair: which of its segments and attachments are whole, and what its summary
//! row says then.

use std::collections::BTreeMap;

use super::gather::{Found, Gathered, Stored, Trust};
use crate::agents::Dialect;
use crate::codec::chain::{Chain, digest_of};
use crate::codec::segment::Segment;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::record::RecordFlags;
use crate::store::course::CourseChanges;
use crate::store::fold::Fold;
use crate::store::order::Order;
use crate::store::redb::pages::PageFile;
use crate::store::redb::tables::attachments;
use crate::store::redb::tables::segments;

/// A segment whose parts are all there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// Sequence number of its first record: its key.
    pub first: u64,
    /// That of its last one.
    pub last: u64,
    trust: Trust,
}

/// The rows of a segment's parts, the segment, and how far it can be believed.
pub(crate) type Assembled = (Vec<Vec<u8>>, Segment, Trust);

/// Reads the parts of a segment: their rows, and the segment.
pub(crate) fn read_segment(
    file: &PageFile,
    gathered: &Gathered,
    number: u64,
    first: u64,
) -> Result<Option<Assembled>> {
    let range = (number, first, 0)..=(number, first, u32::MAX);
    let (mut rows, mut bodies, mut trust) = (Vec::new(), Vec::new(), Trust::Sound);
    let mut is_ambiguous = false;
    for (key, found) in gathered.records.range(range) {
        if usize::try_from(key.2) != Ok(rows.len()) {
            break;
        }
        let row = file.read(found.value.place)?;
        let Ok(body) = segments::open(*key, &row) else {
            break;
        };
        bodies.push(body.to_vec());
        rows.push(row);
        trust = trust.max(found.trust);
        is_ambiguous |= found.is_ambiguous;
        if let Some(segment) = segments::assemble(&bodies) {
            // Parts of two versions may make a segment that nobody has written.
            let is_safe = rows.len() == 1 || !is_ambiguous;
            let is_its = segment.sequence(0) == first;
            return Ok((is_safe && is_its).then_some((rows, segment, trust)));
        }
    }
    Ok(None)
}

/// The segments of a session that are whole, in order, and no record in two of them.
pub(crate) fn segments_of(file: &PageFile, gathered: &Gathered, number: u64) -> Result<Vec<Whole>> {
    let range = (number, 0, 0)..=(number, u64::MAX, u32::MAX);
    let mut firsts: Vec<u64> = gathered
        .records
        .range(range)
        .map(|(key, _)| key.1)
        .collect();
    firsts.dedup();
    let mut found = Vec::new();
    for first in firsts {
        if let Some((_, segment, trust)) = read_segment(file, gathered, number, first)? {
            found.push(Whole {
                first,
                last: segment.last_sequence(),
                trust,
            });
        }
    }
    // What can be believed goes first; of what cannot, the longest.
    found.sort_by_key(|whole| {
        (
            whole.trust,
            u64::MAX - (whole.last - whole.first),
            whole.first,
        )
    });
    let mut taken: BTreeMap<u64, Whole> = BTreeMap::new();
    for whole in found {
        let before = taken.range(..=whole.last).next_back();
        if before.is_none_or(|(_, before)| before.last < whole.first) {
            taken.insert(whole.first, whole);
        }
    }
    Ok(taken.into_values().collect())
}

/// Counts the lines of a session again.
#[derive(Debug)]
pub(crate) struct Count<'r> {
    old: Option<&'r Found<SessionRow>>,
    row: SessionRow,
    /// The order of its records, where it is not that of their numbers.
    order: Option<Order>,
    fold: Fold,
    /// The digest chain over what the old row's covers.
    read: Chain,
    /// The digest chain over everything.
    anew: Chain,
    dialect: &'static dyn Dialect,
    gaps: Vec<(u64, u64)>,
    /// The number behind the last record found.
    reached: u64,
}

impl<'r> Count<'r> {
    /// Starts from an empty row, and the one that the damaged store has.
    pub(crate) fn new(
        (empty, order): (SessionRow, Option<Order>),
        old: Option<&'r Found<SessionRow>>,
        dialect: &'static dyn Dialect,
    ) -> Self {
        let mut row = empty;
        row.mark = old.map_or(0, |old| old.value.mark);
        let mut anew = Chain::starting_at(0);
        // A list of chains from before is then told that it cannot be compared, and not that lines
        // were changed.
        anew.rewrites = old.map_or(0, |old| old.value.chain.rewrites) + 1;
        Self {
            old,
            row,
            order,
            fold: Fold::default(),
            read: Chain::starting_at(old.map_or(0, |old| old.value.chain.from)),
            anew,
            dialect,
            gaps: Vec::new(),
            reached: 0,
        }
    }

    /// Counts the records of a segment.
    pub(crate) fn add(&mut self, segment: &Segment) {
        let mark = self.old.map_or(0, |old| old.value.mark);
        for (sequence, header, line) in segment.records() {
            if sequence > self.reached {
                self.gaps.push((self.reached, sequence - 1));
            }
            self.reached = sequence + 1;
            let mut described = self.dialect.describe(line);
            // The stored header counts: the segment goes over as it is.
            described.header = header;
            self.row.next = sequence;
            let digest = digest_of(line);
            self.read.take(sequence, &digest);
            self.anew.push(&digest);
            let before = self.row.messages;
            self.fold.add(
                &mut self.row,
                &described,
                RecordFlags::default(),
                line.len(),
            );
            let is_hidden = match &self.order {
                Some(order) => order.place(sequence) < order.place(mark),
                None => sequence < mark,
            };
            if is_hidden {
                self.row.hidden += self.row.messages.saturating_sub(before);
            }
        }
    }

    /// The row that the session has now.
    pub(crate) fn finish(mut self) -> Counted<'r> {
        let course = self.fold.take_changes();
        if let Some(counted) = self.against_old(course.clone()) {
            return counted;
        }
        self.row.tail_first = self.row.next;
        // Without a row to believe nobody knows what was hidden: all is shown.
        self.row.hidden = 0;
        self.row.mark = 0;
        self.row.chain = self.anew;
        Counted {
            course,
            row: self.row,
            old: None,
            is_whole: false,
            gaps: self.gaps,
        }
    }

    /// What was counted, with what only the old row tells. `None` without one: an older one is
    /// good if all that it says is there.
    fn against_old(&self, course: CourseChanges) -> Option<Counted<'r>> {
        let Found {
            value: old, trust, ..
        } = self.old?;
        let mut gaps = self.gaps.clone();
        if old.next > self.reached {
            gaps.push((self.reached, old.next - 1));
        }
        let counted = &self.row;
        let row = SessionRow {
            records: counted.records,
            messages: counted.messages,
            hidden: counted.hidden,
            bytes: counted.bytes,
            malformed: counted.malformed,
            unterminated: counted.unterminated,
            next: old.next.max(self.reached),
            // A chain that does not fit is not kept: it would call the lines that are left tampered
            // with.
            chain: match old.chain.differs_from(&self.read) {
                None => old.chain,
                Some(_) => self.anew,
            },
            ..old.clone()
        };
        let is_whole = row == *old;
        (is_whole || *trust != Trust::Old).then_some(Counted {
            course,
            row,
            old: Some(old),
            is_whole,
            gaps,
        })
    }
}

/// What was counted.
#[derive(Debug)]
pub(crate) struct Counted<'r> {
    /// The row that the session has now.
    pub row: SessionRow,
    /// What its lines tell of other lines.
    pub course: CourseChanges,
    /// The one that it had, if that can be believed.
    pub old: Option<&'r SessionRow>,
    /// Whether all is there that it says.
    pub is_whole: bool,
    /// Runs of sequence numbers without a record.
    pub gaps: Vec<(u64, u64)>,
}

/// Those attachments of a session that have all of their parts: the rows of each.
pub(crate) fn attachments_of(
    file: &PageFile,
    gathered: &Gathered,
    number: u64,
) -> Result<Attachments> {
    let range = (number, String::new(), 0)..(number.saturating_add(1), String::new(), 0);
    let mut by_name: BTreeMap<&str, Vec<(u32, &Found<Stored>)>> = BTreeMap::new();
    for ((_, name, part), found) in gathered.attachments.range(range) {
        by_name.entry(name).or_default().push((*part, found));
    }
    let (mut whole, mut lost) = (Vec::new(), Vec::new());
    for (name, parts) in by_name {
        // Parts of two versions may make a file that nobody has written.
        let is_ambiguous = parts.len() > 1 && parts.iter().any(|(_, found)| found.is_ambiguous);
        let count = parts.len();
        let mut is_whole = false;
        for (at, (part, found)) in parts.iter().enumerate() {
            let row = file.read(found.value.place)?;
            let opened = attachments::open_part(number, name, *part, &row);
            let is_last = opened.is_ok_and(|(is_last, _)| is_last);
            is_whole = usize::try_from(*part) == Ok(at) && is_last == (at + 1 == count);
            if !is_whole {
                break;
            }
        }
        if is_whole && !is_ambiguous {
            whole.push((
                name.to_owned(),
                parts.iter().map(|(_, f)| f.value).collect(),
            ));
        } else {
            lost.push(name.to_owned());
        }
    }
    Ok(Attachments { whole, lost })
}

/// The attachments of a session.
#[derive(Debug)]
pub(crate) struct Attachments {
    /// Names, and the parts of each in order.
    pub whole: Vec<(String, Vec<Stored>)>,
    /// Names of those of which parts are missing.
    pub lost: Vec<String>,
}
