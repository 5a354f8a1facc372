//! Searches of the tool, with the index and without it, beside ripgrep over the files and SQLite's FTS5 over the
//! same texts: what building takes, bytes, times of whole processes, and how many of the messages that say it
//! are found.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rusqlite::Connection;
use scrollback::{
    Block, ListQuery, Message, Options, RedbStore, ScanQuery, SearchQuery, Store as _,
    StoreExt as _, unwatched,
};

use crate::Outcome;
use crate::measure::{say, sizes};
use crate::processes::{Called, table};
use crate::real::{self, PLANTED};

/// The first argument of a child process that asks FTS5: a database and what is asked follow.
pub(crate) const CHILD: &str = "search-child";

/// With more bytes of lines no index of trigrams is built by SQLite: it takes many times their size.
const TRIGRAM_BYTES: u64 = 200_000_000;

/// Runs of each process.
const ROUNDS: usize = 9;

/// Runs of one that takes seconds.
const LONG_ROUNDS: usize = 3;

/// Something that is asked.
struct Asked {
    what: &'static str,
    words: &'static str,
    is_phrase: bool,
}

const fn words(what: &'static str, words: &'static str) -> Asked {
    Asked {
        what,
        words,
        is_phrase: false,
    }
}

const fn phrase(what: &'static str, words: &'static str) -> Asked {
    Asked {
        what,
        words,
        is_phrase: true,
    }
}

const ASKED: [Asked; 14] = [
    words("a rare word", "flimbertine"),
    words("a word that is nowhere", "qzxwvjkqzx"),
    words("a common word", "function"),
    words("two words", "quokka heuristic"),
    words("a word of common pieces", "eviction"),
    words("a part of a name", "QuorumEpoch"),
    words("half a name", "widget_latt"),
    words("a path", "crates/zorbla/src/widget_lattice.rs"),
    words("signs", "E4477-glorp"),
    words("hex", "3f9a1c"),
    words("Chinese", "所有权"),
    words("Japanese", "借用"),
    phrase("a phrase", "cannot be borrowed"),
    phrase("a phrase of common words", "the end of the"),
];

/// A regular expression that must hold no text.
const EXPRESSION: &str = "[A-Z][a-z]+[0-9][0-9]+[a-z]";

/// Runs the comparison, on a folder of sessions or on one that is made of what lies on this machine.
pub(crate) fn run(given: Option<PathBuf>, scratch: &Path) -> Outcome {
    let tool = tool()?;
    let folder = match given {
        Some(folder) => folder,
        None => made(&scratch.join("said"))?,
    };
    let (path, bare) = (scratch.join("search.redb"), scratch.join("bare.redb"));
    building(&tool, &folder, &path, &bare)?;
    let store = RedbStore::open(&path, Options::default())?;
    let lines = store.stats()?.agents.iter().map(|agent| agent.bytes).sum();
    let texts = texts(&store)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    say(&format!(
        "\n{} messages with {bytes} bytes of text",
        texts.len()
    ))?;
    let mut rivals = vec![Rival::build(
        "FTS5, unicode61",
        "unicode61",
        scratch,
        &texts,
    )?];
    if lines <= TRIGRAM_BYTES {
        rivals.push(Rival::build("FTS5, trigram", "trigram", scratch, &texts)?);
    }
    let mut all = vec![("lines", lines), ("scrollback", store.index_bytes()?)];
    for rival in &rivals {
        all.push((rival.name, fs::metadata(&rival.path)?.len()));
    }
    sizes("bytes of the index", &all)?;
    let place = Place {
        tool: &tool,
        folder: &folder,
        path: &path,
        bare: &bare,
        rivals: &rivals,
    };
    // White space is one blank, as in a phrase.
    let texts: Vec<String> = texts
        .iter()
        .map(|text| {
            text.to_lowercase()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    for asked in ASKED {
        place.ask(&asked, &store, &texts)?;
    }
    place.ask_expression()
}

/// A folder of about as many bytes as the environment asks for.
fn made(folder: &Path) -> Outcome<PathBuf> {
    let bytes: u64 = match env::var("SCROLLBACK_BENCH_BYTES") {
        Ok(bytes) => bytes.parse()?,
        Err(_) => 100_000_000,
    };
    let made = real::folder(folder, usize::try_from(bytes / 65_000)?.max(4), bytes)?;
    say(&format!(
        "made {} sessions, {} lines, {} bytes of what lies on this machine; planted: {PLANTED:?}",
        made.files, made.lines, made.bytes
    ))?;
    Ok(folder.to_owned())
}

/// The tool of a release build: it lies beside this program.
pub(crate) fn tool() -> Outcome<PathBuf> {
    let program = env::current_exe()?;
    let folder = program.parent().and_then(Path::parent);
    let tool = folder.unwrap_or(Path::new("")).join("scrollback");
    if tool.is_file() {
        return Ok(tool);
    }
    Err("the tool is measured: first run `cargo build --release -p scrollback-cli`".into())
}

/// Imports into one store with an index and one without.
fn building(tool: &Path, folder: &Path, path: &Path, bare: &Path) -> Outcome {
    // Each time into a store that is new.
    let script = "rm -f \"$2\"; exec \"$0\" --store \"$2\" import $3 \"$1\"";
    let import = |name, store: &Path, option: &str| {
        Called::new(
            name,
            &[&"sh", &"-c", &script, &tool, &folder, &store, &option],
        )
    };
    let taken = table(
        "import",
        LONG_ROUNDS,
        &[
            import("import --no-index", bare, "--no-index"),
            import("import", path, ""),
        ],
    )?;
    if let [without, with] = taken.as_slice() {
        let ratio = f64::from(with.cpu) / f64::from(without.cpu.max(1));
        say(&format!(
            "  CPU with the index beside that without: {ratio:.2}x"
        ))?;
    }
    Ok(())
}

/// Where everything lies.
struct Place<'p> {
    tool: &'p Path,
    folder: &'p Path,
    path: &'p Path,
    bare: &'p Path,
    rivals: &'p [Rival],
}

impl Place<'_> {
    /// How many of the messages that say it each finds, and what the newest 20 take.
    fn ask(&self, asked: &Asked, store: &RedbStore, texts: &[String]) -> Outcome {
        let (what, query, full_text) = (asked.what, asked.query(), asked.full_text());
        let there = texts.iter().filter(|text| asked.is_in(text)).count();
        let found = counted(store, &query)?;
        let mut line = format!("\n{what}, `{query}`: {there} messages; found {found}");
        for rival in self.rivals {
            write!(line, ", {} by {}", rival.matched(&full_text)?, rival.name)?;
        }
        say(&line)?;
        let mut all = vec![Called::new(
            "scrollback, the newest 20",
            &[&self.tool, &"--store", &self.path, &"search", &query],
        )];
        if has_ripgrep() {
            let expression = asked.expression();
            let words: [&dyn AsRef<OsStr>; 6] = [
                &"rg",
                &"--hidden",
                &"--no-ignore",
                &"-ni",
                &expression,
                &self.folder,
            ];
            all.push(Called::new("ripgrep, all lines", &words));
        }
        let program = env::current_exe()?;
        for rival in self.rivals {
            all.push(Called::new(
                rival.name,
                &[&program, &CHILD, &rival.path, &full_text],
            ));
        }
        table(what, ROUNDS, &all)?;
        Ok(())
    }

    /// What cannot be looked up.
    fn ask_expression(&self) -> Outcome {
        let ours = |name, store: &Path| {
            let words = [
                &self.tool as &dyn AsRef<OsStr>,
                &"--store",
                &store,
                &"search",
                &"--regex",
                &"--count",
                &EXPRESSION,
            ];
            Called::new(name, &words)
        };
        let mut all = vec![ours("scrollback, counted", self.path)];
        if has_ripgrep() {
            let words = [
                &"rg" as &dyn AsRef<OsStr>,
                &"--hidden",
                &"--no-ignore",
                &"-c",
                &EXPRESSION,
                &self.folder,
            ];
            all.insert(0, Called::new("ripgrep, counted", &words));
        }
        all.push(ours("scrollback without its index, counted", self.bare));
        table(&format!("`re:{EXPRESSION}`"), LONG_ROUNDS, &all)?;
        Ok(())
    }
}

impl Asked {
    /// As the tool reads it.
    fn query(&self) -> String {
        if self.is_phrase {
            format!("\"{}\"", self.words)
        } else {
            self.words.to_owned()
        }
    }

    /// As FTS5 reads it: words by themselves, a phrase as one.
    fn full_text(&self) -> String {
        if self.is_phrase {
            return self.query();
        }
        let words = self.words.split(' ').map(|word| format!("\"{word}\""));
        words.collect::<Vec<_>>().join(" ")
    }

    /// As ripgrep reads it: on one line, as all of a message is there.
    fn expression(&self) -> String {
        if self.is_phrase {
            return format!("\\b{}\\b", self.words);
        }
        self.words.replace('.', "\\.").replace(' ', ".*")
    }

    /// Whether a text says it, of small letters and with single blanks.
    fn is_in(&self, text: &str) -> bool {
        let words = self.words.to_lowercase();
        if !self.is_phrase {
            return words.split(' ').all(|word| text.contains(word));
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        text.match_indices(&words).any(|(at, found)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + found.len()..)
                .and_then(|text| text.chars().next());
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    }
}

fn has_ripgrep() -> bool {
    let told = Command::new("rg").arg("--version").output();
    told.is_ok_and(|told| told.status.success())
}

/// What each message says.
fn texts(store: &RedbStore) -> Outcome<Vec<String>> {
    let mut texts = Vec::new();
    let mut query = ListQuery::default().with_limit(1000);
    loop {
        let page = store.list(&query)?;
        for session in page.sessions {
            for shown in store.view(&session.key, ScanQuery::default()) {
                texts.extend(shown?.messages.iter().map(text_of));
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(texts),
        }
    }
}

fn text_of(message: &Message) -> String {
    let mut text = String::new();
    for block in &message.content {
        let piece = match block {
            Block::Text { text } | Block::Thinking { text, .. } => text.as_str(),
            Block::ToolUse { input, .. } => {
                let json = input.as_ref().map_or("", |input| input.as_str());
                // A phrase goes on behind the end of a line.
                text.push_str(&json.replace("\\n", "\n").replace("\\t", "\t"));
                ""
            }
            Block::ToolResult { output, .. } => output.as_str(),
            _ => "",
        };
        text.push_str(piece);
        text.push('\n');
    }
    text
}

fn counted(store: &RedbStore, query: &str) -> Outcome<u64> {
    let query = SearchQuery::new(query.parse()?);
    Ok(store.search_counts(&query, &mut unwatched)?.messages)
}

/// An index of SQLite's over the texts, without the texts.
struct Rival {
    name: &'static str,
    path: PathBuf,
}

impl Rival {
    fn build(
        name: &'static str,
        tokenizer: &str,
        scratch: &Path,
        texts: &[String],
    ) -> Outcome<Self> {
        let path = scratch.join(format!("{tokenizer}.sqlite"));
        let mut connection = Connection::open(&path)?;
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE said USING fts5(text, content='', tokenize='{tokenizer}')"
        ))?;
        let start = Instant::now();
        let txn = connection.transaction()?;
        {
            let mut insert = txn.prepare("INSERT INTO said (rowid, text) VALUES (?1, ?2)")?;
            for (at, text) in texts.iter().enumerate() {
                insert.execute(rusqlite::params![i64::try_from(at)?, text])?;
            }
        }
        txn.commit()?;
        say(&format!(
            "{name}: built in {} ms",
            start.elapsed().as_millis()
        ))?;
        Ok(Self { name, path })
    }

    fn matched(&self, words: &str) -> Outcome<i64> {
        let sql = "SELECT count(*) FROM said WHERE said MATCH ?1";
        let connection = Connection::open(&self.path)?;
        Ok(connection.query_row(sql, [words], |row| row.get(0))?)
    }
}

/// Asks FTS5 for the newest 20, in a process of its own.
pub(crate) fn child(path: &str, words: &str) -> Outcome {
    let connection = Connection::open(path)?;
    let sql = "SELECT rowid FROM said WHERE said MATCH ?1 ORDER BY rowid DESC LIMIT 20";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([words], |row| row.get::<_, i64>(0))?;
    rows.collect::<Result<Vec<i64>, _>>()?;
    Ok(())
}
