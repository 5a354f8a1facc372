//! Single histories, each of one way in which files move, change and come back.

use scrollback::Store as _;

use super::world::{Copy, Kind, World};

impl World {
    /// A file of so many lines.
    fn file(&mut self, place: &'static str, count: u64) {
        let header = self.header();
        let mut lines: Vec<String> = header.into_iter().collect();
        lines.extend((0..count).map(|_| self.said("new")));
        let (mtime, made) = (self.tick, self.tick);
        self.files.insert(place, Copy { lines, mtime, made });
        self.put(place);
    }

    fn copy(&mut self, from: &'static str, to: &'static str) {
        let copy = self.files[from].clone();
        self.files.insert(to, copy);
        self.put(to);
    }

    fn grow(&mut self, place: &'static str, count: u64) {
        for _ in 0..count {
            self.tick += 1;
            let line = self.said("more");
            self.add(place, line);
        }
    }

    fn state(&self) -> (u64, u64, u64) {
        let summary = self.store.summary(&self.key()).unwrap();
        (
            summary.contents,
            summary.record_count,
            summary.message_count,
        )
    }
}

#[test]
fn two_machines_copies_that_diverged_are_two_contents_and_stay_so() {
    let mut world = World::new(Kind::Claude);
    world.file("h1/p", 4);
    world.copy("h1/p", "h2/p");
    world.grow("h1/p", 2);
    world.grow("h2/p", 3);
    world.import("h1/p");
    assert_eq!(world.state(), (1, 6, 6));
    world.import("h2/p");
    assert_eq!(world.state(), (2, 7, 7));
    for place in ["h1/p", "h2/p", "h1/p"] {
        let report = world.import(place);
        assert_eq!(
            (report.records, report.sessions, report.sessions_grown),
            (0, 0, 0)
        );
        assert_eq!(world.state(), (2, 7, 7));
    }
    // The other one becomes the newest when it grows.
    world.grow("h1/p", 5);
    world.import("h1/p");
    assert_eq!(world.state(), (2, 11, 11));
    let report = world.store.verify(&mut scrollback::unwatched).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_session_continued_here_exported_and_brought_back_is_one_session() {
    for kind in [Kind::Claude, Kind::Ggcode, Kind::Notes] {
        let mut world = World::new(kind);
        world.file("h1/p", 3);
        world.import("h1/p");
        for round in 0..10 {
            world.tick += 1;
            world.append_here();
            let lines = world.exported(&world.key());
            let (mtime, made) = (world.tick, world.tick);
            world.files.insert("h1/p", Copy { lines, mtime, made });
            world.put("h1/p");
            world.import("h1/p");
            world.grow("h1/p", 2);
            if kind == Kind::Ggcode {
                world.tick += 1;
                let (header, cost) = (world.header(), world.cost());
                let copy = world.files.get_mut("h1/p").unwrap();
                let said = copy.lines.iter().filter(|line| !World::is_frame(line));
                copy.lines = header
                    .into_iter()
                    .chain(said.cloned())
                    .chain([cost])
                    .collect();
                copy.mtime = world.tick;
                world.put("h1/p");
            }
            world.import("h1/p");
            let (contents, _, messages) = world.state();
            assert_eq!(
                (contents, messages),
                (1, 3 + 3 * (round + 1)),
                "{kind:?}, round {round}"
            );
            assert_eq!(
                world.exported(&world.key()),
                world.files["h1/p"].lines,
                "{kind:?}"
            );
        }
        let report = world
            .store
            .verify_deep(&[], &mut scrollback::unwatched)
            .unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}
