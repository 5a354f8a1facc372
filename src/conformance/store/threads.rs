//! Several threads on one store: every call is atomic over one session.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use uuid::Uuid;

use crate::conformance::MakeStore;
use crate::conformance::check::{Checked, done, holds, patiently, same, together};
use crate::conformance::subject::{Subject, key, message, said, session};
use crate::model::error::Error;
use crate::model::properties::PropertiesChange;
use crate::store::{Expect, NewRecord, ScanQuery};

const THREADS: usize = 4;
const ROUNDS: usize = 12;

/// The records of one append of a thread.
fn batch(thread: usize, round: usize, count: usize) -> Vec<NewRecord> {
    (0..count)
        .map(|number| said(1, &format!("{thread}.{round}.{number}")))
        .collect()
}

pub(crate) fn appends_of_several_threads_are_all_kept(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    let acknowledged = together(THREADS, |thread| {
        let mut ranges = Vec::new();
        for round in 0..ROUNDS {
            let records = batch(thread, round, 2);
            let call = || store.store.append(&key, Expect::Any, None, &records);
            let appended = done("append beside other threads", patiently(call))?;
            ranges.push((appended.first, appended.last));
        }
        Ok(ranges)
    })?;
    let stored = store.texts(&key)?;
    let total = THREADS * ROUNDS * 2;
    same("messages stored", &stored.len(), &total)?;
    for (thread, ranges) in acknowledged.iter().enumerate() {
        let own: Vec<&String> = stored
            .iter()
            .filter(|text| text.starts_with(&format!("{thread}.")))
            .collect();
        let expected: Vec<String> = (0..ROUNDS * 2)
            .map(|number| format!("{thread}.{}.{}", number / 2, number % 2))
            .collect();
        let step = format!("the messages of thread {thread}, in its order");
        same(&step, &own, &expected.iter().collect::<Vec<_>>())?;
        // What was acknowledged under a number is there under that number.
        for (round, (first, last)) in ranges.iter().enumerate() {
            let at = |sequence: u64| {
                let place = usize::try_from(sequence).ok();
                place.and_then(|place| stored.get(place)).cloned()
            };
            let found = (at(*first), at(*last));
            let name = |number| Some(format!("{thread}.{round}.{number}"));
            same("the records of an append", &found, &(name(0), name(1)))?;
        }
    }
    let summary = store.summary(&key)?;
    let counts = (summary.message_count, summary.next_sequence);
    same("summary", &counts, &(total as u64, total as u64))
}

pub(crate) fn one_of_several_expectations_holds(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for round in 0..ROUNDS as u64 {
        let won = together(THREADS, |thread| {
            let records = [said(1, &format!("{round} of {thread}"))];
            let expect = Expect::Sequence(round);
            match patiently(|| store.store.append(&key, expect, None, &records)) {
                Ok(appended) => same("its number", &appended.first, &round).map(|()| true),
                Err(Error::Conflict { actual, .. }) => {
                    same("actual of a Conflict", &actual, &(round + 1)).map(|()| false)
                }
                Err(other) => done("append", Err(other)),
            }
        })?;
        let winners = won.iter().filter(|won| **won).count();
        let step = format!("appends with Sequence({round}) that went through");
        same(&step, &winners, &1)?;
    }
    same("messages", &store.texts(&key)?.len(), &ROUNDS)
}

pub(crate) fn one_of_several_retries_is_written(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    for round in 0..ROUNDS {
        let id = Some(Uuid::from_u128(round as u128));
        let fresh = together(THREADS, |_| {
            let records = batch(0, round, 2);
            let call = || store.store.append(&key, Expect::Any, id, &records);
            let appended = done("append of one batch by all", patiently(call))?;
            let first = round as u64 * 2;
            same(
                "its numbers",
                &(appended.first, appended.last),
                &(first, first + 1),
            )?;
            Ok(!appended.replayed)
        })?;
        let written = fresh.iter().filter(|fresh| **fresh).count();
        same("appends that wrote", &written, &1)?;
    }
    same("messages", &store.texts(&key)?.len(), &(ROUNDS * 2))
}

pub(crate) fn an_append_is_seen_whole_or_not_at_all(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.append(&key, &batch(9, 9, 3))?;
    let written = AtomicBool::new(false);
    together(2, |thread| {
        if thread == 0 {
            let result = (0..ROUNDS).try_for_each(|round| {
                let records = batch(0, round, 3);
                let call = || store.store.append(&key, Expect::Any, None, &records);
                done("append beside a reader", patiently(call)).map(drop)
            });
            // Also after a failure, or the reader would go on for ever.
            written.store(true, Ordering::Release);
            return result;
        }
        loop {
            // Before the reads: what was written when the flag was set is looked at once more.
            let last = written.load(Ordering::Acquire);
            let scan = || store.store.scan(&key, &ScanQuery::default());
            let page = done("scan beside a writer", patiently(scan))?;
            let summary = done("summary", patiently(|| store.store.summary(&key)))?;
            let seen = (page.records.len(), summary.record_count);
            let whole = seen.0 % 3 == 0 && seen.1 % 3 == 0;
            holds("records seen", whole, "a multiple of 3", &seen)?;
            if last {
                return Ok(());
            }
        }
    })
    .map(drop)
}

pub(crate) fn one_of_several_threads_creates_a_session(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    for round in 0..ROUNDS {
        let wanted = session(&format!("s{round}"), &[])?;
        let created = together(THREADS, |_| {
            let call = || store.store.ensure_meta(&wanted);
            done("ensure_meta by all", patiently(call))
        })?;
        let creators = created.iter().filter(|created| **created).count();
        same("calls that created it", &creators, &1)?;
        same("its records", &store.records(&wanted.key)?.len(), &1)?;
    }
    Ok(())
}

pub(crate) fn saves_of_several_threads_are_all_kept(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut shared = session("s", &[message(1, "first")])?;
    store.save(&mut shared)?;
    let shared = shared;
    together(THREADS, |thread| {
        // A copy that never sees what the others save.
        let mut own = shared.clone();
        for round in 0..ROUNDS / 2 {
            own.messages.push(message(2, &format!("{thread}.{round}")));
            done(
                "save beside others",
                patiently(|| store.store.save(&mut own)),
            )?;
        }
        Ok(())
    })?;
    let mut texts = store.texts(&shared.key)?;
    texts.sort();
    let mut expected = vec!["first".to_owned()];
    for thread in 0..THREADS {
        expected.extend((0..ROUNDS / 2).map(|round| format!("{thread}.{round}")));
    }
    expected.sort();
    same("messages of all", &texts, &expected)
}

pub(crate) fn a_replaced_history_is_seen_whole(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let key = key("s")?;
    store.append(&key, &batch(9, 9, 3))?;
    let written = AtomicBool::new(false);
    together(2, |thread| {
        if thread == 0 {
            let result = (0..ROUNDS).try_for_each(|round| {
                let records = batch(0, round, 3);
                let call = || store.store.replace_history(&key, &records);
                done("replace_history beside a reader", patiently(call))
            });
            written.store(true, Ordering::Release);
            return result;
        }
        loop {
            let last = written.load(Ordering::Acquire);
            let summary = done("summary", patiently(|| store.store.summary(&key)))?;
            // The summary alone: records are read in another call, between which a history may be
            // replaced.
            let visible = summary.message_count.saturating_sub(summary.hidden_count);
            same("visible messages, by the summary", &visible, &3)?;
            if last {
                return Ok(());
            }
        }
    })?;
    let texts: Vec<String> = (0..3).map(|n| format!("0.{}.{n}", ROUNDS - 1)).collect();
    same("what is there in the end", &store.texts(&key)?, &texts)
}

pub(crate) fn one_of_several_threads_claims_an_alias(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut keys = Vec::new();
    for thread in 0..THREADS {
        let key = key(&format!("s{thread}"))?;
        store.append(&key, &[NewRecord::message(message(1, "a"))])?;
        keys.push(key);
    }
    for round in 0..ROUNDS {
        let name = format!("alias {round}");
        let change = PropertiesChange {
            aliases: Some(vec![name.clone()]),
            ..PropertiesChange::default()
        };
        let keys_of_all = &keys;
        let claimed = together(THREADS, |thread| {
            let Some(own) = keys_of_all.get(thread) else {
                return Ok(None);
            };
            match patiently(|| store.store.update_properties(own, &change)) {
                Ok(_) => Ok(Some(own.clone())),
                Err(Error::AliasTaken { .. }) => Ok(None),
                Err(other) => done("update_properties", Err(other)),
            }
        })?;
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        same("sessions that got the alias", &claimed.len(), &1)?;
        let found = store.by_alias(&key(&name)?)?;
        same("by_alias", &found.as_ref(), &claimed.first())?;
    }
    Ok(())
}

pub(crate) fn a_save_beside_appends_keeps_both(make: &MakeStore) -> Checked {
    let store = Subject::new(make);
    let mut shared = session("s", &[message(1, "first")])?;
    store.save(&mut shared)?;
    let shared = shared;
    // The rounds that the saving thread has begun: the other one keeps in step with it.
    let begun = AtomicUsize::new(0);
    let save = || {
        let mut own = shared.clone();
        for round in 0..ROUNDS {
            own.messages.push(message(2, &format!("saved {round}")));
            begun.store(round + 1, Ordering::Release);
            done("save", patiently(|| store.store.save(&mut own)))?;
        }
        Ok(())
    };
    let append = || {
        for round in 0..ROUNDS {
            while begun.load(Ordering::Acquire) <= round {
                thread::sleep(Duration::from_micros(100));
            }
            let records = [said(2, &format!("appended {round}"))];
            let call = || store.store.append(&shared.key, Expect::Any, None, &records);
            done("append", patiently(call))?;
        }
        Ok(())
    };
    together(2, |thread| {
        if thread == 1 {
            return append();
        }
        let saved = save();
        // The other thread ends, whatever became of this one.
        begun.store(usize::MAX, Ordering::Release);
        saved
    })?;
    let count = store.texts(&shared.key)?.len();
    same("messages of both", &count, &(1 + 2 * ROUNDS))
}
