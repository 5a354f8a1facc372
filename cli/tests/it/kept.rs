//! What is kept of files, as people see it: what an import says of what it did not read, the list of what
//! lies beside sessions, and a scrub.

use std::fs;

use scrollback::{Options, RedbStore};

use crate::harness::Home;

const ID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

fn says(text: &str) -> String {
    format!(
        "{{\"type\":\"user\",\"uuid\":\"u-{text}\",\"sessionId\":\"{ID}\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}\n"
    )
}

#[test]
fn an_import_says_what_it_has_seen_and_not_read() {
    let home = Home::new();
    home.write("in/.local/share/zed/threads/threads.db", "x");
    let output = home.run(&["import", "in"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("not read: Zed (1 database)"), "{told}");
    assert!(told.contains("no sessions found in `in`"), "{told}");
    home.write(&format!("in/.claude/projects/-w/{ID}.jsonl"), says("hi"));
    for _ in 0..2 {
        let output = home.run(&["import", "in"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("no sessions"), "{told}");
    }
}

#[test]
fn the_files_beside_sessions_are_listed() {
    let home = Home::new();
    let folder = "in/.claude/projects/-w";
    home.write(&format!("{folder}/{ID}.jsonl"), says("hi"));
    home.write(&format!("{folder}/{ID}/tool-results/out.txt"), "12345");
    home.write(&format!("{folder}/sessions-index.json"), "{}");
    home.write("in/.claude/projects/cache.db", "SQLite format 3\0");
    home.ok(&["import", "in"]);
    let listed = home.ok(&["stats", "--files"]);
    let rows: Vec<&str> = listed.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{listed}");
    assert!(rows[0].contains("sessions-index.json"), "{listed}");
    assert!(
        rows[1].contains(ID) && rows[1].contains("out.txt"),
        "{listed}"
    );
    assert!(home.ok(&["stats", "--json"]).contains("\"attachments\":2"));
}

#[test]
fn a_deleted_session_is_scrubbed_and_a_store_in_use_is_left_alone() {
    let home = Home::new();
    let secret = "INVENTED-SECRET-THAT-WAS-SAID";
    home.write(
        "in/other.jsonl",
        "{\"role\":\"user\",\"content\":\"stays\"}\n",
    );
    home.write(&format!("in/.claude/projects/-w/{ID}.jsonl"), says(secret));
    home.ok(&["import", "in"]);
    let has_secret = || {
        let bytes = fs::read(home.store_path()).unwrap();
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(has_secret(), "it is looked for as it lies");
    let held = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let output = home.run(&["--wait", "0", "delete", "--scrub", ID]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("scrollback scrub"), "{told}");
    held.close().unwrap();
    let output = home.run(&["verify"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && told.contains("has not ended"),
        "{told}"
    );
    let done = home.ok(&["scrub"]);
    assert!(done.contains("written anew"), "{done}");
    assert!(!has_secret());
    assert_eq!(home.ok(&["list", "--json"]).lines().count(), 1);
    let output = home.run(&["verify"]);
    assert!(
        !String::from_utf8(output.stderr)
            .unwrap()
            .contains("has not ended")
    );
    assert!(
        home.ok(&["scrub", "--dry-run"])
            .contains("nothing was changed")
    );
}
