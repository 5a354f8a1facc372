//! Random histories of one session's files. After each import every line that was ever imported is
//! there, none twice in one content, and the plain id leads to the file that was written last.

use std::collections::BTreeMap;

use scrollback::Store as _;

use super::world::{Copy, Kind, PLACES, World};

/// A generator of numbers: the same ones each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    New(&'static str, u64),
    Append(&'static str, u64),
    Hi(&'static str),
    Torn(&'static str),
    Header(&'static str),
    Save(&'static str),
    Move(&'static str, &'static str),
    CopyTo(&'static str, &'static str, bool),
    Remove(&'static str),
    Drop(&'static str, u64, u64),
    Here,
    CompactHere(u64),
    ExportTo(&'static str),
    Import(&'static str),
    ImportAll(bool),
}

fn history(random: &mut Random, length: u64) -> Vec<Step> {
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

/// What the checks have to know of a history.
#[derive(Default)]
struct Told {
    /// Whether there were copies in other folders, which are other sessions where ids are not unique.
    crossed: bool,
    /// Whether something was removed here.
    compacted: bool,
    /// Whether the session was begun here.
    is_apart: bool,
    /// Whether anything was appended here.
    was_here: bool,
    /// Whether something was appended here that no file had then.
    is_ahead: bool,
}

impl World {
    fn step(&mut self, step: &Step, told: &mut Told) -> bool {
        self.tick += 1;
        self.trace.push(format!("{step:?}"));
        let tick = self.tick;
        match *step {
            Step::New(place, count) => {
                if self.files.contains_key(place) {
                    return false;
                }
                told.crossed |= place != "h1/p";
                let header = self.header();
                let mut lines: Vec<String> = header.into_iter().collect();
                lines.extend((0..count).map(|_| self.said("new")));
                self.files.insert(
                    place,
                    Copy {
                        lines,
                        mtime: tick,
                        made: tick,
                    },
                );
                self.put(place);
            }
            Step::Append(place, count) if self.files.contains_key(place) => {
                for _ in 0..count {
                    let line = self.said("more");
                    self.add(place, line);
                }
            }
            Step::Hi(place) if self.files.contains_key(place) => {
                let line = self.hi();
                self.add(place, line);
            }
            Step::Torn(place)
                if self.files.get(place).is_some_and(|copy| {
                    copy.lines.last().is_none_or(|line| line.ends_with('\n'))
                }) =>
            {
                let line = self.said("torn");
                self.add(place, line[..20].to_owned());
            }
            Step::Header(place) if self.files.contains_key(place) => {
                let header = self.header();
                let copy = self.files.get_mut(place).unwrap();
                if let (Some(header), Some(first)) = (header, copy.lines.first_mut())
                    && Self::is_frame(first)
                {
                    *first = header;
                    (copy.mtime, copy.made) = (tick, tick);
                }
                self.put(place);
            }
            Step::Save(place) if self.kind == Kind::Ggcode && self.files.contains_key(place) => {
                let (header, cost) = (self.header(), self.cost());
                let copy = self.files.get_mut(place).unwrap();
                let said = copy
                    .lines
                    .iter()
                    .filter(|line| !Self::is_frame(line) && line.ends_with('\n'));
                copy.lines = header
                    .into_iter()
                    .chain(said.cloned())
                    .chain([cost])
                    .collect();
                (copy.mtime, copy.made) = (tick, tick);
                self.put(place);
            }
            Step::Move(from, to) if from != to && self.files.contains_key(from) => {
                told.crossed = true;
                let copy = self.files.remove(from).unwrap();
                self.files.insert(to, copy);
                self.put(from);
                self.put(to);
            }
            Step::CopyTo(from, to, keeps_time) if from != to && self.files.contains_key(from) => {
                told.crossed = true;
                let mut copy = self.files[from].clone();
                if !keeps_time {
                    copy.mtime = tick;
                }
                self.files.insert(to, copy);
                self.put(to);
            }
            Step::Remove(place) => {
                self.files.remove(place);
                self.put(place);
            }
            Step::Drop(place, from, more)
                if self.kind != Kind::Claude && self.files.contains_key(place) =>
            {
                let header = self.header();
                let copy = self.files.get_mut(place).unwrap();
                let said: Vec<String> = copy
                    .lines
                    .iter()
                    .filter(|line| !Self::is_frame(line) && line.ends_with('\n'))
                    .cloned()
                    .collect();
                if said.is_empty() {
                    return false;
                }
                let from = usize::try_from(from).unwrap().min(said.len() - 1);
                copy.lines = header
                    .into_iter()
                    .chain(said[from..].iter().cloned())
                    .collect();
                (copy.mtime, copy.made) = (tick, tick);
                self.put(place);
                for _ in 0..more {
                    let line = self.said("then");
                    self.add(place, line);
                }
            }
            Step::Here => {
                // What is made here before any file is imported may be another content.
                told.is_apart |= self.store.summary(&self.key()).is_err();
                self.append_here();
                told.is_ahead = true;
                told.was_here = true;
            }
            Step::CompactHere(keep) => {
                let key = self.key();
                if self.store.summary(&key).is_err() {
                    return false;
                }
                let before: Vec<_> = self.contents();
                self.store.truncate(&key, keep).unwrap();
                self.store.compact(&key, None, None).unwrap();
                let after: Vec<String> = self
                    .contents()
                    .into_iter()
                    .flat_map(|found| found.1)
                    .collect();
                let gone = before.into_iter().flat_map(|found| found.1);
                for line in gone.filter(|line| !after.contains(line)) {
                    self.known.remove(&line);
                    self.removed.insert(line);
                    told.compacted = true;
                }
            }
            Step::ExportTo(place) => {
                let key = self.key();
                if self.store.summary(&key).is_err() {
                    return false;
                }
                let lines = self.exported(&key);
                let made = self
                    .files
                    .values()
                    .map(|copy| copy.made)
                    .max()
                    .unwrap_or(tick);
                self.files.insert(
                    place,
                    Copy {
                        lines,
                        mtime: tick,
                        made,
                    },
                );
                self.put(place);
                told.is_ahead = false;
            }
            Step::Import(place) if self.files.contains_key(place) => {
                self.import(place);
                return true;
            }
            Step::ImportAll(reversed) => {
                let mut places: Vec<&'static str> = self.files.keys().copied().collect();
                if reversed {
                    places.reverse();
                }
                for place in places {
                    self.import(place);
                }
                return true;
            }
            _ => return false,
        }
        false
    }

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
        if told.compacted
            || told.is_ahead
            || told.is_apart
            || (self.kind == Kind::Notes && told.crossed)
        {
            return Ok(());
        }
        let Some(newest) = self.files.values().max_by_key(|copy| copy.made) else {
            return Ok(());
        };
        let summary = self.store.summary(&self.key());
        if told.was_here && summary.is_ok_and(|summary| summary.contents > 1) {
            // What was appended here has another clock.
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
    let mut told = Told::default();
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
