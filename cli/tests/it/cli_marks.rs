//! What people say of sessions with the tool: titles, other names, pins, what is put away, forks.

use scrollback::{Options, PropertiesChange, RedbStore, SessionKey, Store};

use crate::cli::{CLAUDE, GGCODE, import_samples};
use crate::harness::Home;

fn with_samples() -> Home {
    let home = Home::new();
    import_samples(&home);
    home
}

/// The ids of a list, and what it says on standard error.
fn list(home: &Home, arguments: &[&str]) -> (Vec<String>, String) {
    let output = home.run(&[&["list", "--json"], arguments].concat());
    assert!(output.status.success());
    let rows = String::from_utf8(output.stdout).unwrap();
    let rows = rows
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let ids = rows.map(|row| row["id"].as_str().unwrap().to_owned());
    (ids.collect(), String::from_utf8(output.stderr).unwrap())
}

/// What a command that has to fail says.
fn refused(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn rename_wins_over_the_lines_and_changes_none() {
    let home = with_samples();
    let before = home.ok(&["export", GGCODE]);
    assert_eq!(
        home.ok(&["rename", GGCODE, "The\u{7} loop"]),
        format!("ggcode:{GGCODE}: The\u{7} loop\n")
    );
    assert!(home.ok(&["list"]).contains("The\u{7} loop"));
    assert!(home.ok(&["show", GGCODE]).starts_with("The\u{7} loop\n"));
    assert_eq!(home.ok(&["export", GGCODE]), before);
    home.ok(&["rename", GGCODE, "--clear"]);
    assert!(home.ok(&["list"]).contains("Explain the loop"));
    home.ok(&["verify"]);
}

#[test]
fn pin_marks_lists_and_keeps_from_a_cleanup() {
    let home = with_samples();
    assert_eq!(
        home.ok(&["pin", GGCODE]),
        format!("ggcode:{GGCODE}: pinned\n")
    );
    assert_eq!(list(&home, &["--pinned"]).0, [GGCODE]);
    assert_eq!(list(&home, &[]).0, [CLAUDE, GGCODE]);
    assert!(home.ok(&["list"]).contains("  [pinned] Explain the loop"));
    let head = home.ok(&["show", GGCODE]);
    assert!(
        head.lines()
            .any(|line| line.contains("state") && line.ends_with("pinned")),
        "{head}"
    );

    let cleanup = ["cleanup", "--older-than", "1d"];
    let output = home.run(&[&cleanup[..], &["--dry-run"]].concat());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("would delete 1 session with") && !told.contains(GGCODE),
        "{told}"
    );
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "1 pinned session kept; `--pinned-too` takes them too\n"
    );
    let done = home.ok(&[&cleanup[..], &["--json"]].concat());
    assert!(
        done.contains("\"sessions\":1") && done.contains("\"pinned_kept\":1"),
        "{done}"
    );
    assert_eq!(list(&home, &[]).0, [GGCODE]);
    home.ok(&["verify"]);
    let done = home.ok(&[&cleanup[..], &["--pinned-too"]].concat());
    assert!(done.starts_with("deleted 1 session"), "{done}");
    assert_eq!(list(&home, &[]).0, [""; 0]);
}

#[test]
fn unpin_takes_the_mark_away() {
    let home = with_samples();
    home.ok(&["pin", GGCODE, CLAUDE]);
    assert_eq!(list(&home, &["--pinned"]).0, [CLAUDE, GGCODE]);
    home.ok(&["unpin", CLAUDE]);
    assert_eq!(list(&home, &["--pinned"]).0, [GGCODE]);
    let says = refused(&home, &["unpin", GGCODE, "zzz"]);
    assert!(says.contains("no session `zzz`"), "{says}");
    assert_eq!(list(&home, &["--pinned"]).0, [GGCODE], "nothing is changed");
}

#[test]
fn archive_leaves_sessions_out_of_lists_and_says_so() {
    let home = with_samples();
    home.ok(&["archive", CLAUDE]);
    let note = "1 archived session left out; `--all` lists them too\n";
    assert_eq!(list(&home, &[]), (vec![GGCODE.to_owned()], note.to_owned()));
    assert_eq!(
        list(&home, &["--archived"]),
        (vec![CLAUDE.to_owned()], String::new())
    );
    let both = vec![CLAUDE.to_owned(), GGCODE.to_owned()];
    assert_eq!(list(&home, &["--all"]), (both.clone(), String::new()));
    // One that was passed over takes no place of the limit.
    assert_eq!(list(&home, &["--limit", "1"]).0, [GGCODE]);
    assert!(
        home.ok(&["list", "--all"])
            .contains("  [archived] The port")
    );
    assert!(home.ok(&["show", CLAUDE]).contains("archived\n"));
    home.ok(&["unarchive", CLAUDE]);
    assert_eq!(list(&home, &[]), (both, String::new()));
}

#[test]
fn aliases_resolve_where_no_id_fits() {
    let home = with_samples();
    assert_eq!(
        home.ok(&["alias", GGCODE, "loop", "tele:gram"]),
        "loop\ntele:gram\n"
    );
    assert_eq!(home.ok(&["alias", GGCODE]), "loop\ntele:gram\n");
    for name in ["loop", "ggcode:loop", "tele:gram", "ggcode:tele:gram"] {
        assert_eq!(
            home.ok(&["export", name]),
            home.ok(&["export", GGCODE]),
            "{name}"
        );
    }
    let says = refused(&home, &["show", "loo"]);
    assert!(
        says.contains("no session `loo`"),
        "an alias counts as a whole: {says}"
    );
    refused(&home, &["show", "codex:loop"]);
    let head = home.ok(&["show", "loop"]);
    assert!(
        head.contains("aliases") && head.contains("loop, tele:gram"),
        "{head}"
    );

    // An id, or the start of one, goes before an alias.
    home.ok(&["alias", CLAUDE, "2026", "loop"]);
    assert_eq!(home.ok(&["export", "2026"]), home.ok(&["export", GGCODE]));
    let says = refused(&home, &["show", "loop"]);
    assert!(
        says.contains("fits more than one session") && says.contains(CLAUDE),
        "{says}"
    );
    home.ok(&["alias", CLAUDE, "loop", "2026", "--remove"]);
    home.ok(&["show", "loop"]);
    home.ok(&["verify"]);
}

#[test]
fn a_name_that_nobody_could_type_is_refused() {
    let home = with_samples();
    for name in ["", "two\nlines", "bell\u{7}"] {
        let output = home.run(&["alias", GGCODE, "good", name]);
        assert_eq!(output.status.code(), Some(2), "{name:?}: {output:?}");
    }
    assert_eq!(home.ok(&["alias", GGCODE]), "", "nothing was written");
    // A program can give such a name; it is shown on one line, and can be taken away.
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let key = SessionKey::new("ggcode", GGCODE).unwrap();
    let change = PropertiesChange::default().with_aliases(["two\nlines"]);
    store.update_properties(&key, &change).unwrap();
    drop(store);
    assert_eq!(home.ok(&["alias", GGCODE]), "two\\nlines\n");
    home.ok(&["alias", GGCODE, "two\nlines", "--remove"]);
    assert_eq!(home.ok(&["alias", GGCODE]), "");
}

#[test]
fn fork_copies_up_to_a_record_and_names_its_parent() {
    let home = with_samples();
    let before = home.ok(&["export", GGCODE]);
    let told = home.ok(&["fork", GGCODE, "--through", "2", "--id", "second-try"]);
    assert_eq!(
        told,
        format!("ggcode:second-try: 2 messages, 3 records, from ggcode:{GGCODE}\n")
    );
    let fork = home.ok(&["show", "second-try"]);
    assert!(
        fork.contains("message number 2") && !fork.contains("message number 3"),
        "{fork}"
    );
    let parent = fork.lines().find(|line| line.contains(" parent "));
    assert!(parent.is_some_and(|line| line.ends_with(GGCODE)), "{fork}");
    assert_eq!(home.ok(&["export", GGCODE]), before);
    let whole = home.ok(&["fork", GGCODE, "--json"]);
    assert!(whole.contains("\"messages\":6"), "{whole}");
    let says = refused(&home, &["fork", GGCODE, "--id", "second-try"]);
    assert!(says.contains("second-try"), "{says}");
    home.ok(&["verify"]);
}

#[test]
fn what_is_deleted_stays_away_and_is_listed_until_it_is_forgotten() {
    let home = with_samples();
    home.ok(&["delete", GGCODE]);
    let said = home.ok(&["import", "in"]);
    assert!(
        said.contains("deleted") && said.contains("passed over"),
        "{said}"
    );
    assert_eq!(list(&home, &[]).0, [CLAUDE]);
    assert!(home.ok(&["deleted"]).contains(GGCODE));
    assert!(refused(&home, &["deleted", "--forget", CLAUDE]).contains("no session"));
    home.ok(&["deleted", "--forget", &format!("ggcode:{GGCODE}")]);
    assert_eq!(home.ok(&["deleted"]), "");
    home.ok(&["import", "in"]);
    assert_eq!(list(&home, &[]).0.len(), 2);
    home.ok(&["delete", GGCODE, CLAUDE]);
    let said = home.ok(&["import", "--again", "in"]);
    assert!(!said.contains("passed over"), "{said}");
    assert_eq!(list(&home, &[]).0.len(), 2);
    assert_eq!(home.ok(&["deleted", "--json"]), "");
    home.ok(&["verify"]);
}

/// Sessions of a family: `leader`, what it started, and what that started; and one beside.
fn with_family() -> Home {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    for (id, parent) in [
        ("leader", None),
        ("helper", Some("leader")),
        ("below", Some("helper")),
        ("beside", None),
    ] {
        let mut session = scrollback::Session::native(id).unwrap();
        session.parent = parent.map(str::to_owned);
        store.save(&mut session).unwrap();
    }
    home
}

/// The ids of all sessions, in order.
fn ids(home: &Home) -> Vec<String> {
    let mut ids = list(home, &["--all"]).0;
    ids.sort();
    ids
}

#[test]
fn a_list_by_parent_has_its_children_alone() {
    let home = with_family();
    assert_eq!(list(&home, &["--parent", "lead"]).0, ["helper"]);
    assert_eq!(list(&home, &["--parent", "native:helper"]).0, ["below"]);
    assert_eq!(list(&home, &["--parent", "nobody"]).0, [""; 0]);
}

#[test]
fn delete_takes_what_a_session_started_along_but_for_what_is_pinned() {
    let home = with_family();
    let said = home.ok(&["delete", "leader", "helper"]);
    assert!(
        said.starts_with("deleted 3 sessions (2 of them sub-agents)"),
        "{said}"
    );
    assert_eq!(ids(&home), ["beside"]);
    let home = with_family();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let helper = SessionKey::native("helper").unwrap();
    scrollback::StoreExt::pin(&store, &helper, true).unwrap();
    drop(store);
    home.ok(&["delete", "leader"]);
    assert_eq!(ids(&home), ["below", "beside", "helper"]);
    home.ok(&["delete", "below", "helper"]);
    assert_eq!(ids(&home), ["beside"]);
    home.ok(&["verify"]);
}

#[test]
fn pin_archive_and_export_take_what_a_session_started() {
    let home = with_family();
    home.ok(&["pin", "leader"]);
    assert_eq!(list(&home, &["--pinned", "--subagents"]).0.len(), 3);
    let cleaned = home.ok(&["cleanup", "--older-than", "2100-01-01", "--json"]);
    let cleaned: serde_json::Value = serde_json::from_str(&cleaned).unwrap();
    assert_eq!(
        (&cleaned["sessions"], &cleaned["pinned_kept"]),
        (&1.into(), &3.into())
    );
    home.ok(&["unpin", "leader"]);
    assert_eq!(list(&home, &["--pinned", "--subagents"]).0.len(), 0);
    home.ok(&["archive", "leader"]);
    assert_eq!(list(&home, &["--archived", "--subagents"]).0.len(), 3);
    home.ok(&["unarchive", "helper"]);
    assert_eq!(list(&home, &["--subagents"]).0.len(), 2);
    home.ok(&["export", "helper", "--to", "out"]);
    assert_eq!(
        crate::harness::files_below(&home.path().join("out")).len(),
        2
    );
    let one = home.run(&["export", "leader"]);
    assert!(
        String::from_utf8(one.stderr)
            .unwrap()
            .contains("2 sub-agents not written")
    );
}

#[test]
fn a_cleanup_takes_one_agent_and_project() {
    let home = with_samples();
    let old = ["cleanup", "--older-than", "2100-01-01", "--agent"];
    let said = home.ok(&[&old[..], &["ggcode", "--project", "/nowhere"]].concat());
    assert!(said.starts_with("deleted 0 sessions"), "{said}");
    home.ok(&[&old[..], &["claude", "--project", "api"]].concat());
    assert_eq!(list(&home, &[]).0, [GGCODE]);
    home.ok(&[&old[..], &["ggcode"]].concat());
    assert_eq!(list(&home, &[]).0, [""; 0]);
}
