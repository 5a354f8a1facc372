//! What becomes of the records of a content, and of their order, when a file is taken for it.

use std::collections::{HashMap, HashSet};

use super::content::{Content, Standing};
use super::fit::Fit;
use super::shape::{FileShape, Mark, Shape};
use super::{EARLIER_MAX, TELLING_BYTES};
use crate::agents::habits::LineRole;
use crate::codec::file_order::{FileOrder, Run, push};

/// What is done with a line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is this record already.
    Stored(u64),
    /// It is this record, and the terminator that was appended to it here.
    Ended(u64, u64),
    /// It takes the place of the open line, the last record that there is.
    Completes(u64),
    /// It becomes a record at the end.
    New,
    /// It becomes a record, and is not in the file: a header that is not the newest.
    Kept,
    /// It changes nothing.
    Passed,
}

/// What becomes of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing: only where the file lies is noted. `seen` says that the file was seen there as it is.
    Same {
        /// Whether the file was seen there whole, as it is now.
        seen: bool,
    },
    /// The file has another state now.
    Changed(Change),
}

/// Another state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// For each line of the file, what is done with it.
    pub steps: Vec<Step>,
    /// A record behind those of the steps: an open line that stays.
    pub behind: Option<u64>,
    /// The terminator that was appended here to an open line that the file does not have any more: an
    /// empty line without it.
    pub idle: Option<u64>,
    /// Whether the file's order stays as it was.
    pub keeps_order: bool,
    /// Whether lines came or went, so that no other place has the file as it is now.
    pub moves: bool,
}

impl Change {
    /// The order of the file when its new lines get numbers from `next` on.
    fn runs(&self, mut next: u64) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for step in &self.steps {
            match step {
                Step::Stored(sequence) | Step::Completes(sequence) => push(&mut runs, *sequence),
                Step::Ended(sequence, end) => {
                    push(&mut runs, *sequence);
                    push(&mut runs, *end);
                }
                Step::New => {
                    push(&mut runs, next);
                    next += 1;
                }
                Step::Kept => next += 1,
                Step::Passed => {}
            }
        }
        if let Some(sequence) = self.behind {
            push(&mut runs, sequence);
        }
        runs
    }

    /// The file order after this change of a session that had `next` records, and has `then` of them.
    pub(crate) fn order(
        &self,
        (old, next): (&FileOrder, u64),
        file: &FileShape,
        (then, has_removed): (u64, bool),
    ) -> FileOrder {
        let here = old.here_before(next);
        let mut order = FileOrder {
            next: then,
            ..old.clone()
        };
        if !self.keeps_order {
            order.runs = self.runs(next);
            order.lines = file.compared;
            order.digest = file.digest;
            order.open = file.is_open || self.behind.is_some();
            order.mtime_ns = old.mtime_ns.max(file.mtime_ns);
            order.skip = file.skip.unwrap_or(old.skip);
            let was = (old.lines, old.digest);
            // What was removed here cannot be compared line by line any more.
            if (has_removed || !self.is_growth(old)) && !order.earlier.contains(&was) {
                order.earlier.push(was);
                let more = order.earlier.len().saturating_sub(EARLIER_MAX);
                order.earlier.drain(..more);
            }
        }
        order.revision = old.revision.saturating_add(u32::from(self.moves));
        let idle = self.idle.map(|at| Run {
            first: at,
            last: at,
        });
        let gone: Vec<Run> = order.runs.iter().copied().chain(idle).collect();
        order.here = without(&here, &gone);
        order
    }

    /// Whether the file begins with all that it had.
    fn is_growth(&self, old: &FileOrder) -> bool {
        let had = old.runs.iter().flat_map(|run| run.first..=run.last);
        let has = self.steps.iter().filter_map(|step| match step {
            Step::Stored(sequence) | Step::Ended(sequence, _) | Step::Completes(sequence) => {
                Some(*sequence)
            }
            _ => None,
        });
        had.zip(has.map(Some).chain(std::iter::repeat(None)))
            .all(|(had, has)| Some(had) == has)
    }
}

/// What of runs is in none of the others.
fn without(runs: &[Run], others: &[Run]) -> Vec<Run> {
    let is_other = |sequence| others.iter().any(|other| other.contains(sequence));
    let mut left = Vec::new();
    for sequence in runs.iter().flat_map(|run| run.first..=run.last) {
        if !is_other(sequence) {
            push(&mut left, sequence);
        }
    }
    left
}

/// What becomes of a content that a file was found to be.
pub(crate) fn outcome(file: &FileShape, content: &Content, fit: &Fit, in_place: bool) -> Outcome {
    let newer = file.mtime_ns > content.head.order.mtime_ns;
    match fit {
        Fit::Known => kept_headers(file, content, false),
        Fit::Shorter { in_place } => kept_headers(file, content, *in_place),
        Fit::Grown { keep } => {
            let stored = content.core().len();
            let has_news = file.compared != keep.len() as u64;
            // A copy with the same lines may differ in its header and its open line alone.
            if has_news || in_place || (keep.len() != stored) {
                let all: Vec<Shape> = file.lines.iter().flatten().copied().collect();
                let change = Assigner::new(content, keep).change(&all, file, 0);
                return finished(change, content, has_news || keep.len() != stored);
            }
            same_lines(file, content, keep, newer)
        }
        Fit::Cut { keep } => {
            let all: Vec<Shape> = file.lines.iter().flatten().copied().collect();
            let change = Assigner::new(content, keep).change(&all, file, 0);
            finished(change, content, true)
        }
        Fit::Rewritten { keep, before } => {
            let all: Vec<Shape> = file.lines.iter().flatten().copied().collect();
            let change = Assigner::new(content, keep).change(&all, file, *before);
            finished(change, content, true)
        }
        Fit::Reordered => {
            let all: Vec<Shape> = file.lines.iter().flatten().copied().collect();
            let keep = known_records(file, content);
            let change = Assigner::new(content, &keep).change(&all, file, 0);
            finished(change, content, true)
        }
    }
}

/// A change, or that there is none.
fn finished(mut change: Change, content: &Content, moves: bool) -> Outcome {
    change.moves = moves;
    // A line that takes the place of the last record has to be the first new one.
    let first_new = change
        .steps
        .iter()
        .position(|step| matches!(step, Step::New | Step::Kept));
    for step in change
        .steps
        .iter_mut()
        .skip(first_new.unwrap_or(usize::MAX))
    {
        if matches!(step, Step::Completes(_)) {
            *step = Step::New;
        }
    }
    let mut runs = Vec::new();
    let is_stored = change.steps.iter().all(|step| {
        if let Step::Stored(sequence) = step {
            push(&mut runs, *sequence);
        }
        matches!(step, Step::Stored(_))
    });
    if is_stored && change.behind.is_none() && runs == content.head.order.runs {
        return Outcome::Same { seen: true };
    }
    Outcome::Changed(change)
}

/// A file that has the lines of the content elsewhere: its header and its open line are taken only if
/// they are newer, and not known.
fn same_lines(file: &FileShape, content: &Content, keep: &[u64], newer: bool) -> Outcome {
    let lines: Vec<Shape> = file.lines.iter().flatten().copied().collect();
    let is_frame = |line: &&Shape| !line.open && line.role == LineRole::Frame;
    let frames: Vec<Mark> = lines
        .iter()
        .filter(is_frame)
        .map(|line| line.mark)
        .collect();
    let stored_frames: Vec<(u64, Mark)> = content
        .file
        .iter()
        .filter_map(|(sequence, index)| Some((*sequence, content.at((*index)?)?.shape)))
        .filter(|(_, shape)| is_frame(&shape))
        .map(|(sequence, shape)| (sequence, shape.mark))
        .collect();
    let known: HashSet<Mark> = content.log.iter().map(|stored| stored.shape.mark).collect();
    let has_same_frames = frames.iter().eq(stored_frames.iter().map(|(_, mark)| mark));
    let has_unknown = frames.iter().any(|mark| !known.contains(mark));
    let takes_frames = has_same_frames || (has_unknown && newer);
    let open_mark = lines.last().filter(|line| line.open).map(|line| line.mark);
    let tail = content.tail.as_ref();
    let stored_open = tail.and_then(|(sequence, _)| {
        content
            .log
            .iter()
            .find(|stored| stored.sequence == *sequence)
    });
    let same_tail = open_mark == stored_open.map(|stored| stored.shape.mark);
    let continues = file
        .tails
        .iter()
        .any(|found| *found == lines.len().checked_sub(1));
    let takes_tail = same_tail || (newer && (tail.is_none() || (open_mark.is_some() && continues)));
    if has_same_frames && (same_tail || !takes_tail) {
        return Outcome::Same { seen: true };
    }
    if takes_frames {
        let mut change = Assigner::new(content, keep).change(&lines, file, 0);
        if !takes_tail {
            if open_mark.is_some() {
                change.steps.pop();
                // It stays as it is: the last line of the file is passed over.
                change.steps.push(Step::Passed);
            }
            change.behind = tail.map(|(sequence, _)| *sequence);
            change.idle = None;
        }
        return finished(change, content, false);
    }
    // With another header it is an older copy: that its place were one of the file's would make its header
    // the newest when it is looked at again.
    kept_headers(file, content, false)
}

/// Nothing changes but that headers which nobody has seen are kept, outside of the file.
fn kept_headers(file: &FileShape, content: &Content, seen: bool) -> Outcome {
    let known: HashSet<Mark> = content.log.iter().map(|stored| stored.shape.mark).collect();
    let lines = file.lines.iter().flatten();
    let is_new =
        |line: &Shape| !line.open && line.role == LineRole::Frame && !known.contains(&line.mark);
    if !lines.clone().any(is_new) {
        return Outcome::Same { seen };
    }
    let mut taken = HashSet::new();
    let steps = lines
        .map(|line| {
            if is_new(line) && taken.insert(line.mark) {
                Step::Kept
            } else {
                Step::Passed
            }
        })
        .collect();
    Outcome::Changed(Change {
        steps,
        behind: None,
        idle: None,
        keeps_order: true,
        moves: false,
    })
}

/// The records of a file that has only known lines, one for each that is compared.
fn known_records(file: &FileShape, content: &Content) -> Vec<u64> {
    let mut by_mark: HashMap<Mark, Vec<u64>> = HashMap::new();
    for stored in content
        .log
        .iter()
        .rev()
        .filter(|stored| stored.shape.is_compared())
    {
        by_mark
            .entry(stored.shape.mark)
            .or_default()
            .push(stored.sequence);
    }
    let core = file.core();
    core.iter()
        .filter_map(|line| by_mark.get_mut(&line.mark)?.pop())
        .collect()
}

/// Gives each line of a file its record.
struct Assigner<'c> {
    content: &'c Content,
    keep: &'c [u64],
    used: HashSet<u64>,
    /// Appended here, not yet met in the file.
    here: Vec<(u64, Mark)>,
    reached: usize,
    /// By their marks, records of the log that may come back, the oldest last.
    dropped: HashMap<Mark, Vec<u64>>,
    frames: HashMap<Mark, Vec<u64>>,
    tail: Option<u64>,
}

impl<'c> Assigner<'c> {
    fn new(content: &'c Content, keep: &'c [u64]) -> Self {
        let mut dropped: HashMap<Mark, Vec<u64>> = HashMap::new();
        let mut frames: HashMap<Mark, Vec<u64>> = HashMap::new();
        let mut here = Vec::new();
        for stored in content.log.iter().rev().filter(|stored| !stored.shape.open) {
            let (mark, sequence) = (stored.shape.mark, stored.sequence);
            if stored.shape.role == LineRole::Frame {
                frames.entry(mark).or_default().push(sequence);
            } else if stored.standing != Standing::Here && stored.shape.bytes >= TELLING_BYTES {
                dropped.entry(mark).or_default().push(sequence);
            }
            if stored.standing == Standing::Here {
                here.push((sequence, mark));
            }
        }
        // The header of the file as it is goes before one of the same bytes that was there before.
        for stored in content.file.iter().rev() {
            let shape = stored
                .1
                .and_then(|index| content.at(index))
                .map(|line| line.shape);
            if let Some(shape) = shape.filter(|shape| shape.role == LineRole::Frame && !shape.open)
                && let Some(found) = frames.get_mut(&shape.mark)
            {
                found.retain(|sequence| *sequence != stored.0);
                found.push(stored.0);
            }
        }
        here.reverse();
        Self {
            content,
            keep,
            used: keep.iter().copied().collect(),
            here,
            reached: 0,
            dropped,
            frames,
            tail: content.tail.as_ref().map(|(sequence, _)| *sequence),
        }
    }

    fn change(mut self, lines: &[Shape], file: &FileShape, before: usize) -> Change {
        // The line of the file that begins with the open one, of whichever content it was asked for.
        let completing: HashSet<usize> = file.tails.iter().flatten().copied().collect();
        let mut compared = 0_usize;
        let mut steps = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate() {
            let step = if line.open {
                self.open(line, completing.contains(&at))
            } else if line.role == LineRole::Frame {
                self.frame(line)
            } else {
                let kept = compared
                    .checked_sub(before)
                    .and_then(|place| self.keep.get(place).copied());
                let is_behind = compared >= before + self.keep.len();
                compared += 1;
                match kept {
                    Some(sequence) => Step::Stored(sequence),
                    None => self.said(line, is_behind, completing.contains(&at)),
                }
            };
            steps.push(step);
        }
        let has = |record| steps.contains(&Step::Stored(record));
        let idle = self.content.ended.filter(|(end, _)| {
            let tail = self.content.tail.as_ref();
            !self.used.contains(end) && tail.is_some_and(|(tail, _)| !has(*tail))
        });
        Change {
            steps,
            behind: None,
            idle: idle.map(|(end, _)| end),
            keeps_order: false,
            moves: true,
        }
    }

    fn frame(&mut self, line: &Shape) -> Step {
        let known = self.frames.get_mut(&line.mark);
        match known
            .and_then(Vec::pop)
            .filter(|sequence| self.used.insert(*sequence))
        {
            Some(sequence) => Step::Stored(sequence),
            None => Step::New,
        }
    }

    /// The open line at the end of the file.
    fn open(&mut self, line: &Shape, completes: bool) -> Step {
        let stored = self.tail.and_then(|tail| {
            self.content
                .log
                .iter()
                .find(|stored| stored.sequence == tail)
        });
        match stored {
            Some(stored) if stored.shape.mark == line.mark => {
                self.tail = None;
                Step::Stored(stored.sequence)
            }
            Some(stored) if completes && self.is_last(stored.sequence) => {
                self.tail = None;
                Step::Completes(stored.sequence)
            }
            _ => Step::New,
        }
    }

    /// Whether nothing was appended behind a record, so that another may take its place.
    fn is_last(&self, sequence: u64) -> bool {
        sequence + 1 == self.content.head.row.next
    }

    fn said(&mut self, line: &Shape, is_behind: bool, completes: bool) -> Step {
        if is_behind {
            if let (Some((end, shape)), Some(tail)) = (self.content.ended, self.tail)
                && shape.mark == line.mark
                && self.used.insert(end)
            {
                self.tail = None;
                self.reached = self
                    .here
                    .iter()
                    .position(|here| here.0 == end)
                    .map_or(self.reached, |at| at + 1);
                return Step::Ended(tail, end);
            }
            let rest = self.here.get(self.reached..).unwrap_or_default();
            let met = rest
                .iter()
                .position(|(sequence, mark)| *mark == line.mark && !self.used.contains(sequence));
            if let Some(met) = met
                && let Some((sequence, _)) = rest.get(met).copied()
            {
                self.reached += met + 1;
                self.used.insert(sequence);
                return Step::Stored(sequence);
            }
            if let Some(tail) = self.tail.filter(|tail| completes && self.is_last(*tail)) {
                self.tail = None;
                return Step::Completes(tail);
            }
        }
        // What its agent dropped and brings back is that record again.
        while let Some(sequence) = self.dropped.get_mut(&line.mark).and_then(Vec::pop) {
            if self.used.insert(sequence) {
                return Step::Stored(sequence);
            }
        }
        self.out_of_order(line)
    }

    /// The record of a line that was appended here in another order than the file has.
    fn out_of_order(&mut self, line: &Shape) -> Step {
        let here = self.here.iter().filter(|_| line.bytes >= TELLING_BYTES);
        let mut same = here.filter(|(_, mark)| *mark == line.mark);
        match same.find(|(sequence, _)| self.used.insert(*sequence)) {
            Some((sequence, _)) => Step::Stored(*sequence),
            None => Step::New,
        }
    }
}
