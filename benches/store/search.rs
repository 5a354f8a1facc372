//! Searches with the index and without it, beside SQLite's FTS5 over the same texts: what building takes,
//! bytes, times, and how many of the messages that say it are found.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scrollback::{
    Block, ImportOptions, ListQuery, Message, Options, RedbStore, ScanQuery, SearchQuery,
    Store as _, StoreExt as _, import, unwatched,
};

use crate::Outcome;
use crate::measure::{Contestant, compete, say, sizes};

/// Runs the comparison on a folder of sessions.
pub(crate) fn run(folder: &Path, scratch: &Path) -> Outcome {
    let path = scratch.join("search.redb");
    let store = RedbStore::open(&path, Options::default())?;
    let options = ImportOptions::default();
    let start = Instant::now();
    let report = import(&store, &[folder.to_owned()], &options, &mut unwatched)?;
    let imported = start.elapsed();
    let texts = texts(&store)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let start = Instant::now();
    store.index(&mut unwatched)?;
    let indexed = start.elapsed();
    say(&format!(
        "\n{} messages with {bytes} bytes of text: imported in {} ms, indexed in {} ms more",
        texts.len(),
        imported.as_millis(),
        indexed.as_millis()
    ))?;
    let words = scratch.join("words.sqlite");
    let threes = scratch.join("threes.sqlite");
    let fts_words = fts(&words, "unicode61", &texts)?;
    let fts_threes = fts(&threes, "trigram", &texts)?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    sizes(
        "bytes of the index",
        &[
            ("lines", report.bytes),
            ("scrollback", store.index_bytes()?),
            ("FTS5, unicode61", size(&words)),
            ("FTS5, trigram", size(&threes)),
        ],
    )?;
    let bare = scratch.join("bare.redb");
    fs::copy(&path, &bare)?;
    let bare = RedbStore::open(&bare, Options::default())?;
    bare.drop_index()?;
    for (what, asked) in asked(&texts) {
        let lower = asked.to_lowercase();
        let there = texts
            .iter()
            .filter(|text| text.to_lowercase().contains(&lower));
        let there = there.count() as u64;
        let found = [
            counted(&store, &asked)?,
            counted(&bare, &asked)?,
            matched(&fts_words, &asked)?,
            matched(&fts_threes, &asked)?,
        ];
        let [ours, read, word, three] = found;
        say(&format!(
            "\n{what}, `{asked}`: {there} messages; found {ours} with the index, {read} without, {word} by \
             unicode61, {three} by trigram"
        ))?;
        compete(
            &format!("the newest 20 of {what}"),
            1,
            vec![
                Contestant::new("scrollback", || first(&store, &asked)),
                Contestant::new("without the index", || first(&bare, &asked)),
                Contestant::new("FTS5, unicode61", || newest(&fts_words, &asked)),
                Contestant::new("FTS5, trigram", || newest(&fts_threes, &asked)),
            ],
        )?;
    }
    Ok(())
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
            Block::ToolUse { input, .. } => input.as_ref().map_or("", |input| input.as_str()),
            Block::ToolResult { output, .. } => output.as_str(),
            _ => "",
        };
        text.push_str(piece);
        text.push('\n');
    }
    text
}

/// What is asked: words of messages that differ in how many have them.
fn asked(texts: &[String]) -> Vec<(&'static str, String)> {
    let middle = texts.get(texts.len() / 2).map_or("", String::as_str);
    let mut words: Vec<&str> = middle
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() > 5)
        .collect();
    let count = |word: &str| texts.iter().filter(|text| text.contains(word)).count();
    words.sort_by_cached_key(|word| count(word));
    let rare = words.first().copied().unwrap_or("nothing");
    let common = words.last().copied().unwrap_or("nothing");
    let part = rare.get(1..rare.len() - 1).unwrap_or(rare);
    vec![
        ("a rare word", rare.to_owned()),
        ("a part of it", part.to_owned()),
        ("a common word", common.to_owned()),
        ("a word that is nowhere", "qzxwvjkqzx".to_owned()),
    ]
}

fn fts(path: &Path, tokenizer: &str, texts: &[String]) -> Outcome<Connection> {
    let mut connection = Connection::open(path)?;
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
    let took = start.elapsed().as_millis();
    say(&format!("FTS5, {tokenizer}: built in {took} ms"))?;
    Ok(connection)
}

fn quoted(asked: &str) -> String {
    format!("\"{asked}\"")
}

fn counted(store: &RedbStore, asked: &str) -> Outcome<u64> {
    let query = SearchQuery::new(asked.parse()?);
    Ok(store.search_counts(&query, &mut unwatched)?.messages)
}

fn matched(connection: &Connection, asked: &str) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM said WHERE said MATCH ?1";
    let count: i64 = connection.query_row(sql, [quoted(asked)], |row| row.get(0))?;
    Ok(u64::try_from(count)?)
}

fn first(store: &RedbStore, asked: &str) -> Outcome<Duration> {
    let start = Instant::now();
    let query = SearchQuery::new(asked.parse()?).with_limit(20);
    store.search(&query, &mut unwatched)?;
    Ok(start.elapsed())
}

fn newest(connection: &Connection, asked: &str) -> Outcome<Duration> {
    let start = Instant::now();
    let sql = "SELECT rowid FROM said WHERE said MATCH ?1 ORDER BY rowid DESC LIMIT 20";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([quoted(asked)], |row| row.get::<_, i64>(0))?;
    rows.collect::<Result<Vec<i64>, _>>()?;
    Ok(start.elapsed())
}
