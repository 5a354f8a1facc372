//! A small store with every table filled, and every tree of more than one page.

use std::fs;
use std::path::{Path, PathBuf};

use scrollback::{
    Expect, ImportOptions, NATIVE, NewRecord, Options, PropertiesChange, RedbStore, Session,
    SessionKey, Store, import,
};

/// A folder with a good store in it.
pub(crate) struct Good {
    pub folder: tempfile::TempDir,
    pub bytes: Vec<u8>,
    pub keys: Vec<SessionKey>,
}

/// A clock and ids that are the same each time.
pub(crate) fn options() -> Options {
    let time = "2026-06-01T12:00:00Z".parse().unwrap();
    Options::default().with_clock(move || time)
}

/// Characters that hardly compress.
fn noise(seed: usize, characters: usize) -> String {
    let mut state = seed as u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'A' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..characters).map(|_| next()).collect()
}

fn line(number: usize, characters: usize) -> String {
    let role = if number.is_multiple_of(2) {
        "user"
    } else {
        "assistant"
    };
    let text = noise(number, characters);
    format!(
        "{{\"role\":\"{role}\",\"content\":\"{text}\",\
         \"timestamp\":\"2026-05-01T10:{:02}:{:02}Z\"}}\n",
        number / 60 % 60,
        number % 60
    )
}

fn lines(seed: usize, count: usize, characters: usize) -> Vec<NewRecord> {
    let line = |number| NewRecord::line(line(seed + number, characters));
    (0..count).map(line).collect()
}

fn append(store: &RedbStore, key: &SessionKey, records: &[NewRecord]) {
    store.append(key, Expect::Any, None, records).unwrap();
}

impl Good {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("good.redb");
        let store = RedbStore::open(&path, options()).unwrap();
        imported(&store, &folder.path().join("in"));
        let long = "of-some-length-".repeat(8);
        for number in 0..24 {
            let agent = ["picoclaw", NATIVE, "other"][number % 3];
            let key = SessionKey::new(agent, format!("{number:02}-{long}")).unwrap();
            let mut session = Session::new(key.clone());
            session.project = Some(format!("/work/{long}/{}", number % 2));
            if agent == NATIVE {
                store.ensure_meta(&session).unwrap();
            }
            append(&store, &key, &lines(number * 100, 3, 40));
            if number.is_multiple_of(2) {
                let aliases = vec![format!("alias-{number}-{long}"), format!("b{number}")];
                let change = PropertiesChange::default()
                    .with_title(format!("Given {number}"))
                    .with_project(format!("/given/{long}/{}", number % 4))
                    .with_summary(noise(number, 300))
                    .with_aliases(aliases);
                store.update_properties(&key, &change).unwrap();
            }
        }
        // Sealed segments of several parts, and a tail behind them.
        let big = SessionKey::native("big").unwrap();
        append(&store, &big, &lines(5000, 40, 1500));
        append(&store, &big, &lines(6000, 20, 1500));
        append(&store, &big, &lines(7000, 4, 100));
        // Hidden records, and some that were compacted away.
        let cut = SessionKey::native("cut").unwrap();
        append(&store, &cut, &lines(8000, 80, 60));
        store.truncate(&cut, 40).unwrap();
        store.compact(&cut, None, None).unwrap();
        store.truncate(&cut, 10).unwrap();
        let gone = SessionKey::native("gone").unwrap();
        append(&store, &gone, &lines(9000, 20, 60));
        store.delete(&gone).unwrap();
        drop(store);
        let store = RedbStore::open_read_only(&path, options()).unwrap();
        let listed = store.list(&scrollback::ListQuery::default().with_limit(1000));
        let mut keys: Vec<SessionKey> = listed
            .unwrap()
            .sessions
            .into_iter()
            .map(|s| s.key)
            .collect();
        keys.sort();
        drop(store);
        assert_eq!(keys.len(), 36);
        let bytes = fs::read(&path).unwrap();
        Self {
            folder,
            bytes,
            keys,
        }
    }

    /// A path beside the store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn imported(store: &RedbStore, folder: &Path) {
    let project = folder.join(".claude/projects/-w-with-a-name-of-some-length");
    fs::create_dir_all(&project).unwrap();
    for number in 0..10 {
        let name = format!("{number}-{}", "session-".repeat(6));
        let body: String = (0..12).map(|at| line(number * 50 + at, 60)).collect();
        fs::write(project.join(format!("{name}.jsonl")), body).unwrap();
        fs::write(
            project.join(format!("{name}.meta.json")),
            noise(number, 700),
        )
        .unwrap();
    }
    // A file beside the sessions that takes several parts.
    fs::write(
        project.join(format!("0-{}.big.bin", "session-".repeat(6))),
        noise(77, 40_000),
    )
    .unwrap();
    let report = import(
        store,
        &[folder.to_path_buf()],
        &ImportOptions::default(),
        &mut scrollback::unwatched,
    );
    assert_eq!(report.unwrap().skipped, 0);
}
