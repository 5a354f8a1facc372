//! Real text that lies on a machine where this is built: code of crates and of Python, the documentation of
//! Rust, of which a book is there in Chinese and Japanese too.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::generate::random::Random;

/// Bytes of one kind of text.
const KIND_BYTES: usize = 30_000_000;

/// Bytes of one file.
const FILE_BYTES: std::ops::Range<usize> = 600..400_000;

/// Texts by their kinds.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Code, each with the last parts of its path.
    pub(crate) code: Vec<(String, String)>,
    /// English.
    pub(crate) prose: Vec<String>,
    /// Chinese, then Japanese.
    pub(crate) unspaced: [Vec<String>; 2],
    /// Words of the prose, as they follow each other.
    pub(crate) words: Vec<String>,
}

impl Sources {
    /// What is there. Where there is no documentation, the crates' own has to do for prose, and for Chinese
    /// and Japanese.
    pub(crate) fn gather(random: &mut Random) -> Self {
        let crates = cargo_home().join("registry/src");
        let mut code = texts(&crates, &["rs"], "", random);
        code.extend(texts(Path::new("/usr/lib/python3"), &["py"], "", random));
        code.extend(texts(&crates, &["c", "h", "toml", "json"], "", random));
        let docs = documentation();
        let mut prose: Vec<String> = pages(&docs.join("book"), "", random);
        prose.extend(pages(&docs.join("reference"), "", random));
        prose.extend(pages(&docs.join("std"), "", random));
        let notes = texts(&crates, &["md"], "", random);
        prose.extend(notes.into_iter().map(|(_, text)| text));
        let mut unspaced = ["/zh/", "/ja/"].map(|part| pages(&docs, part, random));
        for texts in &mut unspaced {
            if texts.is_empty() {
                texts.clone_from(&prose);
            }
        }
        let is_word = |word: &&str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
        let words = prose.iter().flat_map(|text| text.split_whitespace());
        let words = words.filter(is_word).take(200_000);
        let words = words.map(str::to_lowercase).collect();
        Self {
            code,
            prose,
            unspaced,
            words,
        }
    }
}

fn cargo_home() -> PathBuf {
    let home = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Where the compiler's documentation lies, if it was installed.
fn documentation() -> PathBuf {
    let told = Command::new("rustc").args(["--print", "sysroot"]).output();
    let told = told.map(|told| told.stdout).unwrap_or_default();
    let sysroot = String::from_utf8_lossy(&told).trim().to_owned();
    Path::new(&sysroot).join("share/doc/rust/html")
}

/// The texts of files with one of these endings, whose paths have `part`, in any order.
fn texts(
    folder: &Path,
    endings: &[&str],
    part: &str,
    random: &mut Random,
) -> Vec<(String, String)> {
    let is_wanted = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.contains(&ending))
            && path.to_str().is_some_and(|path| path.contains(part))
    };
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_wanted(path))
        .collect();
    for at in (1..paths.len()).rev() {
        paths.swap(at, random.below(at + 1));
    }
    let (mut texts, mut bytes) = (Vec::new(), 0);
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if bytes >= KIND_BYTES {
            break;
        }
        if FILE_BYTES.contains(&text.len()) {
            bytes += text.len();
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            let last = parts.get(parts.len().saturating_sub(3)..);
            texts.push((last.unwrap_or_default().join("/"), text));
        }
    }
    texts
}

/// What pages of HTML say.
fn pages(folder: &Path, part: &str, random: &mut Random) -> Vec<String> {
    let pages = texts(folder, &["html"], part, random).into_iter();
    let said = pages.map(|(_, page)| without_tags(&page));
    said.filter(|text| text.len() >= FILE_BYTES.start).collect()
}

/// The main part of a page, without tags, and without more than one empty line in a row.
fn without_tags(page: &str) -> String {
    let main = page.split_once("<main>").map_or(page, |(_, main)| main);
    let main = main.split_once("</main>").map_or(main, |(main, _)| main);
    let mut text = String::with_capacity(main.len());
    for (at, piece) in main.split('<').enumerate() {
        let said = match at {
            0 => piece,
            _ => piece.split_once('>').map_or("", |(_, said)| said),
        };
        text.push_str(said);
    }
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.trim().is_empty() || !out.ends_with("\n\n") {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// Some lines of a text, of about so many bytes.
pub(crate) fn cut<'t>(text: &'t str, bytes: usize, random: &mut Random) -> &'t str {
    let start = random.below(text.len().saturating_sub(bytes).max(1));
    let is_end = |at: &usize| text.is_char_boundary(*at);
    let start = (start..text.len()).find(is_end).unwrap_or(0);
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.find('\n').and_then(|end| rest.get(end + 1..));
    let rest = line.filter(|line| !line.is_empty()).unwrap_or(rest);
    let is_end = |at: &usize| rest.is_char_boundary(*at);
    let end = (0..=bytes.min(rest.len())).rev().find(is_end);
    let end = end.unwrap_or(0);
    rest.get(..end).unwrap_or_default()
}
