//! The tool on a PostgreSQL server: what people do with a file, by a URL in its place; and copies there and back.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::{Cluster, shared};
use crate::copy::told;
use crate::harness::{Home, files_below};

/// A store of its own on the server, by its URL.
fn database(cluster: &Cluster, name: &str) -> String {
    let port = cluster.port.to_string();
    let made = cluster.run(
        "createdb",
        &["-h", "127.0.0.1", "-p", &port, "-U", "tester", name],
    );
    assert!(made.status.success(), "{made:?}");
    format!("postgres://tester@127.0.0.1:{port}/{name}?sslmode=disable")
}

fn server(name: &str) -> Option<(Arc<Cluster>, String)> {
    let cluster = shared()?;
    let url = database(&cluster, name);
    Some((cluster, url))
}

fn samples() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sessions");
    folder.canonicalize().unwrap().display().to_string()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_sample_goes_in_is_shown_found_and_exported_and_goes() {
    let Some((_cluster, url)) = server("tool") else {
        return;
    };
    let home = Home::new();
    let ok = |command: &[&str]| home.ok(&[&["--store", &url], command].concat());
    let samples = samples();
    let imported = json(&ok(&["import", &samples, "--json"]));
    let sessions = imported["sessions"].as_u64().unwrap();
    assert!(sessions >= 10, "{imported}");
    let again = json(&ok(&["import", &samples, "--json"]));
    assert_eq!(
        (&again["sessions"], &again["records"]),
        (&0.into(), &0.into())
    );
    let listed = ok(&["list", "--all", "--json"]);
    let listed: Vec<Value> = listed.lines().map(json).collect();
    assert!(listed.len() as u64 >= sessions - imported["generations"].as_u64().unwrap());
    let id = listed
        .iter()
        .find(|session| session["message_count"].as_u64() > Some(1))
        .and_then(|session| session["id"].as_str())
        .unwrap();
    let shown = ok(&["show", id]);
    assert!(shown.lines().count() > 3, "{shown}");
    let counted = json(&ok(&["search", "water tomatoes", "--count", "--json"]));
    assert!(counted["messages"].as_u64() > Some(0), "{counted}");
    ok(&["export", "--all", "--to", "out"]);
    let out: Vec<Vec<u8>> = files_below(&home.path().join("out"))
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    let mut compared = 0;
    for file in files_below(Path::new(&samples)) {
        if file.extension().is_some_and(|kind| kind == "jsonl") {
            assert!(
                out.contains(&std::fs::read(&file).unwrap()),
                "{}",
                file.display()
            );
            compared += 1;
        }
    }
    assert!(compared >= 10);
    let stats = json(&ok(&["stats", "--json"]));
    assert!(stats["agents"].as_array().unwrap().len() > 3, "{stats}");
    ok(&["verify", "--deep"]);
    ok(&["rename", id, "Another title"]);
    assert!(ok(&["list", "--all"]).contains("Another title"));
    ok(&["delete", id]);
    let gone = home.run(&["--store", &url, "show", id]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(ok(&["deleted"]).contains(id));
    // What is about a file says so.
    for command in [&["backup", "b.redb"][..], &["scrub"], &["stats", "--files"]] {
        let refused = home.run(&[&["--store", url.as_str()], command].concat());
        assert_eq!(refused.status.code(), Some(2), "{command:?}");
    }
}

#[test]
fn a_file_that_is_copied_to_a_server_and_back_is_the_same() {
    let Some((cluster, url)) = server("copied") else {
        return;
    };
    let home = Home::new();
    home.ok(&["--store", "from.redb", "import", &samples()]);
    home.ok(&["copy", "from.redb", &url]);
    home.ok(&["copy", &url, "back.redb"]);
    let from = told(&home, "from.redb");
    assert_eq!(from, told(&home, &url));
    assert_eq!(from, told(&home, "back.redb"));
    for (store, out) in [("from.redb", "one"), ("back.redb", "other")] {
        home.ok(&["--store", store, "export", "--all", "--to", out]);
    }
    let files = |out: &str| {
        let folder = home.path().join(out);
        let files = files_below(&folder).into_iter().map(|file| {
            let name = file.strip_prefix(&folder).unwrap().to_owned();
            (name, std::fs::read(file).unwrap())
        });
        files.collect::<Vec<_>>()
    };
    assert!(files("one") == files("other"), "an export differs");
    // From server to server.
    let other = database(&cluster, "other");
    let report = json(&home.ok(&["copy", &url, &other, "--json"]));
    assert!(report["sessions"].as_u64() >= Some(10), "{report}");
    assert_eq!(
        report["from"].as_str().unwrap().matches("sslmode").count(),
        0
    );
    assert_eq!(from, told(&home, &other));
}

#[test]
fn a_copy_to_a_server_that_is_killed_goes_on_and_doubles_nothing() {
    let Some((_cluster, url)) = server("killed") else {
        return;
    };
    let home = Home::new();
    let store = scrollback::RedbStore::open(
        home.path().join("from.redb"),
        scrollback::Options::default(),
    )
    .unwrap();
    crate::copies_killed::fill(&store, "s", 60 * 1024 * 1024);
    drop(store);
    for wait in [50, 200, 400, 800, 1600] {
        let mut child = home
            .command()
            .args(["copy", "from.redb", &url])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    home.ok(&["copy", "from.redb", &url]);
    assert_eq!(told(&home, "from.redb"), told(&home, &url));
}
