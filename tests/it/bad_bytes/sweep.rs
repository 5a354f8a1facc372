//! The sweep: damage, questions, a verification, an append, a repair.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use scrollback::report::RepairReport;
use scrollback::{Error, RedbStore, ScanQuery, SessionKey, Store as _, StoreExt as _};

use super::answers::{Answers, append, ask, is_typed};
use super::store::{Good, options};

const PAGE: usize = 4096;

/// The byte of the header that says which of the last two commits holds. Nothing can tell a flip of
/// its first bit from a power cut before the last commit: the answers are those of the commit
/// before. A file that was closed in order has no such cut, and `verify` says so.
const GOD_BYTE: usize = 9;

/// The longest that one case may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// One bit is another.
    Flip(usize, u8),
    /// One byte is this one.
    Set(usize, u8),
    /// A page is zeros.
    Zero(usize),
    /// A page is another page.
    Copy(usize, usize),
    /// Two pages have changed places.
    Swap(usize, usize),
    /// The file ends here.
    Cut(usize),
    /// So many other bytes follow.
    Longer(usize),
}

impl Damage {
    fn apply(self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        let page = |number: usize| number * PAGE..(number + 1) * PAGE;
        match self {
            Self::Flip(at, bit) => bytes[at] ^= 1 << bit,
            Self::Set(at, byte) => bytes[at] = byte,
            Self::Zero(number) => bytes[page(number)].fill(0),
            Self::Copy(from, to) => bytes.copy_within(page(from), to * PAGE),
            Self::Swap(one, two) => {
                bytes.copy_within(page(one), two * PAGE);
                bytes[page(one)].copy_from_slice(&good[page(two)]);
            }
            Self::Cut(length) => bytes.truncate(length),
            Self::Longer(more) => bytes.resize(good.len() + more, 0xA5),
        }
        bytes
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Flip(..) => "flip",
            Self::Set(..) => "set",
            Self::Zero(_) => "zero",
            Self::Copy(..) => "copy",
            Self::Swap(..) => "swap",
            Self::Cut(_) => "cut",
            Self::Longer(_) => "longer",
        }
    }
}

/// Every kind of damage, `step` bytes apart within pages, and where it hurts most: at their heads.
fn damages(good: &[u8], step: usize) -> Vec<Damage> {
    let pages = good.len() / PAGE;
    let mut all = Vec::new();
    for at in 0..320 {
        all.push(Damage::Flip(at, u8::try_from(at % 8).unwrap()));
    }
    all.extend((0..8).map(|bit| Damage::Flip(GOD_BYTE, bit)));
    for number in 1..pages {
        let start = number * PAGE;
        if good[start..start + PAGE].iter().all(|byte| *byte == 0) {
            continue;
        }
        let spread = (0..PAGE)
            .step_by(step)
            .map(|at| at + number % step.min(PAGE));
        for at in [0, 2, 4, 8, 12]
            .into_iter()
            .chain(spread)
            .filter(|at| *at < PAGE)
        {
            all.push(Damage::Flip(
                start + at,
                u8::try_from((at + number) % 8).unwrap(),
            ));
        }
        all.push(Damage::Set(start + 1 + number % 40, 0));
        all.push(Damage::Set(start + 1 + number % 40, 0xFF));
        all.push(Damage::Zero(number));
        all.push(Damage::Copy((number * 7 + 3) % pages, number));
        all.push(Damage::Swap(number, (number * 5 + 1) % pages));
        all.push(Damage::Cut(start));
        all.push(Damage::Cut(start + 1000));
    }
    all.extend([1, 100, PAGE, 10 * PAGE].map(Damage::Longer));
    all.extend([0, 5, 11, 100, 319].map(Damage::Cut));
    all
}

/// What a sweep has counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cases: usize,
    /// Questions answered rightly, and with an error.
    right: usize,
    refused: usize,
    appends: usize,
    /// Cases that verify has noticed.
    noticed: usize,
    /// Records that repairs saved, of how many, by kind of damage.
    saved: BTreeMap<&'static str, (u64, u64)>,
    repairs: usize,
    wrong: Vec<String>,
}

/// The lines of every session.
type Lines = BTreeMap<SessionKey, BTreeMap<u64, Vec<u8>>>;

fn lines(store: &RedbStore, keys: &[SessionKey]) -> Lines {
    let of = |key: &SessionKey| {
        let records = store.records(key, ScanQuery::default());
        let lines = records.map(|record| record.map(|record| (record.sequence, record.line)));
        lines.collect::<Result<BTreeMap<_, _>, Error>>().unwrap()
    };
    keys.iter().map(|key| (key.clone(), of(key))).collect()
}

struct Sweep {
    good: Good,
    expected: Answers,
    lines: Lines,
    appended: String,
    tally: Tally,
}

impl Sweep {
    fn new() -> Self {
        let good = Good::new();
        let path = good.path("good.redb");
        let expected = ask(&path, &good.keys).unwrap();
        for (question, answer) in &expected {
            assert!(answer.is_ok(), "{question}: {answer:?}");
        }
        let store = RedbStore::open_read_only(&path, options()).unwrap();
        let report = store.verify(&mut scrollback::unwatched).unwrap();
        assert!(report.is_clean(), "{report:?}");
        let lines = lines(&store, &good.keys);
        drop(store);
        fs::copy(&path, good.path("appended.redb")).unwrap();
        let appended = append(&good.path("appended.redb"), &good.keys[0]).unwrap();
        Self {
            good,
            expected,
            lines,
            appended,
            tally: Tally::default(),
        }
    }

    fn wrong(&mut self, damage: Damage, what: &str) {
        let what: String = what.chars().take(400).collect();
        self.tally.wrong.push(format!("{damage:?}: {what}"));
    }

    fn case(&mut self, damage: Damage, index: usize) {
        self.tally.cases += 1;
        let path = self.good.path("damaged.redb");
        let bytes = damage.apply(&self.good.bytes);
        fs::write(&path, &bytes).unwrap();
        match ask(&path, &self.good.keys) {
            Ok(_) if matches!(damage, Damage::Flip(GOD_BYTE, 0)) => {
                let before = self.tally.noticed;
                self.verify(damage);
                assert!(
                    self.tally.noticed > before,
                    "the other commit is not noticed"
                );
                return;
            }
            Ok(answers) => self.compare(damage, answers),
            Err(error) if is_typed(&error) => self.tally.refused += 1,
            Err(error) => self.wrong(damage, &format!("open: {error:?}")),
        }
        self.verify(damage);
        if bytes == fs::read(&path).unwrap() {
            self.repair(damage);
        }
        if index.is_multiple_of(4) {
            self.append(damage);
        }
    }

    fn compare(&mut self, damage: Damage, answers: Answers) {
        for (question, answer) in answers {
            match (answer, self.expected.get(&question)) {
                (Ok(answer), Some(Ok(expected))) if answer == *expected => self.tally.right += 1,
                (Err(error), Some(_)) if is_typed(&error) => self.tally.refused += 1,
                (answer, expected) => {
                    let what = format!("{question}: {answer:?}, expected {expected:?}");
                    self.wrong(damage, &what);
                }
            }
        }
    }

    fn verify(&mut self, damage: Damage) {
        let path = self.good.path("damaged.redb");
        let verified = RedbStore::open_read_only(&path, options())
            .and_then(|store| store.verify(&mut scrollback::unwatched));
        match verified {
            Ok(report) => self.tally.noticed += usize::from(!report.is_clean()),
            Err(error) if is_typed(&error) => self.tally.noticed += 1,
            Err(error) => self.wrong(damage, &format!("verify: {error:?}")),
        }
    }

    fn append(&mut self, damage: Damage) {
        self.tally.appends += 1;
        let path = self.good.path("damaged.redb");
        match append(&path, &self.good.keys[0]) {
            Ok(answer) if answer == self.appended => self.tally.right += 1,
            Err(error) if is_typed(&error) => self.tally.refused += 1,
            // An empty file is a new store to a writer.
            Ok(_) if matches!(damage, Damage::Cut(0)) => {}
            answer => self.wrong(damage, &format!("append: {answer:?}")),
        }
    }

    /// Repairs the damaged file: the new store is whole, every line in it is the one that was there,
    /// and what is missing is listed.
    fn repair(&mut self, damage: Damage) {
        let target = self.good.path("repaired.redb");
        drop(fs::remove_file(&target));
        let path = self.good.path("damaged.redb");
        let report = match RedbStore::repair(&path, &target, options(), &mut scrollback::unwatched)
        {
            Ok(report) => report,
            Err(Error::NotAStore { .. }) if matches!(damage, Damage::Cut(_)) => return,
            Err(error) => return self.wrong(damage, &format!("repair: {error:?}")),
        };
        self.tally.repairs += 1;
        let store = RedbStore::open_read_only(&target, options()).unwrap();
        let verified = store.verify(&mut scrollback::unwatched).unwrap();
        if !verified.is_clean() {
            self.wrong(
                damage,
                &format!("a repaired store: {:?}", verified.problems),
            );
        }
        let listed = store.list(&scrollback::ListQuery::default().with_limit(1000));
        let keys: Vec<SessionKey> = listed
            .unwrap()
            .sessions
            .into_iter()
            .map(|s| s.key)
            .collect();
        let saved = lines(&store, &keys);
        let (found, all) = self.missing(damage, &saved, &report);
        let entry = self.tally.saved.entry(damage.kind()).or_default();
        *entry = (entry.0 + found, entry.1 + all);
    }

    /// Checks what was saved against what there was; gives how many records were saved, of how many.
    fn missing(&mut self, damage: Damage, saved: &Lines, report: &RepairReport) -> (u64, u64) {
        let (mut found, mut all) = (0, 0);
        let unnamed = saved.keys().any(|key| key.agent() == "unknown")
            || report
                .losses
                .iter()
                .any(|loss| loss.number.is_none() || loss.session.is_none());
        let listed: BTreeSet<&SessionKey> = report
            .losses
            .iter()
            .filter_map(|loss| loss.session.as_ref())
            .collect();
        let mut wrong = Vec::new();
        for (key, lines) in &self.lines {
            all += lines.len() as u64;
            let there = saved.get(key);
            let is_listed = listed.contains(key) || unnamed;
            if there.is_none() && !is_listed {
                wrong.push(format!("{key} is neither saved nor listed"));
            }
            for (sequence, line) in lines {
                match there.and_then(|there| there.get(sequence)) {
                    Some(saved) if saved == line => found += 1,
                    Some(_) => wrong.push(format!("{key}, {sequence}: another line")),
                    None if is_listed => {}
                    None => wrong.push(format!("{key}, {sequence}: missing and not listed")),
                }
            }
        }
        for (key, lines) in saved.iter().filter(|(key, _)| key.agent() != "unknown") {
            let Some(original) = self.lines.get(key) else {
                // What was deleted in the last commit, after the header was damaged.
                let is_told = report.losses.iter().any(|loss| loss.number.is_none());
                if !is_told {
                    wrong.push(format!("{key} was not there"));
                }
                continue;
            };
            for sequence in lines.keys().filter(|at| !original.contains_key(at)) {
                wrong.push(format!("{key}, {sequence}: was not there"));
            }
        }
        wrong.truncate(3);
        for what in wrong {
            self.wrong(damage, &format!("repair: {what}; {report:?}"));
        }
        (found, all)
    }
}

pub(crate) fn sweep(step: usize, thin: usize) -> Tally {
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let mut sweep = Sweep::new();
        let all = damages(&sweep.good.bytes, step);
        for (index, damage) in all.into_iter().enumerate().filter(|(at, _)| at % thin == 0) {
            sender.send(Some(damage)).unwrap();
            sweep.case(damage, index / thin);
        }
        sender.send(None).unwrap();
        sweep.tally
    });
    let mut last = None;
    loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(Some(damage)) => last = Some(damage),
            Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{last:?} takes for ever"),
        }
    }
    worker
        .join()
        .unwrap_or_else(|_| panic!("a panic escaped at {last:?}"))
}

pub(crate) fn check(tally: &Tally) {
    println!(
        "{} cases: {} right answers, {} errors, {} appends, {} noticed by verify, {} repairs",
        tally.cases, tally.right, tally.refused, tally.appends, tally.noticed, tally.repairs
    );
    for (kind, (saved, all)) in &tally.saved {
        println!("{kind}: {saved} of {all} records saved");
    }
    assert!(tally.right > 100 * tally.cases && tally.refused > tally.cases);
    assert!(tally.noticed * 2 > tally.cases);
    for (kind, (saved, all)) in &tally.saved {
        // A file that was cut has lost what was behind.
        let least = if *kind == "cut" { 30 } else { 90 };
        assert!(saved * 100 >= all * least, "{kind}: {saved} of {all}");
    }
    let shown: Vec<&String> = tally.wrong.iter().take(60).collect();
    assert!(
        tally.wrong.is_empty(),
        "{} wrong: {shown:#?}",
        tally.wrong.len()
    );
}

/// Damage in every region, thinly.
#[test]
fn damage_leads_to_the_right_answer_or_an_error_and_repair_saves_the_rest() {
    // A page has 15 damages: with 14 every kind comes up.
    let tally = sweep(2000, 14);
    check(&tally);
    assert!(tally.cases > 100 && tally.repairs > 90, "{tally:?}");
}

/// At one of these copies an append makes redb panic within its own lock, and once more when it is closed, as the long
/// form has found.
#[test]
fn a_store_in_which_the_engine_has_panicked_is_dropped_without_another_panic() {
    let mut sweep = Sweep::new();
    let is_copy = |damage: &Damage| matches!(damage, Damage::Copy(..));
    let copies = damages(&sweep.good.bytes, PAGE).into_iter().filter(is_copy);
    for damage in copies.take(6) {
        // As one after which something is appended.
        sweep.case(damage, 0);
    }
    assert_eq!(sweep.tally.appends, 6);
    assert!(sweep.tally.wrong.is_empty(), "{:?}", sweep.tally.wrong);
}

/// Damage every so many bytes.
#[test]
#[ignore = "thousands of damaged files, each read, verified and repaired: half an hour"]
fn damage_leads_to_the_right_answer_or_an_error_at_length() {
    let step = std::env::var("SCROLLBACK_SWEEP_STEP").ok();
    let step = step.and_then(|step| step.parse().ok()).unwrap_or(200);
    let tally = sweep(step, 1);
    check(&tally);
    assert!(tally.cases > 1500 && tally.repairs > 1400, "{tally:?}");
}
