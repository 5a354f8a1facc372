//! What calls cost, beside a bare insert into the same server and the store in a file, in one run:
//!
//! ```sh
//! cargo test --release -p scrollback-postgres --test it measured -- --ignored --nocapture
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use scrollback::chrono::DateTime;
use scrollback::uuid::Uuid;
use scrollback::{
    CleanupQuery, Expect, ImportOptions, Ingest, ListQuery, NewRecord, Options, RedbStore,
    SessionKey, Store, import, unwatched,
};

use crate::cluster::Cluster;

/// How long each row of the table is measured.
const TIME: Duration = Duration::from_secs(4);

/// Sessions of the long list.
const SESSIONS: u64 = 100_000;

fn key(number: u64) -> SessionKey {
    SessionKey::native(format!("session-{number}")).unwrap()
}

/// A line of 2 KB.
fn line() -> NewRecord {
    let text: String = (0..54).map(|_| Uuid::new_v4().to_string()).collect();
    NewRecord::line(format!(
        "{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{text}\"}}\n"
    ))
}

/// Calls a second of so many threads, each told its number and how often it was called.
fn rate(threads: u64, call: impl Fn(u64, u64) + Sync) -> f64 {
    let (began, done) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (call, done) = (&call, &done);
            scope.spawn(move || {
                let mut times = 0;
                while began.elapsed() < TIME {
                    call(thread, times);
                    times += 1;
                }
                done.fetch_add(times, Ordering::Relaxed);
            });
        }
    });
    let count = f64::from(u32::try_from(done.into_inner()).unwrap());
    count / began.elapsed().as_secs_f64()
}

fn append(store: &dyn Store, session: u64) {
    store
        .append(&key(session), Expect::Any, Some(Uuid::new_v4()), &[line()])
        .unwrap();
}

/// Bare prepared inserts of one row of the same bytes.
fn bare(cluster: &Cluster, clients: u32) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (began, mut tasks) = (Instant::now(), Vec::new());
        for _ in 0..clients {
            let (client, connection) =
                tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls)
                    .await
                    .unwrap();
            tokio::spawn(connection);
            tasks.push(tokio::spawn(async move {
                let insert = client
                    .prepare("INSERT INTO bare (line) VALUES ($1)")
                    .await
                    .unwrap();
                let mut times = 0_u32;
                while began.elapsed() < TIME {
                    let text: String = (0..56).map(|_| Uuid::new_v4().to_string()).collect();
                    client.execute(&insert, &[&text.as_bytes()]).await.unwrap();
                    times += 1;
                }
                times
            }));
        }
        let mut all = 0;
        for task in tasks {
            all += task.await.unwrap();
        }
        f64::from(all) / began.elapsed().as_secs_f64()
    })
}

fn appends(cluster: &Cluster, folder: &std::path::Path) {
    cluster.sql("CREATE TABLE bare (id bigserial PRIMARY KEY, line bytea)");
    let redb = RedbStore::open(folder.join("s.redb"), Options::default()).unwrap();
    eprintln!(
        "appends of 2 KB a second   clients   bare insert   PostgresStore   ratio   RedbStore (shared)"
    );
    for clients in [1_u32, 8, 64] {
        let options = cluster.options().with_connections(clients.min(16) as usize);
        let store = cluster.open(options.with_connect_wait(Duration::from_secs(60)));
        let bare = bare(cluster, clients);
        let ours = rate(u64::from(clients), |thread, _| append(&store, thread));
        let file = rate(u64::from(clients), |thread, _| append(&redb, thread));
        eprintln!(
            "  a session each           {clients:7}   {bare:11.0}   {ours:13.0}   {:5.2}   {file:9.0}",
            ours / bare
        );
    }
    for writers in [8, 64] {
        let options = cluster.options().with_connections(16);
        let store = cluster.open(options.with_connect_wait(Duration::from_secs(60)));
        let one = rate(writers, |_, _| append(&store, 0));
        let file = rate(writers, |_, _| append(&redb, 1_000));
        eprintln!(
            "  all to one session       {writers:7}                 {one:13.0}           {file:9.0}"
        );
    }
}

fn many_sessions(cluster: &Cluster) {
    let store = Arc::new(cluster.open(cluster.options()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in (thread..SESSIONS).step_by(8) {
                    let second = 1_000_000_000 + i64::try_from(number).unwrap();
                    let time = DateTime::from_timestamp(second, 0).unwrap().to_rfc3339();
                    let line =
                        format!("{{\"scrollback\":1,\"type\":\"note\",\"time\":\"{time}\"}}\n");
                    store
                        .append(&key(number), Expect::Any, None, &[NewRecord::line(line)])
                        .unwrap();
                }
            });
        }
    });
    eprintln!(
        "{SESSIONS} new sessions of a line by 8 threads: {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let query = ListQuery::default().with_limit(50);
    store.list(&query).unwrap();
    let began = Instant::now();
    for _ in 0..200 {
        assert_eq!(store.list(&query).unwrap().sessions.len(), 50);
    }
    eprintln!(
        "list of 50 of {SESSIONS}: {:.2} ms",
        began.elapsed().as_secs_f64() * 1000.0 / 200.0
    );
    let began = Instant::now();
    let all = DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let cleaned = store.cleanup(&CleanupQuery::older_than(all)).unwrap();
    assert_eq!(cleaned.removed.sessions, SESSIONS);
    eprintln!(
        "clean-up of {SESSIONS}: {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

fn imports(cluster: &Cluster, folder: &std::path::Path) {
    let source = std::env::var_os("SCROLLBACK_MEASURED").map(std::path::PathBuf::from);
    let Some(source) = source else {
        eprintln!(
            "import: name a folder in SCROLLBACK_MEASURED, such as the example `generate` makes"
        );
        return;
    };
    let redb = RedbStore::open(folder.join("i.redb"), Options::default()).unwrap();
    let store = cluster.open(cluster.options());
    let time = |store: &dyn Ingest| {
        let began = Instant::now();
        let paths = std::slice::from_ref(&source);
        let report = import(store, paths, &ImportOptions::default(), &mut unwatched).unwrap();
        (report.bytes, report.sessions, began.elapsed().as_secs_f64())
    };
    let (bytes, sessions, file) = time(&redb);
    let (_, _, server) = time(&store);
    eprintln!(
        "import of {bytes} bytes in {sessions} sessions: RedbStore {file:.2} s, PostgresStore {server:.2} s, ratio {:.2}",
        file / server
    );
}

#[test]
#[ignore = "measures: a minute"]
fn appends_beside_a_bare_insert_and_the_store_in_a_file() {
    let Some(cluster) = Cluster::start("") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    appends(&cluster, folder.path());
}

#[test]
#[ignore = "measures: a minute"]
fn imports_and_long_lists_beside_the_store_in_a_file() {
    let Some(cluster) = Cluster::start("") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    imports(&cluster, folder.path());
    many_sessions(&cluster);
}
