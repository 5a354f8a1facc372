//! A session as a page.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::NaiveDate;

use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Role, Usage};
use crate::model::session::Summary;
use crate::render::html::Page;
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
    let (mut days, mut all) = (Days::new(), Usage::default());
    let mut children = match summary.subagents {
        0 => Vec::new(),
        _ => store.children(key)?,
    };
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
            while let Some(child) =
                children.next_if(|child| time.is_some_and(|time| child.created_at < time))
            {
                note_child(child, out)?;
            }
            if let Some(usage) = message.usage {
                all += usage;
                if let Some(time) = time {
                    let sum = days.entry(time.date_naive()).or_default();
                    *sum = sum.saturating_add(tokens(usage));
                }
            }
            if !(shown.compacted && message.role == Role::System) {
                page.message(out, message, anchor.take()).map_err(failed)?;
            }
        }
        if let Some(usage) = shown.about.as_ref().and_then(|about| about.usage) {
            all += usage;
            if let Some(time) = shown.record.header.time() {
                let sum = days.entry(time.date_naive()).or_default();
                *sum = sum.saturating_add(tokens(usage));
            }
        }
    }
    for child in children {
        note_child(child, out)?;
    }
    Page::end(out, all).map_err(failed)?;
    Ok(days)
}

fn note_child(child: &Summary, out: &mut dyn Write) -> Result<()> {
    let text = format!(
        "Sub-agent {}: {}, {} messages",
        child.key.id(),
        child.title,
        child.message_count
    );
    Page::note(out, &text).map_err(|source| Error::Output { source })
}

fn tokens(usage: Usage) -> u64 {
    let parts = [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
    ];
    parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
}
