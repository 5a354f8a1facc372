//! Histories of the store in a file and of the one in memory: several handles, threads and processes at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use scrollback::{Error, MemoryStore, Mode, Options, RedbStore, Result, Store};

use crate::harness::Home;
use crate::linearizable::recording::{Client, Plan, ask, clients, record};
use crate::linearizable::session::{Answer, Call};

/// Calls that overlap, and all of them answered.
fn check(clients: Vec<Client<'_>>, plan: Plan) {
    let recorded = record(clients, plan);
    println!("{recorded:?}");
    assert_eq!((recorded.open, recorded.refused), (0, 0), "{recorded:?}");
    assert!(recorded.overlapping * 2 > recorded.calls, "{recorded:?}");
}

/// Calls of microseconds each, which may well come one after the other.
fn in_memory(seed: u64) {
    let store = MemoryStore::default();
    let plan = Plan {
        sessions: 2,
        calls: 200,
        seed,
    };
    let recorded = record(clients(&[&store], 6), plan);
    assert_eq!(recorded.calls, 1200, "{recorded:?}");
}

fn on_two_handles(seed: u64) {
    let home = Home::new();
    let open = || RedbStore::open(home.store_path(), Options::default()).unwrap();
    let (one, other) = (open(), open());
    let plan = Plan {
        sessions: 2,
        calls: 60,
        seed,
    };
    check(clients(&[&one, &other], 3), plan);
}

fn on_one_handle(seed: u64) {
    let home = Home::new();
    let alone = Options::default().with_mode(Mode::Exclusive);
    let store = RedbStore::open(home.store_path(), alone).unwrap();
    let plan = Plan {
        sessions: 2,
        calls: 100,
        seed,
    };
    check(clients(&[&store], 6), plan);
}

#[test]
fn calls_of_threads_on_a_store_in_memory_happen_one_at_a_time() {
    (0..8).for_each(in_memory);
}

#[test]
fn calls_of_threads_on_several_handles_of_a_file_happen_one_at_a_time() {
    (0..2).for_each(on_two_handles);
    on_one_handle(0);
}

#[test]
fn calls_of_several_processes_on_a_file_happen_one_at_a_time() {
    in_processes(0);
}

#[test]
#[ignore = "the same with many seeds: minutes"]
fn many_histories_of_calls_that_happen_one_at_a_time() {
    for seed in 100..160 {
        in_memory(seed);
        on_two_handles(seed);
        on_one_handle(seed);
        in_processes(seed);
    }
}

/// What a client of another process is told by.
const CLIENT: &str = "SCROLLBACK_TEST_HISTORY_CLIENT";

/// Asks the store what it is told to, a line for each call and each answer.
#[test]
#[ignore = "a client, started by the test below"]
fn client() {
    if std::env::var_os(CLIENT).is_none() {
        return;
    }
    let path = std::env::var_os("SCROLLBACK_STORE").unwrap();
    let store = RedbStore::open(path, Options::default()).unwrap();
    for line in std::io::stdin().lines() {
        let words = words_of(&line.unwrap());
        let session = usize::try_from(words[0]).unwrap();
        let answer = ask(&store, session, &call_of(&words[1..])).unwrap();
        println!("\nanswer {}", text(&answer_words(&answer)));
    }
}

/// A client in a process of its own.
struct Remote {
    child: Child,
    calls: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Remote {
    fn start(home: &Home) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "linearizable_stores::client",
                "--ignored",
                "--nocapture",
            ])
            .env(CLIENT, "1")
            .env("SCROLLBACK_STORE", home.store_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (calls, answers) = (child.stdin.take(), child.stdout.take().unwrap());
        Self {
            child,
            calls,
            answers: BufReader::new(answers),
        }
    }

    fn ask(&mut self, session: usize, call: &Call) -> Result<Answer> {
        let calls = self.calls.as_mut().unwrap();
        let words = [&[session as u64], &*call_words(call)].concat();
        writeln!(calls, "{}", text(&words)).unwrap();
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some(answer) = line.strip_prefix("answer ") {
                return Ok(answer_of(&words_of(answer)));
            }
            line.clear();
        }
        Err(Error::NotFound {
            wanted: "the process".to_owned(),
        })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        drop(self.calls.take());
        self.child.wait().unwrap();
    }
}

/// Two threads of this process, and three processes with one each.
fn in_processes(seed: u64) {
    let home = Home::new();
    let store = RedbStore::open(home.store_path(), Options::default()).unwrap();
    let remotes: Vec<Remote> = (0..3).map(|_| Remote::start(&home)).collect();
    let mut all: Vec<Client<'_>> = clients(&[&store as &dyn Store], 2);
    for mut remote in remotes {
        all.push(Box::new(move |session, call| remote.ask(session, call)));
    }
    let plan = Plan {
        sessions: 2,
        calls: 60,
        seed,
    };
    check(all, plan);
}

fn text(words: &[u64]) -> String {
    let words: Vec<String> = words.iter().map(u64::to_string).collect();
    words.join(" ")
}

fn words_of(line: &str) -> Vec<u64> {
    line.split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect()
}

/// A number that may be missing, as two.
fn maybe(number: Option<u64>) -> [u64; 2] {
    [u64::from(number.is_some()), number.unwrap_or_default()]
}

fn maybe_of(words: &[u64]) -> Option<u64> {
    (words[0] == 1).then_some(words[1])
}

fn call_words(call: &Call) -> Vec<u64> {
    match call {
        Call::Append {
            message,
            expects,
            has_id,
        } => [&[0, *message, u64::from(*has_id)][..], &maybe(*expects)].concat(),
        Call::Head => vec![1],
        Call::Scan => vec![2],
        Call::Load => vec![3],
        Call::Truncate { keep } => vec![4, *keep],
        Call::Delete { expects } => [&[5][..], &maybe(*expects)].concat(),
    }
}

fn call_of(words: &[u64]) -> Call {
    match words {
        [0, message, has_id, expects @ ..] => Call::Append {
            message: *message,
            expects: maybe_of(expects),
            has_id: *has_id == 1,
        },
        [1] => Call::Head,
        [2] => Call::Scan,
        [3] => Call::Load,
        [4, keep] => Call::Truncate { keep: *keep },
        [5, expects @ ..] => Call::Delete {
            expects: maybe_of(expects),
        },
        _ => panic!("{words:?}"),
    }
}

fn answer_words(answer: &Answer) -> Vec<u64> {
    match answer {
        Answer::Appended { place, replayed } => vec![0, *place, u64::from(*replayed)],
        Answer::Conflict { actual } => vec![1, *actual],
        Answer::NotFound => vec![2],
        Answer::Head { next, mark } => vec![3, *next, *mark],
        Answer::Messages(messages) => [&[4], &messages[..]].concat(),
        Answer::Truncated { mark } => vec![5, *mark],
        Answer::Deleted => vec![6],
    }
}

fn answer_of(words: &[u64]) -> Answer {
    match words {
        [0, place, replayed] => Answer::Appended {
            place: *place,
            replayed: *replayed == 1,
        },
        [1, actual] => Answer::Conflict { actual: *actual },
        [2] => Answer::NotFound,
        [3, next, mark] => Answer::Head {
            next: *next,
            mark: *mark,
        },
        [4, messages @ ..] => Answer::Messages(messages.to_vec()),
        [5, mark] => Answer::Truncated { mark: *mark },
        [6] => Answer::Deleted,
        _ => panic!("{words:?}"),
    }
}
