//! Sessions whose text is real text that lies on the machine: code, prose, Chinese and Japanese, logs, base64.
//!
//! What [`crate::generate::folder`] makes has few words, each as likely everywhere: no text that people search is so. What lies
//! on a machine is its own, so that figures of two machines are not of the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::Outcome;
use crate::generate::Made;
use crate::generate::random::Random;
use crate::sources::{Sources, cut};

/// What is said in a few messages and nowhere else, and in how many.
pub(crate) const PLANTED: [(&str, usize); 5] = [
    ("Flimbertine", 3),
    ("the quokka eviction heuristic is wrong", 4),
    ("resolveQuorumEpochV7", 25),
    ("crates/zorbla/src/widget_lattice.rs", 60),
    ("E4477-glorp", 1),
];

const PROJECTS: usize = 37;
/// Files that the sessions of a project read.
const FILES: usize = 220;
/// Names that a project has.
const NAMES: usize = 600;

/// About how many bytes a line has.
const LINE_BYTES: u64 = 2_500;

/// Sizes of sessions in hundredths of the mean.
const SIZES: [u64; 12] = [15, 25, 35, 45, 55, 70, 85, 100, 125, 160, 210, 275];

/// A folder that agents work in.
struct Project {
    folder: String,
    files: Vec<usize>,
    names: Vec<String>,
}

/// A maker of sessions.
struct Maker {
    random: Random,
    sources: Sources,
    projects: Vec<Project>,
    lines: u64,
    /// By the number of a line: what is said in it.
    planted: Vec<(u64, &'static str)>,
}

/// Writes so many sessions of so many bytes in all below `folder`, as Claude Code does.
pub(crate) fn folder(folder: &Path, files: usize, bytes: u64) -> Outcome<Made> {
    let mut random = Random::new(42);
    let sources = Sources::gather(&mut random);
    if sources.code.is_empty() || sources.words.is_empty() {
        return Err("there is no code and no prose on this machine to make sessions of".into());
    }
    let all = usize::try_from(bytes / LINE_BYTES)?;
    let mut planted = Vec::new();
    for (text, count) in PLANTED {
        planted.extend((0..count).map(|_| (random.below(all) as u64, text)));
    }
    let projects = (0..PROJECTS)
        .map(|number| Project::new(number, &sources, &mut random))
        .collect();
    let mut maker = Maker {
        random,
        sources,
        projects,
        lines: 0,
        planted,
    };
    let mean = bytes / u64::try_from(files.max(1))?;
    let mut made = Made::default();
    for number in 0..files {
        let size = SIZES.get(maker.random.below(SIZES.len())).copied();
        let wanted = usize::try_from(mean * size.unwrap_or(100) / 100)?;
        let (project, id, text) = maker.session(number, wanted)?;
        let path = folder.join(".claude/projects").join(project);
        fs::create_dir_all(&path)?;
        fs::write(path.join(format!("{id}.jsonl")), &text)?;
        made.files += 1;
        made.bytes += text.len() as u64;
    }
    made.lines = maker.lines;
    Ok(made)
}

impl Project {
    fn new(number: usize, sources: &Sources, random: &mut Random) -> Self {
        let word = |random: &mut Random| {
            let word = sources.words.get(random.below(sources.words.len()));
            word.map_or("", String::as_str)
        };
        let name = |random: &mut Random| {
            let (one, other) = (word(random), word(random));
            match random.below(3) {
                0 => format!("{one}_{other}"),
                1 => {
                    let (first, rest) = other.split_at(other.len().min(1));
                    format!("{one}{}{rest}", first.to_uppercase())
                }
                _ => format!("{one}_{other}_{}", word(random)),
            }
        };
        // Files that lie near each other: code of one language.
        let start = random.below(sources.code.len());
        let near = |random: &mut Random| (start + random.below(2_000)) % sources.code.len();
        Self {
            folder: format!("/home/dev/proj{number}"),
            files: (0..FILES).map(|_| near(random)).collect(),
            names: (0..NAMES).map(|_| name(random)).collect(),
        }
    }
}

impl Maker {
    /// A session: the folder of its project, its id, and its lines.
    fn session(&mut self, number: usize, bytes: usize) -> Outcome<(String, String, Vec<u8>)> {
        let project = self.random.zipf(PROJECTS);
        let unspaced = match self.random.below(100) {
            0..=2 => Some(0),
            3 => Some(1),
            _ => None,
        };
        let of = Of { project, unspaced };
        let folder = self.project(of).folder.clone();
        let id = self.uuid();
        let minutes = i64::try_from(number)? * 40;
        let mut time = DateTime::from_timestamp(1_767_225_600 + minutes * 60, 0);
        let (mut text, mut lines, mut parent) = (Vec::with_capacity(bytes), 0, Value::Null);
        while text.len() < bytes || lines < 4 {
            let uuid = self.uuid();
            let step = i64::try_from(self.random.between(200, 20_000))?;
            time = time.map(|time: DateTime<Utc>| time + TimeDelta::milliseconds(step));
            let size = self.size().min(bytes / 3 + 200);
            let (kind, message) = match lines % 5 {
                0 => ("user", self.asked(of, size)),
                1 | 3 => ("assistant", self.called(of, size)),
                _ => ("user", self.answered(of, size)),
            };
            let stamp = time.unwrap_or_default().format("%Y-%m-%dT%H:%M:%S%.3fZ");
            let line = json!({
                "parentUuid": parent, "isSidechain": false, "userType": "external", "cwd": folder,
                "sessionId": id, "version": "2.1.63", "gitBranch": "main", "type": kind,
                "message": message, "uuid": uuid, "timestamp": stamp.to_string(),
            });
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
            parent = Value::String(uuid);
            lines += 1;
            self.lines += 1;
        }
        Ok((folder.replace('/', "-"), id, text))
    }

    fn project(&self, of: Of) -> &Project {
        // There are as many as `zipf` chooses from.
        #[expect(clippy::indexing_slicing, reason = "a number below their count")]
        &self.projects[of.project]
    }

    fn uuid(&mut self) -> String {
        let mut id = String::with_capacity(36);
        self.random.uuid(&mut id);
        id
    }

    /// A size of a text: most are short.
    fn size(&mut self) -> usize {
        let bits = self.random.between(4, 12) + self.random.below(3) * self.random.below(3);
        let least = 1_usize << bits;
        self.random.between(least, least * 2).min(200_000)
    }

    /// What is planted in the line that is being made.
    fn plant(&self) -> String {
        let here = self.planted.iter().filter(|(line, _)| *line == self.lines);
        here.flat_map(|(_, text)| [" ", text, " "]).collect()
    }

    fn file(&mut self, of: Of) -> (String, usize) {
        let at = self.random.zipf(FILES);
        let project = self.project(of);
        let code = project.files.get(at).copied().unwrap_or_default();
        let path = self.sources.code.get(code).map_or("", |(path, _)| path);
        (format!("{}/{path}", project.folder), code)
    }

    fn code(&mut self, code: usize, bytes: usize) -> String {
        let text = self.sources.code.get(code).map_or("", |(_, text)| text);
        cut(text, bytes, &mut self.random).to_owned()
    }

    fn name(&mut self, of: Of) -> String {
        let at = self.random.zipf(NAMES);
        let name = self.project(of).names.get(at);
        name.cloned().unwrap_or_default()
    }

    /// Some paragraphs.
    fn prose(&mut self, of: Of, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 600);
        while text.len() < bytes {
            let unspaced = of.unspaced.filter(|_| self.random.percent(60));
            let all = unspaced.and_then(|language| self.sources.unspaced.get(language));
            let all = all.unwrap_or(&self.sources.prose);
            let source = all.get(self.random.below(all.len()));
            let bytes = self.random.between(60, 560);
            let source = source.map_or("", String::as_str);
            text.push_str(cut(source, bytes, &mut self.random));
            text.push_str("\n\n");
            if self.random.percent(33) {
                let (name, (path, _)) = (self.name(of), self.file(of));
                let _ = writeln!(text, "`{name}` in {path}");
            }
        }
        text
    }

    fn asked(&mut self, of: Of, size: usize) -> Value {
        let text = self.prose(of, size.min(3_000));
        json!({"role": "user", "content": format!("{text}{}", self.plant())})
    }

    fn called(&mut self, of: Of, size: usize) -> Value {
        let text = self.prose(of, size.min(6_000));
        let (path, code) = self.file(of);
        let name = self.name(of);
        let folder = self.project(of).folder.clone();
        let (tool, input) = match self.random.below(4) {
            0 => ("Read", json!({"file_path": path})),
            1 => ("Grep", json!({"pattern": name, "path": folder})),
            2 => {
                let command = format!("cd {folder} && cargo test {name} 2>&1 | tail -40");
                (
                    "Bash",
                    json!({"command": command, "description": "Run tests"}),
                )
            }
            _ => {
                let (old, new) = (
                    self.code(code, size.min(800)),
                    self.code(code, size.min(900)),
                );
                let new = new.replace("value", &name);
                let input = json!({"file_path": path, "old_string": old, "new_string": new});
                ("Edit", input)
            }
        };
        let id = self.uuid();
        json!({
            "model": "claude-x", "id": format!("msg_{id}"), "type": "message", "role": "assistant",
            "content": [
                {"type": "text", "text": format!("{text}{}", self.plant())},
                {"type": "tool_use", "id": format!("toolu_{id}"), "name": tool, "input": input},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 4, "cache_read_input_tokens": size, "output_tokens": 90},
        })
    }

    fn answered(&mut self, of: Of, size: usize) -> Value {
        let text = self.output(of, size);
        let id = self.uuid();
        json!({"role": "user", "content": [{
            "tool_use_id": format!("toolu_{id}"), "type": "tool_result",
            "content": format!("{text}{}", self.plant()), "is_error": false,
        }]})
    }

    /// What a tool printed.
    fn output(&mut self, of: Of, size: usize) -> String {
        let mut text = String::with_capacity(size + 200);
        let kind = self.random.below(20);
        if kind < 9 {
            let (_, code) = self.file(of);
            let first = self.random.below(900);
            for (at, line) in self.code(code, size).lines().enumerate() {
                let _ = writeln!(text, "{:>6}\t{line}", first + at);
            }
            return text;
        }
        if kind == 19 {
            text.push_str("data:image/png;base64,");
            self.random.noise(size * 2, &mut text);
            return text;
        }
        while text.len() < size {
            let (path, code) = self.file(of);
            let number = self.random.below(90_000);
            let line = match kind {
                9..=12 => {
                    let code = self.code(code, 90);
                    format!(
                        "{path}:{}:{}\n",
                        number % 2_000,
                        code.lines().next().unwrap_or("")
                    )
                }
                13..=15 => format!("test {}::tests::{} ... ok\n", self.name(of), self.name(of)),
                16 | 17 => format!(
                    "2026-03-{:02}T{:02}:{:02}:07.{:03}Z INFO request_id={} sha={:016x}{:016x} took {}ms\n",
                    1 + number % 28,
                    number % 24,
                    number % 60,
                    number % 1_000,
                    self.uuid(),
                    self.random.bits(),
                    self.random.bits(),
                    number % 5_000
                ),
                _ => format!("-rw-r--r-- 1 dev dev {number:>7} Jun 12 10:11 {path}\n"),
            };
            text.push_str(&line);
        }
        text
    }
}

/// Of what a session is.
#[derive(Clone, Copy)]
struct Of {
    project: usize,
    /// The language of some of its prose, if that is one without spaces.
    unspaced: Option<usize>,
}
