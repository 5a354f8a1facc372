//! Folders of sessions as Claude Code and Codex write them, made from a seed.
//!
//! The kinds of lines, their lengths and how well they compress follow what was measured on real
//! folders; the content is nonsense. The same seed gives the same bytes on every machine.

mod claude_code;
mod codex;
pub(crate) mod random;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use self::random::Random;
use self::text::{Project, Vocabulary};

/// Whose sessions to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    /// Below `.claude/projects/`.
    ClaudeCode,
    /// Below `.codex/sessions/`.
    Codex,
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Whose sessions.
    pub(crate) agent: Agent,
    /// How many files, one session each.
    pub(crate) files: usize,
    /// About how many bytes in all.
    pub(crate) bytes: u64,
    /// Where the numbers start.
    pub(crate) seed: u64,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Made {
    /// Files.
    pub(crate) files: usize,
    /// Lines in all files.
    pub(crate) lines: u64,
    /// Bytes in all files.
    pub(crate) bytes: u64,
}

/// Sizes of files in hundredths of the mean: most are small, a few are large.
const SIZES: [u64; 10] = [5, 10, 20, 35, 50, 80, 110, 150, 220, 320];

/// Fewest lines in a file.
const LINES_MIN: u64 = 4;

/// Writes the sessions below `folder`, which need not exist.
///
/// # Errors
///
/// Whatever the file system says.
pub(crate) fn folder(folder: &Path, plan: Plan) -> io::Result<Made> {
    let mut random = Random::new(plan.seed);
    let vocabulary = Vocabulary::new();
    let projects: Vec<Project> = (0..8)
        .map(|number| Project::new(number, &vocabulary))
        .collect();
    let mean = plan.bytes / u64::try_from(plan.files.max(1)).unwrap_or(u64::MAX);
    let mut made = Made::default();
    for _ in 0..plan.files {
        let Some(project) = projects.get(random.zipf(projects.len())) else {
            break;
        };
        let share = match plan.files {
            1 => 100,
            _ => SIZES.get(random.below(SIZES.len())).copied().unwrap_or(100),
        };
        let mut session = Session::new(&vocabulary, project, random.bits(), mean * share / 100);
        let path = match plan.agent {
            Agent::ClaudeCode => claude_code::write(&mut session),
            Agent::Codex => codex::write(&mut session),
        };
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &session.text)?;
        made.files += 1;
        made.lines += session.lines;
        made.bytes += session.text.len() as u64;
    }
    Ok(made)
}

/// A session being written.
struct Session<'a> {
    vocabulary: &'a Vocabulary,
    project: &'a Project,
    random: Random,
    time: DateTime<Utc>,
    id: String,
    bytes_wanted: u64,
    text: String,
    lines: u64,
}

impl<'a> Session<'a> {
    fn new(vocabulary: &'a Vocabulary, project: &'a Project, seed: u64, bytes_wanted: u64) -> Self {
        let mut random = Random::new(seed);
        let mut id = String::with_capacity(36);
        random.uuid(&mut id);
        // Minutes since the start of 2026: sessions lie somewhere in the first ten months.
        let minutes = i64::try_from(random.below(300 * 24 * 60)).unwrap_or(0);
        let time = DateTime::from_timestamp(1_767_225_600 + minutes * 60, 0).unwrap_or_default();
        Self {
            vocabulary,
            project,
            random,
            time,
            id,
            bytes_wanted,
            text: String::new(),
            lines: 0,
        }
    }

    /// Whether the file has as many bytes and lines as it should.
    fn is_full(&self) -> bool {
        self.lines >= LINES_MIN && self.text.len() as u64 >= self.bytes_wanted
    }

    /// Lets some time pass, and appends the time it is then, quoted.
    fn stamp(&mut self) {
        let step = i64::try_from(self.random.between(200, 20_000)).unwrap_or(1_000);
        self.time += TimeDelta::milliseconds(step);
        self.text.push('"');
        self.text
            .push_str(&self.time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        self.text.push('"');
    }

    /// Appends a JSON string.
    fn quote(&mut self, text: &str) {
        text::quote(text, &mut self.text);
    }

    /// Appends text that is JSON already.
    fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// Appends characters that hardly compress.
    fn noise(&mut self, characters: usize) {
        self.random.noise(characters, &mut self.text);
    }

    /// Ends a line.
    fn end(&mut self) {
        self.text.push('\n');
        self.lines += 1;
    }

    /// Sentences.
    fn prose(&mut self, bytes: usize) -> String {
        self.vocabulary.prose(&mut self.random, bytes)
    }

    /// What a tool gave back: part of a file, or what a command printed.
    fn output(&mut self) -> (String, String) {
        // One output is no more than a tenth of a file, so that small files stay small.
        let bytes_max = usize::try_from(self.bytes_wanted / 10).unwrap_or(usize::MAX);
        let bytes = text::length(&mut self.random).min(bytes_max);
        if self.random.percent(60) {
            let (path, text) = self.project.excerpt(&mut self.random, bytes);
            (path.to_owned(), text)
        } else {
            let text = self
                .project
                .output(self.vocabulary, &mut self.random, bytes);
            (String::new(), text)
        }
    }

    /// The path of a file named after the session's start.
    fn dated(&self, format: &str) -> PathBuf {
        PathBuf::from(self.time.format(format).to_string())
    }
}
