//! Which part of a session is shown: from where on, and up to where.

use scrollback::{
    Direction, Error, Ingest, Result, ScanQuery, SessionKey, Shown, StoreExt as _, Summary,
};

/// Records that are read at a time.
const PAGE: usize = 256;

/// A part of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The first sequence number; `None` where the session begins, which need not be record 0.
    pub from: Option<u64>,
    /// Messages of that record to leave out.
    pub skip: usize,
    /// The record that was asked for by its number, if one was.
    pub chosen: Option<u64>,
    /// Messages that follow that one.
    pub behind: u64,
}

impl Part {
    /// All of it from a mark on.
    pub(super) fn from_mark(mark: u64) -> Self {
        Self {
            from: (mark > 0).then_some(mark),
            ..Self::default()
        }
    }

    /// The last messages from a mark on.
    pub(super) fn tail(
        store: &dyn Ingest,
        summary: &Summary,
        mark: u64,
        tail: u64,
    ) -> Result<Self> {
        // Going back until no message was met would show all of them.
        if tail == 0 {
            return Ok(Self {
                from: Some(summary.next_sequence),
                ..Self::default()
            });
        }
        let (mut part, mut seen) = (Self::from_mark(mark), 0);
        for shown in backward(store, &summary.key, None) {
            let shown = shown?;
            if shown.record.sequence < mark {
                break;
            }
            if part.begins_at(&shown, &mut seen, tail) {
                break;
            }
        }
        Ok(part)
    }

    /// One record, with so many messages before and behind it.
    pub(super) fn around(
        store: &dyn Ingest,
        key: &SessionKey,
        sequence: u64,
        around: u64,
    ) -> Result<Self> {
        let mut part = Self {
            from: Some(sequence),
            chosen: Some(sequence),
            behind: around,
            ..Self::default()
        };
        let mut records = backward(store, key, Some(sequence));
        let first = records.next().transpose()?;
        if first.is_none_or(|first| first.record.sequence != sequence) {
            let session = key.clone();
            return Err(Error::NoRecord { session, sequence });
        }
        let mut seen = 0;
        for shown in records.take_while(|_| around > 0) {
            if part.begins_at(&shown?, &mut seen, around) {
                break;
            }
        }
        Ok(part)
    }

    /// Takes a record before as the beginning; whether that is far enough.
    fn begins_at(&mut self, shown: &Shown, seen: &mut u64, wanted: u64) -> bool {
        *seen += shown.messages.len() as u64;
        self.from = Some(shown.record.sequence);
        let skip = seen.checked_sub(wanted);
        self.skip = skip.map_or(0, |skip| usize::try_from(skip).unwrap_or(0));
        skip.is_some()
    }

    /// What the records of the part say.
    pub(super) fn view<'s>(
        self,
        store: &'s dyn Ingest,
        key: &SessionKey,
    ) -> impl Iterator<Item = Result<Shown>> + 's {
        let mut query = ScanQuery::default();
        query.from = self.from;
        if self.chosen.is_some() {
            // A few messages are shown, and a usual page would read many more.
            query.records_max = PAGE;
        }
        let (mut is_behind, mut left) = (false, self.behind);
        store.view(key, query).take_while(move |shown| {
            let (Some(chosen), Ok(shown)) = (self.chosen, shown) else {
                return true;
            };
            if is_behind {
                // Whole records: the one that reaches the number is shown with all of its messages.
                let is_in = left > 0;
                left = left.saturating_sub(shown.messages.len() as u64);
                return is_in;
            }
            is_behind = shown.record.sequence == chosen;
            true
        })
    }
}

fn backward<'s>(
    store: &'s dyn Ingest,
    key: &SessionKey,
    from: Option<u64>,
) -> impl Iterator<Item = Result<Shown>> + 's {
    let mut query = ScanQuery::default()
        .with_direction(Direction::Backward)
        .with_records_max(PAGE);
    query.from = from;
    store.view(key, query)
}
