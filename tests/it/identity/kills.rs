//! Imports that are killed in a part of a file, whatever kind of change it was of: what comes afterwards
//! makes one session of it, with each line once and the file byte for byte.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scrollback::{ImportOptions, Options, RedbStore, import};

use super::shelf::Shelf;

/// Tells a process of this test its store; without it the test that is one does nothing.
const STORE: &str = "SCROLLBACK_TEST_IDENTITY_STORE";

/// The file that it imports.
const FILE: &str = "SCROLLBACK_TEST_IDENTITY_FILE";

/// So much is committed by itself: `transaction::BATCH_TIME`, and some more.
const COMMITTED: Duration = Duration::from_millis(270);

/// More than two parts of a file.
const LARGE: &str = "B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12 B13 B14 B15 B16";

/// Imports a file, and waits for a word whenever a part of it was taken.
#[test]
fn process() {
    let (Some(store), Some(file)) = (std::env::var_os(STORE), std::env::var_os(FILE)) else {
        return;
    };
    let store = RedbStore::open(store, Options::default()).unwrap();
    let mut parts = |_| -> ControlFlow<()> {
        println!("part");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        ControlFlow::Continue(())
    };
    let options = ImportOptions::default();
    import(&store, &[file.into()], &options, &mut parts).unwrap();
}

fn start(shelf: &Shelf, home: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "identity::kills::process", "--nocapture"])
        .env(STORE, shelf.store.path())
        .env(FILE, shelf.path(home))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Imports the file of a home in a process that is killed when it has taken so many parts. Answers whether
/// it had not ended before.
fn killed(shelf: &Shelf, home: &str, parts: usize) -> bool {
    let mut child = start(shelf, home);
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut input = child.stdin.take().unwrap();
    let mut is_part = || said.any(|line| line.unwrap().contains("part"));
    for _ in 1..parts {
        if !is_part() {
            assert!(child.wait().unwrap().success());
            return false;
        }
        std::thread::sleep(COMMITTED);
        input.write_all(b"go on\n").unwrap();
    }
    let is_alive = is_part();
    child.kill().unwrap();
    child.wait().unwrap();
    is_alive
}

/// What happened before the import that is killed, and the file of which it is.
struct Case {
    before: fn() -> Shelf,
    home: &'static str,
    file: String,
}

/// What happens between the kill and the import that is not killed.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    Grown,
    Moved,
    KilledAgain,
}

impl Case {
    /// Kills an import of the file in each part of it, and lets another one follow.
    fn run(&self, others: &[&str]) {
        let (mut kills, mut partial) = (0, 0);
        for parts in 1.. {
            let shelf = (self.before)();
            shelf.write(self.home, &self.file, 100);
            let before = shelf.all_words();
            if !killed(&shelf, self.home, parts) {
                break;
            }
            kills += 1;
            shelf.is_whole();
            let now = shelf.all_words();
            partial += u32::from(now.contains("B1") && !now.contains("B16"));
            let lost: Vec<_> = before.difference(&now).collect();
            assert!(lost.iter().all(|word| word.ends_with('-')), "{lost:?}");
            let then = [Then::Nothing, Then::Grown, Then::Moved, Then::KilledAgain]
                [(parts + self.file.len()) % 4];
            self.go_on(&shelf, then, others);
        }
        assert!(partial >= 1, "{kills} kills, {partial} in the middle");
    }

    fn go_on(&self, shelf: &Shelf, then: Then, others: &[&str]) {
        let (mut home, mut file) = (self.home, self.file.clone());
        match then {
            Then::Nothing => {}
            Then::Grown => file = file.replace('-', "") + " then",
            Then::Moved => {
                shelf.remove(home);
                home = "h9";
            }
            Then::KilledAgain => {
                killed(shelf, home, 2);
            }
        }
        shelf.put(home, &file, 100);
        let exports: Vec<&str> = [file.as_str()].iter().chain(others).copied().collect();
        assert_eq!(shelf.exports(), exports, "{then:?}");
        shelf.is(&exports);
        let log = shelf.log();
        let mut met = BTreeSet::new();
        for word in log.split(' ') {
            assert!(met.insert(word), "{then:?}: {word} is twice in {log}");
        }
        let report = shelf.put(home, &file, 101);
        assert_eq!(report.records, 0, "{then:?}");
        assert_eq!(shelf.log(), log);
    }
}

#[test]
fn of_a_new_file() {
    let case = Case {
        before: Shelf::claude,
        home: "h1",
        file: format!("{LARGE} end-"),
    };
    case.run(&[]);
}

#[test]
fn of_a_file_that_grew_and_of_one_that_moved_and_grew() {
    for home in ["h1", "h2"] {
        let case = Case {
            before: || {
                let shelf = Shelf::claude();
                shelf.put("h1", "a b-", 10);
                shelf
            },
            home,
            file: format!("a b {LARGE}"),
        };
        case.run(&[]);
    }
}

#[test]
fn of_a_file_that_was_rewritten() {
    let case = Case {
        before: || {
            let shelf = Shelf::ggcode();
            shelf.put("h1", "H1 a b c d", 10);
            shelf
        },
        home: "h1",
        file: format!("H2 S1 b c d {LARGE} C1"),
    };
    case.run(&[]);
}

#[test]
fn of_a_file_whose_open_line_was_ended() {
    for (home, header) in [("h1", "H2"), ("h2", "H1")] {
        let case = Case {
            before: || {
                let shelf = Shelf::ggcode();
                shelf.put("h1", "H1 a b c-", 10);
                shelf
            },
            home,
            file: format!("{header} a b c {LARGE}"),
        };
        case.run(&[]);
    }
}

#[test]
fn of_a_file_that_goes_on_where_something_was_appended_here() {
    let case = Case {
        before: || {
            let shelf = Shelf::claude();
            shelf.put("h1", "a", 10);
            shelf.here("x hi y");
            shelf
        },
        home: "h1",
        file: format!("a x b hi {LARGE} y"),
    };
    case.run(&[]);
}

#[test]
fn of_another_content() {
    let case = Case {
        before: || {
            let shelf = Shelf::claude();
            shelf.put("h1", "a b c", 10);
            shelf
        },
        home: "h2",
        file: format!("a x {LARGE}"),
    };
    case.run(&["a b c"]);
}

#[test]
fn of_a_file_that_is_rewritten_once_more_before_the_next() {
    let before = || {
        let shelf = Shelf::ggcode();
        shelf.put("h1", "H1 a b c d", 10);
        let more = "B17 B18 B19 B20 B21 B22 B23";
        shelf.write("h1", &format!("H2 c d {LARGE} {more}"), 20);
        shelf
    };
    let killed = |parts| {
        let shelf = before();
        assert!(killed(&shelf, "h1", parts));
        shelf
    };
    // Two parts of it are there, and another one is not.
    let shelf = (4..100)
        .map(killed)
        .find(|shelf| shelf.log().ends_with("B14"));
    let shelf = shelf.unwrap();
    shelf.is(&["H1 a b c d"]);
    shelf.put("h1", "H3 d n", 30);
    shelf.is(&["H3 d n"]);
}
