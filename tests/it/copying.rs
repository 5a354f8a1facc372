//! A store copied into another of any kind: everything is there, a second copy finds nothing to do, and what was
//! copied back gives the same digests and the same files.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use scrollback::report::{CopyReport, SessionDigest, VerifyReport};
use scrollback::{
    Error, Expect, Ingest, ListQuery, MemoryStore, Message, NewRecord, Options, PropertiesChange,
    RedbStore, Role, ScanQuery, SessionKey, Store, StoreExt as _, copy_store, unwatched,
};

use crate::harness::Home;
use crate::kit::{change, copy, export, stores, take, told};

/// A store whose digests can be told.
pub(crate) trait Deep: Ingest {
    /// What a verification of every line says.
    fn deep(&self) -> VerifyReport;
}

impl Deep for RedbStore {
    fn deep(&self) -> VerifyReport {
        self.verify_deep(&[], &mut unwatched).unwrap()
    }
}

impl Deep for MemoryStore {
    fn deep(&self) -> VerifyReport {
        self.verify(&mut unwatched).unwrap()
    }
}

fn digests(store: &dyn Deep) -> Vec<SessionDigest> {
    let report = store.deep();
    assert!(report.is_clean(), "{:?}", report.problems);
    let mut digests = report.digests;
    digests.sort_by(|one, other| one.key.cmp(&other.key));
    digests
}

/// That two stores hold the same: every content of every session, what is given to it, its digest, what is known
/// of its files, and the marks of what was deleted.
pub(crate) fn assert_same(one: &dyn Deep, other: &dyn Deep) {
    assert_eq!(told(one), told(other));
    let (here, there) = (digests(one), digests(other));
    assert_eq!(here, there);
    for digest in here {
        let of = |store: &dyn Deep| {
            let mut summary = store.summary(&digest.key).unwrap();
            (summary.number, summary.written_at) = (0, None);
            let records: Vec<_> = store
                .records(&digest.key, ScanQuery::default())
                .map(Result::unwrap)
                .collect();
            let files = store.attachments(&digest.key).unwrap();
            let aliases = store.properties(&digest.key).unwrap().aliases;
            let led_to: Vec<_> = aliases
                .iter()
                .map(|alias| SessionKey::new(digest.key.agent(), alias.as_str()).unwrap())
                .map(|alias| store.by_alias(&alias).unwrap())
                .collect();
            format!("{summary:?} {records:?} {files:?} {led_to:?}")
        };
        assert_eq!(of(one), of(other));
    }
    // Somebody may have deleted it in each.
    let marks = |store: &dyn Deep| {
        let marks = store.deleted().unwrap().into_iter();
        marks.map(|mark| (mark.key, mark.home)).collect::<Vec<_>>()
    };
    assert_eq!(marks(one), marks(other));
}

/// Copies, once more finds nothing to do, and both stores hold the same then.
pub(crate) fn copied(from: &dyn Deep, to: &dyn Deep) -> CopyReport {
    let report = copy_store(from, to, &mut unwatched).unwrap();
    assert!(report.is_complete(), "{:?}", report.refused);
    assert_same(from, to);
    let again = copy_store(from, to, &mut unwatched).unwrap();
    let nothing = CopyReport::default();
    assert_eq!(
        again.unchanged,
        report.sessions + report.updated + report.unchanged
    );
    assert_eq!(
        (
            again.sessions,
            again.updated,
            again.records,
            again.files,
            again.marks
        ),
        (
            nothing.sessions,
            nothing.updated,
            nothing.records,
            nothing.files,
            nothing.marks
        )
    );
    report
}

fn file_store(path: &Path) -> RedbStore {
    RedbStore::open(path, Options::default()).unwrap()
}

fn said(text: &str) -> NewRecord {
    NewRecord::message(Message::text(Role::User, text))
}

/// A change to other names, and to whether it is pinned.
pub(crate) fn wants(aliases: &[String], pinned: bool) -> PropertiesChange {
    let mut change = PropertiesChange::default();
    change.aliases = Some(aliases.to_vec());
    change.pinned = Some(pinned);
    change
}

/// What is done in a store between two copies.
fn work(store: &dyn Store, round: usize) -> Vec<SessionKey> {
    let mut deleted = Vec::new();
    let page = store.list(&ListQuery::default().with_limit(100)).unwrap();
    for (at, summary) in page.sessions.iter().enumerate() {
        let key = &summary.key;
        match (at + round) % 7 {
            0 => drop(store.truncate(key, 1).unwrap()),
            1 => {
                store.truncate(key, 2).unwrap();
                store.compact(key, None, None).unwrap();
            }
            2 => {
                let change = wants(&[format!("a{}", at % 2), format!("b{at}")], true);
                // Another session may have it.
                drop(store.update_properties(key, &change));
            }
            3 if round > 1 => {
                store.delete(key).unwrap();
                deleted.push(key.clone());
            }
            4 => {
                let change = PropertiesChange::default().with_title(format!("Title {round}"));
                store.update_properties(key, &change).unwrap();
            }
            _ => {}
        }
    }
    for at in 0..3 {
        let key = SessionKey::native(format!("made-{at}")).unwrap();
        for number in 0..20 + 40 * round {
            let batch = Some(uuid::Uuid::from_u128((round * 1000 + number) as u128 + 1));
            let line = said(&format!("{round} {number}"));
            store.append(&key, Expect::Any, batch, &[line]).unwrap();
        }
    }
    let key = SessionKey::native("made-0").unwrap();
    store
        .replace_history(&key, &[said("all of it anew")])
        .unwrap();
    deleted
}

#[test]
fn whatever_was_done_to_a_store_its_copies_hold_the_same_there_and_back() {
    let home = Home::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sessions"),
        &home.path().join("in"),
    );
    let from = file_store(&home.store_path());
    let memory = MemoryStore::default();
    let back = file_store(&home.path().join("back.redb"));
    for round in 0..4 {
        take(&home, &from);
        let deleted = work(&from, round);
        // What was deleted, and perhaps begun anew, stays in a copy until it is deleted there.
        for key in &deleted {
            memory.delete(key).unwrap();
            back.delete(key).unwrap();
        }
        let there = copied(&from, &memory);
        assert!(there.sessions + there.updated > 5, "{there:?}");
        let here = copied(&memory, &back);
        assert_eq!(here.records, there.records, "round {round}");
        let out = |name: &str| home.path().join(format!("{name}-{round}"));
        assert_eq!(export(&from, &out("from")), export(&back, &out("back")));
        // What was imported is known in the copy too.
        assert_eq!(take(&home, &back), take(&home, &from), "round {round}");
        assert_same(&from, &back);
        change(&home, u32::try_from(round).unwrap());
    }
}

#[test]
fn a_store_that_was_read_again_by_an_import_is_the_same_in_its_copy() {
    let home = Home::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sessions"),
        &home.path().join("in"),
    );
    let [from, to] = stores(&home);
    take(&home, &*from);
    copy_store(&*from, &*to, &mut unwatched).unwrap();
    let paths = [home.path().join("in")];
    let options = scrollback::ImportOptions::default();
    let again = scrollback::import(&*to, &paths, &options, &mut unwatched).unwrap();
    assert_eq!((again.sessions, again.records), (0, 0), "{again:?}");
    assert_eq!(again.unchanged, again.files, "no file is opened again");
}

#[test]
fn a_copy_that_is_stopped_goes_on_and_doubles_nothing() {
    let home = Home::new();
    let from = file_store(&home.store_path());
    for at in 0..400 {
        let key = SessionKey::native(format!("s-{at}")).unwrap();
        from.append(&key, Expect::Any, None, &[said("one"), said("two")])
            .unwrap();
    }
    let to = file_store(&home.path().join("to.redb"));
    let mut calls = 0;
    let stopped = copy_store(&from, &to, &mut |_| {
        calls += 1;
        if calls > 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    let some = to
        .list(&ListQuery::default().with_limit(1000))
        .unwrap()
        .sessions
        .len();
    assert!(some > 0 && some < 400, "{some}");
    let report = copied(&from, &to);
    assert_eq!(
        (report.unchanged, report.sessions),
        (some as u64, 400 - some as u64)
    );
    // Of a session that goes on, what is new alone.
    let key = SessionKey::native("s-7").unwrap();
    from.append(&key, Expect::Any, None, &[said("three")])
        .unwrap();
    let report = copied(&from, &to);
    assert_eq!(
        (report.updated, report.records, report.unchanged),
        (1, 1, 399)
    );
}

#[test]
fn what_the_other_store_has_of_its_own_is_left_as_it_is() {
    let (from, to) = (MemoryStore::default(), MemoryStore::default());
    let [ahead, other, own] = ["ahead", "other", "own"].map(|id| SessionKey::native(id).unwrap());
    for key in [&ahead, &other] {
        from.append(key, Expect::Any, None, &[said("one")]).unwrap();
    }
    to.append(&other, Expect::Any, None, &[said("something else")])
        .unwrap();
    to.append(&own, Expect::Any, None, &[said("mine")]).unwrap();
    let report = copy_store(&from, &to, &mut unwatched).unwrap();
    assert_eq!(
        (report.sessions, report.refused.len()),
        (1, 1),
        "{report:?}"
    );
    assert_eq!(report.refused[0].what, other.to_string());
    to.append(&ahead, Expect::Any, None, &[said("two")])
        .unwrap();
    let report = copy_store(&from, &to, &mut unwatched).unwrap();
    assert_eq!((report.updated, report.refused.len()), (0, 2), "{report:?}");
    assert_eq!(to.load(&ahead).unwrap().messages.len(), 2);
    assert_eq!(
        to.load(&other).unwrap().messages[0].plain_text(),
        "something else"
    );
    assert_eq!(to.load(&own).unwrap().messages.len(), 1);
    // An alias that somebody has there is theirs.
    let wants = wants(&["x".to_owned()], false);
    to.update_properties(&own, &wants).unwrap();
    let third = SessionKey::native("third").unwrap();
    from.append(&third, Expect::Any, None, &[said("one")])
        .unwrap();
    from.update_properties(&third, &wants).unwrap();
    copy_store(&from, &to, &mut unwatched).unwrap();
    let alias = SessionKey::native("x").unwrap();
    assert_eq!(to.by_alias(&alias).unwrap(), Some(own));
    assert_eq!(to.properties(&third).unwrap().aliases, ["x"]);
}

#[test]
fn lines_that_were_damaged_are_not_copied() {
    let home = Home::new();
    let path = home.store_path();
    let from = file_store(&path);
    let keys = ["whole", "damaged"].map(|id| SessionKey::native(id).unwrap());
    for key in &keys {
        let line = said(&format!(
            "{key} says something that can be found in the file"
        ));
        from.append(key, Expect::Any, None, &[line]).unwrap();
    }
    drop(from);
    let mut bytes = fs::read(&path).unwrap();
    let needle = b"native:damaged says";
    let places: Vec<usize> = bytes
        .windows(needle.len())
        .enumerate()
        .filter(|(_, window)| window == needle)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        bytes[at + 2] ^= 1;
    }
    fs::write(&path, bytes).unwrap();
    let from = RedbStore::open_read_only(&path, Options::default()).unwrap();
    let to = MemoryStore::default();
    let copied = copy_store(&from, &to, &mut unwatched);
    // The page, the row or the line: whoever notices it first.
    let told = match &copied {
        Ok(report) => !report.is_complete(),
        Err(Error::Corrupt { .. }) => true,
        Err(_) => false,
    };
    assert!(told, "{copied:?}");
    assert!(to.summary(&keys[1]).is_err());
}
