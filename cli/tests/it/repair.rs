//! `scrollback repair`, as a person runs it: a damaged store in, a new one out, the loss listed, and
//! the files that were imported bring it back.

use std::fs;

use crate::harness::Home;

/// A home with a store of three sessions, one of them of several pages.
fn filled() -> Home {
    let home = Home::new();
    for (name, count) in [("large", 1500), ("small", 20), ("other", 30)] {
        let line = |number: usize| {
            let text = (number * 7919 % 9973).to_string().repeat(60);
            format!("{{\"role\":\"user\",\"content\":\"{name} {number} {text}\"}}\n")
        };
        let lines: String = (0..count).map(line).collect();
        home.write(&format!("sessions/{name}.jsonl"), lines);
    }
    home.ok(&["import", "sessions"]);
    home
}

/// Overwrites a page in the middle of a long value, of which no other copy is in the file: it is
/// of the session `large`.
fn damage(home: &Home) {
    let good = fs::read(home.store_path()).unwrap();
    // Such a page has no head of a page, and no zeros.
    let is_inside = |page: &usize| {
        let page = &good[page * 4096..(page + 1) * 4096];
        page.split(|byte| *byte == 0).count() < 40
    };
    for page in (1..good.len() / 4096).filter(is_inside) {
        let mut bytes = good.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0x5A);
        fs::write(home.store_path(), bytes).unwrap();
        // Some pages are of an older commit, and of some there is an older copy.
        let code = home.run(&["repair", "--to", "tried.redb"]).status.code();
        fs::remove_file(home.path().join("tried.redb")).unwrap();
        if code == Some(3) {
            return;
        }
    }
    panic!("every page has a copy");
}

#[test]
fn what_is_left_is_saved_and_the_files_bring_back_the_rest() {
    let home = filled();
    let whole = |name: &str| fs::read_to_string(home.path().join(format!("sessions/{name}.jsonl")));
    damage(&home);
    let before = fs::read(home.store_path()).unwrap();
    let output = home.run(&["repair", "--to", "new.redb"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("lost of session"), "{said}");
    assert!(said.contains("large") && !said.contains(":small"), "{said}");
    assert_eq!(
        fs::read(home.store_path()).unwrap(),
        before,
        "it is only read"
    );

    let new = |arguments: &[&str]| home.ok(&[&["--store", "new.redb"], arguments].concat());
    new(&["verify"]);
    for name in ["small", "other"] {
        assert_eq!(new(&["export", name]), whole(name).unwrap());
    }
    let saved = new(&["show", "large", "--raw"]);
    assert!(saved.lines().count() > 500, "{}", saved.lines().count());
    let lines = whole("large").unwrap();
    assert!(saved.lines().all(|line| lines.contains(line)));

    new(&["import", "sessions"]);
    assert_eq!(new(&["export", "large"]), lines);
    assert_eq!(
        new(&["list", "--json"]).lines().count(),
        3,
        "no other is doubled"
    );
    new(&["verify"]);
}

#[test]
fn a_good_store_loses_nothing_and_a_file_that_is_there_is_not_touched() {
    let home = filled();
    let listed = home.ok(&["list", "--json"]);
    assert!(
        home.ok(&["repair", "--to", "new.redb"])
            .contains("nothing is lost")
    );
    assert_eq!(home.ok(&["--store", "new.redb", "list", "--json"]), listed);
    home.ok(&["--store", "new.redb", "import", "sessions"]);
    assert_eq!(home.ok(&["--store", "new.redb", "list", "--json"]), listed);

    home.write("taken", "mine");
    for target in ["taken", "sessions"] {
        let output = home.run(&["repair", "--to", target]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(target) && said.contains("hint: "), "{said}");
    }
    assert_eq!(fs::read(home.path().join("taken")).unwrap(), b"mine");
    let output = home.run(&["--store", "taken", "repair", "--to", "new2.redb"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!home.path().join("new2.redb").exists());
}

/// What a repair that was killed has left; nothing that somebody still works on.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_repair_left_is_removed_by_the_next() {
    use std::process::{Command, Stdio};

    let home = filled();
    let left = || {
        let names = fs::read_dir(home.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<String> = names
            .filter(|name| name.starts_with(".scrollback-"))
            .collect();
        left.sort();
        left
    };
    for pause in (1..200).cycle() {
        let mut command = home.command();
        command.args(["repair", "--to", "killed.redb"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        let _done = fs::remove_file(home.path().join("killed.redb"));
        if !left().is_empty() {
            break;
        }
    }
    assert!(left()[0].starts_with(".scrollback-repair-"), "{:?}", left());
    // Of a process that is there.
    let mut living = Command::new("sleep").arg("60").spawn().unwrap();
    let working = format!(".scrollback-repair-{}-x.new", living.id());
    home.write(&working, "");
    home.ok(&["repair", "--to", "new.redb"]);
    assert_eq!(left(), [working]);
    living.kill().unwrap();
    living.wait().unwrap();
    home.ok(&["repair", "--to", "newer.redb"]);
    assert_eq!(left(), [""; 0]);
}
