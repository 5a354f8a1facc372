//! A server that is killed while many write: what was acknowledged is there, each once.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::load::{check, while_written};

/// Writers, each of whom writes to four sessions in turn, which others write to as well.
const WRITERS: usize = 8;

/// Kills.
const ROUNDS: usize = 4;

#[test]
fn a_server_killed_in_the_middle_of_commits_loses_nothing_that_was_acknowledged() {
    let Some(cluster) = Cluster::start("") else {
        return;
    };
    let options = cluster
        .options()
        .with_connections(WRITERS)
        .with_connect_wait(Duration::from_secs(2));
    let store = cluster.open(options);
    let told = while_written(&store, WRITERS, |_| {
        for _ in 0..ROUNDS {
            std::thread::sleep(Duration::from_millis(700));
            cluster.kill();
            std::thread::sleep(Duration::from_millis(100));
            cluster.up();
        }
        std::thread::sleep(Duration::from_millis(300));
    });
    let (lines, acknowledged) = (check(&store, &told), told.acknowledged());
    eprintln!(
        "{ROUNDS} kills: {acknowledged} appends acknowledged, {lines} lines there, none lost or twice; \
         {} calls refused and {} left open, all sent again",
        told.refused, told.unknown
    );
    assert!(acknowledged > 100 && told.refused + told.unknown > 0);
    assert_eq!(lines, acknowledged);
}
