//! What is written is for its owner alone, whatever the umask: created so, and not narrowed later.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::cli::{CLAUDE, GGCODE, import_samples};
use crate::harness::Home;
use crate::tree;

/// Runs the tool under a umask.
fn run_under(home: &Home, umask: &str, arguments: &[&str]) {
    let script = "umask \"$0\"; exec \"$@\"";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, umask, env!("CARGO_BIN_EXE_scrollback")])
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("SCROLLBACK_STORE", home.store_path())
        .env("TMPDIR", home.path().join("tmp"))
        .current_dir(home.path());
    let output = shell.output().unwrap();
    assert!(
        output.status.success(),
        "umask {umask}, {arguments:?}: {output:?}"
    );
}

/// Every file and folder below is its owner's alone. Returns how many there are.
fn assert_private(root: &Path) -> usize {
    let tree = tree::of(root, &[]);
    for (path, node) in &tree {
        assert_eq!(
            node.mode & 0o077,
            0,
            "{} has mode {:o}",
            path.display(),
            node.mode
        );
    }
    tree.len()
}

#[test]
fn everything_that_is_written_is_private_under_any_umask() {
    // Where not even the owner may open what is made, only an administrator gets further.
    let is_administrator = fs::File::open("/proc/1/mem").is_ok();
    let mut looked_at = 0;
    for umask in ["000", "022", "077", "777"] {
        if umask == "777" && !is_administrator {
            continue;
        }
        let home = Home::new();
        import_samples(&home);
        fs::remove_dir_all(home.path().join("store")).unwrap();
        home.write("s/t.jsonl", "one\ntwo\n");
        home.write("s/t.meta.json", "{\"key\":\"k\",\"skip\":1,\"count\":2}");
        fs::create_dir(home.path().join("tmp")).unwrap();
        for arguments in [
            &["import", "in", "--dry-run"][..],
            &["import", "in"],
            &["rename", CLAUDE, "a title"],
            &["truncate", GGCODE, "--keep", "2"],
            &["export", "--all", "--to", "out/lines"],
            &[
                "export", "--all", "--to", "out/text", "--format", "markdown",
            ],
            &["compact", "--all", "--archive", "out/removed/deep"],
            &["compact", "--jsonl", "s", "--archive", "out/histories"],
            &["verify"],
        ] {
            run_under(&home, umask, arguments);
        }
        looked_at += assert_private(&home.path().join("store"));
        looked_at += assert_private(&home.path().join("out"));
        assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
    }
    assert!(looked_at >= 60, "{looked_at}");
}

#[test]
fn a_store_that_others_may_read_is_told_of_and_stays_as_it_is() {
    let home = Home::new();
    import_samples(&home);
    let quiet = home.run(&["verify"]);
    assert_eq!(String::from_utf8_lossy(&quiet.stderr), "");
    let shared = fs::Permissions::from_mode(0o640);
    fs::set_permissions(home.store_path(), shared).unwrap();
    let told = home.run(&["verify"]);
    assert!(told.status.success());
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        text.contains("mode 640") && text.contains("chmod 600"),
        "{text}"
    );
    let mode = fs::metadata(home.store_path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}
