//! Calls that cannot go on: others hold what they need, the server takes too long or stands still.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use scrollback::uuid::Uuid;
use scrollback::{
    Error, Expect, NewRecord, PropertiesChange, ScanQuery, SessionKey, Store, StoreExt as _,
};
use scrollback_postgres::PostgresStore;

use crate::cluster::{Cluster, shared, signal};

fn key(id: &str) -> SessionKey {
    SessionKey::native(id).unwrap()
}

fn append(store: &dyn Store, id: &str, batch_id: Option<Uuid>) -> scrollback::Result<bool> {
    let line = NewRecord::line("{\"scrollback\":1,\"type\":\"note\"}\n".to_owned());
    let appended = store.append(&key(id), Expect::Any, batch_id, &[line])?;
    Ok(appended.replayed)
}

/// Somebody else's transaction, which holds a session's row until it is dropped.
struct Holder {
    _client: tokio_postgres::Client,
    _runtime: tokio::runtime::Runtime,
}

impl Holder {
    fn of(cluster: &Cluster, schema: &str, id: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        let statement =
            format!("BEGIN; SELECT 1 FROM {schema}.sessions WHERE id = '{id}' FOR UPDATE");
        let client = runtime.block_on(async {
            let url = cluster.url();
            let connected = tokio_postgres::connect(&url, tokio_postgres::NoTls).await;
            let (client, connection) = connected.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&statement).await.unwrap();
            client
        });
        Self {
            _client: client,
            _runtime: runtime,
        }
    }
}

type Call<'c> = &'c dyn Fn(&PostgresStore) -> scrollback::Result<()>;

#[test]
fn a_session_that_somebody_holds_is_busy_for_as_long_as_the_options_say() {
    let Some(cluster) = shared() else {
        return;
    };
    let short = Duration::from_millis(200);
    let long = Duration::from_secs(60);
    for (lock, statement, reason) in [
        (short, long, "another transaction holds a lock"),
        (long, short, "a statement took longer than it may"),
    ] {
        let options = cluster.options().with_lock_timeout(lock);
        let options = options.with_statement_timeout(statement);
        let store = cluster.open(options.clone());
        append(&store, "held", None).unwrap();
        append(&store, "free", None).unwrap();
        let holder = Holder::of(&cluster, &options.schema, "held");
        let id = Uuid::new_v4();
        let calls: [(&str, Call<'_>); 4] = [
            ("append", &|store| append(store, "held", Some(id)).map(drop)),
            ("hide", &|store| {
                store.hide_before(&key("held"), 1).map(drop)
            }),
            ("change", &|store| {
                let change = PropertiesChange::default().with_title("a title".to_owned());
                store.update_properties(&key("held"), &change).map(drop)
            }),
            ("delete", &|store| store.delete(&key("held")).map(drop)),
        ];
        for (name, call) in calls {
            let began = Instant::now();
            let done = call(&store);
            let is_busy = matches!(&done, Err(Error::Busy { reason: told }) if told == reason);
            assert!(
                is_busy && done.is_err_and(|error| error.is_retryable()),
                "{name}: {reason}"
            );
            let took = began.elapsed();
            assert!(
                took >= short && took < Duration::from_secs(10),
                "{name}: {took:?}"
            );
        }
        // Neither those who read it nor those who write another one wait.
        assert_eq!(store.summary(&key("held")).unwrap().next_sequence, 1);
        append(&store, "free", None).unwrap();
        drop(holder);
        assert!(
            !append(&store, "held", Some(id)).unwrap(),
            "it had said that nothing was written"
        );
        for (name, call) in calls {
            call(&store).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
    }
}

/// Nobody hangs up, and no answer comes. The same changes are sent on another connection, and do what the first
/// ones then find done.
#[test]
fn what_a_server_that_stands_still_is_asked_is_done_once() {
    let Some(cluster) = Cluster::start("-c fsync=off") else {
        return;
    };
    let options = cluster
        .options()
        .with_statement_timeout(Duration::from_secs(1));
    let store = cluster.open(options);
    append(&store, "one", None).unwrap();
    let of_store = "FROM pg_stat_activity WHERE application_name = 'scrollback'";
    let pids = cluster.sql(&format!("SELECT pid {of_store}"));
    let stopped = Stopped(pids.lines().map(str::to_owned).collect());
    stopped.send("-STOP");
    let began = Instant::now();
    assert!(!append(&store, "one", Some(Uuid::new_v4())).unwrap());
    assert!(began.elapsed() > Duration::from_secs(1), "it stood still");
    drop(stopped);
    cluster.wait_for(&format!("count(*) = 1 {of_store}"));
    let records = store.records(&key("one"), ScanQuery::default());
    assert_eq!(records.map(Result::unwrap).count(), 2);
}

/// Processes that stand still until this is dropped.
struct Stopped(Vec<String>);

impl Stopped {
    fn send(&self, name: &str) {
        assert!(!self.0.is_empty());
        for pid in &self.0 {
            signal(pid, name);
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.send("-CONT");
    }
}

#[test]
fn a_server_that_takes_connections_and_says_nothing_keeps_nobody_from_the_next() {
    let Some(cluster) = shared() else {
        return;
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let wait = Duration::from_secs(4);
    let options = cluster.options().with_connect_wait(wait);
    let url = |second| {
        format!("postgres://tester@127.0.0.1:{port},127.0.0.1:{second}/postgres?sslmode=disable")
    };
    let began = Instant::now();
    let store = PostgresStore::open(&url(cluster.port), options.clone()).unwrap();
    assert!(began.elapsed() < wait, "{:?}", began.elapsed());
    append(&store, "one", None).unwrap();
    // Both are named where none is there.
    let none = crate::cluster::free_port();
    let Err(error) = PostgresStore::open(&url(none), options) else {
        panic!("there is none");
    };
    let said = format!("{error} {error:?}");
    assert!(
        matches!(error, Error::Unavailable { .. }) && error.is_retryable(),
        "{said}"
    );
    for port in [port, none] {
        assert!(said.contains(&format!("127.0.0.1:{port}: ")), "{said}");
    }
}
