//! What Mistral Vibe 3.0.3 wrote (`tests/make/vibe.py`): sessions of many files each, imported where they lie.

use std::fs;
use std::path::PathBuf;

use scrollback::{
    Error, ImportOptions, Options, RedbStore, Store as _, import, put_back, resumption, unwatched,
};

use crate::harness::{Home, export_as_lines, files_below};
use crate::import::sessions;
use crate::view::{imported, open};
use crate::written::{BY_HAND, Written, key, look, put, said};

const ID: &str = "855404b9-1ccf-2f02-7d44-1064f9279758";
const CHILD: &str = "child-7404038124e72d2289ad3408";
const FORK: &str = "8d91eab6-781f-692e-2f7f-ea29d33a6e48";
const PLACE: &str = "home/.vibe/logs/session/unified";

const SESSION: Written = Written {
    fixture: "vibe-unified",
    place: ".vibe",
    key: ("vibe", ID),
    model: Some("own"),
    said: &[
        "name the hues",
        "",
        "I read it.",
        "file_system.read_file\n{\"path\":\"/w/shop/hues.txt\"}\n{\"content\":\"red green\\n\",\"file_size_bytes\":10,\"lines_read\":1,\"next_offset\":null,\"offset\":0,\"path\":\"/w/shop/hues.txt\",\"returned_bytes\":10,\"total_lines\":1,\"was_truncated\":false}",
        "red, green",
        "agents.spawn\n{\"agent\":\"generic\",\"task\":\"find a third one\"}\n{\"type\":\"success\"}",
        "And blue.",
        "thank you",
        "You are welcome.",
        "and now?",
        "Now, blue.",
    ],
    input_tokens: 60,
    ..BY_HAND
};

fn folder(home: &Home) -> PathBuf {
    home.path().join(PLACE).join(ID)
}

#[test]
fn what_vibe_wrote_in_many_files_is_listed_as_it_knows_it() {
    let (home, store) = look(&SESSION);
    look(&Written {
        key: ("vibe", CHILD),
        title: "blue is one",
        model: None,
        parent: Some(ID),
        said: &["find a third one", "blue is one"],
        input_tokens: 10,
        ..SESSION
    });
    look(&Written {
        key: ("vibe", FORK),
        title: "name the hues",
        parent: Some(ID),
        said: &[
            "name the hues",
            "I read it.",
            "red, green",
            "(..)\nblue is one",
            "And blue.",
            "thank you",
            "You are welcome.",
        ],
        input_tokens: 0,
        ..SESSION
    });
    let is_child = |id: &str| store.summary(&key(("vibe", id))).unwrap().subagent;
    assert_eq!([ID, CHILD, FORK].map(is_child), [false, true, false]);
    let row = store.summary(&key(SESSION.key)).unwrap();
    assert_eq!(row.attachment_count, 1, "its meta file");
    // No piece of a session is one.
    assert_eq!(sessions(&store).len(), 3);
    drop(home);
}

#[test]
fn a_session_of_many_files_is_the_same_when_it_comes_back_from_an_export() {
    let (home, store) = look(&SESSION);
    let out = home.path().join("out");
    export_as_lines(&store, &out);
    let other = Home::new();
    for file in files_below(&out) {
        let name = file.strip_prefix(&out).unwrap().to_str().unwrap();
        other.write(&format!("home/{name}"), fs::read(&file).unwrap());
    }
    let again = open(&other);
    imported(&again, &other);
    for id in [ID, CHILD, FORK] {
        let key = key(("vibe", id));
        let (was, is) = (store.summary(&key).unwrap(), again.summary(&key).unwrap());
        let facts = |row: &scrollback::Summary| {
            let parent = (row.parent.clone(), row.subagent);
            (
                row.title.clone(),
                row.project.clone(),
                row.model.clone(),
                parent,
                row.updated_at,
            )
        };
        assert_eq!(facts(&is), facts(&was));
        let messages = |store: &RedbStore| store.load(&key).unwrap().messages;
        assert_eq!(messages(&again), messages(&store));
    }
    // What comes from where it lies is no other session then.
    put(&other, SESSION.fixture, SESSION.place);
    imported(&again, &other);
    assert_eq!(sessions(&again).len(), 3);
    assert_eq!(again.summary(&key(SESSION.key)).unwrap().contents, 1);
}

#[test]
fn a_session_of_many_files_grows_by_its_journal_and_is_the_same_once_that_is_folded() {
    let (home, whole) = look(&SESSION);
    let (current, journal) = (folder(&home).join("CURRENT"), folder(&home).join("journal"));
    let newest = fs::read_to_string(&current).unwrap();
    let earlier = newest.replace("0000000000000067", "0000000000000059");
    let earlier = earlier.replace("\"snapshot_sequence\":67", "\"snapshot_sequence\":59");
    assert_ne!(earlier, newest);
    let journal = journal.join("0000000000000060.jsonl");
    let records = fs::read_to_string(&journal).unwrap();
    fs::write(&current, earlier).unwrap();
    fs::write(&journal, "").unwrap();
    let store = RedbStore::open(home.path().join("other.redb"), Options::default()).unwrap();
    let run = || {
        let folder = [home.path().join("home")];
        let report = import(&store, &folder, &ImportOptions::default(), &mut unwatched).unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
        assert_eq!(report.generations, 0);
        report.records
    };
    run();
    let session = key(SESSION.key);
    let all = said(&whole, &session);
    assert_eq!(said(&store, &session), all[..all.len() - 2]);
    // The program writes a turn: its own file stays as it is, and the last record is not whole yet.
    let lines: Vec<&str> = records.split_inclusive('\n').collect();
    let (cut, _) = lines[6].split_at(lines[6].len() / 2);
    fs::write(&journal, lines[..6].concat() + cut).unwrap();
    assert!(run() > 0);
    assert_eq!(said(&store, &session), all[..all.len() - 1]);
    fs::write(&journal, &records).unwrap();
    assert!(run() > 0);
    assert_eq!(said(&store, &session), all);
    assert_eq!(run(), 0);
    // And folds it.
    fs::write(&current, newest).unwrap();
    assert_eq!(run(), 0);
    assert_eq!(said(&store, &session), all);
    let row = store.summary(&session).unwrap();
    assert_eq!((row.contents, row.parent), (1, None));
    assert!(store.verify(&mut unwatched).unwrap().is_clean());
}

#[test]
fn a_session_of_many_files_is_gone_on_with_where_it_lies_and_not_put_back() {
    let (home, store) = look(&SESSION);
    let to = home.path().join("home/.vibe");
    let session = key(SESSION.key);
    let done = put_back(&store, &session, &to);
    assert!(matches!(done, Err(Error::Unsupported { .. })), "{done:?}");
    let is_there = |home| resumption(&store, &session, Some(home)).unwrap().is_there;
    assert!(is_there(&to));
    // A copy that was imported first is no other place to go on in.
    let copy = home.path().join("copy/.vibe");
    for file in files_below(&to) {
        let place = copy.join(file.strip_prefix(&to).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&file, place).unwrap();
    }
    import(
        &store,
        std::slice::from_ref(&copy),
        &ImportOptions::default(),
        &mut unwatched,
    )
    .unwrap();
    assert!(is_there(&copy) && is_there(&to));
    // Where it does not lie it cannot be gone on with, and no command says so.
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let nowhere = |home| {
        let found = resumption(&store, &session, Some(home));
        matches!(found, Err(Error::Unsupported { .. }))
    };
    assert!(nowhere(&elsewhere));
    fs::remove_file(folder(&home).join("CURRENT")).unwrap();
    assert!(nowhere(&to) && is_there(&copy));
}
