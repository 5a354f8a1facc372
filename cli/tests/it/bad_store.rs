//! Stores that are none, or damaged, or of another version, or cannot be written; ids and paths
//! that lead nowhere. Each time: the exit code, an error that says what, where and what to do, and
//! the data as it was.

use std::fs;
use std::path::Path;
use std::process::Output;

use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::harness::Home;

/// Every command, with an id that fits the session of [`filled`].
const READING: [&[&str]; 5] = [
    &["list"],
    &["show", "first"],
    &["export", "first"],
    &["stats"],
    &["verify"],
];
const WRITING: [&[&str]; 4] = [
    &["import", "sessions"],
    &["truncate", "first", "--keep", "1"],
    &["compact", "--all"],
    &["delete", "first"],
];

/// A session of an unknown agent, of so many messages.
fn session(about: &str, messages: usize) -> String {
    let line = |number| {
        let role = if number % 2 == 0 { "user" } else { "assistant" };
        format!(
            "{{\"role\":\"{role}\",\"content\":\"{about}, part {number}\",\
             \"timestamp\":\"2026-05-01T10:{:02}:00Z\"}}\n",
            number % 60
        )
    };
    (0..messages).map(line).collect()
}

/// A home with a store of two sessions, `first` and `second`, and their files in `sessions`.
fn filled() -> Home {
    let home = Home::new();
    home.write("sessions/first.jsonl", session("Tomatoes", 120));
    home.write("sessions/second.jsonl", session("Lettuce", 40));
    home.ok(&["import", "sessions"]);
    home
}

/// Runs a command that has to fail with this code and to say why, and gives what it said.
fn refused(home: &Home, arguments: &[&str], code: i32) -> String {
    let output = home.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.starts_with("error: "), "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    said
}

/// That an error names the store's file and says what to do.
fn assert_names_the_store(home: &Home, said: &str) {
    assert!(
        said.contains(&home.store_path().display().to_string()),
        "which store? {said}"
    );
    assert!(said.contains("hint: "), "what to do? {said}");
}

/// Characters that hardly compress.
fn noise(seed: u64, characters: usize) -> String {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'A' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..characters).map(|_| next()).collect()
}

fn exit_code(output: &Output) -> i32 {
    output
        .status
        .code()
        .unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let contents: [Vec<u8>; 4] = [
        b"Dear diary,\n".to_vec(),
        session("Not a store", 3).into_bytes(),
        b"SQLite format 3\0"
            .iter()
            .copied()
            .chain([0; 4080])
            .collect(),
        noise(1, 100_000).into_bytes(),
    ];
    let home = Home::new();
    home.write("sessions/a.jsonl", session("A", 2));
    for content in contents {
        home.write("store/scrollback.redb", &content);
        for command in READING.iter().chain(&WRITING) {
            let said = refused(&home, command, 1);
            assert!(said.contains("is not a Scrollback store"), "{said}");
            assert_names_the_store(&home, &said);
            assert_eq!(
                fs::read(home.store_path()).unwrap(),
                content,
                "{command:?} wrote to it"
            );
        }
    }
}

#[test]
fn an_empty_file_is_a_new_store_to_an_import_and_none_to_a_reader() {
    let home = Home::new();
    home.write("sessions/a.jsonl", session("A", 2));
    home.write("store/scrollback.redb", "");
    let said = refused(&home, &["list"], 1);
    assert!(said.contains("it is empty"), "{said}");
    home.ok(&["import", "sessions"]);
    assert!(home.ok(&["list"]).contains("A, part 0"));
    home.ok(&["verify"]);
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_looking() {
    let home = Home::new();
    for command in READING.iter().chain(&WRITING[1..]) {
        let said = refused(&home, command, 1);
        assert_names_the_store(&home, &said);
        assert!(!home.store_path().exists(), "{command:?} made one");
    }
}

#[test]
fn another_programs_database_is_refused_and_its_data_kept() {
    const THEIRS: TableDefinition<'_, &str, u64> = TableDefinition::new("theirs");
    let home = Home::new();
    home.write("sessions/a.jsonl", session("A", 2));
    fs::create_dir_all(home.store_path().parent().unwrap()).unwrap();
    let database = Database::create(home.store_path()).unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(THEIRS)
        .unwrap()
        .insert("answer", 42)
        .unwrap();
    txn.commit().unwrap();
    drop(database);
    for command in READING.iter().chain(&WRITING) {
        let said = refused(&home, command, 1);
        assert!(said.contains("is not a Scrollback store"), "{said}");
        assert_names_the_store(&home, &said);
    }
    let database = Database::open(home.store_path()).unwrap();
    let txn = database.begin_read().unwrap();
    assert_eq!(txn.list_tables().unwrap().count(), 1);
    assert_eq!(
        txn.open_table(THEIRS)
            .unwrap()
            .get("answer")
            .unwrap()
            .unwrap()
            .value(),
        42
    );
}

#[test]
fn a_truncated_store_is_reported_as_corrupt_or_has_lost_nothing() {
    let home = filled();
    let whole = fs::read(home.store_path()).unwrap();
    let exported = home.ok(&["export", "first"]);
    let mut reported = 0;
    for kept in [
        whole.len() * 9 / 10,
        whole.len() / 2,
        8192,
        4096,
        320,
        100,
        12,
    ] {
        let cut = &whole[..kept];
        for command in READING.iter().chain(&WRITING) {
            home.write("store/scrollback.redb", cut);
            let output = home.run(command);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                !said.contains("panicked"),
                "{command:?}, {kept} bytes kept: {said}"
            );
            match exit_code(&output) {
                // What was cut off was free space, or was not needed for this.
                0 if command[0] == "export" => {
                    assert_eq!(String::from_utf8_lossy(&output.stdout), exported);
                }
                0 => assert!(kept > whole.len() / 2, "{command:?}, {kept} bytes kept"),
                3 => {
                    // A store that can be opened is verified, and what is wrong is listed.
                    let listed = String::from_utf8_lossy(&output.stdout);
                    let is_told = said.contains("hint: ")
                        || command[0] == "verify" && listed.contains("its end");
                    assert!(is_told, "{command:?}, {kept} bytes kept: {said}{listed}");
                    reported += 1;
                }
                code => panic!("{command:?}, {kept} bytes kept: exit code {code}: {said}"),
            }
        }
    }
    assert!(reported > 50, "only {reported} were reported");
    home.write("store/scrollback.redb", &whole);
    home.ok(&["verify"]);
}

/// Overwrites the format numbers of a store.
fn set_formats(path: &Path, format: u32, readable: u32) {
    const STORE_INFO: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("store_info");
    let database = Database::open(path).unwrap();
    let txn = database.begin_write().unwrap();
    {
        let mut table = txn.open_table(STORE_INFO).unwrap();
        for (name, number) in [("format", format), ("format_readable", readable)] {
            let old = table.insert(name, number.to_le_bytes().as_slice()).unwrap();
            assert!(
                old.is_some_and(|old| old.value().len() == 4),
                "`{name}` has moved"
            );
        }
    }
    txn.commit().unwrap();
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let home = filled();
    let listed = home.ok(&["list", "--json"]);
    set_formats(&home.store_path(), 99, 99);
    let newer = fs::read(home.store_path()).unwrap();
    for command in READING.iter().chain(&WRITING) {
        if command == &WRITING[0] {
            assert_eq!(
                fs::read(home.store_path()).unwrap(),
                newer,
                "looking changed it"
            );
        }
        let said = refused(&home, command, 1);
        assert!(said.contains("format 99"), "{said}");
        assert!(
            said.contains("use the version of scrollback that wrote it"),
            "{said}"
        );
        assert_names_the_store(&home, &said);
    }
    set_formats(&home.store_path(), 3, 3);
    home.ok(&["verify"]);
    assert_eq!(home.ok(&["list", "--json"]), listed);
}

#[test]
fn a_flipped_byte_is_found_or_harmless_and_never_a_wrong_answer() {
    let home = Home::new();
    // Lines that hardly compress, so that most bytes of the file are theirs.
    let line = |number| {
        format!(
            "{{\"role\":\"user\",\"content\":\"{}\"}}\n",
            noise(number, 900)
        )
    };
    let session: String = (0..400).map(line).collect();
    home.write("sessions/first.jsonl", &session);
    home.ok(&["import", "sessions"]);
    let whole = fs::read(home.store_path()).unwrap();
    assert_eq!(home.ok(&["export", "first"]), session);
    let mut found = 0;
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    for at in used.iter().step_by(used.len() / 80) {
        let mut damaged = whole.clone();
        damaged[*at] ^= 0x10;
        home.write("store/scrollback.redb", &damaged);
        let output = home.run(&["export", "first"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "byte {at}: {said}");
        match exit_code(&output) {
            0 => assert!(
                output.stdout == session.as_bytes(),
                "byte {at}: a wrong answer"
            ),
            1 | 3 => assert!(said.starts_with("error: "), "byte {at}: {said}"),
            code => panic!("byte {at}: exit code {code}: {said}"),
        }
        home.write("store/scrollback.redb", &damaged);
        let output = home.run(&["verify"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(exit_code(&output), 0 | 1 | 3), "byte {at}: {said}");
        assert!(!said.contains("panicked"), "byte {at}: {said}");
        found += usize::from(exit_code(&output) == 3);
    }
    // The others lie in pages that are free.
    assert!(found > 40, "only {found} of 80 flipped bytes were found");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let home = Home::new();
    home.write("sessions/a.jsonl", session("A", 2));
    home.write("file", "not a folder");
    fs::create_dir(home.path().join("folder")).unwrap();
    // These refuse everybody, root too.
    let mut places = vec!["file/scrollback.redb".to_owned(), "folder".to_owned()];
    if cfg!(target_os = "linux") {
        places.push("/proc/self/scrollback.redb".to_owned());
        places.push("/sys/scrollback/scrollback.redb".to_owned());
    }
    for place in places {
        let said = refused(&home, &["--store", &place, "import", "sessions"], 1);
        // The folder may be what cannot be made.
        let folder = Path::new(&place).parent().unwrap().display().to_string();
        let named = said.contains(&place) || said.contains(&format!("`{folder}`"));
        assert!(named, "{place}: {said}");
        assert!(
            said.contains("caused by: ") || said.contains("hint: "),
            "{said}"
        );
    }
    assert_eq!(fs::read(home.path().join("file")).unwrap(), b"not a folder");
    assert_eq!(fs::read_dir(home.path().join("folder")).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_refused_to_those_whom_it_concerns() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = filled();
    let folder = home.path().join("locked");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        println!("this user writes anywhere (root): permissions refuse nothing");
        return;
    }
    let said = refused(
        &home,
        &["--store", "locked/a.redb", "import", "sessions"],
        1,
    );
    assert!(
        said.contains("locked/a.redb") && said.contains("permissions"),
        "{said}"
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_path_that_is_not_there_is_named_and_the_others_are_imported() {
    let home = Home::new();
    home.write("sessions/a.jsonl", session("A", 2));
    let said = refused(&home, &["import", "gone/away", "sessions"], 1);
    assert!(
        said.contains("gone/away") && said.contains("hint: check the path"),
        "{said}"
    );
    assert!(home.ok(&["list"]).contains("A, part 0"));
}

#[test]
fn an_id_that_is_unknown_or_ambiguous_changes_nothing() {
    let home = Home::new();
    home.write("sessions/pear-1.jsonl", session("Pears", 4));
    home.write("sessions/pear-2.jsonl", session("More pears", 4));
    home.ok(&["import", "sessions"]);
    let listed = home.ok(&["list", "--json"]);
    let commands: [&[&str]; 5] = [
        &["show"],
        &["export"],
        &["delete"],
        &["compact"],
        &["truncate", "--keep", "1"],
    ];
    for command in commands {
        let with = |id| [command, &[id]].concat();
        let said = refused(&home, &with("plum"), 1);
        assert!(
            said.contains("`plum`") && said.contains("scrollback list"),
            "{said}"
        );
        let said = refused(&home, &with("pear"), 1);
        assert!(said.contains("pear-1") && said.contains("pear-2"), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
    // One good id beside a bad one: nothing is deleted.
    refused(&home, &["delete", "pear-1", "plum"], 1);
    assert_eq!(home.ok(&["list", "--json"]), listed);
    assert!(home.ok(&["show", "pear-1"]).contains("Pears, part 3"));
}

#[test]
fn a_store_is_no_source_of_an_import() {
    let one = filled();
    let other = Home::new();
    other.write("sessions/third.jsonl", session("Rosemary", 6));
    other.ok(&["import", "sessions"]);
    let listed = (one.ok(&["list", "--json"]), other.ok(&["list", "--json"]));
    for (home, source) in [(&one, &other), (&other, &one), (&one, &one)] {
        let path = source.store_path().display().to_string();
        let output = home.run(&["import", &path]);
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(exit_code(&output), 1, "{said}");
        assert!(said.contains(&path), "which file? {said}");
        assert!(said.contains("store"), "what is it? {said}");
        assert!(said.contains("export"), "what to do? {said}");
    }
    assert_eq!(
        (one.ok(&["list", "--json"]), other.ok(&["list", "--json"])),
        listed
    );
    one.ok(&["verify"]);
    other.ok(&["verify"]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    let home = Home::new();
    let lines: [&[&str]; 4] = [
        &[],
        &["frobnicate"],
        &["truncate", "a"],
        &["cleanup", "--older-than", "x"],
    ];
    for line in lines {
        let output = home.run(line);
        assert_eq!(exit_code(&output), 2, "{line:?}");
        assert!(!output.stderr.is_empty(), "{line:?}");
    }
}
