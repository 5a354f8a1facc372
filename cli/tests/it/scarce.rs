//! Too few open files, too little memory: an error that says so, and a store that is whole.

use std::os::unix::process::ExitStatusExt as _;

use crate::full_disk::{assert_goes_on, exported, from_shell, write_sessions};
use crate::harness::Home;

/// The signal of a process that ends itself: Rust's answer to memory that is not there.
const ABORTED: i32 = 6;

#[test]
fn too_few_open_files_are_told_and_harm_nothing() {
    let home = Home::new();
    write_sessions(&home, "early", 2, 20);
    home.ok(&["import", "early"]);
    let before = exported(&home, &["early-0", "early-1"]);
    write_sessions(&home, "late", 6, 60);
    let (mut done, mut failed) = (0, 0);
    for files in 3..=10 {
        let limit = format!("ulimit -n {files}");
        let to = format!("out-{files}");
        for arguments in [
            &["list"][..],
            &["export", "--all", "--to", &to],
            &["verify"],
            &["import", "late"],
            &["--store", "new.redb", "import", "late"],
        ] {
            let output = from_shell(&home, &limit, arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "{arguments:?}: {said}");
            // With fewest, the system cannot even start the tool.
            let could_start =
                output.status.code() != Some(127) && output.status.code() != Some(126);
            match output.status.code() {
                Some(0) => done += 1,
                code => {
                    assert!(code == Some(1) || !could_start, "{code:?}: {said}");
                    let told = [said, String::from_utf8_lossy(&output.stdout)].concat();
                    let is_told = told.contains("Too many open files") || !could_start;
                    assert!(is_told, "{arguments:?}: {told}");
                    failed += 1;
                }
            }
            drop(std::fs::remove_file(home.path().join("new.redb")));
        }
    }
    println!("{done} commands went through, {failed} failed");
    assert!(done >= 10 && failed >= 3);
    assert_eq!(exported(&home, &["early-0", "early-1"]), before);
    assert_goes_on(&home, "late", 6);
}

#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_harms_nothing() {
    let home = Home::new();
    write_sessions(&home, "early", 2, 20);
    home.ok(&["import", "early"]);
    let before = exported(&home, &["early-0", "early-1"]);
    write_sessions(&home, "late", 6, 400);
    let (mut done, mut failed) = (0, 0);
    for megabytes in (10..=60).step_by(10) {
        let limit = format!("ulimit -c 0; ulimit -v {}", megabytes * 1024);
        for arguments in [
            &["list"][..],
            &["verify"],
            &["import", "late"],
            &["cleanup", "--older-than", "2020-01-01"],
        ] {
            let output = from_shell(&home, &limit, arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "{arguments:?}: {said}");
            match (output.status.code(), output.status.signal()) {
                (Some(0), _) => done += 1,
                // Not enough to start the tool, an error, or memory that Rust cannot do without.
                (Some(1 | 126 | 127), _) | (_, Some(ABORTED | 9 | 11)) => failed += 1,
                other => panic!("{arguments:?}: {other:?}: {said}"),
            }
            home.ok(&["verify"]);
        }
    }
    println!("{done} commands went through, {failed} failed");
    assert!(done >= 8 && failed >= 1);
    assert_eq!(exported(&home, &["early-0", "early-1"]), before);
    assert_goes_on(&home, "late", 6);
}
