//! The store keeps every contract, at both isolations.

use std::sync::Arc;

use scrollback::conformance::{
    MakePlace, MakeSessionStore, MakeStore, OpenStore, Report, SESSION_STORE, run_all,
    run_reopening, run_store,
};
use scrollback::picoclaw::StoreSessions;
use scrollback_postgres::Isolation;

use crate::cluster::{Cluster, shared};

const ISOLATIONS: [Isolation; 2] = [Isolation::ReadCommitted, Isolation::Serializable];

fn check(run: impl Fn(Arc<Cluster>, Isolation) -> Report) {
    let Some(cluster) = shared() else {
        return;
    };
    for isolation in ISOLATIONS {
        let report = run(Arc::clone(&cluster), isolation);
        assert!(report.is_clean(), "{isolation:?}: {report}");
        assert!(!report.held.is_empty());
    }
}

#[test]
fn every_contract_of_a_store_holds() {
    check(|cluster, isolation| {
        let make: &MakeStore = &move || {
            let options = cluster.options().with_isolation(isolation);
            Box::new(cluster.open(options))
        };
        run_store(make)
    });
}

#[test]
fn every_contract_of_reopening_holds() {
    check(|cluster, isolation| {
        let make: &MakePlace = &move || -> OpenStore {
            let options = cluster.options().with_isolation(isolation);
            let cluster = Arc::clone(&cluster);
            Box::new(move || Box::new(cluster.open(options.clone())))
        };
        run_reopening(make)
    });
}

#[test]
fn every_contract_of_sessions_by_key_holds() {
    check(|cluster, isolation| {
        let make: &MakeSessionStore = &move || {
            let options = cluster.options().with_isolation(isolation);
            Box::new(StoreSessions::new(Arc::new(cluster.open(options))))
        };
        run_all(SESSION_STORE, make)
    });
}
