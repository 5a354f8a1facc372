//! A world of files and one store: operations on both, and what is known of every line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use scrollback::{
    Expect, ExportFormat, ImportOptions, ListQuery, NewRecord, Options, RedbStore, ScanQuery,
    SessionKey, Store, StoreExt as _, export_session, import, unwatched,
};

use scrollback::report::ImportReport;

use crate::harness::Home;

/// An agent whose files the histories are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unique ids, lines with times, nothing rewritten.
    Claude,
    /// Unique ids, a header that is rewritten and a cost that goes to the end.
    Ggcode,
    /// Ids that hold in one folder; anything may happen to the file.
    Notes,
}

/// The id of the one session, as far as agents know.
pub(super) const ID: &str = "00000777-1111-4222-8333-000000000777";

/// The places that files lie at.
pub(super) const PLACES: [&str; 4] = ["h1/p", "h1/q", "bak/p", "h2/p"];

/// A file as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Copy {
    pub lines: Vec<String>,
    /// Its time of last change.
    pub mtime: u64,
    /// When its content was made.
    pub made: u64,
}

/// Files, a store, and what is known of the lines.
pub(super) struct World {
    pub kind: Kind,
    pub home: Home,
    pub store: RedbStore,
    pub files: BTreeMap<&'static str, Copy>,
    /// Lines that were imported or appended here, and not removed.
    pub known: BTreeSet<String>,
    /// Lines that a compaction here has removed: a file may go on having them.
    pub removed: BTreeSet<String>,
    /// What was imported from each place last.
    pub imported: BTreeMap<&'static str, Vec<String>>,
    pub tick: u64,
    next: u64,
    pub trace: Vec<String>,
}

impl World {
    pub(super) fn new(kind: Kind) -> Self {
        let home = Home::new();
        let path = home.store_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Self {
            kind,
            store: RedbStore::open(path, Options::default()).unwrap(),
            home,
            files: BTreeMap::new(),
            known: BTreeSet::new(),
            removed: BTreeSet::new(),
            imported: BTreeMap::new(),
            tick: 10,
            next: 0,
            trace: Vec::new(),
        }
    }

    pub(super) fn key(&self) -> SessionKey {
        let agent = match self.kind {
            Kind::Claude => "claude-code",
            Kind::Ggcode => "ggcode",
            Kind::Notes => "jsonl",
        };
        SessionKey::new(agent, ID).unwrap()
    }

    pub(super) fn path(&self, place: &str) -> PathBuf {
        let (home, folder) = place.split_once('/').unwrap();
        let inner = match self.kind {
            Kind::Claude => format!("{home}/.claude/projects/-w-{folder}/{ID}.jsonl"),
            Kind::Ggcode => format!("{home}/{folder}/.ggcode/sessions/{ID}.jsonl"),
            Kind::Notes => format!("{home}/{folder}/{ID}.jsonl"),
        };
        self.home.path().join(inner)
    }

    /// A new line that says something, with its terminator.
    pub(super) fn said(&mut self, word: &str) -> String {
        self.next += 1;
        let (next, seconds) = (self.next, self.tick);
        let time = format!("2026-10-01T10:{:02}:{:02}.000Z", seconds / 60, seconds % 60);
        match self.kind {
            Kind::Claude => format!(
                "{{\"type\":\"user\",\"uuid\":\"u{next}\",\"sessionId\":\"{ID}\",\"timestamp\":\"{time}\",\
                 \"message\":{{\"role\":\"user\",\"content\":\"{word} {next}\"}}}}\n"
            ),
            Kind::Ggcode => format!(
                "{{\"type\":\"message\",\"session_id\":\"{ID}\",\"message\":{{\"role\":\"user\",\"content\":\
                 [{{\"type\":\"text\",\"text\":\"{word} {next}\"}}]}}}}\n"
            ),
            Kind::Notes => format!(
                "{{\"role\":\"user\",\"content\":\"{word} {next} and some more words of it\"}}\n"
            ),
        }
    }

    /// A line that says too little to be known by.
    pub(super) fn hi(&self) -> String {
        match self.kind {
            Kind::Ggcode | Kind::Claude => "{\"hi\":1}\n".to_owned(),
            Kind::Notes => "{\"role\":\"user\",\"content\":\"hi\"}\n".to_owned(),
        }
    }

    pub(super) fn header(&mut self) -> Option<String> {
        self.next += 1;
        (self.kind == Kind::Ggcode).then(|| {
            format!(
                "{{\"type\":\"meta\",\"session_id\":\"{ID}\",\"title\":\"Title {}\",\
                 \"created_at\":\"2026-10-01T09:00:00Z\",\"updated_at\":\"2026-10-01T10:{:02}:{:02}Z\"}}\n",
                self.next,
                self.tick / 60,
                self.tick % 60,
            )
        })
    }

    pub(super) fn cost(&self) -> String {
        format!(
            "{{\"type\":\"cost\",\"session_id\":\"{ID}\",\"cost\":{{\"total\":{}}}}}\n",
            self.tick
        )
    }

    pub(super) fn is_frame(line: &str) -> bool {
        line.starts_with("{\"type\":\"meta\"") || line.starts_with("{\"type\":\"cost\"")
    }

    /// Puts a file where it lies, with its time.
    pub(super) fn put(&self, place: &'static str) {
        let path = self.path(place);
        match self.files.get(place) {
            Some(copy) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, copy.lines.concat()).unwrap();
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + copy.mtime);
                File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_modified(time)
                    .unwrap();
            }
            None => drop(fs::remove_file(path)),
        }
    }

    /// Appends a text to a file, behind an unterminated line too.
    pub(super) fn add(&mut self, place: &'static str, text: String) {
        let tick = self.tick;
        let copy = self.files.get_mut(place).unwrap();
        match copy.lines.last_mut() {
            Some(last) if !last.ends_with('\n') => last.push_str(&text),
            _ => copy.lines.push(text),
        }
        (copy.mtime, copy.made) = (tick, tick);
        self.put(place);
    }

    pub(super) fn import(&mut self, place: &'static str) -> ImportReport {
        let options = ImportOptions::default();
        let report = import(&self.store, &[self.path(place)], &options, &mut unwatched).unwrap();
        if let Some(copy) = self.files.get(place) {
            let whole = copy.lines.iter().filter(|line| line.ends_with('\n'));
            let told = whole.filter(|line| line.len() >= 40 && !self.removed.contains(*line));
            self.known.extend(told.cloned());
            self.imported.insert(place, copy.lines.clone());
        }
        report
    }

    /// Appends to the session here.
    pub(super) fn append_here(&mut self) {
        let line = self.said("here");
        let records = [NewRecord::line(line.as_bytes())];
        self.store
            .append(&self.key(), Expect::Any, None, &records)
            .unwrap();
        self.known.insert(line);
    }

    /// Every session of the store: its key, and the lines that are stored.
    pub(super) fn contents(&self) -> Vec<(SessionKey, Vec<String>)> {
        let sessions = self.store.list(&ListQuery::default()).unwrap().sessions;
        let mut contents = Vec::new();
        for summary in &sessions {
            let mut keys = vec![summary.key.clone()];
            if summary.contents > 1 {
                // Other sessions may be called so too, where ids are not unique.
                let is_listed = |key: &SessionKey| sessions.iter().any(|other| other.key == *key);
                let agent = summary.key.agent();
                let numbered = (1..20).map(|number| format!("{}~{number}", summary.key.id()));
                let numbered = numbered.map(|id| SessionKey::new(agent, id).unwrap());
                keys.extend(numbered.filter(|key| {
                    let other = self.store.summary(key);
                    !is_listed(key) && other.is_ok_and(|other| other.number != summary.number)
                }));
                assert_eq!(keys.len() as u64, summary.contents, "{:?}", self.trace);
            }
            for key in keys {
                let records = self.store.records(&key, ScanQuery::default());
                let lines = records.map(|record| String::from_utf8(record.unwrap().line).unwrap());
                contents.push((key, lines.collect()));
            }
        }
        contents
    }

    /// What an export of a session gives, line by line.
    pub(super) fn exported(&self, key: &SessionKey) -> Vec<String> {
        let mut bytes = Vec::new();
        export_session(&self.store, key, ExportFormat::Jsonl, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }
}
