//! One session's files, written in words: `"H1 a b c-"` is a header, two lines and one that is cut off. For
//! short histories, each of one rule.
//!
//! | word | is |
//! |---|---|
//! | `H1`, `C1`, `S1` | a header, a cost, a summary (ggcode) |
//! | `hi1` | a line of less than 40 bytes |
//! | `m1` | a line of 50 bytes |
//! | `L1` | a line of 150 bytes |
//! | `B1` | a line of 600 KB |
//! | any other | a line of 100 bytes or more |
//! | `a-`, `a=` | the beginning of that line, and more of it |
//! | `a_` | that line without its terminator |
//! | `END` | the terminator alone |

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use scrollback::report::ImportReport;
use scrollback::{
    Expect, ExportFormat, ImportOptions, ListQuery, NewRecord, Options, RedbStore, ScanQuery,
    SessionKey, Store as _, StoreExt as _, Summary, export_session, import, unwatched,
};

use super::world::ID;
use crate::harness::Home;

/// A session of one agent, its files in several homes, and a store.
pub(super) struct Shelf {
    agent: &'static str,
    place: &'static str,
    home: Home,
    pub(super) store: RedbStore,
    /// The words that lines were made of, by the lines.
    words: RefCell<BTreeMap<Vec<u8>, String>>,
}

impl Shelf {
    fn new(agent: &'static str, place: &'static str) -> Self {
        let home = Home::new();
        let path = home.store_path();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        Self {
            agent,
            place,
            store: RedbStore::open(path, Options::default()).unwrap(),
            home,
            words: RefCell::new(BTreeMap::from([(b"\n".to_vec(), "END".to_owned())])),
        }
    }

    /// Unique ids; it only appends.
    pub(super) fn claude() -> Self {
        Self::new("claude-code", ".claude/projects/-w")
    }

    /// Unique ids; it rewrites its files, their headers and costs.
    pub(super) fn ggcode() -> Self {
        Self::new("ggcode", ".ggcode/sessions")
    }

    /// Unique ids; it takes lines back.
    pub(super) fn jcode() -> Self {
        Self::new("jcode", ".jcode/sessions")
    }

    /// Ids of one folder; it takes lines back, rewrites, and counts what it hides.
    pub(super) fn picoclaw() -> Self {
        Self::new("picoclaw", ".picoclaw/workspace/sessions")
    }

    /// Ids of one folder; anything may happen.
    pub(super) fn notes() -> Self {
        Self::new("jsonl", "notes")
    }

    pub(super) fn key(&self) -> SessionKey {
        SessionKey::new(self.agent, ID).unwrap()
    }

    fn file_name(&self, home: &str) -> String {
        let ending = if self.agent == "jcode" {
            "json"
        } else {
            "jsonl"
        };
        format!("{home}/{}/{ID}.{ending}", self.place)
    }

    /// The line that a word stands for.
    fn line(&self, word: &str) -> Vec<u8> {
        let (whole, end) = match word.char_indices().next_back() {
            Some((at, '-')) => (&word[..at], Some(30)),
            Some((at, '=')) => (&word[..at], Some(35)),
            Some((at, '_')) => (&word[..at], Some(usize::MAX)),
            _ => (word, None),
        };
        let mut known = self.words.borrow_mut();
        let made = known.iter().find(|(_, made)| *made == whole);
        let mut line = match made {
            Some((line, _)) => line.clone(),
            None => self.new_line(whole, known.len()).into_bytes(),
        };
        known.insert(line.clone(), whole.to_owned());
        if let Some(end) = end {
            line.truncate(end.min(line.len() - 1));
            known.insert(line.clone(), word.to_owned());
        }
        line
    }

    fn new_line(&self, word: &str, made: usize) -> String {
        let time = format!("2026-10-01T10:{:02}:{:02}.000Z", made / 60, made % 60);
        let says = match self.agent {
            "claude-code" => format!(
                "{{\"type\":\"user\",\"uuid\":\"{word}\",\"sessionId\":\"{ID}\",\"timestamp\":\"{time}\",\
                 \"message\":{{\"role\":\"user\",\"content\":\"*\"}}}}\n"
            ),
            "ggcode" => format!(
                "{{\"type\":\"message\",\"w\":\"{word}\",\"message\":{{\"role\":\"user\",\"content\":[\
                 {{\"type\":\"text\",\"text\":\"*\"}}]}}}}\n"
            ),
            "jcode" => format!(
                "{{\"type\":\"user\",\"w\":\"{word}\",\"content\":\"*\",\"timestamp\":\"{time}\"}}\n"
            ),
            _ => format!("{{\"role\":\"user\",\"w\":\"{word}\",\"content\":\"*\"}}\n"),
        };
        let (line, bytes) = match word.as_bytes() {
            [b'H', ..] => (
                format!(
                    "{{\"type\":\"meta\",\"session_id\":\"{ID}\",\"title\":\"{word}\",\"created_at\":\
                     \"{time}\",\"updated_at\":\"{time}\"}}\n"
                ),
                0,
            ),
            [b'C', ..] => (
                format!("{{\"type\":\"cost\",\"cost\":{{\"{word}\":1}}}}\n"),
                0,
            ),
            [b'S', ..] => (
                format!("{{\"type\":\"checkpoint\",\"text\":\"{word} *\"}}\n"),
                100,
            ),
            [b'h', b'i', ..] => (format!("{{\"x\":\"{word}\"}}\n"), 0),
            [b'm', ..] => (format!("{{\"x\":\"{word}\",\"y\":\"*\"}}\n"), 50),
            [b'L', ..] => (says, 150),
            [b'B', ..] => (says, 600_000),
            _ => (says, 100),
        };
        let pad = ".".repeat(usize::saturating_sub(bytes, line.len() - 1));
        line.replace('*', &pad)
    }

    /// Lines of words.
    fn lines(&self, words: &str) -> Vec<u8> {
        let words = words.split_whitespace();
        words.flat_map(|word| self.line(word)).collect()
    }

    /// Lines as words.
    fn words(&self, lines: &[u8]) -> String {
        let known = self.words.borrow();
        let lines = lines.split_inclusive(|byte| *byte == b'\n');
        let words = lines.map(|line| match known.get(line) {
            Some(word) => word.as_str(),
            None => std::str::from_utf8(line).unwrap(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Writes the file of a home, which was changed for the last time at a second, without importing it.
    pub(super) fn write(&self, home: &str, words: &str, second: u64) {
        let path = self.home.write(&self.file_name(home), self.lines(words));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }

    /// Removes the file of a home.
    pub(super) fn remove(&self, home: &str) {
        std::fs::remove_file(self.path(home)).unwrap();
    }

    /// The file of a home.
    pub(super) fn path(&self, home: &str) -> PathBuf {
        self.home.path().join(self.file_name(home))
    }

    /// Says how many lines of picoclaw's file are hidden.
    pub(super) fn hides(&self, home: &str, skip: u64) {
        self.says_key(home, ID, skip);
    }

    /// Says that, and which chat picoclaw's file is of.
    pub(super) fn says_key(&self, home: &str, key: &str, skip: u64) {
        let meta = format!(
            "{{\"key\":\"{key}\",\"summary\":\"\",\"skip\":{skip},\"count\":9,\"created_at\":\
             \"2026-04-03T11:20:00Z\",\"updated_at\":\"2026-04-03T11:20:00Z\"}}"
        );
        let name = self.file_name(home).replace(".jsonl", ".meta.json");
        self.home.write(&name, meta);
    }

    /// Imports the file of a home.
    pub(super) fn import(&self, home: &str) -> ImportReport {
        let options = ImportOptions::default();
        import(&self.store, &[self.path(home)], &options, &mut unwatched).unwrap()
    }

    /// Writes the file of a home, and imports it.
    pub(super) fn put(&self, home: &str, words: &str, second: u64) -> ImportReport {
        self.write(home, words, second);
        self.import(home)
    }

    /// Appends to the session here.
    pub(super) fn here(&self, words: &str) {
        for word in words.split_whitespace() {
            let record = [NewRecord::line(self.line(word))];
            let appended = self.store.append(&self.key(), Expect::Any, None, &record);
            appended.unwrap();
        }
    }

    /// Removes all but the last records of the session here.
    pub(super) fn compact(&self, keep: u64) {
        self.store.truncate(&self.key(), keep).unwrap();
        self.store.compact(&self.key(), None, None).unwrap();
    }

    /// The sessions and contents by their names, the plain id first: what an export of each gives.
    pub(super) fn exports(&self) -> Vec<String> {
        let keys = self.keys().into_iter();
        keys.map(|key| self.export(&key)).collect()
    }

    fn export(&self, key: &SessionKey) -> String {
        let mut bytes = Vec::new();
        export_session(&self.store, key, ExportFormat::Jsonl, &mut bytes).unwrap();
        self.words(&bytes)
    }

    /// Every word that is stored, in whichever content.
    pub(super) fn all_words(&self) -> BTreeSet<String> {
        let logs = self.keys().into_iter().map(|key| self.log_of(&key));
        let words = logs.collect::<Vec<_>>().join(" ");
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// All records of the plain id, by their numbers.
    pub(super) fn log(&self) -> String {
        self.log_of(&self.key())
    }

    fn log_of(&self, key: &SessionKey) -> String {
        let records = self.store.records(key, ScanQuery::default());
        let mut records: Vec<_> = records.map(|record| record.unwrap()).collect();
        records.sort_by_key(|record| record.sequence);
        let words = records.iter().map(|record| self.words(&record.line));
        words.collect::<Vec<_>>().join(" ")
    }

    fn keys(&self) -> Vec<SessionKey> {
        let sessions = self.store.list(&ListQuery::default()).unwrap().sessions;
        let mut keys: Vec<SessionKey> = sessions.iter().map(|found| found.key.clone()).collect();
        keys.sort_by_key(|key| key.id().to_owned());
        for summary in sessions.iter().filter(|summary| summary.contents > 1) {
            for number in 1..20 {
                let id = format!("{}~{number}", summary.key.id());
                let key = SessionKey::new(self.agent, id).unwrap();
                let other = self.store.summary(&key);
                if other.is_ok_and(|other| other.number != summary.number) && !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    /// The row of the plain id.
    pub(super) fn summary(&self) -> Summary {
        self.store.summary(&self.key()).unwrap()
    }

    /// What an export of each content gives; and nothing is wrong with the store.
    #[track_caller]
    pub(super) fn is(&self, exports: &[&str]) {
        assert_eq!(self.exports(), exports);
        self.is_whole();
    }

    /// Nothing is wrong with the store.
    #[track_caller]
    pub(super) fn is_whole(&self) {
        let report = self.store.verify_deep(&[], &mut unwatched).unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    /// What an export of the only content gives, and all its records.
    #[track_caller]
    pub(super) fn is_one(&self, export: &str, log: &str) {
        self.is(&[export]);
        assert_eq!(self.log(), log);
    }
}
