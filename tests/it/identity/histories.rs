//! Random histories of one session's files. After each import every line that was ever imported is
//! there, none twice in one content, and the plain id leads to the file that was written last.

use std::collections::{BTreeMap, BTreeSet};

use scrollback::Store as _;

use super::step::{Fact, Step, Told};
use super::world::{Copy, Kind, PLACES, World};

/// A generator of numbers: the same ones each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}

pub(super) fn history(random: &mut Random, length: u64) -> Vec<Step> {
    let mut steps = vec![Step::New("h1/p", random.pick(&[1, 2, 4, 5]))];
    for _ in 0..length {
        let place = random.pick(&["h1/p", "h1/p", "h1/p", "h1/p", "h1/q", "bak/p", "h2/p"]);
        let other = random.pick(&PLACES);
        steps.push(match random.below(22) {
            0..=3 => Step::Append(place, random.pick(&[1, 2, 4])),
            4 => Step::Hi(place),
            5 => Step::Torn(place),
            6 => Step::Header(place),
            7 => Step::Save(place),
            8 => Step::Move(place, other),
            9 | 10 => Step::CopyTo(place, other, random.below(2) == 0),
            11 => Step::Remove(place),
            12 => Step::Drop(place, random.pick(&[1, 2, 3]), random.pick(&[0, 1, 2])),
            13 | 14 => Step::Here,
            15 => Step::CompactHere(random.pick(&[1, 2, 4])),
            16 => Step::ExportTo(random.pick(&["h1/p", "bak/p"])),
            17 | 18 => Step::Import(place),
            _ => Step::ImportAll(random.below(2) == 0),
        });
    }
    steps.push(Step::ImportAll(random.below(2) == 0));
    steps
}

impl World {
    /// What has to hold after an import.
    fn check(&mut self, told: &Told) -> Result<(), String> {
        let contents = self.contents();
        let all: Vec<&String> = contents.iter().flat_map(|found| &found.1).collect();
        for line in &self.known {
            if !all.contains(&line) {
                return Err(format!("a line is lost: {line}"));
            }
        }
        for (key, lines) in &contents {
            let mut times: BTreeMap<&String, usize> = BTreeMap::new();
            for line in lines
                .iter()
                .filter(|line| line.ends_with('\n') && line.len() >= 40)
            {
                *times.entry(line).or_default() += 1;
            }
            if let Some((line, times)) = times.into_iter().find(|(_, times)| *times > 1) {
                return Err(format!("{times} times in {key}: {line}"));
            }
        }
        let report = self
            .store
            .verify_deep(&[], &mut scrollback::unwatched)
            .unwrap();
        if !report.is_clean() {
            return Err(format!("{:?}", report.problems));
        }
        // The same files once more change nothing.
        let state = |world: &Self| {
            let plain = world
                .store
                .summary(&world.key())
                .map(|summary| summary.number)
                .ok();
            (world.contents(), plain)
        };
        let before = state(self);
        let is_imported = |(place, copy): &(&&'static str, &Copy)| {
            self.imported.get(**place) == Some(&copy.lines)
        };
        let imported = self.files.iter().filter(is_imported);
        let imported: Vec<&'static str> = imported.map(|(place, _)| *place).collect();
        if imported.len() == self.files.len() {
            for place in imported {
                self.put(place);
                self.import(place);
            }
            let after = state(self);
            if before != after {
                return Err(format!(
                    "importing again changed\n{before:#?}\nto\n{after:#?}"
                ));
            }
            self.check_newest(told)?;
        }
        Ok(())
    }

    /// The plain id leads to the file that was written last, and gives it back byte for byte.
    fn check_newest(&self, told: &Told) -> Result<(), String> {
        if told.contains(&Fact::Compacted)
            || told.contains(&Fact::Ahead)
            || told.contains(&Fact::Apart)
            || (self.kind == Kind::Notes && told.contains(&Fact::Crossed))
        {
            return Ok(());
        }
        let Some(newest) = self.files.values().max_by_key(|copy| copy.made) else {
            return Ok(());
        };
        let summary = self.store.summary(&self.key());
        let has_others = summary.is_ok_and(|summary| summary.contents > 1);
        if has_others && (told.contains(&Fact::Here) || told.contains(&Fact::Untimed)) {
            // What was appended here has another clock, and a line without a time does not count in that of
            // the lines.
            return Ok(());
        }
        let said = |copy: &Copy| -> BTreeSet<String> {
            let lines = copy.lines.iter().filter(|line| !World::is_frame(line));
            lines.cloned().collect()
        };
        let newest_said = said(newest);
        let is_more =
            |all: &BTreeSet<String>| all.len() > newest_said.len() && all.is_superset(&newest_said);
        let is_of = |other: &Copy| is_more(&said(other));
        // The file that had more may be gone: one that was shortened and moved is a piece too.
        let is_stored = |(_, lines): (_, Vec<String>)| {
            let said = lines.into_iter().filter(|line| !World::is_frame(line));
            is_more(&said.collect())
        };
        let is_piece =
            || self.files.values().any(is_of) || self.contents().into_iter().any(is_stored);
        if told.contains(&Fact::Crossed) && is_piece() {
            // Elsewhere, what brings nothing new is a piece or an older copy, whatever its header says.
            return Ok(());
        }
        let is_only = self
            .files
            .values()
            .filter(|copy| copy.made == newest.made)
            .all(|copy| copy.lines == newest.lines);
        if !is_only || self.store.summary(&self.key()).is_err() {
            return Ok(());
        }
        let exported = self.exported(&self.key()).concat();
        let wanted = newest.lines.concat();
        if exported == wanted || exported.starts_with(&wanted) {
            return Ok(());
        }
        Err(format!(
            "the plain id gives\n{exported}\nand the newest file is\n{wanted}"
        ))
    }
}

/// Runs a history; tells what went wrong.
fn run(kind: Kind, steps: &[Step]) -> Result<(), String> {
    let mut world = World::new(kind);
    let mut told = Told::new();
    for step in steps {
        if world.step(step, &mut told) {
            world
                .check(&told)
                .map_err(|wrong| format!("{:?}\n{wrong}", world.trace))?;
        }
    }
    Ok(())
}

/// Leaves out steps as long as the history goes wrong without them.
fn shortest(kind: Kind, mut steps: Vec<Step>) -> Vec<Step> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if run(kind, &fewer).is_err() {
            steps = fewer;
            at = 0;
        } else {
            at += 1;
        }
    }
    steps
}

fn histories(kind: Kind, count: u64) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for number in 0..count {
        let length = 2 + random.below(9);
        let steps = history(&mut random, length);
        if number < from() {
            continue;
        }
        if run(kind, &steps).is_err() {
            let steps = shortest(kind, steps);
            let wrong = run(kind, &steps).unwrap_err();
            panic!("history {number}: {steps:?}\n{wrong}");
        }
    }
}

/// How many histories there are: some of the many that a long run takes.
fn count() -> u64 {
    let wanted = std::env::var("SCROLLBACK_HISTORIES").ok();
    wanted.and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// The first one that is run: for one that went wrong.
fn from() -> u64 {
    let wanted = std::env::var("SCROLLBACK_HISTORIES_FROM").ok();
    wanted.and_then(|from| from.parse().ok()).unwrap_or(0)
}

#[test]
fn files_of_an_agent_that_only_appends_are_one_session() {
    histories(Kind::Claude, count());
}

#[test]
fn files_of_an_agent_that_writes_headers_anew_are_one_session() {
    histories(Kind::Ggcode, count());
}

#[test]
fn files_of_nobody_known_are_a_session_in_each_folder() {
    histories(Kind::Notes, count());
}
