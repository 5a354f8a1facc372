//! How a file fits what is stored under its id, and which of the contents it is.
//!
//! The rules are those of ARCHITECTURE.md, "Which session a file is". A rule is tried on all contents
//! before the next one; of those that fit, the content with most lines in common wins, then the newest.

use std::collections::HashMap;
use std::path::Path;

use super::content::{Content, Standing};
use super::shape::{FileShape, Mark, Shape};
use super::{COMMON_BYTES, COMMON_LINES, TELLING_BYTES};
use crate::agents::habits::{Habits, LineRole};
use crate::transfer::files::paths;

/// How a file fits a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It brings nothing that is not stored: an older copy, a piece, an own export.
    Known,
    /// It begins with the file as it was, or with what an export would write.
    Grown {
        /// The records that it begins with.
        keep: Vec<u64>,
    },
    /// It is a beginning of the file as it was, of so many lines, in its place.
    Cut {
        /// The records that it has.
        keep: Vec<u64>,
    },
    /// It is such a beginning elsewhere, or of an agent that takes nothing back.
    Shorter {
        /// Whether it lies where the file was.
        in_place: bool,
    },
    /// It holds the end of the file as it was: its agent has dropped what stood before.
    Rewritten {
        /// The records that it still has.
        keep: Vec<u64>,
        /// Lines that are compared, before those: summaries.
        before: usize,
    },
    /// It has only known lines, in another order.
    Reordered,
}

/// Which session a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// One of the contents that are stored.
    Stored {
        /// Which.
        index: usize,
        /// How it fits.
        fit: Fit,
        /// Whether it lies where that was seen before.
        in_place: bool,
    },
    /// Another content of the id.
    Another,
}

/// How a file fits one content, rule by rule, with the lines in common.
#[derive(Debug, Default)]
struct Fits {
    known: Option<usize>,
    grown: Option<(usize, Vec<u64>)>,
    shorter: Option<(usize, Vec<u64>)>,
    rewritten: Option<(usize, Vec<u64>, usize)>,
    reordered: Option<usize>,
    /// Whether the file is the one as it was.
    is_same: bool,
    in_place: bool,
}

/// Finds the content that a file at `path` is. `contents` are the newest first, and the file was
/// compared with the beginnings of each.
pub(crate) fn choose(
    file: &FileShape,
    contents: &[Content],
    path: &Path,
    habits: Habits,
) -> Choice {
    let core = file.core();
    let path = paths::to_bytes(path);
    let mut all: Vec<Fits> = Vec::new();
    for (index, content) in contents.iter().enumerate() {
        let begins = file.begins.get(index).is_some_and(Option::is_some);
        all.push(fits((file, &core, begins), content, &path, habits));
    }
    let stored = |index: usize, fit| {
        let in_place = all.get(index).is_some_and(|fits| fits.in_place);
        Choice::Stored {
            index,
            fit,
            in_place,
        }
    };
    let grown = |index: usize| {
        let grown = all.get(index).and_then(|fits| fits.grown.clone());
        let (_, keep) = grown.unwrap_or_default();
        stored(index, Fit::Grown { keep })
    };
    // The file as it was is that, whatever else might hold its lines too.
    let is_known = all.iter().any(|fits| fits.known.is_some());
    if let Some(same) = all
        .iter()
        .position(|fits| fits.is_same)
        .filter(|_| is_known)
    {
        return grown(same);
    }
    if let Some(index) = best(&all, |fits| fits.known) {
        return stored(index, Fit::Known);
    }
    if let Some(index) = best(&all, |fits| fits.grown.as_ref().map(|grown| grown.0)) {
        return grown(index);
    }
    if let Some(index) = best(&all, |fits| fits.shorter.as_ref().map(|shorter| shorter.0)) {
        let in_place = all.get(index).is_some_and(|fits| fits.in_place);
        let shorter = all.get(index).and_then(|fits| fits.shorter.clone());
        let (_, keep) = shorter.unwrap_or_default();
        return stored(
            index,
            // Elsewhere, or from an agent that takes nothing back, a shorter file is an older copy
            // or was cut by somebody: nothing is hidden for that.
            if in_place && habits.truncates {
                Fit::Cut { keep }
            } else {
                Fit::Shorter { in_place }
            },
        );
    }
    if let Some(index) = best(&all, |fits| {
        fits.rewritten.as_ref().map(|rewritten| rewritten.0)
    }) {
        let rewritten = all.get(index).and_then(|fits| fits.rewritten.clone());
        let (_, keep, before) = rewritten.unwrap_or_default();
        return stored(index, Fit::Rewritten { keep, before });
    }
    match best(&all, |fits| fits.reordered) {
        Some(index) => stored(index, Fit::Reordered),
        None => Choice::Another,
    }
}

/// The content with most lines in common by a rule; of equals, the newest.
fn best(all: &[Fits], shared: impl Fn(&Fits) -> Option<usize>) -> Option<usize> {
    let fitting = all.iter().enumerate();
    let fitting = fitting.filter_map(|(index, fits)| Some((index, shared(fits)?)));
    fitting
        .max_by_key(|(index, shared)| (*shared, usize::MAX - index))
        .map(|(index, _)| index)
}

fn fits(
    (file, core, begins): (&FileShape, &[Shape], bool),
    content: &Content,
    path: &[u8],
    habits: Habits,
) -> Fits {
    let stored = content.core();
    let seen = content.head.seen_at(path);
    // An older file in the same place was put back by somebody (a backup, a checkout): its agent
    // has not taken anything back by that.
    let in_place = seen.is_some() && file.mtime_ns >= content.head.order.mtime_ns;
    let mut fits = Fits {
        in_place,
        ..Fits::default()
    };
    fits.grown = grown((core, begins), (content, &stored), seen.is_some());
    if let Some((shared, keep)) = &fits.grown {
        fits.is_same = *shared == core.len() && (in_place || keep.len() == stored.len());
    }
    // No line is a beginning of everything, so it only tells something where its agent empties
    // files, in its place.
    if core.is_empty() {
        if fits.grown.is_none() && !(in_place && habits.truncates) {
            fits.known = Some(0);
        }
    } else if !in_place
        && content.head.had_file()
        && (are_known(core, content) || was_so(file, content))
    {
        fits.known = Some(core.len());
    }
    fits.shorter = shorter(core, &stored);
    fits.rewritten = rewritten((file, core), (content, &stored), in_place, habits);
    // From an agent that only appends, lines in another order are another file's.
    let rewrites = habits.truncates || habits.rewrites || habits.counts_hidden;
    let fits_otherwise = fits.grown.is_some() || fits.shorter.is_some() || fits.rewritten.is_some();
    if in_place && rewrites && !fits_otherwise && !core.is_empty() && are_known(core, content) {
        fits.reordered = Some(core.len());
    }
    fits
}

/// Whether the file is what the content's was at an earlier time.
fn was_so(file: &FileShape, content: &Content) -> bool {
    let earlier = &content.head.order.earlier;
    file.compared > 0 && earlier.contains(&(file.compared, file.digest))
}

/// Whether every line is stored, each as often.
pub(crate) fn are_known(core: &[Shape], content: &Content) -> bool {
    let mut left: HashMap<Mark, usize> = content.counts();
    core.iter().all(|line| match left.get_mut(&line.mark) {
        Some(times) if *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    })
}

/// Whether two runs of lines are the same.
fn same<'s>(one: impl Iterator<Item = &'s Shape>, other: impl Iterator<Item = &'s Shape>) -> bool {
    one.map(|line| line.mark).eq(other.map(|line| line.mark))
}

/// Whether the file begins with the file as it was, or, where it is no beginning of that, with what
/// an export would write.
fn grown(
    (core, begins): (&[Shape], bool),
    (content, stored): (&Content, &[(u64, Option<Shape>)]),
    is_its_place: bool,
) -> Option<(usize, Vec<u64>)> {
    let was_more = content
        .log
        .iter()
        .any(|line| line.standing == Standing::Dropped && line.shape.is_compared());
    // A file of which nothing was left begins every file: only in its place that tells something.
    let says_nothing = stored.is_empty() && !core.is_empty() && was_more && !is_its_place;
    if begins && !says_nothing {
        let keep = stored.iter().map(|(sequence, _)| *sequence).collect();
        return Some((stored.len(), keep));
    }
    if shorter(core, stored).is_some() {
        return None;
    }
    let live: Vec<(u64, Shape)> = stored
        .iter()
        .filter_map(|(at, shape)| Some((*at, (*shape)?)))
        .collect();
    // Nothing of the file was removed here, so the chain over it decides alone.
    if live.len() == stored.len() {
        return None;
    }
    // After a compaction here a file may be one that was exported, with what was appended here or
    // without it.
    let exported = content.exported();
    let with = |lines: usize| core.get(..lines);
    let with_live = !live.is_empty()
        && with(live.len())
            .is_some_and(|start| same(start.iter(), live.iter().map(|line| &line.1)));
    let with_all = !exported.is_empty()
        && with(exported.len()).is_some_and(|start| same(start.iter(), exported.iter()));
    if !with_live && !with_all {
        return None;
    }
    let shared = if with_all {
        exported.len().max(live.len())
    } else {
        live.len()
    };
    let keep = live.iter().map(|(sequence, _)| *sequence).collect();
    Some((shared, keep))
}

/// Whether the file is a beginning of the file as it was, and shorter.
fn shorter(core: &[Shape], stored: &[(u64, Option<Shape>)]) -> Option<(usize, Vec<u64>)> {
    if core.len() >= stored.len() {
        return None;
    }
    let start = stored.get(..core.len())?;
    let is_same = start
        .iter()
        .zip(core)
        .all(|((_, shape), line)| shape.is_some_and(|shape| shape.mark == line.mark));
    is_same.then(|| {
        (
            core.len(),
            start.iter().map(|(sequence, _)| *sequence).collect(),
        )
    })
}

/// Whether the file holds the end of the file as it was, behind summaries at most.
fn rewritten(
    (file, core): (&FileShape, &[Shape]),
    (content, stored): (&Content, &[(u64, Option<Shape>)]),
    in_place: bool,
    habits: Habits,
) -> Option<(usize, Vec<u64>, usize)> {
    let is_summary = |line: &&Shape| line.role == LineRole::Summary;
    let summaries = core.iter().take_while(is_summary).count();
    let live: Vec<(u64, Shape)> = stored
        .iter()
        .filter_map(|(at, shape)| Some((*at, (*shape)?)))
        .collect();
    let hidden_before = content.head.order.skip;
    let counts = habits.counts_hidden && file.skip == Some(0) && hidden_before > 0;
    // The longest end first: a shorter one would store the lines between once more.
    for length in (1..=live.len()).rev() {
        let end = live.get(live.len() - length..).unwrap_or_default();
        let found = (0..=summaries).find(|before| {
            let part = core.get(*before..*before + length);
            part.is_some_and(|part| same(part.iter(), end.iter().map(|line| &line.1)))
        });
        let Some(before) = found else {
            continue;
        };
        let bytes: u64 = end.iter().map(|line| line.1.bytes).sum();
        let is_enough = length >= COMMON_LINES && bytes >= COMMON_BYTES;
        let tells = in_place
            && (habits.rewrites || habits.truncates)
            && end.iter().any(|line| line.1.bytes >= TELLING_BYTES);
        // What its agent hid is what it drops, and perhaps more that it hid since.
        let dropped = (stored.len() - length) as u64;
        if !(is_enough || tells || (counts && dropped >= hidden_before)) {
            continue;
        }
        // Elsewhere the end of a file alone is a piece of it.
        if !in_place && before + length == core.len() {
            return None;
        }
        let keep = end.iter().map(|line| line.0).collect();
        return Some((length, keep, before));
    }
    None
}
