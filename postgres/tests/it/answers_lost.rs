//! A network that loses the answers of commits that were done: the store finds out.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use scrollback::chrono::{DateTime, Utc};
use scrollback::{Expect, NewRecord, SessionKey, Stamps, Store as _};
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
        let answers = AtomicU64::new(1);
        Self::losing(server, move |bytes| {
            // That a row was written or inserted: the answer of a commit.
            let is_answer = says(bytes, *b"SELECT ") || says(bytes, *b"COMMIT\0");
            is_answer
                && answers
                    .fetch_add(1, Ordering::Relaxed)
                    .is_multiple_of(one_in)
        })
    }

    /// Loses what `is_lost` says of what the server answers.
    fn losing(server: u16, is_lost: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lost = Arc::new(AtomicU64::new(0));
        let (count, is_lost) = (Arc::clone(&lost), Arc::new(is_lost));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(up, down, |_| true));
                let (count, is_lost) = (Arc::clone(&count), Arc::clone(&is_lost));
                std::thread::spawn(move || {
                    pass(server, client, |bytes| {
                        let is_lost = is_lost(bytes);
                        count.fetch_add(u64::from(is_lost), Ordering::Relaxed);
                        !is_lost
                    });
                });
            }
        });
        Self { port, lost }
    }

    /// Where a store finds the server through it.
    fn url(&self) -> String {
        let port = self.port;
        format!("postgres://tester@127.0.0.1:{port}/postgres?sslmode=disable")
    }
}

fn says(bytes: &[u8], text: [u8; 7]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
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
    let store = PostgresStore::open(&proxy.url(), options).unwrap();
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

/// The commit of a session whose row is locked has the only connection there is; when its answer is lost, another
/// one has to be had to find out. The store takes the lock where somebody else is faster twice: here when it first
/// asks for the time, in each of two attempts.
#[test]
fn a_store_of_one_connection_finds_out_what_became_of_a_commit_under_a_lock() {
    let Some(cluster) = shared() else {
        return;
    };
    let options = cluster.options().with_connections(1);
    let straight = Arc::new(cluster.open(options.clone()));
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = Arc::clone(&is_armed);
    let proxy = Proxy::losing(cluster.port, move |bytes| {
        says(bytes, *b"COMMIT\0") && armed.swap(false, Ordering::SeqCst)
    });
    let key = SessionKey::native("both").unwrap();
    let append = |store: &PostgresStore, key: &SessionKey| {
        store.append(key, Expect::Any, None, &[NewRecord::line("{}")])
    };
    let (others, calls) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let of_an_attempt = Arc::new(AtomicU64::new(1));
    let (left, called, each) = (
        Arc::clone(&others),
        Arc::clone(&calls),
        Arc::clone(&of_an_attempt),
    );
    let (other, same) = (Arc::clone(&straight), key.clone());
    let now: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
    let stamps = Stamps::default().with_clock(move || {
        let is_in_the_way = |left: u64| left.checked_sub(1);
        let left = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_in_the_way);
        called.fetch_add(1, Ordering::SeqCst);
        if left.is_ok_and(|left| left % each.load(Ordering::SeqCst) == 0) {
            append(&other, &same).unwrap();
        }
        now
    });
    let store = PostgresStore::open(&proxy.url(), options.with_stamps(stamps)).unwrap();
    append(&store, &key).unwrap();
    // How often it asks in an attempt.
    calls.store(0, Ordering::SeqCst);
    append(&store, &key).unwrap();
    let asked = calls.load(Ordering::SeqCst);
    of_an_attempt.store(asked, Ordering::SeqCst);
    for round in 1..=3 {
        is_armed.store(true, Ordering::SeqCst);
        others.store(2 * asked, Ordering::SeqCst);
        append(&store, &key).unwrap();
        assert_eq!(proxy.lost.load(Ordering::Relaxed), round);
        assert_eq!(straight.summary(&key).unwrap().record_count, 2 + 3 * round);
    }
}
