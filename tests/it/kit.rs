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
