//! The mix: two threads append, one lists and scans, one imports, cleans up, truncates, compacts
//! and gives space back. Of every kind of session as many go as come.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use scrollback::{
    Direction, Expect, ImportOptions, ListQuery, NewRecord, Options, RedbStore, ScanQuery,
    SessionKey, Store as _, import,
};

use super::sample::{self, Latency, Window};

const WINDOWS: u32 = 12;

/// Fewest and most sessions that are kept; the oldest go. In between it is one for each second of
/// the run, so that all of them are replaced several times before anything is judged.
const SESSIONS_MIN: u64 = 24;
const SESSIONS_MAX: u64 = 400;

/// Appends to a session before the next one begins, and records of each.
const APPENDS: u64 = 5;
const RECORDS: u64 = 12;

/// Files that stay in the folder that is imported.
const FILES: u64 = 4;

const APPENDERS: usize = 2;

/// Threads that make the first sessions.
const FILLERS: usize = 12;

/// So little that it is full before anything is judged.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// What all threads share.
struct Shared {
    store: RedbStore,
    /// Sessions that are kept.
    sessions: u64,
    next_session: AtomicU64,
    stop: AtomicBool,
    /// Held for reading by whoever calls the store; for writing while samples are taken.
    pause: RwLock<()>,
    taken: Mutex<Taken>,
}

/// How long the calls of this window took.
#[derive(Default)]
struct Taken {
    append: Vec<Duration>,
    list: Vec<Duration>,
    scan: Vec<Duration>,
    disk_floor: Vec<Duration>,
    cpu_floor: Vec<Duration>,
}

fn key(id: &str) -> SessionKey {
    SessionKey::new("jsonl", id).unwrap()
}

/// The session that lives for ever: it is appended to, truncated and compacted.
fn lasting() -> SessionKey {
    key("lasting")
}

fn line(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut noise = String::new();
    for _ in 0..32 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(number | 1);
        write!(noise, "{state:016x}").unwrap();
    }
    format!("{{\"role\":\"user\",\"content\":\"{number} {noise}\"}}")
}

fn lines(count: u64, from: u64) -> Vec<NewRecord> {
    (from..from + count)
        .map(|number| NewRecord::line(line(number)))
        .collect()
}

/// Works for so long; the windows that it was measured in.
pub(super) fn run(time: Duration) -> Vec<Window> {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default().with_cache_bytes(CACHE_BYTES);
    let shared = Shared {
        store: RedbStore::open(folder.path().join("s.redb"), options).unwrap(),
        sessions: time.as_secs().clamp(SESSIONS_MIN, SESSIONS_MAX),
        next_session: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        pause: RwLock::new(()),
        taken: Mutex::default(),
    };
    fill(&shared);
    let mut windows = Vec::new();
    thread::scope(|scope| {
        for _ in 0..APPENDERS {
            scope.spawn(|| append(&shared));
        }
        scope.spawn(|| read(&shared));
        // Whatever happens here, the others end.
        let end = End(&shared.stop);
        let mut keeper = Keeper::new(&shared, folder.path());
        let began = Instant::now();
        for number in 1..=WINDOWS {
            keeper.turn();
            while began.elapsed() < time * number / WINDOWS {
                keeper.turn();
            }
            windows.push(keeper.window());
        }
        drop(end);
    });
    assert!(
        shared
            .store
            .verify(&mut scrollback::unwatched)
            .unwrap()
            .is_clean()
    );
    windows
}

/// Makes as many sessions as are kept, by the same appends as later, so that the file has its size
/// from the start. Threads share commits.
fn fill(shared: &Shared) {
    thread::scope(|scope| {
        for _ in 0..FILLERS {
            scope.spawn(|| {
                loop {
                    let number = shared.next_session.fetch_add(1, Ordering::SeqCst);
                    if number >= shared.sessions {
                        break;
                    }
                    let key = key(&format!("live-{number}"));
                    for turn in 0..APPENDS {
                        let records = lines(RECORDS, number * 1000 + turn * RECORDS);
                        let appended = shared.store.append(&key, Expect::Any, None, &records);
                        appended.unwrap();
                    }
                }
            });
        }
    });
}

struct End<'s>(&'s AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    /// Calls the store, not while samples are taken, and says how long it took.
    fn call<T>(&self, work: impl FnOnce(&RedbStore) -> T) -> (T, Duration) {
        let paused = self.pause.read().unwrap();
        let began = Instant::now();
        let done = work(&self.store);
        let took = began.elapsed();
        drop(paused);
        (done, took)
    }
}

fn append(shared: &Shared) {
    while !shared.stop.load(Ordering::SeqCst) {
        let number = shared.next_session.fetch_add(1, Ordering::SeqCst);
        let own = key(&format!("live-{number}"));
        for turn in 0..APPENDS {
            let records = lines(RECORDS, number * 1000 + turn * RECORDS);
            for key in [&own, &lasting()] {
                let append = |store: &RedbStore| store.append(key, Expect::Any, None, &records);
                let (appended, took) = shared.call(append);
                appended.unwrap();
                shared.taken.lock().unwrap().append.push(took);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn read(shared: &Shared) {
    let query = ListQuery::default().with_limit(20);
    let backward = ScanQuery::default()
        .with_direction(Direction::Backward)
        .with_records_max(40);
    let mut turn = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        let (page, took) = shared.call(|store| store.list(&query).unwrap());
        shared.taken.lock().unwrap().list.push(took);
        let chosen = &page.sessions[turn % page.sessions.len()];
        // It may be gone since.
        let (_page, took) = shared.call(|store| store.scan(&chosen.key, &backward));
        let began = Instant::now();
        let sum = (0..200_000_u64).fold(turn as u64, |sum, number| sum.rotate_left(5) ^ number);
        let floor = began.elapsed();
        assert_ne!(sum, 1, "so that it is not left out");
        let mut taken = shared.taken.lock().unwrap();
        taken.scan.push(took);
        taken.cpu_floor.push(floor);
        drop(taken);
        turn += 1;
        thread::sleep(Duration::from_millis(3));
    }
}

/// Who brings files in, and takes away what is old.
struct Keeper<'s> {
    shared: &'s Shared,
    folder: PathBuf,
    floor: File,
    turn: u64,
}

impl<'s> Keeper<'s> {
    fn new(shared: &'s Shared, folder: &Path) -> Self {
        let folder = folder.join("in");
        std::fs::create_dir(&folder).unwrap();
        let floor = tempfile::tempfile_in(&folder).unwrap();
        Self {
            shared,
            folder,
            floor,
            turn: 0,
        }
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("file-{number}.jsonl"))
    }

    /// A new file, the one before grown, both imported; as many sessions away as came.
    fn turn(&mut self) {
        let half = APPENDS * RECORDS / 2;
        for (number, from) in [(Some(self.turn), 0), (self.turn.checked_sub(1), half)] {
            let Some(number) = number else { continue };
            let mut file = File::options()
                .create(true)
                .append(true)
                .open(self.file(number));
            for at in from..from + half {
                let line = line(number * 1_000_000 + at);
                writeln!(file.as_mut().unwrap(), "{line}").unwrap();
            }
        }
        if let Some(old) = self.turn.checked_sub(FILES) {
            std::fs::remove_file(self.file(old)).unwrap();
        }
        self.turn += 1;
        let paths = [self.folder.clone()];
        let options = ImportOptions::default();
        let bring = |store: &RedbStore| {
            import(store, &paths, &options, &mut scrollback::unwatched).unwrap()
        };
        let (report, _) = self.shared.call(bring);
        assert!(report.records >= half, "{report:?}");
        self.clean_up();
        if self.turn.is_multiple_of(3) {
            self.compact();
        }
        if self.turn.is_multiple_of(10) {
            // Beside the others: it may be refused.
            self.shared.call(|store| store.reclaim().unwrap());
        }
        let began = Instant::now();
        self.floor.rewind().unwrap();
        self.floor.write_all(&[7; 4096]).unwrap();
        self.floor.sync_data().unwrap();
        let took = began.elapsed();
        self.shared.taken.lock().unwrap().disk_floor.push(took);
        thread::sleep(Duration::from_millis(20));
    }

    fn clean_up(&self) {
        let query = ListQuery::default().with_limit(usize::try_from(self.shared.sessions).unwrap());
        let (page, _) = self.shared.call(|store| store.list(&query).unwrap());
        let oldest = page.sessions.last().unwrap().updated_at;
        self.shared
            .call(|store| store.cleanup_older_than(oldest).unwrap());
    }

    fn compact(&self) {
        self.shared
            .call(|store| store.truncate(&lasting(), 60).unwrap());
        self.shared
            .call(|store| store.compact(&lasting(), None, None).unwrap());
    }

    /// Ends a window: everybody pauses, the file is made as small as it gets, and samples are taken.
    fn window(&mut self) -> Window {
        self.clean_up();
        let paused = self.shared.pause.write().unwrap();
        let store = &self.shared.store;
        store.truncate(&lasting(), 60).unwrap();
        store.compact(&lasting(), None, None).unwrap();
        let reclaimed = store.reclaim().unwrap();
        assert_eq!(reclaimed.refused, None, "nobody else is there");
        let taken = std::mem::take(&mut *self.shared.taken.lock().unwrap());
        let (memory_bytes, threads) = sample::memory_and_threads();
        let agents = store.stats().unwrap().agents;
        drop(paused);
        Window {
            append: Latency::of(taken.append),
            list: Latency::of(taken.list),
            scan: Latency::of(taken.scan),
            disk_floor: Latency::of(taken.disk_floor),
            cpu_floor: Latency::of(taken.cpu_floor),
            memory_bytes,
            file_bytes: reclaimed.bytes_after,
            sessions: agents.iter().map(|agent| agent.sessions).sum(),
            descriptors: sample::descriptors(),
            threads,
        }
    }
}
