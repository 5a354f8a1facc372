//! Sessions as pages, and the index page that leads to them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;

use super::item::{Counted, Item};
use super::{ExportReport, problem};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::message::{Role, Usage};
use crate::model::session::Summary;
use crate::render::html::{Listed, Page, write_index};
use crate::store::{IngestStore, ScanQuery, StoreExt as _};
use crate::transfer::export::file_names::Targets;
use crate::transfer::files::atomic::ExportFolder;
use crate::transfer::progress::Meter;

/// The index page.
const INDEX: &[u8] = b"index.html";

/// Tokens by day.
type Days = BTreeMap<NaiveDate, u64>;

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

/// Writes the pages of sessions, and the index.
pub(super) fn export(
    store: &dyn IngestStore,
    sessions: Vec<Summary>,
    was_asked_for: bool,
    folder: &Path,
    mut meter: Meter<'_>,
) -> Result<ExportReport> {
    let mut targets = Targets::default();
    targets.claim(&[INDEX.to_vec()]);
    let bytes = sessions.iter().map(|summary| summary.bytes).sum();
    meter.begin(sessions.len() as u64, bytes);
    let folder = ExportFolder::open(folder)?;
    let mut report = ExportReport::default();
    let mut listed = Vec::with_capacity(sessions.len());
    for summary in sessions {
        meter.go_on()?;
        let item = Item::transcript(summary.clone(), "html", &mut targets);
        let mut days = Days::new();
        let mut fill = |out: &mut dyn Write| {
            let mut out = Counted { out, bytes: 0 };
            days = write_session(store, &summary.key, &mut out)?;
            Ok(out.bytes)
        };
        match folder.write(&item.names, None, &mut fill) {
            Ok(bytes) => {
                report.files += 1;
                report.sessions += 1;
                report.bytes += bytes;
                listed.push(Listed {
                    summary,
                    names: item.names.clone(),
                    tokens: days,
                });
            }
            Err(error) => match item.pass_over(store, was_asked_for, error) {
                Ok(()) => {}
                Err(error) if error.is_corruption() => {
                    report.problems.push(problem(&item, &error));
                }
                Err(error) => return Err(error),
            },
        }
        meter.add(1, item.bytes);
    }
    let mut fill = |out: &mut dyn Write| {
        let mut out = Counted { out, bytes: 0 };
        write_index(&mut out, &listed).map_err(|source| Error::Output { source })?;
        Ok(out.bytes)
    };
    report.bytes += folder.write(&[INDEX.to_vec()], None, &mut fill)?;
    report.files += 1;
    meter.finish();
    Ok(report)
}
