//! A network that loses the answers of commits that were done: the store finds out.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use scrollback_postgres::PostgresStore;

use crate::cluster::shared;
use crate::load::{check, while_written};

/// Stands between the store and the server, and now and then keeps an answer to itself and hangs up.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    /// Answers that were kept.
    pub(crate) lost: Arc<AtomicU64>,
}

impl Proxy {
    /// Loses one answer in so many.
    pub(crate) fn start(server: u16, one_in: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lost = Arc::new(AtomicU64::new(0));
        let (count, answers) = (Arc::clone(&lost), Arc::new(AtomicU64::new(1)));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(up, down, |_| true));
                let (count, answers) = (Arc::clone(&count), Arc::clone(&answers));
                std::thread::spawn(move || {
                    pass(server, client, |bytes| {
                        // That a row was written or inserted: the answer of a commit.
                        let is_answer = bytes
                            .windows(7)
                            .any(|text| text == b"SELECT " || text == b"COMMIT\0");
                        let is_lost = is_answer
                            && answers
                                .fetch_add(1, Ordering::Relaxed)
                                .is_multiple_of(one_in);
                        count.fetch_add(u64::from(is_lost), Ordering::Relaxed);
                        !is_lost
                    });
                });
            }
        });
        Self { port, lost }
    }
}

/// Passes bytes on as long as they are let through.
fn pass(mut from: TcpStream, mut to: TcpStream, lets: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !lets(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Either may be gone already.
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

#[test]
fn answers_that_are_lost_are_found_out_and_nothing_is_written_twice() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options().with_connections(4);
    // The tables are made on the straight way.
    let straight = cluster.open(options.clone());
    let proxy = Proxy::start(cluster.port, 23);
    let url = format!(
        "postgres://tester@127.0.0.1:{}/postgres?sslmode=disable",
        proxy.port
    );
    let store = PostgresStore::open(&url, options).unwrap();
    let told = while_written(&store, 4, |_| std::thread::sleep(Duration::from_secs(4)));
    let (lines, acknowledged) = (check(&straight, &told), told.acknowledged());
    let lost = proxy.lost.load(Ordering::Relaxed);
    eprintln!(
        "{lost} answers lost: {acknowledged} appends acknowledged, {lines} lines there, none twice; \
         {} calls left open",
        told.unknown
    );
    assert!(lost > 10 && acknowledged > 100, "{lost} {acknowledged}");
    assert_eq!(lines, acknowledged);
}
