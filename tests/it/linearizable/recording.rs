//! Clients who call a store at random, and what happened when.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use scrollback::uuid::Uuid;
use scrollback::{Error, Expect, Message, NewRecord, Result, Role, ScanQuery, SessionKey, Store};

use super::checker::{Event, check};
use super::session::{Answer, Call, Session};

/// One who asks a store, or lets another process ask it: the session's number and the call.
pub(crate) type Client<'c> = Box<dyn FnMut(usize, &Call) -> Result<Answer> + Send + 'c>;

/// So many clients of each of some stores.
pub(crate) fn clients<'s>(stores: &[&'s dyn Store], each: usize) -> Vec<Client<'s>> {
    let client = |store: &'s dyn Store| -> Client<'s> {
        Box::new(move |session, call| ask(store, session, call))
    };
    let all = stores
        .iter()
        .flat_map(|store| std::iter::repeat_n(*store, each));
    all.map(client).collect()
}

/// How much is recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) sessions: usize,
    /// Calls of each client.
    pub(crate) calls: usize,
    /// Another history for each.
    pub(crate) seed: u64,
}

/// What was recorded, and held.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) calls: usize,
    /// Calls of which it stayed open whether they were done.
    pub(crate) open: usize,
    /// Calls that did nothing, since others or a fault were in the way.
    pub(crate) refused: usize,
    /// Calls of which one began before another one had ended.
    pub(crate) overlapping: usize,
}

type Events = Vec<Event<Call, Answer>>;

/// What clients have in common: the time, and the last message of each session.
struct World {
    time: AtomicU64,
    last: Mutex<Vec<u64>>,
    refused: AtomicU64,
}

impl World {
    /// A moment, later than all that have passed.
    fn now(&self) -> u64 {
        self.time.fetch_add(1, Ordering::SeqCst)
    }
}

/// Lets all clients call at once, and checks the history of each session.
pub(crate) fn record(clients: Vec<Client<'_>>, plan: Plan) -> Recorded {
    let world = World {
        time: AtomicU64::new(0),
        last: Mutex::new(vec![0; plan.sessions]),
        refused: AtomicU64::new(0),
    };
    let histories = std::thread::scope(|scope| {
        let start = |(number, client)| {
            let world = &world;
            scope.spawn(move || call(client, number, plan, world))
        };
        let threads: Vec<_> = clients.into_iter().enumerate().map(start).collect();
        let mut histories = vec![Events::new(); plan.sessions];
        for thread in threads {
            for (all, own) in histories.iter_mut().zip(thread.join().unwrap()) {
                all.extend(own);
            }
        }
        histories
    });
    let mut recorded = Recorded {
        refused: usize::try_from(world.refused.into_inner()).unwrap(),
        ..Recorded::default()
    };
    for (session, events) in histories.iter().enumerate() {
        if let Err(text) = check(&Session::default(), events) {
            panic!("session {session}, {plan:?}: {text}");
        }
        recorded.calls += events.len();
        recorded.open += events
            .iter()
            .filter(|event| event.answered.is_none())
            .count();
        recorded.overlapping += overlapping(events);
    }
    recorded
}

fn overlapping(events: &[Event<Call, Answer>]) -> usize {
    let end =
        |event: &Event<Call, Answer>| event.answered.as_ref().map_or(u64::MAX, |(time, _)| *time);
    let is_beside = |event: &&Event<Call, Answer>| {
        let others = events.iter().filter(|other| other.called != event.called);
        { others }.any(|other| other.called < end(event) && event.called < end(other))
    };
    events.iter().filter(is_beside).count()
}

/// The calls of one client, by session.
fn call(mut client: Client<'_>, number: usize, plan: Plan, world: &World) -> Vec<Events> {
    let mut random = Random(plan.seed << 16 | number as u64);
    let mut histories = vec![Events::new(); plan.sessions];
    let mut next = vec![0; plan.sessions];
    for turn in 0..plan.calls {
        let session = random.below(plan.sessions as u64);
        let session = usize::try_from(session).unwrap();
        let message = ((number as u64 + 1) << 32) | turn as u64;
        let call = chosen(&mut random, message, (session, next[session]), world);
        let called = world.now();
        let answered = match client(session, &call) {
            Ok(answer) => Some((world.now(), answer)),
            Err(Error::CommitUnknown { .. }) => None,
            Err(error) if error.is_retryable() => {
                world.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Err(error) => panic!("{call:?}: {error:?}"),
        };
        match &answered {
            Some((_, Answer::Appended { place, .. })) => next[session] = place + 1,
            Some((_, Answer::Conflict { actual })) => next[session] = *actual,
            Some((_, Answer::Head { next: found, .. })) => next[session] = *found,
            _ => {}
        }
        let event = Event {
            call,
            called,
            answered,
        };
        histories[session].push(event);
    }
    histories
}

/// A call: mostly appends, a third of them of what somebody else may be appending at this moment.
fn chosen(random: &mut Random, message: u64, (session, next): (usize, u64), world: &World) -> Call {
    let expects = (random.below(3) == 0).then_some(next);
    match random.below(20) {
        0..9 => {
            let has_id = random.below(3) > 0;
            let mut last = world.last.lock().unwrap();
            let repeats = has_id && last[session] > 0 && random.below(3) == 0;
            let message = if repeats { last[session] } else { message };
            if has_id {
                last[session] = message;
            }
            Call::Append {
                message,
                expects,
                has_id,
            }
        }
        9..12 => Call::Head,
        12..14 => Call::Scan,
        14..17 => Call::Load,
        17..19 => Call::Truncate {
            keep: random.below(6),
        },
        _ => Call::Delete {
            expects: Some(next).filter(|_| random.below(2) == 0),
        },
    }
}

/// Numbers that look like chance, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Asks a store.
pub(crate) fn ask(store: &dyn Store, session: usize, call: &Call) -> Result<Answer> {
    let key = SessionKey::native(format!("s-{session}"))?;
    match asked(store, &key, call) {
        Err(Error::Conflict { actual, .. }) => Ok(Answer::Conflict { actual }),
        Err(Error::NotFound { .. }) => Ok(Answer::NotFound),
        answer => answer,
    }
}

fn asked(store: &dyn Store, key: &SessionKey, call: &Call) -> Result<Answer> {
    Ok(match call {
        Call::Append {
            message,
            expects,
            has_id,
        } => {
            let said = NewRecord::message(Message::text(Role::User, message.to_string()));
            let expect = expects.map_or(Expect::Any, Expect::Sequence);
            let id = has_id.then(|| Uuid::from_u128(u128::from(*message)));
            let appended = store.append(key, expect, id, &[said])?;
            Answer::Appended {
                place: appended.first,
                replayed: appended.replayed,
            }
        }
        Call::Head => {
            let row = store.summary(key)?;
            Answer::Head {
                next: row.next_sequence,
                mark: row.mark,
            }
        }
        Call::Scan => {
            let page = store.scan(key, &ScanQuery::default())?;
            assert_eq!(page.next, None, "one page is one moment");
            let said = page
                .records
                .iter()
                .flat_map(|record| record.messages(key.agent()));
            Answer::Messages(said.map(|message| number(&message)).collect())
        }
        Call::Load => {
            let session = store.load(key)?;
            Answer::Messages(session.messages.iter().map(number).collect())
        }
        Call::Truncate { keep } => Answer::Truncated {
            mark: store.truncate(key, *keep)?.mark,
        },
        Call::Delete { expects: None } => store.delete(key).map(|_| Answer::Deleted)?,
        Call::Delete {
            expects: Some(next),
        } => store
            .delete_unchanged(key, *next)
            .map(|_| Answer::Deleted)?,
    })
}

fn number(message: &Message) -> u64 {
    message.plain_text().parse().unwrap()
}
