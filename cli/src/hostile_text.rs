//! Every command over hostile text, on streams that say that they are terminals: nothing reaches
//! them that a terminal obeys, or that hides or turns text.
//!
//! The commands are those that clap knows: a new one without a row fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser as _};

use super::Cli;
use super::commands;
use super::exit::{self, Failure};
use super::open::{ChosenStore, Environment, Tool};
use super::output::tests::captured;
use scrollback::{
    Block, Expect, Message, NewRecord, Options, PropertiesChange, RawJson, RedbStore, Role,
    SessionKey, Store as _,
};

/// Text that commands a terminal (OSC 52, OSC 8, CSI, C1), overwrites (CR, BS), hides or turns.
const EVIL: &str = "e\x1b]52;c;eA==\x07\x1b]8;;http://t\x1b\\\x1b[2J\u{9b}31m\r\x08\x7f\
                    \u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{2029}\u{85}\u{e0041}\nx";

/// Every command, in its ways. `ID`, `ID2`: sessions; `IN`: a folder to import; `OUT`: a new one;
/// `HISTORIES`: a folder of truncated histories; `EVIL`: the text.
const ROWS: [&[&str]; 106] = [
    &["import", "IN"],
    &["import", "IN", "--dry-run"],
    &["import", "EVIL", "IN"],
    &["list"],
    &["list", "--all", "--limit", "1"],
    &["list", "--title", "EVIL"],
    &["list", "--project", "EVIL"],
    &["list", "--project", "./EVIL"],
    &["show", "ID"],
    &["show", "ID", "--hidden"],
    &["show", "ID", "--hidden", "--raw"],
    &["show", "ID", "--tail", "1"],
    &["show", "ID2", "--raw"],
    &["show", "ID", "--whole", "--hidden"],
    &["show", "ID#2"],
    &["show", "ID#2", "-C", "2"],
    &["show", "ID#99"],
    &["show", "ID#2", "-n", "1"],
    &["show", "ID", "--save", "OUT"],
    &["show", "ID", "--save", "IN/fileEVIL"],
    &["show"],
    &["list", "--sort", "title", "--limit", "0"],
    &["list", "--sort", "size", "-n", "1"],
    &["list", "--model", "EVIL", "--branch", "EVIL"],
    &["export", "ID", "--format", "html"],
    &["export", "--all", "--to", "OUT", "--format", "html"],
    &["usage"],
    &["usage", "--by", "session"],
    &["usage", "--by", "project", "--since", "monday"],
    &["usage", "--by", "model", "--prices", "IN/fileEVIL"],
    &["usage", "--prices", "missingEVIL"],
    &["completions", "bash"],
    &["resume", "ID"],
    &["resume", "missingEVIL"],
    &["resume", "ID", "--run"],
    &["put-back", "ID", "--to", "OUT"],
    &["put-back", "missingEVIL", "--to", "OUT"],
    &["put-back", "ID2", "--to", "IN/fileEVIL"],
    &["man"],
    &["man", "--to", "OUT/EVIL"],
    &["man", "--to", "IN/fileEVIL"],
    &["show", "EVIL"],
    &["show", "e"],
    &["show", "missingEVIL"],
    &["index"],
    &["index", "--drop"],
    &["search", "]52"],
    &["search", "]52", "-C", "2", "--limit", "1"],
    &["search", "]52", "--sessions"],
    &["search", "\"missing", "EVIL"],
    &["search", "missingEVIL"],
    &["search", "--regex", "re(EVIL"],
    &["search", "]52", "--agent", "EVIL", "--count"],
    &["export", "ID"],
    &["export", "ID", "--format", "markdown"],
    &["export", "ID", "ID2", "--to", "OUT"],
    &["export", "--all", "--to", "OUT"],
    &["export", "--all", "--to", "OUT", "--format", "markdown"],
    &["export", "--all", "--to", "IN/fileEVIL"],
    &["export", "missingEVIL"],
    &["rename", "ID", "EVIL"],
    &["rename", "ID", "--clear"],
    &["rename", "missingEVIL", "x"],
    &["alias", "ID"],
    &["alias", "ID", "newEVIL"],
    &["alias", "ID2", "otherEVIL"],
    &["alias", "ID", "otherEVIL", "--remove"],
    &["pin", "ID"],
    &["pin", "missingEVIL"],
    &["unpin", "ID"],
    &["archive", "ID"],
    &["unarchive", "ID"],
    &["fork", "ID"],
    &["fork", "ID", "--id", "forkedEVIL"],
    &["fork", "ID", "--id", "ID2"],
    &["truncate", "ID", "--keep", "1"],
    &["compact", "ID"],
    &["compact", "--all", "--archive", "OUT"],
    &["compact", "--jsonl", "HISTORIES"],
    &["compact", "--jsonl", "missingEVIL"],
    &["cleanup", "--older-than", "0d", "--dry-run", "--pinned-too"],
    &["cleanup", "--older-than", "0d", "--dry-run"],
    &["cleanup", "--older-than", "0d", "--pinned-too"],
    &["delete", "ID"],
    &["delete", "missingEVIL"],
    &["deleted"],
    &["deleted", "--forget", "EVIL"],
    &["reread", "--all"],
    &["reread", "ID"],
    &["reread", "missingEVIL"],
    &["scrub"],
    &["status"],
    &["status", "--agent", "EVIL"],
    &["stats"],
    &["stats", "--files"],
    &["verify"],
    &["verify", "--deep"],
    &["verify", "--deep", "--against", "IN/fileEVIL"],
    &["repair", "--to", "IN/fileEVIL"],
    &["copy", "STORE", "OUT/EVIL"],
    &["copy", "IN/noneEVIL", "OUT/EVIL"],
    &["backup", "IN/fileEVIL"],
    &["backup", "--force", "IN/fileEVIL"],
    &["restore", "IN/fileEVIL"],
    &["restore", "--replace", "IN/fileEVIL"],
    &["restore", "missingEVIL"],
];

/// What no terminal may be sent.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(
            c,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn id(number: u32) -> String {
    format!("{EVIL}{number}")
}

fn blocks() -> Vec<Block> {
    let own = || Some(EVIL.to_owned());
    let json = || RawJson::from_value(&serde_json::json!({ "type": EVIL, "a": EVIL }));
    let image = || Block::Image {
        media_type: own(),
        data: None,
        url: own(),
    };
    vec![
        Block::Text { text: EVIL.into() },
        Block::Thinking {
            text: EVIL.into(),
            signature: own(),
        },
        image(),
        Block::ToolUse {
            id: own(),
            name: EVIL.into(),
            input: json().ok(),
        },
        Block::ToolResult {
            id: own(),
            name: own(),
            output: EVIL.into(),
            is_error: true,
            images: vec![image()],
        },
        Block::Other {
            json: json().unwrap(),
        },
    ]
}

/// A store of sessions that say `EVIL` in every field, and files to import.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let store = RedbStore::open(scene.store(), Options::default()).unwrap();
        for number in 0..3 {
            let key = SessionKey::native(id(number)).unwrap();
            let records = [Role::User, Role::Assistant, Role::Tool].map(|role| {
                let mut message = Message::new(role);
                message.content = blocks();
                message.model = Some(EVIL.to_owned());
                NewRecord::message(message)
            });
            store.append(&key, Expect::Any, None, &records).unwrap();
            let torn = format!("{{\"type\":\"{}", EVIL.replace('\n', " "));
            let torn = NewRecord::line(torn);
            store.append(&key, Expect::Any, None, &[torn]).unwrap();
            let change = PropertiesChange::default()
                .with_title(EVIL)
                .with_project(EVIL)
                .with_parent(EVIL)
                .with_summary(EVIL)
                .with_aliases([
                    format!("{}{number}", if number == 0 { "other" } else { "a" }) + EVIL,
                ])
                .with_pinned(number == 1)
                .with_archived(number == 2);
            store.update_properties(&key, &change).unwrap();
            store.truncate(&key, 2).unwrap();
        }
        drop(store);
        scene.write_files();
        scene
    }

    /// Files of hostile names and contents, good and bad.
    fn write_files(&self) {
        let name = EVIL.replace('/', "_");
        let text = serde_json::Value::from(EVIL);
        let line = format!(
            "{{\"type\":\"user\",\"uuid\":{text},\"sessionId\":{text},\"cwd\":{text},\"gitBranch\":{text},\
             \"message\":{{\"role\":\"user\",\"model\":{text},\"content\":{text}}}}}\n"
        );
        let place = format!("in/.claude/projects/-w/{name}");
        self.write(&format!("{place}.jsonl"), &line);
        self.write(&format!("{place}/tool-results/{name}.txt"), EVIL);
        self.write(&format!("in/{name}.jsonl"), &format!("{{\"a\":{EVIL}\n"));
        self.write(&format!("in/file{name}"), EVIL);
        self.write("in/.ggcode/sessions/index.json", &format!("{{{EVIL}"));
        self.write(&format!("histories/{name}.jsonl"), EVIL);
        self.write(
            &format!("histories/{name}.meta.json"),
            &format!("{{\"skip\":{EVIL}"),
        );
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", self.path().join(format!("in/l{name}.jsonl")))
            .unwrap();
    }

    fn write(&self, relative: &str, content: &str) {
        let path = self.path().join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> PathBuf {
        self.path().join(format!("s{}", EVIL.replace('/', "_")))
    }

    /// An argument of a row.
    fn argument(&self, text: &str) -> String {
        let folder = |name: &str| self.path().join(name).to_str().unwrap().to_owned();
        match text {
            "ID" => id(0),
            "ID2" => id(1),
            "ID#2" => format!("{}#2", id(0)),
            "ID#99" => format!("{}#99", id(0)),
            "OUT" => folder("out"),
            "OUT/EVIL" => folder("out") + "/" + &EVIL.replace('/', "_"),
            "HISTORIES" => folder("histories"),
            "STORE" => self.store().to_str().unwrap().to_owned(),
            _ => text
                .replace("IN", &folder("in"))
                .replace("EVIL", &EVIL.replace('/', "_")),
        }
    }

    /// Runs a command. Returns both of its streams.
    fn run(&self, row: &[&str], json: bool) -> (String, String) {
        let arguments = row.iter().map(|text| self.argument(text));
        let arguments = ["scrollback".to_owned()].into_iter().chain(arguments);
        let cli = Cli::try_parse_from(arguments).unwrap();
        let environment = Environment {
            now: Some("2099-06-01T12:00:00Z".into()),
            data: Some(self.path().join("data")),
            ..Environment::default()
        };
        let (out, stdout, stderr) = captured(true, json);
        // A copy names both stores itself.
        let store = (row[0] != "copy").then(|| self.store());
        let target = match ChosenStore::find(store, environment) {
            Ok(target) => target,
            Err(Failure::Usage(text)) => panic!("{text}"),
            Err(Failure::Error { error, .. }) => panic!("{error}"),
        };
        let mut tool = Tool::new(target, out);
        let outcome = commands::run(&cli.command, Cli::command, &mut tool);
        exit::code(outcome, &mut tool.out);
        (stdout.text(), stderr.text())
    }
}

#[track_caller]
fn assert_inert(row: &[&str], stream: &str) {
    if let Some(bad) = stream.replace("\r\n", "\n").chars().find(|c| is_obeyed(*c)) {
        panic!("{row:?} sends {bad:?}: {stream:?}");
    }
}

#[test]
fn every_command_has_a_row() {
    let command = Cli::command();
    let known: BTreeSet<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let rows: BTreeSet<&str> = ROWS.iter().filter_map(|row| row.first().copied()).collect();
    assert_eq!(known, rows);
}

#[test]
fn no_command_sends_a_terminal_what_it_obeys() {
    let (mut runs, mut escaped) = (0, 0);
    let mut scene = Scene::new();
    let whole = fs::read(scene.store()).unwrap();
    for row in ROWS {
        for json in [false, true] {
            let (stdout, stderr) = scene.run(row, json);
            assert_inert(row, &stdout);
            assert_inert(row, &stderr);
            let is_raw = row[0] == "export" && !row.contains(&"--to");
            // Scripts and manuals have no other form.
            let is_raw = is_raw || matches!(row[0], "completions" | "man");
            let is_raw = is_raw || (row.contains(&"--raw") && !json);
            if json && !is_raw {
                for line in stdout.lines() {
                    let value: Result<serde_json::Value, _> = serde_json::from_str(line);
                    assert!(value.is_ok(), "{row:?}: {line}");
                }
            }
            let is_silent = stdout.is_empty() && stderr.is_empty();
            assert!(!is_silent || json || row[0] == "export", "{row:?}");
            runs += 1;
            escaped += u32::from((stdout + &stderr).contains("e\\x1b]52") || json);
            if matches!(row[0], "cleanup" | "delete" | "compact") {
                fs::write(scene.store(), &whole).unwrap();
            }
        }
        if row[0] == "import" {
            scene = Scene::new();
        }
    }
    assert!(runs == 2 * ROWS.len() && escaped >= 75, "{runs} {escaped}");
}

#[test]
fn errors_of_a_damaged_store_are_spelled_out_too() {
    let scene = Scene::new();
    let whole = fs::read(scene.store()).unwrap();
    let evil = EVIL.as_bytes();
    let places: Vec<usize> = whole
        .windows(evil.len())
        .enumerate()
        .filter(|(_, window)| *window == evil)
        .map(|(at, _)| at)
        .collect();
    let mut found = 0;
    // Beside the text of keys and rows, so that errors quote it.
    for place in places.iter().step_by(places.len() / 40 + 1) {
        let mut damaged = whole.clone();
        damaged[place + evil.len()] ^= 1;
        fs::write(scene.store(), &damaged).unwrap();
        for row in [
            &["verify"][..],
            &["list", "--all"],
            &["show", "ID"],
            &["show", "other0EVIL"],
        ] {
            let (stdout, stderr) = scene.run(row, false);
            assert_inert(row, &stdout);
            assert_inert(row, &stderr);
            found += usize::from(row[0] == "verify" && !stdout.contains("nothing is wrong"));
        }
    }
    assert!(found >= 5, "{found}");
}
