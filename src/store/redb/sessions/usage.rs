//! What answers took, summed up over sessions by day and model, without a record being read: from the notes
//! that lie beside each session.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate};

use super::beside;
use crate::agents;
use crate::codec::course_row::Note;
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::message::Usage;
use crate::model::session::Summary;
use crate::store::redb::engine::errors::storage;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::schema::SESSIONS;
use crate::store::redb::tables::snapshot::corrupt_session;
use crate::store::{SessionUsage, UsageSum};

impl RedbStore {
    /// Sums up what the answers in all sessions took, by agent, day and model. An answer that several
    /// sessions hold, since one was forked from another, counts once, in the oldest. Costs a look at each
    /// summary row and at the notes beside it, and reads no record.
    ///
    /// Agents whose lines do not tell answers apart are not in it yet; their messages have
    /// [`usage`](crate::Message::usage) all the same. Where a file beside the lines says what a session took
    /// ([`usage_beside`](Self::usage_beside)), that counts as one answer, on the day of the session's last
    /// change.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    ///
    /// ```
    /// use scrollback::{Expect, NewRecord, Options, RedbStore, SessionKey, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = RedbStore::open(folder.path().join("sessions.redb"), Options::default())?;
    /// let key = SessionKey::new("gemini", "s")?;
    /// let line = r#"{"id":"m1","type":"gemini","content":"hi","model":"g","tokens":{"input":7}}"#;
    /// store.append(&key, Expect::Any, None, &[NewRecord::line(line)])?;
    /// let sums = store.usage()?;
    /// assert_eq!((sums[0].model.as_str(), sums[0].usage.input_tokens), ("g", 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn usage(&self) -> Result<Vec<UsageSum>> {
        let mut sums = BTreeMap::new();
        for one in self.session_usage()? {
            let UsageSum {
                agent,
                day,
                model,
                answers,
                usage,
            } = one.sum;
            let sum: &mut (u64, Usage) = sums.entry((agent, day, model)).or_default();
            sum.0 += answers;
            sum.1 += usage;
        }
        let sum = |((agent, day, model), (answers, usage))| UsageSum {
            agent,
            day,
            model,
            answers,
            usage,
        };
        Ok(sums.into_iter().map(sum).collect())
    }

    /// The same session by session, the oldest first: of each a sum for each day and model. Costs as much.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::Error::Corrupt).
    pub fn session_usage(&self) -> Result<Vec<SessionUsage>> {
        self.read(|snapshot| {
            let read = storage("sum up what answers took");
            let table = snapshot.txn().open_table(SESSIONS);
            let table = table.map_err(storage("sum up what answers took"))?;
            let mut sessions = Vec::new();
            for entry in redb::ReadableTable::iter(&table).map_err(&read)? {
                let (number, value) = entry.map_err(&read)?;
                snapshot.counts().sessions(1);
                let number = number.value();
                let row = SessionRow::decode(number, value.value())
                    .map_err(|error| corrupt_session(number, error.to_string()))?;
                let is_told_beside = agents::of_agent(&row.agent).usage_file().is_some();
                if row.blocks > 0 || (is_told_beside && row.attachments > 0) {
                    sessions.push((row.created_us, number, row));
                }
            }
            // The oldest first: an answer that a fork repeats counts where it was given.
            sessions.sort_by_key(|(created_us, number, _)| (*created_us, *number));
            let mut sums = Sums::default();
            for (_, number, row) in sessions {
                let mut by_day = ByDay::new();
                if row.blocks > 0 {
                    by_day = sums.of_session(&row.agent, snapshot.course(number, &row)?.notes);
                }
                if let Some(usage) = beside::told(snapshot, number, &row)? {
                    let day = i32::try_from(row.updated_us.div_euclid(DAY_US)).ok();
                    let model = row.model.clone().unwrap_or_default();
                    let (count, sum) = by_day.entry((day, model)).or_default();
                    *count += 1;
                    *sum += usage;
                }
                let summary = row
                    .into_summary(number)
                    .map_err(|error| corrupt_session(number, error.to_string()))?;
                sums.add(&summary, by_day);
            }
            Ok(sums.all)
        })
    }
}

/// Microseconds of a day.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What is summed up.
#[derive(Debug, Default)]
struct Sums {
    counted: HashMap<String, HashSet<u64>>,
    all: Vec<SessionUsage>,
}

/// How many answers there were and what they took, by day and model.
type ByDay = BTreeMap<(Option<i32>, String), (u64, Usage)>;

impl Sums {
    /// The answers of a session that no older one has.
    fn of_session(&mut self, agent: &str, notes: Vec<(u64, Note)>) -> ByDay {
        // Of an answer that was told several times the last holds.
        let mut answers = BTreeMap::new();
        for (_, note) in notes {
            if let Note::Counted {
                answer,
                usage,
                day,
                model,
            } = note
            {
                answers.insert(answer, (usage, day, model));
            }
        }
        let counted = self.counted.entry(agent.to_owned()).or_default();
        let mut by_day = ByDay::new();
        for (answer, (usage, day, model)) in answers {
            if counted.insert(answer) {
                let (count, sum) = by_day.entry((day, model)).or_default();
                *count += 1;
                *sum += usage;
            }
        }
        by_day
    }

    fn add(&mut self, summary: &Summary, by_day: ByDay) {
        for ((day, model), (answers, usage)) in by_day {
            self.all.push(SessionUsage {
                session: summary.key.clone(),
                project: summary.project.clone(),
                title: summary.title.clone(),
                sum: UsageSum {
                    agent: summary.key.agent().to_owned(),
                    day: day.and_then(date),
                    model,
                    answers,
                    usage,
                },
            });
        }
    }
}

/// The day of a number of days since 1970.
fn date(day: i32) -> Option<NaiveDate> {
    let first = DateTime::UNIX_EPOCH.date_naive();
    let days = Days::new(u64::from(day.unsigned_abs()));
    if day < 0 {
        first.checked_sub_days(days)
    } else {
        first.checked_add_days(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_before_and_after_1970_are_days() {
        let text = |day| date(day).map(|date| date.to_string());
        assert_eq!(text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(text(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(text(20_000).as_deref(), Some("2024-10-04"));
        assert_eq!(text(i32::MAX), None);
    }
}
