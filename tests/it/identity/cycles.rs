//! Sessions that go from their program to here and back, ten times over: continued here, exported, put in
//! their place, continued by the program, which saves, truncates and compacts in its own ways.

use std::fs;
use std::path::PathBuf;

use scrollback::{
    Block, ImportOptions, ListQuery, Message, Options, RedbStore, Role, ScanQuery, Session,
    SessionKey, Store as _, StoreExt as _, import, unwatched,
};
use serde_json::Value;

use crate::harness::{Home, export_as_lines, files_below};

/// A program, and one session of it.
#[derive(Clone, Copy, Debug)]
struct Program {
    agent: &'static str,
    id: &'static str,
    /// Where its home lies, and the file in it.
    place: &'static str,
    file: &'static str,
    /// What a new file begins with.
    begins: &'static [&'static str],
    /// A line that says something.
    says: fn(&str) -> String,
    /// What it does to the file at the end of a round, given its lines and the round.
    saves: fn(&Cycle, Vec<String>, usize) -> Vec<String>,
}

const PROGRAMS: [Program; 4] = [
    Program {
        agent: "picoclaw",
        id: "telegram:1",
        place: ".picoclaw/workspace/sessions",
        file: "telegram_1.jsonl",
        begins: &[],
        says: |text| format!("{{\"role\":\"user\",\"content\":\"{text}\"}}\n"),
        saves: picoclaw_saves,
    },
    Program {
        agent: "jcode",
        id: "7f9c0000-1111-4222-8333-000000000001",
        place: ".jcode/sessions",
        file: "7f9c0000-1111-4222-8333-000000000001.json",
        begins: &[
            "{\"type\":\"session_start\",\"uuid\":\"7f9c0000-1111-4222-8333-000000000001\",\"project\":\
             \"/home/dev/shop\",\"provider\":\"zhipu\",\"model\":\"glm\",\"timestamp\":\"2026-04-03T11:15:00+02:00\"}\n",
        ],
        says: |text| {
            format!(
                "{{\"type\":\"user\",\"content\":\"{text}\",\"timestamp\":\"2026-04-03T11:15:04+02:00\"}}\n"
            )
        },
        saves: jcode_saves,
    },
    Program {
        agent: "celeste",
        id: "1774000000000000001",
        place: ".celeste/sessions/8f09a69e9fed88db",
        file: "1774000000000000001.jsonl",
        begins: &[],
        says: |text| {
            format!(
                "{{\"type\":\"user\",\"content\":\"{text}\",\"timestamp\":\"2026-04-03T11:30:00.120345678+02:00\"}}\n"
            )
        },
        saves: |_, lines, _| lines,
    },
    Program {
        agent: "native",
        id: "00000000-0000-4000-8000-000000000001",
        place: "kept",
        file: "00000000-0000-4000-8000-000000000001.jsonl",
        begins: &[
            "{\"scrollback\":1,\"type\":\"session\",\"id\":\"00000000-0000-4000-8000-000000000001\",\"title\":\
             \"Kept\",\"created_at\":\"2026-04-03T11:15:00Z\",\"updated_at\":\"2026-04-03T11:15:00Z\"}\n",
        ],
        says: |text| {
            format!(
                "{{\"scrollback\":1,\"type\":\"message\",\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}\n"
            )
        },
        saves: |_, lines, _| lines,
    },
];

/// picoclaw counts its lines beside them. Every third round it keeps the last four and rewrites the file
/// (`Save`); in the round before it only moves its mark.
fn picoclaw_saves(cycle: &Cycle, mut lines: Vec<String>, round: usize) -> Vec<String> {
    let path = cycle.path().with_extension("meta.json");
    let meta = fs::read_to_string(&path).map_or(Value::Null, |text| {
        serde_json::from_str(&text).expect("a meta file that is JSON")
    });
    let mut skip = usize::try_from(meta["skip"].as_u64().unwrap_or(0)).unwrap();
    if !round.is_multiple_of(3) {
        skip = skip.max(lines.len().saturating_sub(4));
    }
    if round % 3 == 2 {
        lines.drain(..skip);
        skip = 0;
    }
    let text = format!(
        "{{\n  \"key\": \"telegram:1\",\n  \"summary\": \"Round {round}.\",\n  \"skip\": {skip},\n  \
         \"count\": {},\n  \"created_at\": \"2026-04-03T11:20:00.918273645+02:00\",\n  \
         \"updated_at\": \"2026-04-03T12:{round:02}:00.5+02:00\"\n}}",
        lines.len()
    );
    fs::write(path, text).unwrap();
    lines
}

/// jcode writes to its teammate's file beside, and every fourth round takes back its last user message.
fn jcode_saves(cycle: &Cycle, mut lines: Vec<String>, round: usize) -> Vec<String> {
    let id = cycle.program.id;
    let folder = cycle.folder().join(id).join("subagents");
    let path = folder.join("agent-scout.jsonl");
    fs::create_dir_all(&folder).unwrap();
    let mut text = fs::read_to_string(&path).unwrap_or_else(|_| {
        format!(
            "{{\"type\":\"session_start\",\"uuid\":\"{id}/scout\",\"project\":\"scout\",\"provider\":\
             \"teammate\",\"model\":\"glm\",\"timestamp\":\"2026-04-03T11:15:00+02:00\"}}\n"
        )
    });
    text.push_str(&(cycle.program.says)(&format!("teammate {round}.")));
    fs::write(path, text).unwrap();
    if round % 4 == 3 {
        lines.pop();
    }
    lines
}

/// A program's home, and a store.
struct Cycle {
    program: Program,
    home: Home,
    store: RedbStore,
    /// What was ever said, and imported or stored.
    said: Vec<String>,
}

impl Cycle {
    fn new(program: Program) -> Self {
        let home = Home::new();
        let path = home.store_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let store = RedbStore::open(path, Options::default()).unwrap();
        Self {
            program,
            home,
            store,
            said: Vec::new(),
        }
    }

    fn key(&self) -> SessionKey {
        SessionKey::new(self.program.agent, self.program.id).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("home").join(self.program.place)
    }

    fn path(&self) -> PathBuf {
        self.folder().join(self.program.file)
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path()).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::create_dir_all(self.folder()).unwrap();
        fs::write(self.path(), lines.concat()).unwrap();
    }

    /// The program goes on: it says two things, and saves in its way.
    fn go_on(&mut self, round: usize) {
        let mut lines = self.lines();
        for text in [format!("program {round}a."), format!("program {round}b.")] {
            lines.push((self.program.says)(&text));
        }
        let lines = (self.program.saves)(self, lines, round);
        self.write(&lines);
        self.said.push(format!("program {round}a."));
        if lines.concat().contains(&format!("program {round}b.")) {
            self.said.push(format!("program {round}b."));
        }
    }

    /// The session goes on here.
    fn go_on_here(&mut self, round: usize) {
        let text = format!("here {round}.");
        let key = self.key();
        let mut session = self.store.load(&key).unwrap_or_else(|_| Session::new(key));
        session.messages.push(Message::text(Role::User, &text));
        self.store.save(&mut session).unwrap();
        self.said.push(text);
    }

    fn import(&self) {
        let paths = [self.home.path().join("home")];
        let report = import(
            &self.store,
            &paths,
            &ImportOptions::default(),
            &mut unwatched,
        )
        .unwrap();
        assert_eq!(report.paths_failed, 0, "{report:?}");
    }

    /// Exports everything, and answers the folder of the program's sessions in it.
    fn export(&self) -> PathBuf {
        let out = self.home.path().join("out");
        drop(fs::remove_dir_all(&out));
        export_as_lines(&self.store, &out);
        let files = files_below(&out);
        let is_it = |path: &&PathBuf| path.file_name().unwrap() == self.program.file;
        let found: Vec<&PathBuf> = files.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{:?}: {files:?}", self.program);
        found[0].parent().unwrap().to_owned()
    }

    /// Exports everything and puts it where the program's files lie.
    fn bring_back(&self) {
        let from = self.export();
        for path in files_below(&from) {
            let to = self.folder().join(path.strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, to).unwrap();
        }
    }

    /// One session, each line once, and the file as the program has it.
    fn check(&self, when: &str) {
        let when = format!("{} {when}", self.program.agent);
        let sessions = self.store.list(&ListQuery::default()).unwrap().sessions;
        let own = sessions.iter().filter(|found| found.key == self.key());
        let contents: Vec<u64> = own.map(|found| found.contents).collect();
        assert_eq!(contents, [1], "{when}: {sessions:#?}");
        let extra = usize::from(self.folder().join(self.program.id).exists());
        assert_eq!(sessions.len(), 1 + extra, "{when}: {sessions:#?}");
        let records = self.store.records(&self.key(), ScanQuery::default());
        let stored: Vec<String> = records
            .map(|record| String::from_utf8(record.unwrap().line).unwrap())
            .collect();
        // A header may have the first text as its title.
        let said = |line: &&String| !line.contains("\"type\":\"session\"");
        for text in &self.said {
            let lines = stored.iter().filter(said);
            let times = lines.filter(|line| line.contains(text)).count();
            assert_eq!(times, 1, "{when}: {text} in {stored:#?}");
        }
        let exported = fs::read_to_string(self.export().join(self.program.file)).unwrap();
        let there = self.lines().concat();
        assert_eq!(exported, there, "{when}");
        // What is shown of it is what the program reads.
        let session = self.store.load(&self.key()).unwrap();
        let shown: Vec<String> = session
            .messages
            .iter()
            .flat_map(|message| &message.content)
            .filter_map(|block| match block {
                Block::Text { text } => Some(text.clone()),
                _ => None,
            })
            .collect();
        assert!(!shown.is_empty(), "{when}");
        for text in &shown {
            assert!(there.contains(text.as_str()), "{when}: {text} is shown");
        }
    }

    fn rounds(&mut self) {
        for round in 0..10 {
            self.go_on_here(round);
            self.bring_back();
            self.import();
            self.check(&format!("brought back in round {round}"));
            self.go_on(round);
            self.import();
            self.check(&format!("continued in round {round}"));
        }
        let report = self.store.verify_deep(&[], &mut unwatched).unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

#[test]
fn a_session_of_each_program_stays_one_through_ten_rounds() {
    for program in PROGRAMS {
        let mut cycle = Cycle::new(program);
        let mut lines: Vec<String> = program.begins.iter().map(|line| (*line).into()).collect();
        lines.push((program.says)("the first."));
        cycle.write(&lines);
        cycle.write(&(program.saves)(&cycle, lines, 0));
        cycle.said.push("the first.".into());
        cycle.import();
        cycle.check("at first");
        cycle.rounds();
    }
}

#[test]
fn a_session_made_here_is_one_with_the_file_that_its_export_made() {
    for program in PROGRAMS {
        let mut cycle = Cycle::new(program);
        cycle.go_on_here(99);
        cycle.bring_back();
        cycle.import();
        cycle.check("made here");
        cycle.rounds();
    }
}
