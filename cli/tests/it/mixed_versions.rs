//! A store between a build of format 3, whose locks are other ones, and this one, under load.
//!
//! `SCROLLBACK_OLD` names the tool of such a build; `.ci/run long` makes one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redb::{Builder, ConcurrencyMode, ReadableDatabase as _, TableDefinition};

use crate::harness::Home;

/// For so long the old ones go on at most: they end where a store is refused.
const LONGEST: Duration = Duration::from_secs(60);

fn old_tool() -> PathBuf {
    let path = std::env::var_os("SCROLLBACK_OLD");
    PathBuf::from(path.expect("SCROLLBACK_OLD names the tool of a build of format 3"))
}

/// The tool of the old build, as the harness runs the new one.
fn old(home: &Home, arguments: &[&str]) -> Output {
    let mut command = Command::new(old_tool());
    command
        .env_clear()
        .env("HOME", home.path())
        .env("SCROLLBACK_STORE", home.store_path())
        .current_dir(home.path());
    command.args(arguments).output().unwrap()
}

fn format(store: &Path) -> u32 {
    const INFO: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("store_info");
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open_read_only(store)
        .unwrap();
    let table = database.begin_read().unwrap().open_table(INFO).unwrap();
    let stored = table.get("format").unwrap().unwrap();
    u32::from_le_bytes(stored.value().try_into().unwrap())
}

/// One session in a file of its own.
fn session(home: &Home, name: &str) -> String {
    let path = home.write(
        &format!("files/{name}.jsonl"),
        format!(
            "{{\"role\":\"user\",\"content\":\"{name} {}\"}}\n",
            "words ".repeat(2_000)
        ),
    );
    path.to_str().unwrap().to_owned()
}

/// What came of the imports of one process after the other.
#[derive(Debug, Default)]
struct Heard {
    imported: Vec<String>,
    busy: usize,
    refused: usize,
}

/// How long imports follow each other without a pause: three processes may leave nobody else a moment until then.
const WITHOUT_PAUSE: Duration = Duration::from_secs(5);

/// How long each waits then before the next one.
const PAUSE: Duration = Duration::from_millis(50);

/// Imports one file after the other until the tool refuses the store, or has done enough.
fn imports(home: &Home, name: &str, run: impl Fn(&[&str]) -> Output, ended: &AtomicBool) -> Heard {
    let mut heard = Heard::default();
    let began = Instant::now();
    for round in 0.. {
        let name = format!("{name}-{round}");
        let output = run(&["--wait", "5", "import", &session(home, &name)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => heard.imported.push(name),
            Some(4) => heard.busy += 1,
            Some(1) if said.contains("reads formats 1 to 3") => {
                heard.refused += 1;
                break;
            }
            code => panic!("{name}: {code:?} {said}"),
        }
        if ended.load(Ordering::Acquire) || began.elapsed() > LONGEST {
            break;
        }
        if began.elapsed() > WITHOUT_PAUSE {
            thread::sleep(PAUSE);
        }
    }
    heard
}

#[test]
#[ignore = "needs the tool of a build of format 3; run by `.ci/run long`"]
fn a_build_with_other_locks_and_this_one_never_have_a_store_at_the_same_time() {
    let home = Home::new();
    assert!(
        old(&home, &["import", &session(&home, "first")])
            .status
            .success()
    );
    assert_eq!(format(&home.store_path()), 3);
    let ended = AtomicBool::new(false);
    let began = Instant::now();
    let (olds, news) = thread::scope(|scope| {
        let (home, ended) = (&home, &ended);
        let olds: Vec<_> = (0..3)
            .map(|number| {
                let run = move |arguments: &[&str]| old(home, arguments);
                scope.spawn(move || imports(home, &format!("old-{number}"), run, ended))
            })
            .collect();
        // The old ones are at it already.
        thread::sleep(Duration::from_millis(300));
        let news: Vec<_> = (0..3)
            .map(|number| {
                let run = move |arguments: &[&str]| home.run(arguments);
                scope.spawn(move || imports(home, &format!("new-{number}"), run, ended))
            })
            .collect();
        let join = |threads: Vec<thread::ScopedJoinHandle<'_, Heard>>| -> Vec<Heard> {
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        };
        let olds = join(olds);
        ended.store(true, Ordering::Release);
        (olds, join(news))
    });
    let sum = |all: &[Heard]| all.iter().map(|one| one.imported.len()).sum::<usize>();
    println!(
        "{} imports by old processes, {} by new ones, {} busy, {:?}",
        sum(&olds),
        sum(&news),
        olds.iter().chain(&news).map(|one| one.busy).sum::<usize>(),
        began.elapsed()
    );
    // Whoever had it, nothing is lost and all is whole.
    let report = home.ok(&["verify", "--deep", "--json"]);
    assert!(report.contains("\"problems\":[]"), "{report}");
    let list = home.ok(&["list", "--limit", "100000", "--json"]);
    for name in olds.iter().chain(&news).flat_map(|one| &one.imported) {
        assert!(list.contains(&format!("\"{name}\"")), "{name} is lost");
    }
    assert!(sum(&olds) > 0 && sum(&news) > 0, "{olds:?} {news:?}");
    // Whatever the format of today is: one that the old processes do not read.
    assert!(format(&home.store_path()) > 3);
    assert!(olds.iter().all(|one| one.refused == 1), "{olds:?}");
}

#[test]
#[ignore = "needs the tool of a build of format 3; run by `.ci/run long`"]
fn a_build_with_other_locks_refuses_what_this_one_has_brought_over() {
    let home = Home::new();
    home.ok(&["import", &session(&home, "first")]);
    let before = std::fs::read(home.store_path()).unwrap();
    for arguments in [&["list"][..], &["import", "files"], &["verify"]] {
        let output = old(&home, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("reads formats 1 to 3"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(std::fs::read(home.store_path()).unwrap(), before);
}
