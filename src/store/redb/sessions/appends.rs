//! Appends of several callers in one transaction.
//!
//! An append that cannot be done, because the session is not as expected, is refused before it
//! touches a table: the others go on. If the transaction fails otherwise, each append is tried in
//! one of its own, so that one bad session does not take the others with it.

use crate::model::error::{Error, Result};
use crate::store::Stamps;
use crate::store::addition::Addition;
use crate::store::properties::Claims;
use crate::store::query::Appended;
use crate::store::redb::engine::panics::guard;
use crate::store::redb::store::RedbStore;
use crate::store::redb::tables::properties;
use crate::store::redb::tables::writer::Writer;
use crate::store::shared_commit::{stopped, unknown};

/// What an append came to before the commit.
type Written = Result<Appended>;

/// Writes appends in their order, in one commit if that is possible, and answers each.
pub(crate) fn write(store: &RedbStore, appends: &[&Addition]) -> Vec<Result<Appended>> {
    match together(store, appends) {
        Ok(answers) => answers,
        Err(error) if appends.len() == 1 => vec![Err(error)],
        // Not tried again: the commit may be on disk, and each record would be there twice.
        Err(error @ Error::CommitUnknown { .. }) => unknown(error, appends.len()),
        Err(Error::Busy { reason }) => one_by_one(store, appends, Some(reason)),
        Err(_) => one_by_one(store, appends, None),
    }
}

/// Writes each append in a commit of its own. Once another process has not let go for as long as
/// the options say, as `busy` tells, the rest does not wait for it again.
fn one_by_one(
    store: &RedbStore,
    appends: &[&Addition],
    mut busy: Option<String>,
) -> Vec<Result<Appended>> {
    let mut alone = |append: &&Addition| {
        if let Some(reason) = &busy {
            let reason = reason.clone();
            return Err(Error::Busy { reason });
        }
        let answer = together(store, &[append]).and_then(|mut answers| {
            let only = answers.pop();
            only.unwrap_or_else(stopped)
        });
        if let Err(Error::Busy { reason }) = &answer {
            busy = Some(reason.clone());
        }
        answer
    };
    appends.iter().map(&mut alone).collect()
}

/// Writes appends in one transaction. Its own error means that none was written, unless it is of
/// the commit.
fn together(store: &RedbStore, appends: &[&Addition]) -> Result<Vec<Written>> {
    guard(|| {
        let writer = store.begin_write()?;
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            match add(&writer, append, &store.options.stamps) {
                Err(error) if !is_refusal(&error) => return Err(error),
                answer => answers.push(answer),
            }
        }
        // Refusals alone need no commit. A replay does: what it answers for may be of a commit that
        // was not known to be on disk.
        if answers.iter().any(Result::is_ok) {
            writer.commit()?;
        }
        Ok(answers)
    })
}

/// One append, with what changes beside its lines.
fn add(writer: &Writer<'_>, append: &Addition, stamps: &Stamps) -> Written {
    let appended = writer.add(append, stamps)?;
    if let Some(change) = append.change.as_ref().filter(|_| !appended.replayed) {
        let (number, _) = writer.session_of(&append.key)?;
        properties::change(writer, number, change, Claims::Exclusive)?;
    }
    Ok(appended)
}

/// Whether an append was refused before it touched a table.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::model::key::SessionKey;
    use crate::model::properties::PropertiesChange;
    use crate::store::addition::Intent;
    use crate::store::query::Expect;
    use crate::store::{NewRecord, Options, Store as _};

    fn key(id: &str) -> SessionKey {
        SessionKey::new("example", id).unwrap()
    }

    fn append(id: &str, expect: Expect) -> Addition {
        Addition {
            key: key(id),
            expect,
            batch_id: None,
            intent: Intent::Append,
            change: None,
            lines: vec![b"{}\n".to_vec()],
        }
    }

    #[test]
    fn appends_that_share_a_commit_wait_for_another_process_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let options = Options::default().with_lock_wait(Duration::from_millis(400));
        // Two handles on one file exclude each other like two processes.
        let other = RedbStore::open(&path, Options::default()).unwrap();
        let store = RedbStore::open(&path, options).unwrap();
        let held = other.bulk().unwrap();
        let appends = ["a", "b", "c", "d", "e"].map(|id| append(id, Expect::Any));
        let appends: Vec<&Addition> = appends.iter().collect();
        let began = Instant::now();
        let answers = write(&store, &appends);
        let waited = began.elapsed();
        assert_eq!(answers.len(), 5);
        let is_busy = |answer: &Result<Appended>| matches!(answer, Err(Error::Busy { .. }));
        assert!(answers.iter().all(is_busy), "{answers:?}");
        assert!(waited < Duration::from_millis(1200), "{waited:?}");
        let began = Instant::now();
        let answers = one_by_one(&store, &appends, None);
        let waited = began.elapsed();
        assert!(answers.iter().all(is_busy), "{answers:?}");
        assert!(waited < Duration::from_millis(1200), "{waited:?}");
        drop(held);
        assert!(write(&store, &appends).iter().all(Result::is_ok));
    }

    #[test]
    fn refusals_cost_no_commit_and_stop_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let line = NewRecord::line("{}");
        store.append(&key("a"), Expect::Any, None, &[line]).unwrap();
        let before = store.commits();
        let (refused, fits) = (
            append("a", Expect::Sequence(7)),
            append("a", Expect::Sequence(1)),
        );
        let answers = write(&store, &[&refused, &refused]);
        let is_refused = |answer: &Result<Appended>| matches!(answer, Err(Error::Conflict { .. }));
        assert!(answers.iter().all(is_refused), "{answers:?}");
        assert_eq!(store.commits(), before);
        let other = append("b", Expect::Sequence(0));
        let answers = write(&store, &[&refused, &fits, &fits, &other]);
        assert_eq!(
            answers.iter().map(is_refused).collect::<Vec<_>>(),
            [true, false, true, false]
        );
        assert_eq!(store.commits(), before + 1);
        assert_eq!(store.summary(&key("a")).unwrap().record_count, 2);
    }

    #[test]
    fn records_and_properties_are_one_commit_and_a_refused_change_takes_its_records_along() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path().join("s.redb"), Options::default()).unwrap();
        let with = |id: &str, alias: &str| Addition {
            change: Some(Box::new(PropertiesChange::default().with_aliases([alias]))),
            ..append(id, Expect::Any)
        };
        let before = store.commits();
        let answers = write(&store, &[&with("a", "one"), &append("b", Expect::Any)]);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(store.commits(), before + 1);
        // The others of a commit go on without it.
        let taken = with("b", "one");
        let answers = write(
            &store,
            &[
                &append("a", Expect::Any),
                &taken,
                &append("c", Expect::Any),
                &with("b", "two"),
            ],
        );
        let is_taken = |answer: &Result<Appended>| matches!(answer, Err(Error::AliasTaken { .. }));
        let refused: Vec<bool> = answers.iter().map(is_taken).collect();
        assert_eq!(refused, [false, true, false, false], "{answers:?}");
        let records = ["a", "b", "c"].map(|id| store.summary(&key(id)).unwrap().record_count);
        assert_eq!(records, [2, 2, 1]);
        assert_eq!(store.properties(&key("b")).unwrap().aliases, ["two"]);
        // A replay leaves alone what was changed since.
        let id = Some(uuid::Uuid::from_u128(7));
        let batch = |alias: &str| {
            let change = PropertiesChange::default().with_aliases([alias]);
            let line = NewRecord::line("{}");
            store.append_with(&key("d"), Expect::Any, id, &[line], &change)
        };
        assert!(!batch("three").unwrap().replayed);
        assert!(batch("four").unwrap().replayed);
        assert_eq!(store.properties(&key("d")).unwrap().aliases, ["three"]);
    }
}
