//! Stores that are built on the kit take folders in and give them back as the store in a file does.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use scrollback::{
    CleanupQuery, ExportFormat, ImportOptions, Ingest, ListQuery, MemoryStore, Options, RedbStore,
    ScanQuery, Stamps, StoreExt as _, Summary, export_all, import, unwatched,
};

use crate::harness::{Home, files_below};

/// Both, whose time stands still.
pub(crate) fn stores(home: &Home) -> [Box<dyn Ingest>; 2] {
    let now: DateTime<Utc> = "2027-06-01T12:00:00Z".parse().unwrap();
    let stamps = Stamps::default().with_clock(move || now);
    let options = Options::default().with_stamps(stamps.clone());
    [
        Box::new(RedbStore::open(home.store_path(), options).unwrap()),
        Box::new(MemoryStore::new(stamps)),
    ]
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// All that a list shows of a store, with the lines, the properties and what is to be known of them.
pub(crate) fn told(store: &dyn Ingest) -> Vec<String> {
    let page = store
        .list(&ListQuery::default().with_limit(10_000))
        .unwrap();
    let mut told: Vec<String> = page
        .sessions
        .iter()
        .map(|summary| {
            let key = &summary.key;
            let records: Vec<_> = store
                .records(key, ScanQuery::default())
                .map(Result::unwrap)
                .collect();
            let mut shown: Summary = summary.clone();
            shown.number = 0;
            // When each store wrote it is its own.
            shown.written_at = None;
            let beside = store.properties(key).unwrap();
            let known = store.exceptions(key, 0, u64::MAX).unwrap();
            format!("{shown:?} {beside:?} {known:?} {records:?}")
        })
        .collect();
    told.sort();
    told
}

pub(crate) fn export(store: &dyn Ingest, to: &Path) -> Vec<(String, Vec<u8>)> {
    let report = export_all(store, None, ExportFormat::Jsonl, to, &mut unwatched).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let files = files_below(to).into_iter().map(|file| {
        let name = file.strip_prefix(to).unwrap().display().to_string();
        (name, fs::read(file).unwrap())
    });
    files.collect()
}

pub(crate) fn take(home: &Home, store: &dyn Ingest) -> String {
    let paths = [home.path().join("in")];
    let report = import(store, &paths, &ImportOptions::default(), &mut unwatched).unwrap();
    assert_eq!(report.paths_failed, 0, "{:?}", report.problems);
    let counts = (
        report.files,
        report.sessions,
        report.records,
        report.messages,
    );
    // Files are taken by several workers: their problems come in any order.
    let mut problems = report.problems;
    problems.sort_by(|one, other| one.path.cmp(&other.path));
    format!("{counts:?} {} {problems:?}", report.bytes)
}

/// Makes files longer, changes them, and takes the last line of one off.
pub(crate) fn change(home: &Home, round: u32) {
    for (at, file) in files_below(&home.path().join("in")).iter().enumerate() {
        if file.extension().is_none_or(|kind| kind != "jsonl") {
            continue;
        }
        let mut content = fs::read(file).unwrap();
        let first = content.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        match (at + round as usize) % 4 {
            0 => {
                let line = content[..=first].to_vec();
                content.extend(line);
            }
            1 => content.extend_from_slice(b"{\"role\":\"user\",\"content\":\"torn"),
            2 => {
                let end = content.len() - 1;
                let cut = content[..end].iter().rposition(|byte| *byte == b'\n');
                content.truncate(cut.map_or(end, |cut| cut + 1));
            }
            _ => content.extend_from_slice(b"{\"type\":\"note\"}\n"),
        }
        fs::write(file, content).unwrap();
    }
}

#[test]
fn a_store_of_the_kit_takes_in_and_gives_back_what_the_store_in_a_file_does() {
    let home = Home::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sessions"),
        &home.path().join("in"),
    );
    let [redb, kit] = stores(&home);
    for round in 0..5 {
        assert_eq!(take(&home, &*redb), take(&home, &*kit), "round {round}");
        let (one, other) = (told(&*redb), told(&*kit));
        assert!(one.len() >= 10, "{} sessions", one.len());
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "round {round}");
        }
        assert_eq!(one.len(), other.len(), "round {round}");
        let out = |name: &str| home.path().join(format!("{name}-{round}"));
        assert_eq!(
            export(&*redb, &out("redb")),
            export(&*kit, &out("kit")),
            "round {round}"
        );
        let report = kit.verify(&mut unwatched).unwrap();
        assert!(
            report.is_clean() && report.digests.len() >= 10,
            "{report:?}"
        );
        let agents = |store: &dyn Ingest| format!("{:?}", store.stats().unwrap().agents);
        assert_eq!(agents(&*redb), agents(&*kit), "round {round}");
        change(&home, round);
    }
}

#[test]
fn what_is_cleaned_up_leaves_the_same_and_is_passed_over_by_both() {
    let home = Home::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sessions"),
        &home.path().join("in"),
    );
    let [redb, kit] = stores(&home);
    let before: DateTime<Utc> = "2026-09-01T00:00:00Z".parse().unwrap();
    let mut answers = Vec::new();
    for store in [&redb, &kit] {
        take(&home, &**store);
        let cleaned = store.cleanup(&CleanupQuery::older_than(before)).unwrap();
        assert!(cleaned.removed.sessions > 1, "{cleaned:?}");
        let again = take(&home, &**store);
        answers.push((format!("{cleaned:?} {again}"), told(&**store)));
    }
    assert_eq!(answers[0], answers[1]);
}

/// The order of a file whose first line is another one than record 0.
#[test]
fn a_file_that_was_rewritten_leaves_both_as_it_is() {
    let line = |n: u32| {
        format!(
            "{{\"role\":\"user\",\"content\":\"line {n} of a talk that is long enough\",\
             \"timestamp\":\"2026-01-01T00:00:{n:02}Z\"}}\n"
        )
    };
    let file = |numbers: &[u32]| numbers.iter().map(|n| line(*n)).collect::<String>();
    for later in [
        &[9, 1, 2, 3, 4][..],
        &[2, 3, 4, 5],
        &[1, 3, 4, 5],
        &[3, 4, 1, 2],
    ] {
        let home = Home::new();
        let stores = stores(&home);
        for numbers in [&[1, 2, 3, 4][..], later] {
            home.write("in/talk.jsonl", file(numbers));
            for store in &stores {
                take(&home, &**store);
            }
        }
        let [redb, kit] = [0, 1].map(|at| export(&*stores[at], &home.path().join(at.to_string())));
        assert_eq!(redb, kit, "{later:?}");
        // Of a file that another content went before there is one for each.
        let is_it = |one: &(String, Vec<u8>)| one.1 == file(later).as_bytes();
        assert!(redb.iter().any(is_it), "{later:?}: {redb:?}");
        let markdown = stores.each_ref().map(|store| {
            let key = &store.list(&ListQuery::default()).unwrap().sessions[0].key;
            let mut out = Vec::new();
            store.export_markdown(key, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        });
        assert_eq!(markdown[0], markdown[1], "{later:?}");
    }
}

/// Contents of an id stand between it and the next one, and are found by their whole names alone.
#[test]
fn other_contents_of_an_id_take_no_ones_place_in_a_find() {
    let home = Home::new();
    for (folder, id) in [
        ("a", "ab1"),
        ("b", "ab1"),
        ("c", "ab1"),
        ("d", "ab1"),
        ("a", "ab2"),
    ] {
        let line = |n: u32| {
            format!(
                "{{\"type\":\"user\",\"sessionId\":\"{id}\",\"uuid\":\"{folder}-{n}\",\"cwd\":\"/w/{folder}\",\
                 \"message\":{{\"role\":\"user\",\"content\":\"words of {folder} {n} and more of them\"}},\
                 \"timestamp\":\"2026-01-01T00:00:0{n}Z\"}}\n"
            )
        };
        let file = format!("in/projects/{folder}/{id}.jsonl");
        home.write(&file, (1..5).map(line).collect::<String>());
    }
    for store in &stores(&home) {
        take(&home, &**store);
        let found = |limit| {
            let found = store.find("ab", limit).unwrap().into_iter();
            found.map(|key| key.id().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(store.list(&ListQuery::default()).unwrap().sessions.len(), 2);
        assert_eq!(found(1), ["ab1"]);
        assert_eq!(found(2), ["ab1", "ab2"]);
        let first = store.find("ab", 1).unwrap();
        let rest = store.find_after("ab", &first[0], 1).unwrap();
        assert_eq!(rest[0].id(), "ab2");
    }
}
