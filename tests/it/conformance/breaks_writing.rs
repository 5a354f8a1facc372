//! Broken appends, batches and headers, one for each contract about them.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use scrollback::limits::APPEND_RECORDS_MAX;
use scrollback::report::Appended;
use scrollback::{
    Error, Expect, MemoryStore, Message, NewRecord, Result, Session, SessionKey, Stamps,
};
use uuid::Uuid;

use super::Break;
use super::broken::Broken;

/// The number that the next record of a session gets.
fn next(b: &Broken, key: &SessionKey) -> u64 {
    b.store.summary(key).map_or(0, |row| row.next_sequence)
}

fn conflict(key: &SessionKey, expected: u64, actual: u64) -> Result<Appended> {
    Err(Error::Conflict {
        key: key.clone(),
        expected,
        actual,
    })
}

/// The records, with lines changed by a function.
fn with_lines(records: &[NewRecord], change: fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<NewRecord> {
    let changed = |record: &NewRecord| match record {
        NewRecord::Line(line) => change(line).into_iter().map(NewRecord::Line).collect(),
        message @ NewRecord::Message(_) => vec![message.clone()],
    };
    records.iter().flat_map(changed).collect()
}

/// The records, with messages changed by a function.
fn with_messages(records: &[NewRecord], change: fn(&mut Message)) -> Vec<NewRecord> {
    let mut records = records.to_vec();
    for record in &mut records {
        if let NewRecord::Message(message) = record {
            change(message);
        }
    }
    records
}

fn one_by_one(
    b: &Broken,
    key: &SessionKey,
    expect: Expect,
    id: Option<Uuid>,
    records: &[NewRecord],
) -> Result<Appended> {
    if records.len() < 2 || id.is_some() || expect != Expect::Any {
        return b.store.append(key, expect, id, records);
    }
    let mut whole: Option<Appended> = None;
    for record in records {
        let one = b
            .store
            .append(key, expect, None, std::slice::from_ref(record))?;
        let first = whole.map_or(one.first, |whole| whole.first);
        whole = Some({
            let mut told = one;
            told.first = first;
            told
        });
        if records.len() == 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(whole.unwrap())
}

pub(crate) const APPENDING: &[Break] = &[
    ("append_creates_the_session", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let mut appended = b.store.append(key, expect, id, records)?;
            appended.replayed |= appended.first == 0 && records.len() == 2;
            Ok(appended)
        };
    }),
    ("append_of_nothing_creates_the_session_at_most", |b| {
        b.calls.append = |b, key, expect, id, records| {
            if records.is_empty() {
                return b.store.append(key, expect, id, &[NewRecord::line("\n")]);
            }
            b.store.append(key, expect, id, records)
        };
    }),
    ("append_with_changes_properties_too", |b| {
        b.calls.update = |b, key, change| {
            if change.title.is_some() && change.aliases.is_some() {
                return b.store.properties(key);
            }
            b.store.update_properties(key, change)
        };
    }),
    ("append_answers_numbers_and_time", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let mut appended = b.store.append(key, expect, id, records)?;
            appended.last = appended.first;
            Ok(appended)
        };
    }),
    ("append_keeps_lines_byte_for_byte", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let unix = |line: &[u8]| {
                let text = String::from_utf8_lossy(line);
                vec![text.replace("\r\n", "\n").into_bytes()]
            };
            b.store.append(key, expect, id, &with_lines(records, unix))
        };
    }),
    ("append_ends_a_line_that_has_no_end", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let ended = |line: &[u8]| {
                let mut line = line.to_vec();
                if !line.ends_with(b"\n") {
                    line.extend_from_slice(b"\r\n");
                }
                vec![line]
            };
            b.store.append(key, expect, id, &with_lines(records, ended))
        };
    }),
    ("append_refuses_two_lines_in_one_record", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let split = |line: &[u8]| {
                let lines = line.split_inclusive(|byte| *byte == b'\n');
                lines.map(<[u8]>::to_vec).collect()
            };
            b.store.append(key, expect, id, &with_lines(records, split))
        };
    }),
    ("append_writes_messages_that_read_back_the_same", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let bare = with_messages(records, |message| message.parent_id = None);
            b.store.append(key, expect, id, &bare)
        };
    }),
    ("append_is_all_or_none", |b| {
        b.calls.append = one_by_one;
    }),
    ("append_counts_a_line_without_time_as_written_now", |b| {
        b.store = Arc::new(MemoryStore::new(
            Stamps::default()
                // Some hours behind: what lies further ahead of a clock is not believed.
                .with_clock(|| DateTime::from_timestamp(1_000_000_000 - 6 * 3_600, 0).unwrap()),
        ));
    }),
    ("append_never_turns_the_time_back", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let mut appended = b.store.append(key, expect, id, records)?;
            if let Some(NewRecord::Message(message)) = records.last() {
                appended.updated_at = message.time.unwrap_or(appended.updated_at);
            }
            Ok(appended)
        };
    }),
    ("append_takes_lines_of_a_format_that_is_only_read", |b| {
        b.calls.append =
            |b, key, expect, id, records| match b.store.append(key, expect, id, records) {
                Err(Error::Unsupported { .. }) => {
                    let line = NewRecord::line("{\"type\":\"message\"}");
                    b.store.append(key, expect, id, &[line])
                }
                other => other,
            };
    }),
    ("append_goes_on_where_it_is_expected", |b| {
        b.calls.append = |b, key, expect, id, records| match expect {
            Expect::Sequence(2) => conflict(key, 2, 1),
            _ => b.store.append(key, expect, id, records),
        };
    }),
    ("append_refuses_what_is_not_expected", |b| {
        b.calls.append = |b, key, expect, id, records| {
            // Takes a number to come for "at the end".
            let expect = match expect {
                Expect::Sequence(number) if number > next(b, key) => Expect::Any,
                other => other,
            };
            b.store.append(key, expect, id, records)
        };
    }),
    ("append_takes_as_many_records_as_the_limit_says", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let fitting = records.len().min(APPEND_RECORDS_MAX);
            b.store.append(key, expect, id, &records[..fitting])
        };
    }),
    ("append_refuses_a_line_past_the_limit", |b| {
        b.calls.append =
            |b, key, expect, id, records| match b.store.append(key, expect, id, records) {
                Err(Error::TooLarge { what, .. }) if what.contains("line") => {
                    b.store.append(key, expect, id, &records[..1])
                }
                other => other,
            };
    }),
];

pub(crate) const BATCHES: &[Break] = &[
    ("a_batch_that_is_sent_again_is_written_once", |b| {
        b.calls.append = |b, key, expect, _, records| b.store.append(key, expect, None, records);
    }),
    ("a_batch_is_known_whatever_is_expected", |b| {
        b.calls.append = |b, key, expect, id, records| match expect {
            Expect::Sequence(expected) if expected != next(b, key) => {
                conflict(key, expected, next(b, key))
            }
            _ => b.store.append(key, expect, id, records),
        };
    }),
    ("a_batch_is_known_by_its_id_alone", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let appended = b.store.append(key, expect, id, records)?;
            let count = appended.last + 1 - appended.first;
            if appended.replayed && count != records.len() as u64 {
                return b.store.append(key, expect, None, records);
            }
            Ok(appended)
        };
    }),
    ("the_last_sixteen_batches_are_known", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let Some(id) = id else {
                return b.store.append(key, expect, None, records);
            };
            let mut noted = b.noted.lock().unwrap();
            let place = noted.iter().rposition(|(_, known)| *known == id.as_u128());
            let forgotten = place.is_some_and(|place| noted.len() - place > 15);
            if place.is_none() {
                noted.push((key.clone(), id.as_u128()));
            }
            b.store
                .append(key, expect, Some(id).filter(|_| !forgotten), records)
        };
    }),
    ("a_batch_is_known_whatever_others_append", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let Some(id) = id else {
                return b.store.append(key, expect, None, records);
            };
            let mut noted = b.noted.lock().unwrap();
            let place = noted.iter().rposition(|(_, known)| *known == id.as_u128());
            let forgotten = place.is_some_and(|place| noted.len() - place > 16);
            if place.is_none() {
                noted.push((key.clone(), id.as_u128()));
            }
            b.store
                .append(key, expect, Some(id).filter(|_| !forgotten), records)
        };
    }),
    ("a_batch_belongs_to_one_session", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let mut noted = b.noted.lock().unwrap();
            let id_number = id.map_or(0, |id| id.as_u128());
            let known = noted
                .iter()
                .find(|(_, known)| id.is_some() && *known == id_number);
            if let Some((elsewhere, _)) = known
                && elsewhere != key
            {
                return b.store.append(&elsewhere.clone(), expect, id, records);
            }
            noted.push((key.clone(), id_number));
            b.store.append(key, expect, id, records)
        };
    }),
    ("a_refused_batch_is_not_remembered", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let appended = b.store.append(key, expect, id, records);
            let mut noted = b.noted.lock().unwrap();
            let id = id.map_or(0, |id| id.as_u128());
            if appended.is_err() {
                noted.push((key.clone(), id));
            }
            let replayed = appended.is_ok() && id != 0 && noted.contains(&(key.clone(), id));
            appended.map(|appended| {
                let mut told = appended;
                told.replayed = replayed;
                told
            })
        };
    }),
    ("a_batch_of_nothing_is_not_remembered", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let appended = b.store.append(key, expect, id, records)?;
            let mut noted = b.noted.lock().unwrap();
            let batch = (key.clone(), id.map_or(0, |id| id.as_u128()));
            let replayed = id.is_some() && noted.contains(&batch);
            if records.is_empty() {
                noted.push(batch);
            }
            Ok({
                let mut told = appended;
                told.replayed = replayed;
                told
            })
        };
    }),
];

pub(crate) const META: &[Break] = &[
    ("ensure_meta_creates_a_session_with_its_header", |b| {
        b.calls.ensure_meta = |b, session| {
            if b.store.summary(&session.key).is_ok() {
                return Ok(false);
            }
            b.store.save(&mut session.clone()).map(|()| true)
        };
    }),
    ("ensure_meta_leaves_a_session_alone", |b| {
        b.calls.ensure_meta = |b, session| {
            let created = b.store.ensure_meta(session)?;
            if !created {
                b.store.save(&mut session.clone())?;
            }
            Ok(created)
        };
    }),
    (
        "ensure_meta_creates_a_session_of_a_format_without_headers",
        |b| {
            b.calls.ensure_meta = |b, session| {
                let created = b.store.ensure_meta(session)?;
                // Takes a session without records for one that is not there.
                Ok(created || next(b, &session.key) == 0)
            };
        },
    ),
    ("ensure_meta_refuses_a_format_that_is_only_read", |b| {
        b.calls.ensure_meta = |b, session| match b.store.ensure_meta(session) {
            Err(Error::Unsupported { .. }) => Ok(false),
            other => other,
        };
    }),
];

fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

fn header(session: &Session) -> NewRecord {
    NewRecord::line(format!(
        "{{\"scrollback\":1,\"type\":\"session\",\"id\":\"{}\"}}",
        session.key.id()
    ))
}

/// Stores that look first and write later.
pub(crate) const THREADS: &[Break] = &[
    ("appends_of_several_threads_are_all_kept", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let first = next(b, key);
            pause();
            let appended = b.store.append(key, expect, id, records)?;
            let last = first + records.len() as u64 - 1;
            Ok({
                let mut told = appended;
                told.first = first;
                told.last = last;
                told
            })
        };
    }),
    ("one_of_several_expectations_holds", |b| {
        b.calls.append = |b, key, expect, id, records| match expect {
            Expect::Sequence(expected) if expected != next(b, key) => {
                conflict(key, expected, next(b, key))
            }
            _ => {
                pause();
                b.store.append(key, Expect::Any, id, records)
            }
        };
    }),
    ("one_of_several_retries_is_written", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let number = id.map_or(0, |id| id.as_u128());
            let known = b.noted.lock().unwrap().contains(&(key.clone(), number));
            pause();
            b.noted.lock().unwrap().push((key.clone(), number));
            b.store.append(key, expect, id.filter(|_| known), records)
        };
    }),
    ("an_append_is_seen_whole_or_not_at_all", |b| {
        b.calls.append = one_by_one;
    }),
    ("one_of_several_threads_creates_a_session", |b| {
        b.calls.ensure_meta = |b, session| {
            if b.store.summary(&session.key).is_ok() {
                return Ok(false);
            }
            pause();
            let header = [header(session)];
            b.store
                .append(&session.key, Expect::Any, None, &header)
                .map(|_| true)
        };
    }),
    ("a_replaced_history_is_seen_whole", |b| {
        b.calls.replace = |b, key, records| {
            b.store.truncate(key, 0)?;
            pause();
            b.store.append(key, Expect::Any, None, records).map(drop)
        };
    }),
    ("one_of_several_threads_claims_an_alias", |b| {
        b.calls.update = |b, key, change| {
            let alias = change.aliases.iter().flatten().next();
            let alias = alias.map(|alias| SessionKey::native(alias).unwrap());
            if let Some(alias) = alias
                && let Some(by) = b.store.by_alias(&alias)?
                && by != *key
            {
                let alias = alias.id().to_owned();
                return Err(Error::AliasTaken { alias, by });
            }
            pause();
            b.store
                .update_properties(key, change)
                .or_else(|_| b.store.properties(key))
        };
    }),
];
