//! The hazards of the Go package (SEEDS 4.5), each as a test that it cannot happen here. Those of
//! files are in the tests of the dialect and of import.

use std::process::{Command, Stdio};
use std::sync::Arc;

use scrollback::picoclaw::{SessionStore, StoreSessions};
use scrollback::{Error, Expect, Message, NewRecord, Options, RedbStore, Role, Store};

use super::{add, call, history, key, lines, result, sessions, texts};
use crate::harness::Home;

#[test]
fn hazard_4_5_3_what_arrives_during_a_summary_survives() {
    let (sessions, _) = sessions();
    add(&sessions, "a", &["1", "2", "3", "4", "5", "6"]);
    let seen = sessions.snapshot("a").unwrap();
    assert_eq!(texts(&seen.messages).len(), 6);
    // While the model summarises for two minutes:
    add(&sessions, "a", &["7", "8", "9", "10", "11"]);
    let kept = sessions.summarize(&seen, "One to six.", 4).unwrap();
    assert_eq!((kept.visible, kept.hidden), (9, 2));
    assert_eq!(sessions.get_summary("a"), "One to six.");
    assert_eq!(
        history(&sessions, "a"),
        ["3", "4", "5", "6", "7", "8", "9", "10", "11"]
    );
    let kept = sessions.summarize(&seen, "All of it.", 0).unwrap();
    assert_eq!(kept.visible, 5);
    assert_eq!(history(&sessions, "a")[0], "7");
    let more = sessions.summarize(&seen, "x", 9);
    assert!(matches!(more, Err(Error::Conflict { .. })), "{more:?}");
}

#[test]
fn hazard_4_5_3_a_summary_of_a_history_that_was_replaced_changes_nothing() {
    let (sessions, _) = sessions();
    add(&sessions, "a", &["1", "2"]);
    let seen = sessions.snapshot("a").unwrap();
    sessions.set_history("a", &[Message::text(Role::User, "new")]);
    let summed = sessions.summarize(&seen, "old", 0);
    assert!(matches!(summed, Err(Error::Conflict { .. })), "{summed:?}");
    assert_eq!(history(&sessions, "a"), ["new"]);
    assert_eq!(sessions.get_summary("a"), "");
}

#[test]
fn hazard_4_5_4_a_window_never_begins_within_a_tool_pair() {
    let say = |sessions: &StoreSessions| {
        add(sessions, "a", &["1", "2"]);
        for message in [call("x"), result("x")] {
            sessions.add_full_message("a", &message);
        }
        sessions.add_message("a", "assistant", "3");
    };
    let (sessions, _) = sessions();
    say(&sessions);
    let seen = sessions.snapshot("a").unwrap();
    let kept = sessions.summarize(&seen, "S", 2).unwrap();
    assert_eq!((kept.visible, kept.kept_for_pairs), (3, 1));
    assert_eq!(history(&sessions, "a"), ["call x", "result x", "3"]);
    sessions.truncate_history("a", 2);
    assert_eq!(history(&sessions, "a"), ["call x", "result x", "3"]);
    sessions.truncate_history("a", 1);
    assert_eq!(history(&sessions, "a"), ["3"]);

    // The call was seen, its result came while the model summarised.
    add(&sessions, "b", &["1"]);
    sessions.add_full_message("b", &call("y"));
    let seen = sessions.snapshot("b").unwrap();
    sessions.add_full_message("b", &result("y"));
    sessions.summarize(&seen, "S", 0).unwrap();
    assert_eq!(history(&sessions, "b"), ["call y", "result y"]);

    // Nothing can mend a result whose call is nowhere; it is reported.
    sessions.add_full_message("c", &result("z"));
    add(&sessions, "c", &["1"]);
    let kept = sessions.summarize(&sessions.snapshot("c").unwrap(), "S", 2);
    assert_eq!(kept.unwrap().orphan_results, 1);
}

#[test]
fn hazard_4_5_5_what_was_truncated_can_be_kept_or_archived() {
    let (sessions, store) = sessions();
    let keeping = StoreSessions::new(store.clone()).keeping_hidden();
    add(&keeping, "a", &["1", "2", "3"]);
    keeping.truncate_history("a", 1);
    keeping.save("a").unwrap();
    assert_eq!(texts(&keeping.full_history("a").unwrap()), ["1", "2", "3"]);
    let before = lines(&*store, "a");
    let mut archive = Vec::new();
    let gone = sessions.compact("a", Some(&mut archive)).unwrap();
    assert_eq!(gone.messages, 2);
    assert_eq!(String::from_utf8(archive).unwrap(), before[..2].concat());
    assert_eq!(history(&sessions, "a"), ["3"]);
}

#[test]
fn hazard_4_5_6_what_was_replaced_or_removed_never_comes_back() {
    let home = Home::new();
    let open = || Arc::new(RedbStore::open(home.store_path(), Options::default()).unwrap());
    {
        let sessions = StoreSessions::new(open());
        add(&sessions, "a", &["1", "2", "3"]);
        sessions.set_history("a", &[Message::text(Role::User, "new")]);
        sessions.truncate_history("a", 9);
        sessions.save("a").unwrap();
        assert_eq!(history(&sessions, "a"), ["new"]);
    }
    let store = open();
    let sessions = StoreSessions::new(store.clone());
    assert_eq!(history(&sessions, "a"), ["new"]);
    let summary = store.summary(&key("a")).unwrap();
    assert_eq!((summary.message_count, summary.hidden_count), (1, 0));
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn hazard_4_5_8_keys_that_share_a_file_name_are_three_sessions() {
    let (sessions, _) = sessions();
    let keys = ["telegram:9", "telegram_9", "telegram/9"];
    for key in keys {
        add(&sessions, key, &[key]);
    }
    for key in keys {
        assert_eq!(history(&sessions, key), [key]);
    }
}

#[test]
fn hazard_4_5_10_a_line_of_any_length_is_read_and_truncated() {
    let (sessions, _) = sessions();
    let long = "x".repeat(11 * 1024 * 1024);
    add(&sessions, "a", &["1", &long, "3"]);
    assert_eq!(history(&sessions, "a")[1].len(), long.len());
    sessions.truncate_history("a", 1);
    assert_eq!(history(&sessions, "a"), ["3"]);
    sessions.save("a").unwrap();
    assert_eq!(history(&sessions, "a"), ["3"]);
}

#[test]
fn hazard_4_5_7_a_bad_line_costs_only_itself() {
    let (sessions, store) = sessions();
    add(&sessions, "a", &["1"]);
    let bad = NewRecord::line("{\"role\":\"us");
    store.append(&key("a"), Expect::Any, None, &[bad]).unwrap();
    add(&sessions, "a", &["2"]);
    assert_eq!(history(&sessions, "a"), ["1", "2"]);
    sessions.truncate_history("a", 2);
    assert_eq!(history(&sessions, "a"), ["1", "2"]);
    sessions.truncate_history("a", 1);
    assert_eq!(history(&sessions, "a"), ["2"]);
}

#[test]
fn hazard_4_5_12_a_store_that_cannot_write_is_noticed() {
    let home = Home::new();
    let open = || RedbStore::open(home.store_path(), Options::default()).unwrap();
    add(&StoreSessions::new(Arc::new(open())), "a", &["1"]);
    let only = RedbStore::open_read_only(home.store_path(), Options::default()).unwrap();
    let sessions = StoreSessions::new(Arc::new(only));
    let is_noted = || {
        matches!(
            sessions.take_error().as_deref(),
            Some(Error::ReadOnly { .. })
        )
    };
    add(&sessions, "a", &["2"]);
    assert!(is_noted());
    sessions.set_summary("a", "S");
    assert!(is_noted());
    sessions.set_history("a", &[]);
    assert!(is_noted());
    sessions.truncate_history("a", 0);
    assert!(is_noted());
    assert_eq!(history(&sessions, "a"), ["1"]);
}

/// Tells a test that is a process of its own what to do; without it such a test does nothing.
const PART: &str = "SCROLLBACK_TEST_PICOCLAW";

/// Says something in the store of the home until an error is noted, at most so often.
#[test]
#[ignore = "a process, started by the tests below"]
fn speaker() {
    let Some(part) = std::env::var_os(PART).and_then(|part| part.into_string().ok()) else {
        return;
    };
    let (name, times) = part.split_once(' ').unwrap();
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    let sessions = StoreSessions::new(Arc::new(store));
    let mut noise = 7_u64;
    for number in 0..times.parse().unwrap() {
        let text: String = (0..2_000)
            .map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(b'A' + u8::try_from((noise >> 33) % 26).unwrap())
            })
            .collect();
        sessions.add_message("telegram:1", "user", &format!("{name} {number} {text}"));
        if let Some(error) = sessions.take_error() {
            println!("noted: {error}");
            return;
        }
        println!("said: {number}");
    }
}

#[cfg(unix)]
#[test]
fn hazard_4_5_12_a_full_disk_is_noticed_and_harms_nothing() {
    let home = Home::new();
    let open = || Arc::new(RedbStore::open(home.store_path(), Options::default()).unwrap());
    add(&StoreSessions::new(open()), "telegram:1", &["before"]);
    let blocks = std::fs::metadata(home.store_path()).unwrap().len() / 1024 + 256;
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "picoclaw::hazards::speaker",
            "--ignored",
            "--nocapture",
        ])
        .env(PART, "a 5000")
        .env("SCROLLBACK_STORE", home.store_path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("noted: "), "{said}");
    let store = open();
    let sessions = StoreSessions::new(store.clone());
    let kept = history(&sessions, "telegram:1");
    let acknowledged = said.matches("said: ").count();
    assert!(
        acknowledged > 0 && kept.len() > acknowledged,
        "{acknowledged}"
    );
    assert_eq!(kept[0], "before");
    assert!(kept[acknowledged].starts_with(&format!("a {} ", acknowledged - 1)));
    add(&sessions, "telegram:1", &["after"]);
    assert_eq!(history(&sessions, "telegram:1").last().unwrap(), "after");
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}

#[test]
fn hazard_4_5_13_two_processes_speak_in_one_session() {
    let home = Home::new();
    let store = Arc::new(RedbStore::open(home.store_path(), Options::default()).unwrap());
    let speakers: Vec<_> = ["a", "b"]
        .iter()
        .map(|name| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "picoclaw::hazards::speaker", "--ignored"])
                .env(PART, format!("{name} 30"))
                .env("SCROLLBACK_STORE", home.store_path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let sessions = StoreSessions::new(store.clone());
    for _ in 0..10 {
        sessions.truncate_history("telegram:1", 5);
        sessions.set_summary("telegram:1", "S");
    }
    for mut speaker in speakers {
        assert!(speaker.wait().unwrap().success());
    }
    assert!(sessions.last_error().is_none());
    let all = texts(&sessions.full_history("telegram:1").unwrap());
    for name in ["a", "b"] {
        let own: Vec<&String> = all.iter().filter(|text| text.starts_with(name)).collect();
        assert_eq!(own.len(), 30);
        for (number, text) in own.iter().enumerate() {
            assert!(text.starts_with(&format!("{name} {number} ")));
        }
    }
    assert!(store.verify(&mut scrollback::unwatched).unwrap().is_clean());
}
