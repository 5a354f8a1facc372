//! Writers whose every answer is noted, and whether what is stored is what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use scrollback::uuid::Uuid;
use scrollback::{Error, Expect, NewRecord, ScanQuery, SessionKey, Store as _, StoreExt as _};
use scrollback_postgres::PostgresStore;

fn key(number: usize) -> SessionKey {
    SessionKey::native(format!("session-{number}")).unwrap()
}

fn line(id: Uuid) -> String {
    format!("{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{id}\"}}\n")
}

/// How far the writers are, for those who do something to the server meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    is_over: AtomicBool,
    acknowledged: AtomicU64,
}

impl Progress {
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more appends were acknowledged.
    pub(crate) fn wait_for(&self, more: u64) {
        let (goal, began) = (self.acknowledged() + more, Instant::now());
        while self.acknowledged() < goal {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the writers stand still"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Ends the writers, also where what happens meanwhile panics.
struct End<'p>(&'p Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// What writers were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Of each acknowledged line its session and its number there.
    places: BTreeMap<Uuid, (usize, u64)>,
    /// Calls that may be done or not, and calls that did nothing: all of them were sent again.
    pub(crate) unknown: u64,
    pub(crate) refused: u64,
    /// The longest that an append took, with all calls for it.
    pub(crate) longest: Duration,
}

impl Told {
    pub(crate) fn acknowledged(&self) -> usize {
        self.places.len()
    }

    fn and(mut self, other: Self) -> Self {
        self.places.extend(other.places);
        self.unknown += other.unknown;
        self.refused += other.refused;
        self.longest = self.longest.max(other.longest);
        self
    }
}

/// Lets so many writers append, each to four sessions in turn, while something happens, and for as long.
pub(crate) fn while_written(
    store: &PostgresStore,
    writers: usize,
    happens: impl FnOnce(&Progress),
) -> Told {
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let start = |writer| {
            let progress = &progress;
            scope.spawn(move || write(store, writer, progress))
        };
        let writers: Vec<_> = (0..writers).map(start).collect();
        let end = End(&progress);
        happens(&progress);
        drop(end);
        let told = writers.into_iter().map(|writer| writer.join().unwrap());
        told.fold(Told::default(), Told::and)
    })
}

/// Appends until it is over, the same batch again until it is answered.
fn write(store: &PostgresStore, writer: usize, progress: &Progress) -> Told {
    let mut told = Told::default();
    let mut turn = writer;
    while !progress.is_over.load(Ordering::Relaxed) {
        turn += 1;
        let session = turn % 4;
        let (id, began) = (Uuid::new_v4(), Instant::now());
        let place = loop {
            match store.append(
                &key(session),
                Expect::Any,
                Some(id),
                &[NewRecord::line(line(id))],
            ) {
                Ok(appended) => break appended.first,
                Err(Error::CommitUnknown { .. }) => told.unknown += 1,
                Err(error) if error.is_retryable() => {
                    told.refused += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error:?}"),
            }
        };
        told.longest = told.longest.max(began.elapsed());
        told.places.insert(id, (session, place));
        progress.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    told
}

/// Whether each acknowledged line is where it was said to be, and no line is there twice. Gives the number of
/// lines.
pub(crate) fn check(store: &PostgresStore, told: &Told) -> usize {
    let mut stored: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for session in 0..4 {
        let mut next = 0;
        for record in store.records(&key(session), ScanQuery::default()) {
            let record = record.unwrap();
            assert_eq!(record.sequence, next, "a gap in session {session}");
            next += 1;
            let text = String::from_utf8(record.line).unwrap();
            let twice = stored.insert(text.clone(), (session, record.sequence));
            assert_eq!(twice, None, "{text}");
        }
        assert_eq!(store.summary(&key(session)).unwrap().next_sequence, next);
    }
    for (id, place) in &told.places {
        assert_eq!(stored.get(&line(*id)), Some(place), "{id} was acknowledged");
    }
    stored.len()
}
