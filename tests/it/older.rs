//! Exports that harm nobody: older contents lie where no agent looks, and what a reader should know
//! is told.

use std::fs;
use std::time::{Duration, SystemTime};

use scrollback::report::ExportReport;
use scrollback::{
    Expect, ExportOptions, ListQuery, NewRecord, RedbStore, SessionKey, Store, export_all_as,
    unwatched,
};

use crate::harness::{Home, export_as_lines, files_below};
use crate::homes::{GGCODE, key, said, set_mtime};
use crate::import::{PROJECT, content_of, lines, open, run, run_in, sessions};

/// Where picoclaw keeps sessions.
const PICOCLAW: &str = "in/.picoclaw/workspace/sessions";

/// Exports everything to the folder `out`.
fn export(home: &Home, store: &RedbStore) -> ExportReport {
    let out = home.path().join("out");
    export_as_lines(store, &out)
}

/// The files of the export, and their contents.
fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path().join("out").join(name)).unwrap()
}

fn names(home: &Home) -> Vec<String> {
    let out = home.path().join("out");
    let files = files_below(&out).into_iter();
    files
        .map(|file| {
            file.strip_prefix(&out)
                .unwrap_or(&file)
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// A chat of picoclaw with so many messages, as the program leaves it.
fn chat(home: &Home, count: usize) {
    let line = |number: usize| format!("{{\"role\":\"user\",\"content\":\"{number}\"}}\n");
    let lines: String = (0..count).map(line).collect();
    home.write(&format!("{PICOCLAW}/telegram_1.jsonl"), lines);
    let meta = format!(
        "{{\"key\":\"telegram:1\",\"summary\":\"of {count}\",\"skip\":0,\"count\":{count},\
         \"created_at\":\"2026-04-03T11:00:00Z\",\"updated_at\":\"2026-04-03T11:0{count}:00Z\"}}"
    );
    home.write(&format!("{PICOCLAW}/telegram_1.meta.json"), meta);
}

#[test]
fn the_newest_content_of_a_sidecar_alone_goes_out() {
    let home = Home::new();
    let store = open(&home);
    for count in 2..5 {
        chat(&home, count);
        run_in(&home, &store);
    }
    let report = export(&home, &store);
    assert_eq!(report.notes, []);
    let below = "picoclaw/.picoclaw/workspace/sessions";
    assert_eq!(
        names(&home),
        [
            format!("{below}/telegram_1.jsonl"),
            format!("{below}/telegram_1.meta.json"),
        ]
    );
    let meta = read(&home, &format!("{below}/telegram_1.meta.json"));
    assert!(meta.contains("\"count\":4"), "{meta}");

    let other = RedbStore::open(home.path().join("other.redb"), store.options().clone()).unwrap();
    run(&other, &[home.path().join("out")]);
    let chat = other.find("telegram", 2).unwrap();
    assert_eq!(chat.len(), 1, "{chat:?}");
    assert_eq!(other.properties(&chat[0]).unwrap().summary, "of 4");
}

#[test]
fn older_contents_of_sessions_and_indexes_are_older_in_an_import_too() {
    let home = Home::new();
    let store = open(&home);
    let file = format!("{PROJECT}/s.jsonl");
    for text in ["one", "two", "three"] {
        home.write(&file, lines(&[text]));
        home.write(
            &format!("{GGCODE}/index.json"),
            format!("[{{\"id\":\"{text}\"}}]"),
        );
        run_in(&home, &store);
    }
    export(&home, &store);
    let below = "claude-code/.claude/projects/-w";
    assert_eq!(read(&home, &format!("{below}/s.jsonl")), lines(&["three"]));
    assert_eq!(
        read(&home, &format!(".older/2/{below}/s.jsonl")),
        lines(&["two"])
    );
    assert_eq!(
        read(&home, &format!(".older/1/{below}/s.jsonl")),
        lines(&["one"])
    );
    let plain: Vec<String> = names(&home)
        .into_iter()
        .filter(|name| !name.starts_with(".older/"))
        .collect();
    assert_eq!(plain.len(), 2, "{plain:?}");

    let other = RedbStore::open(home.path().join("other.redb"), store.options().clone()).unwrap();
    run(&other, &[home.path().join("out")]);
    let newest = SessionKey::new("claude-code", "s").unwrap();
    assert_eq!(content_of(&other, &newest), lines(&["three"]).into_bytes());
    assert_eq!(other.summary(&newest).unwrap().contents, 3);
}

#[test]
fn names_that_meet_are_told() {
    let home = Home::new();
    let store = open(&home);
    for id in ["t:9", "t/9", "t_9"] {
        let record = NewRecord::line("{\"role\":\"user\",\"content\":\"x\"}\n");
        store
            .append(&key("picoclaw", id), Expect::Any, None, &[record])
            .unwrap();
    }
    let report = export(&home, &store);
    let told: Vec<_> = report
        .notes
        .iter()
        .map(|note| note.reason.clone())
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("would be called `t_9.jsonl`"), "{told:?}");
    let page = store.list(&ListQuery::default()).unwrap();
    assert_eq!((report.sessions, page.sessions.len()), (3, 3));
}

#[test]
fn lines_that_are_too_long_and_indexes_that_are_broken_are_told() {
    let home = Home::new();
    let store = open(&home);
    // Bytes of a line without its end: as many as the program reads, and one more.
    for (id, bytes) in [("fits", 10_485_759), ("long", 10_485_760)] {
        let start = "{\"type\":\"x\",\"text\":\"";
        let text = "y".repeat(bytes - start.len() - 2);
        home.write(
            &format!("{GGCODE}/{id}.jsonl"),
            format!("{start}{text}\"}}\n"),
        );
    }
    home.write(&format!("{GGCODE}/index.json"), "[{\"id\":");
    run_in(&home, &store);
    let report = export(&home, &store);
    let told: Vec<(String, &str)> = report
        .notes
        .iter()
        .map(|note| {
            (
                note.path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                note.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, "index.json");
    assert_eq!(told[1].0, "long.jsonl");
    assert!(
        told[1].1.contains("has a line of 10485760 bytes"),
        "{told:?}"
    );
}

#[test]
fn files_get_todays_time_where_their_agent_deletes_old_ones() {
    let home = Home::new();
    let store = open(&home);
    let (claude, other) = (format!("{PROJECT}/s.jsonl"), "in/notes/a.jsonl".to_owned());
    let said_by_user = "{\"role\":\"user\",\"content\":\"one\"}\n".to_owned();
    for (file, text) in [(&claude, lines(&["one"])), (&other, said_by_user)] {
        home.write(file, text);
        set_mtime(&home.path().join(file), 1_000_000_000);
    }
    run_in(&home, &store);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for keep_times in [false, true] {
        let mut options = ExportOptions::default();
        options.keep_times = keep_times;
        let out = home.path().join(format!("out-{keep_times}"));
        export_all_as(&store, None, &options, &out, &mut unwatched).unwrap();
        let time = |name: &str| fs::metadata(out.join(name)).unwrap().modified().unwrap();
        let files = files_below(&out);
        assert_eq!(files.len(), 2);
        for file in files {
            let name = file.to_str().unwrap();
            let deletes = name.contains(".claude/");
            assert_eq!(time(name) == old, keep_times || !deletes, "{name}");
        }
    }
    assert_eq!(said(&store, &sessions(&store)[0].key), ["one"]);
}
