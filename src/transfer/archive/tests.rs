//! Runs that stop after any step, with whatever comes in between: each record that is gone from a
//! session is in the archive once, and no other.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::model::message::{Message, Role};
use crate::store::{Expect, MemoryStore, NewRecord};

/// A session, and a folder for an archive.
struct World {
    root: tempfile::TempDir,
    store: MemoryStore,
    key: SessionKey,
    said: u64,
}

/// Where a run stops, as one that is killed.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// Some of the lines are in the file, the last one in part.
    Writing,
    /// All lines are there, and the note does not say so.
    Flushed,
    /// The note says so, and nothing is removed.
    Written,
    /// All is removed, and the note does not know.
    Removed,
}

const STOPS: [Stop; 4] = [Stop::Writing, Stop::Flushed, Stop::Written, Stop::Removed];

impl World {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            store: MemoryStore::default(),
            key: SessionKey::native("s").unwrap(),
            said: 0,
        }
    }

    fn say(&mut self, count: u64) {
        for _ in 0..count {
            let message = Message::text(Role::User, format!("message {}", self.said));
            let record = NewRecord::message(message);
            self.store
                .append(&self.key, Expect::Any, None, &[record])
                .unwrap();
            self.said += 1;
        }
    }

    fn archive(&self) -> PathBuf {
        self.root.path().join("archive")
    }

    fn compact(&self) -> Compacted {
        compact_archived(&self.store, &self.key, None, &self.archive()).unwrap()
    }

    /// Does what a compaction does, and stops.
    fn stop(&self, stop: Stop) {
        let folder = self.archive().join(self.key.agent());
        make_folder(&folder).unwrap();
        let id = self.store.id().unwrap();
        let summary = self.store.summary(&self.key).unwrap();
        let owner = Owner::Session {
            store: id.as_ref().map(|id| id.id),
            number: summary.number,
        };
        let name = file_safe(self.key.id());
        let place = ArchiveFile::of(&folder, OsStr::new(&name), &owner).unwrap();
        let path = place.lines.clone();
        let mut lines = Lines::open(place, owner, (&self.store, id.as_ref()), &self.key).unwrap();
        write(&self.store, &self.key, summary.mark, &mut lines).unwrap();
        match stop {
            Stop::Writing | Stop::Flushed => {
                lines.flush_for_tests();
                let length = fs::metadata(&path).map_or(0, |there| there.len());
                if matches!(stop, Stop::Writing) && length > 0 {
                    let half = length - (length - lines.settled_for_tests()) / 2;
                    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                    file.set_len(half).unwrap();
                }
            }
            Stop::Written | Stop::Removed => lines.written(id.as_ref()).unwrap(),
        }
        if matches!(stop, Stop::Removed) {
            self.store
                .compact(&self.key, Some(summary.mark), None)
                .unwrap();
        }
    }

    /// Lines in the archive, and how often each is there.
    fn archived(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let folder = self.archive().join(self.key.agent());
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let kind = path.extension().unwrap().to_str().unwrap();
            assert!(["jsonl", "note"].contains(&kind), "{}", path.display());
            if kind == "jsonl" {
                for line in fs::read_to_string(&path).unwrap().split_inclusive('\n') {
                    *counts.entry(line.to_owned()).or_default() += 1;
                }
            }
        }
        counts
    }

    /// That each message is in the session or in the archive, once, but for those that went without.
    fn check(&self, lost: &[String]) {
        let archived = self.archived();
        let kept = self.lines();
        for (line, count) in &archived {
            assert_eq!(*count, 1, "{line} is archived {count} times");
            assert!(!kept.contains(line), "{line} is archived, and not removed");
        }
        let gone = lost.iter().filter(|line| !archived.contains_key(*line));
        let all = archived.len() + kept.len() + gone.count();
        assert_eq!(all as u64, self.said, "messages");
    }

    fn lines(&self) -> Vec<String> {
        let records = self.store.records(&self.key, ScanQuery::default());
        records
            .map(|record| record.unwrap())
            .filter(|record| record.header.kind != RecordKind::Meta)
            .map(|record| String::from_utf8(record.line).unwrap())
            .collect()
    }
}

#[test]
fn a_run_that_stops_after_any_step_is_put_right() {
    for stop in STOPS {
        for before in [0, 3] {
            let mut world = World::new();
            if before > 0 {
                world.say(before);
                world.store.truncate(&world.key, 1).unwrap();
                world.compact();
            }
            world.say(10);
            world.store.truncate(&world.key, 4).unwrap();
            world.stop(stop);
            // Once more, and twice.
            for _ in 0..2 {
                world.stop(stop);
            }
            world.compact();
            world.check(&[]);
            assert_eq!(world.lines().len(), 4, "{stop:?}");
            assert_eq!(world.compact(), Compacted::default());
        }
    }
}

#[test]
fn records_that_are_shown_again_after_a_run_that_stopped_are_not_in_the_archive() {
    for stop in STOPS {
        let mut world = World::new();
        world.say(10);
        world.store.truncate(&world.key, 2).unwrap();
        world.stop(stop);
        world.store.truncate(&world.key, 7).unwrap();
        world.compact();
        world.check(&[]);
        world.store.truncate(&world.key, 0).unwrap();
        world.compact();
        world.check(&[]);
    }
}

#[test]
fn runs_that_stop_anywhere_between_other_calls_archive_each_record_once() {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..60 {
        let mut world = World::new();
        let mut lost = Vec::new();
        world.say(1);
        for _ in 0..40 {
            match random(8) {
                0..=2 => world.say(random(4)),
                3 | 4 => {
                    world.store.truncate(&world.key, random(6)).unwrap();
                }
                5 => {
                    world.compact();
                }
                6 => world.stop(STOPS[usize::try_from(random(4)).unwrap()]),
                _ if random(3) == 0 => {
                    // Somebody compacts without an archive.
                    let before = world.lines();
                    world.store.compact(&world.key, None, None).unwrap();
                    let after = world.lines();
                    lost.extend(before.into_iter().filter(|line| !after.contains(line)));
                }
                // Somebody deletes the session, and another one gets its name.
                _ if random(3) == 0 => {
                    lost.extend(world.lines());
                    world.store.delete(&world.key).unwrap();
                    world.say(1);
                }
                _ => {}
            }
        }
        world.compact();
        world.check(&lost);
    }
}

#[test]
fn a_file_that_is_not_as_its_note_says_is_left_alone() {
    let mut world = World::new();
    world.say(6);
    world.store.truncate(&world.key, 3).unwrap();
    world.compact();
    let path = world.archive().join("native/s.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"of somebody else\n").unwrap();
    let before = fs::read(&path).unwrap();
    world.store.truncate(&world.key, 1).unwrap();
    let refused = compact_archived(&world.store, &world.key, None, &world.archive()).unwrap_err();
    assert!(matches!(refused, Error::Io { .. }), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(world.lines().len(), 3);
}

#[test]
fn an_archive_of_before_there_were_notes_is_gone_on_with() {
    for old in ["", "of before\n", "of before"] {
        let mut world = World::new();
        fs::create_dir_all(world.archive().join("native")).unwrap();
        let path = world.archive().join("native/s.jsonl");
        fs::write(&path, old).unwrap();
        world.say(6);
        let lines = world.lines();
        for (stop, keep) in STOPS.into_iter().zip([4, 3, 2, 1]) {
            world.store.truncate(&world.key, keep).unwrap();
            world.stop(stop);
            world.compact();
        }
        let text = fs::read_to_string(&path).unwrap();
        let old = old.lines().map(|line| line.to_owned() + "\n");
        let expected: Vec<String> = old.chain(lines.into_iter().take(5)).collect();
        assert_eq!(text, expected.concat());
    }
}

#[test]
fn a_session_that_loses_nothing_makes_no_file() {
    let mut world = World::new();
    world.say(2);
    world.compact();
    assert!(!world.archive().exists());
}
