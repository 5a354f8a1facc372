//! Messages that stand on several records: the document of a later part has what the earlier ones say as well,
//! so that one document has all of a message.

use std::collections::BTreeSet;

use crate::agents::{self, Dialect};
use crate::codec::session_row::SessionRow;
use crate::model::error::Result;
use crate::model::record::RecordView;
use crate::search::{GramSet, each_text};
use crate::store::course::PARTS_NEAR;
use crate::store::exceptions::Exceptions;
use crate::store::redb::tables::snapshot::Snapshot;

/// Adds the buckets of what a record says by itself.
pub(crate) fn grams_of(set: &mut GramSet, dialect: &dyn Dialect, record: RecordView<'_>) {
    if record.header.messages == 0 {
        return;
    }
    for message in dialect.stored_messages(record) {
        each_text(&message, &mut |_| true, &mut |text| set.add_text(&text));
    }
}

/// The parts among some records of a session.
pub(super) struct Parts<'r> {
    session: (u64, &'r SessionRow),
    dialect: &'static dyn Dialect,
    exceptions: Exceptions,
}

impl<'r> Parts<'r> {
    /// Those from one record to another, and before them as far as a message may reach back.
    pub(super) fn of(
        snapshot: &Snapshot<'_>,
        session: (u64, &'r SessionRow),
        (from, through): (u64, u64),
    ) -> Result<Self> {
        let dialect = agents::of_agent(&session.1.agent);
        let told = if dialect.is_in_parts() {
            // Parts lie no further apart than that: so far back the first of a message may be.
            snapshot.exceptions(session, (from.saturating_sub(PARTS_NEAR), through))?
        } else {
            Vec::new()
        };
        Ok(Self {
            session,
            dialect,
            exceptions: Exceptions::of(told),
        })
    }

    /// If a record is a part of a message that begins before its document, adds what that says before it:
    /// once, which is kept in `added`.
    pub(super) fn add_earlier(
        &self,
        snapshot: &Snapshot<'_>,
        set: &mut GramSet,
        (document, sequence): (u64, u64),
        added: &mut BTreeSet<u64>,
    ) -> Result<()> {
        let first = self.exceptions.moved_to(sequence);
        let Some(first) = first.filter(|first| *first < document && added.insert(*first)) else {
            return Ok(());
        };
        let (number, row) = self.session;
        snapshot.forward(number, Some(row), first, &mut |segment| {
            for (sequence, header, line) in segment.records() {
                let is_part =
                    sequence == first || self.exceptions.moved_to(sequence) == Some(first);
                if is_part && sequence < document {
                    let record = RecordView {
                        sequence,
                        header,
                        line,
                    };
                    grams_of(set, self.dialect, record);
                }
            }
            segment.last_sequence() + 1 < document
        })
    }
}
