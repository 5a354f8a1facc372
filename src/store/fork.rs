//! A new session from the lines of another one, over the calls that every store has.

use super::records::Records;
use super::{Expect, NewRecord, ScanQuery, Store};
use crate::agents;
use crate::model::error::{Error, Result};
use crate::model::key::{NATIVE, SessionKey};
use crate::model::limits::{APPEND_RECORDS_MAX, LINE_BYTES_MAX};
use crate::model::properties::PropertiesChange;
use crate::model::record::{RecordFlags, RecordKind};
use crate::model::session::{Session, Summary};

/// Copies a session's lines up to a sequence number into a new session; see
/// [`StoreExt::fork`](super::StoreExt::fork).
pub(crate) fn fork<S: Store + ?Sized>(
    store: &S,
    key: &SessionKey,
    new_key: &SessionKey,
    through: Option<u64>,
) -> Result<Summary> {
    check_name(store, key, new_key)?;
    let old = store.summary(key)?;
    let properties = store.properties(key)?;
    let is_native = key.agent() == NATIVE;
    let mut lines = Vec::new();
    if is_native {
        lines.extend(header(store, &old, new_key)?.map(NewRecord::Line));
    }
    let first_shown = from(store, key, old.mark)?.first().copied();
    // A session may be read in another order than that of its numbers: only a scan tells what comes
    // next.
    let stop = match through {
        Some(through) => {
            let mut here = from(store, key, through)?.into_iter();
            here.find(|sequence| *sequence != through)
        }
        None => None,
    };
    let (mut hidden, mut is_shown) = (0, false);
    for record in Records::new(store, key.clone(), ScanQuery::default()) {
        let record = record?;
        if stop == Some(record.sequence) {
            break;
        }
        if is_native && record.header.kind == RecordKind::Meta {
            continue;
        }
        if record.header.flags.contains(RecordFlags::CONTINUES) {
            return Err(Error::TooLarge {
                what: "length of a line to copy in bytes",
                actual: LINE_BYTES_MAX as u64 + 1,
                limit: LINE_BYTES_MAX as u64,
            });
        }
        if lines.len() >= APPEND_RECORDS_MAX {
            // Before all of a huge session is in memory.
            return Err(Error::TooLarge {
                what: "number of lines to copy",
                actual: old.record_count,
                limit: APPEND_RECORDS_MAX as u64,
            });
        }
        lines.push(NewRecord::Line(record.line));
        is_shown |= Some(record.sequence) == first_shown;
        if !is_shown {
            hidden = lines.len() as u64;
        }
    }
    // Whoever has made a session of that name since it was looked up keeps it.
    store.append(new_key, Expect::Sequence(0), None, &lines)?;
    drop(lines);
    if hidden > 0 {
        store.hide_before(new_key, hidden)?;
    }
    let change = PropertiesChange {
        title: properties.title.map(Some),
        project: properties.project.map(Some),
        parent: (!is_native).then(|| Some(key.id().to_owned())),
        summary: Some(properties.summary),
        scope: properties.scope.map(Some),
        ..PropertiesChange::default()
    };
    store.update_properties(new_key, &change)?;
    store.summary(new_key)
}

/// The first two records that stand at one or behind it, in the order in which the session is read.
fn from<S: Store + ?Sized>(store: &S, key: &SessionKey, sequence: u64) -> Result<Vec<u64>> {
    let two = ScanQuery {
        from: Some(sequence),
        records_max: 2,
        ..ScanQuery::default()
    };
    let page = store.scan(key, &two)?;
    Ok(page.records.iter().map(|record| record.sequence).collect())
}

/// Whether the new session can have that name.
fn check_name<S: Store + ?Sized>(store: &S, key: &SessionKey, new_key: &SessionKey) -> Result<()> {
    if key.agent() != new_key.agent() {
        return Err(Error::Unsupported {
            action: "fork a session of another agent",
            agent: new_key.agent().to_owned(),
        });
    }
    match store.summary(new_key) {
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::InvalidKey {
            agent: new_key.agent().to_owned(),
            id: new_key.id().to_owned(),
            reason: "there is a session of that name".to_owned(),
        }),
    }
}

/// The header line of a native session's copy, with the name of the copy.
fn header<S: Store + ?Sized>(
    store: &S,
    old: &Summary,
    new_key: &SessionKey,
) -> Result<Option<Vec<u8>>> {
    let session = Session {
        key: new_key.clone(),
        parent: Some(old.key.id().to_owned()),
        forked: true,
        // Those of the copied messages hold.
        created_at: None,
        updated_at: None,
        messages: Vec::new(),
        ..store.load(&old.key)?
    };
    agents::of_agent(new_key.agent()).write_meta(&session, true)
}
