//! Recorded histories of several clients of a server: each session's can be told as a sequence of calls that happen
//! one at a time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use scrollback_postgres::{Isolation, PostgresStore};

use crate::answers_lost::Proxy;
use crate::cluster::{Cluster, shared};
use crate::linearizable::recording::{Plan, clients, record};

/// Two stores, as two processes have them.
fn on_two_stores(cluster: &Cluster, seed: u64, isolation: Isolation) {
    let options = cluster.options().with_isolation(isolation);
    let [one, other] = [(), ()].map(|()| cluster.open(options.clone()));
    let plan = Plan {
        sessions: 3,
        calls: 150,
        seed,
    };
    let recorded = record(clients(&[&one, &other], 3), plan);
    eprintln!("{isolation:?}: {recorded:?}");
    assert_eq!(recorded.open, 0, "{recorded:?}");
    assert!(recorded.refused * 20 < recorded.calls, "{recorded:?}");
    assert!(recorded.overlapping * 2 > recorded.calls, "{recorded:?}");
}

/// One store goes straight to the server; the answers of commits to the other one are lost, now and then, and it does
/// not find out.
fn with_lost_answers(cluster: &Cluster, seed: u64) {
    let options = cluster.options().with_resolve_wait(Duration::ZERO);
    let straight = cluster.open(options.clone());
    let proxy = Proxy::start(cluster.port, 11);
    let url = format!(
        "postgres://tester@127.0.0.1:{}/postgres?sslmode=disable",
        proxy.port
    );
    let lossy = PostgresStore::open(&url, options).unwrap();
    let plan = Plan {
        sessions: 3,
        calls: 120,
        seed,
    };
    let recorded = record(clients(&[&straight, &lossy], 3), plan);
    let lost = proxy.lost.load(Ordering::Relaxed);
    eprintln!("{lost} answers lost: {recorded:?}");
    assert!(lost > 5 && recorded.open > 0, "{lost}: {recorded:?}");
}

#[test]
fn calls_of_several_stores_on_one_server_happen_one_at_a_time() {
    let Some(cluster) = shared() else {
        return;
    };
    on_two_stores(&cluster, 1, Isolation::ReadCommitted);
    on_two_stores(&cluster, 2, Isolation::Serializable);
}

/// Calls stay open where their answers are lost: done or not, once, and for all who ask.
#[test]
fn calls_whose_answers_are_lost_happen_once_or_never() {
    let Some(cluster) = shared() else {
        return;
    };
    with_lost_answers(&cluster, 3);
}

#[test]
#[ignore = "the same with many seeds: minutes"]
fn many_histories_of_calls_that_happen_one_at_a_time() {
    let Some(cluster) = shared() else {
        return;
    };
    for seed in 100..140 {
        on_two_stores(&cluster, seed, Isolation::ReadCommitted);
        on_two_stores(&cluster, seed, Isolation::Serializable);
        with_lost_answers(&cluster, seed);
    }
}
