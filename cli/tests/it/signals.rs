//! Ctrl-C and SIGTERM in the middle of a command: it ends as the signal says, the store is whole,
//! and the same command then does what it would have done.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::full_disk::write_sessions;
use crate::harness::{Home, files_below};

/// By number, as the status of a process has it, and by name.
const SIGNALS: [(i32, &str); 2] = [(2, "-INT"), (15, "-TERM")];

/// Moments at which each command is interrupted, in parts of the time that it takes.
const MOMENTS: u32 = 2;

const FILES: usize = 16;

/// Lines of each.
const LINES: usize = 800;

/// Starts a command, sends it a signal after `pause`, and tells whether that ended it.
fn interrupt(home: &Home, arguments: &[&str], signal: (i32, &str), pause: Duration) -> bool {
    let mut command = home.command();
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    std::thread::sleep(pause);
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal.1, &id]).status().is_ok());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return false;
    }
    assert_eq!(output.status.signal(), Some(signal.0), "{said}");
    assert_eq!(said, "");
    true
}

/// Files that a command has begun and not finished.
fn unfinished(folder: &Path) -> usize {
    let is_unfinished = |name: &str| name.starts_with(".scrollback-");
    // Who was stopped early has not made it yet.
    if !folder.exists() {
        return 0;
    }
    files_below(folder)
        .iter()
        .filter(|path| is_unfinished(&path.file_name().unwrap().to_string_lossy()))
        .count()
}

#[test]
fn an_interrupted_command_leaves_a_whole_store_and_can_be_repeated() {
    let home = Home::new();
    write_sessions(&home, "in", FILES, LINES);
    let began = Instant::now();
    home.ok(&["--store", "whole.redb", "import", "in"]);
    let mut import = began.elapsed();
    let began = Instant::now();
    home.ok(&["--store", "whole.redb", "export", "--all", "--to", "whole"]);
    let mut export = began.elapsed();
    let mut interrupted = [0; 3];
    for signal in SIGNALS {
        for moment in 1..=MOMENTS {
            drop(fs::remove_file(home.store_path()));
            let pause = import * moment / (MOMENTS + 1);
            let ended = interrupt(&home, &["import", "in"], signal, pause);
            interrupted[0] += u32::from(ended);
            // The measured one may have been slow.
            import = if ended { import } else { import / 2 };
            if home.store_path().exists() {
                home.ok(&["verify"]);
            }
            home.ok(&["import", "in"]);
            drop(fs::remove_dir_all(home.path().join("out")));
            let arguments = ["export", "--all", "--to", "out"];
            let pause = export * moment / (MOMENTS + 1);
            let ended = interrupt(&home, &arguments, signal, pause);
            interrupted[1] += u32::from(ended);
            export = if ended { export } else { export / 2 };
            assert!(unfinished(&home.path().join("out")) <= 1);
            home.ok(&arguments);
            for file in 0..FILES {
                let name = format!("in-{file}.jsonl");
                let source = fs::read(home.path().join("in").join(&name)).unwrap();
                let out = files_below(&home.path().join("out"));
                let back = out.iter().find(|path| path.ends_with(&name)).unwrap();
                assert!(fs::read(back).unwrap() == source, "{name}");
            }
            home.ok(&["truncate", "in-0", "--keep", "2"]);
            let ended = interrupt(
                &home,
                &["compact", "--all"],
                signal,
                Duration::from_millis(5),
            );
            interrupted[2] += u32::from(ended);
            home.ok(&["verify"]);
            home.ok(&["compact", "--all"]);
            home.ok(&["verify"]);
        }
    }
    println!("interrupted: {interrupted:?} imports, exports, compactions");
    let all = u32::try_from(SIGNALS.len()).unwrap() * MOMENTS;
    assert!(interrupted[0] * 2 >= all && interrupted.iter().sum::<u32>() > all);
    let store = home.store_path();
    let left = unfinished(store.parent().unwrap());
    assert!(left <= interrupted[0] as usize, "{left} half-made stores");
}

#[test]
fn a_process_that_is_stopped_keeps_nobody_waiting_for_ever() {
    let home = Home::new();
    write_sessions(&home, "in", FILES, LINES);
    let began = Instant::now();
    home.ok(&["--store", "whole.redb", "import", "in"]);
    let import = began.elapsed();
    home.write(
        "first/first.jsonl",
        "{\"role\":\"user\",\"content\":\"hello\"}\n",
    );
    home.ok(&["import", "first"]);
    let (mut stopped, mut busy, mut done) = (0, 0, 0);
    for moment in 1..=3 {
        let mut command = home.command();
        // The clean-up below has deleted them.
        command.args(["import", "--again", "in"]);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(import * moment / 4);
        let id = child.id().to_string();
        let send = |signal: &str| {
            let sent = Command::new("kill").args([signal, &id]).output();
            sent.unwrap().status.success()
        };
        stopped += u32::from(send("-STOP"));
        for arguments in [&["list"][..], &["rename", "first", "another"], &["verify"]] {
            let began = Instant::now();
            let output = home.run(&[&["--wait", "0"], arguments].concat());
            assert!(began.elapsed() < Duration::from_secs(20));
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => done += 1,
                Some(4) => {
                    assert!(said.contains(&format!("process {id} has been")), "{said}");
                    busy += 1;
                }
                code => panic!("{arguments:?}: {code:?}: {said}"),
            }
        }
        send("-CONT");
        assert!(child.wait_with_output().unwrap().status.success());
        home.ok(&["cleanup", "--older-than", "2027-01-01"]);
        home.ok(&["import", "--again", "first"]);
    }
    println!("{stopped} stopped; beside them {done} commands went through, {busy} were busy");
    assert!(stopped >= 2 && done >= 3);
}

/// A process that was stopped while it reads keeps the space of what is deleted: the one that wants to
/// give it back says which it is.
#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_is_stopped_is_named_by_a_compaction() {
    let home = Home::new();
    write_sessions(&home, "in", FILES, LINES);
    home.ok(&["import", "in"]);
    for pause in (1..60).cycle() {
        let mut command = home.command();
        command.arg("verify").stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause * 5));
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-STOP", &id]).status().is_ok());
        let output = home.run(&["--wait", "1", "compact", "--all"]);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = [output.stdout, output.stderr]
            .map(|said| String::from_utf8(said).unwrap())
            .concat();
        if said.contains("read or written elsewhere") {
            assert!(
                said.contains(&format!("process {id}, which is stopped")),
                "{said}"
            );
            return;
        }
    }
}
