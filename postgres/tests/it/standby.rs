//! A standby that follows a server, and takes its place when that is killed for good: what was acknowledged is
//! there, each once. Both are named in the URL.

use std::time::Duration;

use scrollback::uuid::Uuid;
use scrollback::{Error, Expect, NewRecord, ScanQuery, SessionKey, Store as _, StoreExt as _};
use scrollback_postgres::{Options, PostgresStore};

use crate::cluster::{Cluster, free_port, signal};
use crate::load::{Progress, check, while_written};

/// What a standby calls itself, and the setting by which no commit is answered without it.
const NAME: &str = "second";
const SYNCHRONOUS: &str = "-c synchronous_standby_names=second";

/// No machine fails here, only processes: what a server has given to the system is there. A server that
/// recovers flushes its whole folder, which takes seconds.
const QUICK: &str = "-c fsync=off";

/// A server that waits for its standby, with some settings, and that standby, with others.
fn pair(first: &str, second: &str) -> Option<(Cluster, Cluster)> {
    let first = Cluster::start(&format!("{SYNCHRONOUS} {first}"))?;
    let second = follow(&first, free_port(), second);
    Some((first, second))
}

/// A standby of a server, once that waits for it.
fn follow(first: &Cluster, port: u16, settings: &str) -> Cluster {
    let second = first.standby(NAME, port, settings);
    first.wait_for("count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
    second
}

fn url(ports: [u16; 2]) -> String {
    format!(
        "postgres://tester@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable&target_session_attrs=read-write",
        ports[0], ports[1]
    )
}

fn options(cluster: &Cluster, writers: usize) -> Options {
    cluster
        .options()
        .with_connections(writers)
        .with_connect_wait(Duration::from_secs(4))
}

/// The process of a standby that takes what the server sends, stopped: from then on no commit reaches it.
struct Deaf(String);

impl Deaf {
    fn make(standby: &Cluster) -> Self {
        let pid = standby.sql("SELECT pid FROM pg_stat_wal_receiver");
        let pid = pid.trim().to_owned();
        signal(&pid, "-STOP");
        Self(pid)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        signal(&self.0, "-CONT");
    }
}

/// Kills a server while its standby has stopped listening for a moment: what it still would acknowledge by
/// itself would be lost. The standby takes its place.
fn fail_over(first: &Cluster, second: &Cluster) {
    let deaf = Deaf::make(second);
    std::thread::sleep(Duration::from_millis(200));
    first.kill();
    drop(deaf);
    second.promote();
}

#[test]
fn a_standby_that_takes_over_has_all_that_was_acknowledged() {
    let Some((first, second)) = pair(QUICK, QUICK) else {
        return;
    };
    let options = options(&first, 8);
    let store = PostgresStore::open(&url([first.port, second.port]), options.clone()).unwrap();
    let told = while_written(&store, 8, |progress| {
        progress.wait_for(500);
        fail_over(&first, &second);
        progress.wait_for(500);
    });
    let straight = second.open(options);
    let (lines, acknowledged) = (check(&straight, &told), told.acknowledged());
    eprintln!(
        "a fail-over: {acknowledged} appends acknowledged, {lines} lines there, none lost or twice; {} calls \
         refused and {} left open, all sent again; the longest append took {:?}",
        told.refused, told.unknown, told.longest
    );
    assert!(
        told.longest >= Duration::from_millis(200),
        "nobody had to wait"
    );
    assert_eq!(lines, acknowledged);
}

/// Each server that has taken over waits for a standby too, which is made while the writers wait.
fn fail_over_again_and_again(
    (mut first, mut second): (Cluster, Cluster),
    progress: &Progress,
    appends: u64,
) -> (Cluster, Cluster, u32) {
    let mut times = 0;
    while progress.acknowledged() < appends {
        progress.wait_for(appends / 6);
        fail_over(&first, &second);
        times += 1;
        let port = first.port;
        // The machine is lost, with its disk.
        drop(first);
        let third = follow(&second, port, SYNCHRONOUS);
        (first, second) = (second, third);
    }
    (first, second, times)
}

#[test]
#[ignore = "30,000 appends over several fail-overs: a minute or two"]
fn of_many_appends_over_several_fail_overs_none_is_lost_or_twice() {
    let Some((first, second)) = pair("", SYNCHRONOUS) else {
        return;
    };
    let options = options(&first, 8);
    let ports = [first.port, second.port];
    let store = PostgresStore::open(&url(ports), options.clone()).unwrap();
    let mut left = None;
    let told = while_written(&store, 8, |progress| {
        left = Some(fail_over_again_and_again((first, second), progress, 30_000));
    });
    let (first, _second, times) = left.unwrap();
    let straight = first.open(options);
    let (lines, acknowledged) = (check(&straight, &told), told.acknowledged());
    eprintln!(
        "{times} fail-overs: {acknowledged} appends acknowledged, {lines} lines there, none lost or twice; {} \
         calls refused and {} left open, all sent again; the longest append took {:?}",
        told.refused, told.unknown, told.longest
    );
    assert!(times >= 5 && acknowledged >= 30_000);
    assert_eq!(lines, acknowledged);
}

fn key() -> SessionKey {
    SessionKey::native("one").unwrap()
}

fn line(id: Uuid) -> String {
    format!("{{\"scrollback\":1,\"type\":\"note\",\"text\":\"{id}\"}}\n")
}

/// Appends a line, the same batch again until it is acknowledged.
fn note(store: &PostgresStore, id: Uuid) {
    loop {
        match store.append(&key(), Expect::Any, Some(id), &[NewRecord::line(line(id))]) {
            Ok(_) => return,
            Err(error) if error.is_retryable() || matches!(error, Error::CommitUnknown { .. }) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A server that starts again shows what it has committed and no standby has. Whoever acknowledges by that
/// alone acknowledges what the next fail-over loses: the call that waits for its lost answer, and one that sends
/// the batch of a call that has ended.
#[test]
fn what_a_restarted_server_has_alone_is_not_acknowledged() {
    let Some((first, second)) = pair(QUICK, QUICK) else {
        return;
    };
    let options = options(&first, 4).with_lock_timeout(Duration::from_secs(1));
    let both = url([first.port, second.port]);
    let [waiting, other] = [(), ()].map(|()| PostgresStore::open(&both, options.clone()).unwrap());
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    note(&waiting, ids[0]);
    second.kill();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| note(&waiting, ids[1]));
        // Until its commit is done there, but for its answer.
        first.wait_for("count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        first.kill();
        first.up();
        let calls = [call, scope.spawn(|| note(&other, ids[1]))];
        std::thread::sleep(Duration::from_millis(1500));
        let early = calls.iter().filter(|call| call.is_finished()).count();
        first.kill();
        second.up();
        second.promote();
        assert_eq!(early, 0, "acknowledged, and only one server had it");
    });
    let straight = second.open(options);
    let stored = straight.records(&key(), ScanQuery::default());
    let stored: Vec<_> = stored.map(|record| record.unwrap().line).collect();
    assert_eq!(stored, ids.map(|id| line(id).into_bytes()));
}
