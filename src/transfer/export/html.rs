//! A session as a page.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Role, Usage};
use crate::model::session::Summary;
use crate::render::html::Page;
use crate::render::number::counted;
use crate::store::{IngestStore, ScanQuery, StoreExt as _};

/// Tokens by day.
pub(super) type Days = BTreeMap<NaiveDate, u64>;

/// Writes the page of a session, a page of records in memory at a time. Returns its tokens by day.
pub(super) fn write_session(
    store: &dyn IngestStore,
    key: &SessionKey,
    out: &mut dyn Write,
) -> Result<Days> {
    let failed = |source| Error::Output { source };
    let summary = store.summary(key)?;
    let mut page = Page::begin(out, &summary).map_err(failed)?;
    let query = match summary.mark {
        0 => ScanQuery::default(),
        mark => ScanQuery::default().with_from(mark),
    };
    let mut took = Took::default();
    let mut children = match summary.subagents {
        0 => Vec::new(),
        _ => store.children(key)?,
    };
    // Forks are talks of their own, with pages of their own.
    children.retain(|child| child.subagent);
    children.sort_by_key(|child| (child.created_at, child.number));
    let mut children = children.iter().peekable();
    for shown in store.view(key, query) {
        let shown = shown?;
        if shown.compacted {
            Page::note(
                out,
                "Compacted: the model goes on with a summary of what was said before",
            )
            .map_err(failed)?;
        }
        let mut anchor = Some(shown.record.sequence);
        for message in &shown.messages {
            let time = message.time.or(shown.record.header.time());
            // Told where it was started: before the first message that is later.
            while let Some(child) =
                children.next_if(|child| time.is_some_and(|time| child.created_at < time))
            {
                note_child(child, out)?;
            }
            took.add(message.usage, time);
            if !(shown.compacted && message.role == Role::System) {
                page.message(out, message, anchor.take()).map_err(failed)?;
            }
        }
        let about = shown.about.as_ref();
        took.add(
            about.and_then(|about| about.usage),
            shown.record.header.time(),
        );
    }
    for child in children {
        note_child(child, out)?;
    }
    Page::end(out, took.all).map_err(failed)?;
    Ok(took.days)
}

/// What a session took.
#[derive(Debug, Default)]
struct Took {
    all: Usage,
    days: Days,
}

impl Took {
    fn add(&mut self, usage: Option<Usage>, time: Option<DateTime<Utc>>) {
        let Some(usage) = usage else {
            return;
        };
        self.all += usage;
        if let Some(time) = time {
            let day = self.days.entry(time.date_naive()).or_default();
            *day = day.saturating_add(usage.total());
        }
    }
}

fn note_child(child: &Summary, out: &mut dyn Write) -> Result<()> {
    let text = format!(
        "Sub-agent {}: {}, {}",
        child.key.id(),
        child.title,
        counted(child.message_count, "message")
    );
    Page::note(out, &text).map_err(|source| Error::Output { source })
}
