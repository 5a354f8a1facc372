//! The steps of a history: what agents and people do to the files of a session, and what is done here.

use std::collections::BTreeSet;

use scrollback::Store as _;

use super::world::{Copy, Kind, World};

/// One step of a history.
#[derive(Clone, Debug)]
pub(super) enum Step {
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

/// What the checks have to know of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// There were copies in other folders, which are other sessions where ids are not unique.
    Crossed,
    /// Something was removed here.
    Compacted,
    /// The session was begun here.
    Apart,
    /// Something was appended here.
    Here,
    /// Something was appended here that no file had then.
    Ahead,
    /// A line that states no time was written.
    Untimed,
}

pub(super) type Told = BTreeSet<Fact>;

impl World {
    /// Takes a step, if the files allow it; answers whether it was an import.
    pub(super) fn step(&mut self, step: &Step, told: &mut Told) -> bool {
        self.tick += 1;
        self.trace.push(format!("{step:?}"));
        match *step {
            Step::New(place, count) if !self.files.contains_key(place) => {
                if place != "h1/p" {
                    told.insert(Fact::Crossed);
                }
                self.begin(place, count);
            }
            Step::Move(from, to) | Step::CopyTo(from, to, _)
                if from != to && self.files.contains_key(from) =>
            {
                told.insert(Fact::Crossed);
                let mut copy = self.files[from].clone();
                match step {
                    Step::Move(..) => drop(self.files.remove(from)),
                    Step::CopyTo(_, _, false) => copy.mtime = self.tick,
                    _ => {}
                }
                self.files.insert(to, copy);
                self.put(from);
                self.put(to);
            }
            Step::Remove(place) => {
                self.files.remove(place);
                self.put(place);
            }
            Step::Append(place, _)
            | Step::Hi(place)
            | Step::Torn(place)
            | Step::Header(place)
            | Step::Save(place)
            | Step::Drop(place, _, _)
                if self.files.contains_key(place) =>
            {
                told.extend(matches!(step, Step::Hi(_)).then_some(Fact::Untimed));
                self.write_on(place, step);
            }
            Step::Here => {
                // What is made here before any file is imported may be another content.
                if self.store.summary(&self.key()).is_err() {
                    told.insert(Fact::Apart);
                }
                self.append_here();
                told.extend([Fact::Ahead, Fact::Here]);
            }
            Step::CompactHere(keep) if self.store.summary(&self.key()).is_ok() => {
                told.extend(self.compact_here(keep).then_some(Fact::Compacted));
            }
            Step::ExportTo(place) if self.store.summary(&self.key()).is_ok() => {
                if place != "h1/p" {
                    told.insert(Fact::Crossed);
                }
                told.extend(self.is_unread(place).then_some(Fact::Apart));
                let lines = self.exported(&self.key());
                let made = self.files.values().map(|copy| copy.made).max();
                let made = made.unwrap_or(self.tick);
                let mtime = self.tick;
                self.files.insert(place, Copy { lines, mtime, made });
                self.put(place);
                told.remove(&Fact::Ahead);
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
            _ => {}
        }
        false
    }

    /// Whether what an agent wrote last to a file was not imported: it is gone where another one takes its place.
    fn is_unread(&self, place: &str) -> bool {
        let there = self.files.get(place).map(|copy| &copy.lines);
        there.is_some() && there != self.imported.get(place)
    }

    /// An agent begins a file.
    fn begin(&mut self, place: &'static str, count: u64) {
        let mut lines: Vec<String> = self.header().into_iter().collect();
        lines.extend((0..count).map(|_| self.said("new")));
        self.write(place, lines);
    }

    /// An agent writes to a file that is there.
    fn write_on(&mut self, place: &'static str, step: &Step) {
        match *step {
            Step::Append(_, count) => self.say(place, "more", count),
            Step::Hi(_) => {
                let line = self.hi();
                self.add(place, line);
            }
            Step::Torn(_) => {
                let last = self.files[place].lines.last();
                if last.is_none_or(|line| line.ends_with('\n')) {
                    let line = self.said("torn");
                    self.add(place, line[..20].to_owned());
                }
            }
            Step::Header(_) => {
                let mut lines = self.files[place].lines.clone();
                if let (Some(header), Some(first)) = (self.header(), lines.first_mut())
                    && Self::is_frame(first)
                {
                    *first = header;
                    self.write(place, lines);
                }
            }
            Step::Save(_) if self.kind == Kind::Ggcode => {
                let said = self.said_in(place);
                let frame = (self.header(), self.cost());
                let lines = frame.0.into_iter().chain(said).chain([frame.1]).collect();
                self.write(place, lines);
            }
            Step::Drop(_, from, more) if self.kind != Kind::Claude => {
                let mut said = self.said_in(place);
                if said.is_empty() {
                    return;
                }
                let from = usize::try_from(from).unwrap().min(said.len() - 1);
                said.drain(..from);
                let lines = self.header().into_iter().chain(said).collect();
                self.write(place, lines);
                self.say(place, "then", more);
            }
            _ => {}
        }
    }

    /// Adds lines to a file that each say something new.
    fn say(&mut self, place: &'static str, word: &str, count: u64) {
        for _ in 0..count {
            let line = self.said(word);
            self.add(place, line);
        }
    }

    /// The whole lines of a file that are neither header nor cost.
    fn said_in(&self, place: &'static str) -> Vec<String> {
        let lines = self.files[place].lines.iter();
        let said = lines.filter(|line| !Self::is_frame(line) && line.ends_with('\n'));
        said.cloned().collect()
    }

    /// Writes a file anew.
    fn write(&mut self, place: &'static str, lines: Vec<String>) {
        let (mtime, made) = (self.tick, self.tick);
        self.files.insert(place, Copy { lines, mtime, made });
        self.put(place);
    }

    /// Truncates and compacts the session; answers whether that removed any line.
    fn compact_here(&mut self, keep: u64) -> bool {
        let lines = |world: &Self| -> Vec<String> {
            let contents = world.contents().into_iter();
            contents.flat_map(|found| found.1).collect()
        };
        let before = lines(self);
        self.store.truncate(&self.key(), keep).unwrap();
        self.store.compact(&self.key(), None, None).unwrap();
        let after = lines(self);
        let gone = before.into_iter().filter(|line| !after.contains(line));
        let gone: Vec<String> = gone.collect();
        for line in &gone {
            self.known.remove(line);
            self.removed.insert(line.clone());
        }
        !gone.is_empty()
    }
}
