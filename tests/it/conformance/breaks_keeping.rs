//! Broken marks, compactions, scans and properties, one for each contract about them.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use scrollback::{
    Direction, Error, Expect, ListQuery, NewRecord, PropertiesChange, RecordPage, ScanQuery,
    SessionKey,
};

use super::Break;

pub(crate) const HIDING: &[Break] = &[
    ("truncate_keeps_the_last_messages", |b| {
        b.calls.truncate = |b, key, keep| {
            let more = if keep == 0 { 0 } else { keep.saturating_add(1) };
            b.store.truncate(key, more)
        };
    }),
    ("truncate_to_nothing_hides_all", |b| {
        b.calls.truncate = |b, key, keep| b.store.truncate(key, keep.max(1));
    }),
    ("truncate_to_more_shows_messages_again", |b| {
        b.calls.truncate = |b, key, keep| {
            let before = b.store.summary(key)?;
            b.store.truncate(key, keep)?;
            b.store.hide_before(key, before.mark)
        };
    }),
    ("truncate_counts_messages_and_not_records", |b| {
        b.calls.truncate = |b, key, keep| {
            let next = b.store.summary(key)?.next_sequence;
            b.store.truncate(key, u64::MAX)?;
            b.store.hide_before(key, next.saturating_sub(keep))
        };
    }),
    ("truncate_deletes_nothing", |b| {
        b.calls.truncate = |b, key, keep| {
            let truncated = b.store.truncate(key, keep)?;
            b.store.compact(key, None, None)?;
            Ok(truncated)
        };
    }),
    ("hide_before_names_a_place", |b| {
        b.calls.hide_before = |b, key, _| b.store.hide_before(key, u64::MAX);
    }),
    ("hide_before_never_moves_backward", |b| {
        b.calls.hide_before = |b, key, sequence| {
            b.store.truncate(key, u64::MAX)?;
            b.store.hide_before(key, sequence)
        };
    }),
    ("hide_before_a_place_to_come_hides_what_is_there", |b| {
        b.calls.hide_before = |b, key, sequence| {
            b.noted.lock().unwrap().push((key.clone(), sequence.into()));
            b.store.hide_before(key, sequence)
        };
        b.calls.append = |b, key, expect, id, records| {
            let appended = b.store.append(key, expect, id, records)?;
            for (_, sequence) in b.noted.lock().unwrap().iter() {
                b.store
                    .hide_before(key, u64::try_from(*sequence).unwrap())?;
            }
            Ok(appended)
        };
    }),
];

pub(crate) const VIEWING: &[Break] = &[
    ("a_message_that_is_written_again_is_one", |b| {
        b.calls.exceptions = |_, _, _, _| Ok(Vec::new());
    }),
    ("find_message_leads_to_its_first_place", |b| {
        b.calls.find_message = |b, key, id| {
            let found = b.store.find_message(key, id)?;
            let mark = b.store.summary(key)?.mark;
            Ok(found.filter(|found| *found >= mark))
        };
    }),
    ("take_back_appends_a_line_that_says_so", |b| {
        b.calls.exceptions = |_, _, _, _| Ok(Vec::new());
    }),
    ("take_back_writes_where_it_is_expected_alone", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.mark = 0;
            Ok(summary)
        };
    }),
    ("truncate_keeps_a_tools_answer_with_its_call", |b| {
        b.calls.truncate = |b, key, keep| {
            let kept = b.store.truncate(key, keep)?;
            match kept.visible.checked_sub(keep) {
                Some(more) if keep > 0 => b.store.hide_before(key, kept.mark + more),
                _ => Ok(kept),
            }
        };
    }),
];

pub(crate) const WRITTEN: &[Break] = &[
    ("every_write_moves_written_at_on", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.written_at = Some(summary.updated_at);
            Ok(summary)
        };
    }),
    ("what_writes_nothing_leaves_written_at", |b| {
        b.calls.summary = |b, key| {
            let looks = b.count.fetch_add(1, Ordering::Relaxed);
            let mut summary = b.store.summary(key)?;
            let later = i64::try_from(looks).map(TimeDelta::seconds).unwrap();
            summary.written_at = summary.written_at.map(|written| written + later);
            Ok(summary)
        };
    }),
];

pub(crate) const REPLACING: &[Break] = &[
    ("replace_history_shows_only_the_new_records", |b| {
        b.calls.replace =
            |b, key, records| b.store.append(key, Expect::Any, None, records).map(drop);
    }),
    ("replace_history_removes_nothing", |b| {
        b.calls.replace = |b, key, records| {
            b.store.replace_history(key, records)?;
            b.store.compact(key, None, None).map(drop)
        };
    }),
    ("replace_history_creates_the_session", |b| {
        b.calls.replace = |b, key, records| {
            b.store.summary(key)?;
            b.store.replace_history(key, records)
        };
    }),
    ("replace_history_with_nothing_hides_all", |b| {
        b.calls.replace = |b, key, records| {
            if records.is_empty() {
                return Ok(());
            }
            b.store.replace_history(key, records)
        };
    }),
    ("replace_history_is_all_or_none", |b| {
        b.calls.replace = |b, key, records| {
            b.store.truncate(key, 0).ok();
            b.store.replace_history(key, records)
        };
    }),
];

pub(crate) const COMPACTING: &[Break] = &[
    ("compact_removes_what_is_hidden", |b| {
        b.calls.compact = |b, key, through, archive| {
            let compacted = b.store.compact(key, through, archive)?;
            Ok({
                let mut told = compacted;
                told.bytes = 0;
                told
            })
        };
    }),
    ("compact_keeps_the_summary_true", |b| {
        b.calls.compact = |b, key, through, archive| {
            b.count.store(1, Ordering::Relaxed);
            b.store.compact(key, through, archive)
        };
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            if b.count.load(Ordering::Relaxed) > 0 {
                summary.hidden_count = summary.next_sequence - summary.message_count;
            }
            Ok(summary)
        };
    }),
    ("compact_without_hidden_records_removes_nothing", |b| {
        b.calls.compact = |b, key, through, archive| {
            if let Some(through) = through {
                b.store.hide_before(key, through)?;
            }
            b.store.compact(key, None, archive)
        };
    }),
    ("compact_keeps_header_lines", |b| {
        b.calls.compact = |b, key, through, archive| {
            b.count.store(1, Ordering::Relaxed);
            b.store.compact(key, through, archive)
        };
        b.calls.load = |b, key| {
            let mut session = b.store.load(key)?;
            if b.count.load(Ordering::Relaxed) > 0 {
                session.project = None;
            }
            Ok(session)
        };
    }),
    ("compact_removes_at_most_through_a_mark", |b| {
        b.calls.compact = |b, key, _, archive| b.store.compact(key, None, archive);
    }),
    ("compact_archives_the_lines_that_go", |b| {
        b.calls.compact = |b, key, through, archive| {
            if let Some(archive) = archive {
                let all = b.store.scan(key, &ScanQuery::default())?.records;
                for record in all {
                    let wrote = archive.write_all(&record.line);
                    wrote.map_err(|source| Error::Output { source })?;
                }
            }
            b.store.compact(key, through, None)
        };
    }),
    ("compact_removes_nothing_if_the_archive_fails", |b| {
        b.calls.compact = |b, key, through, archive| {
            let mut lines = Vec::new();
            let compacted = b.store.compact(key, through, Some(&mut lines))?;
            if let Some(archive) = archive {
                let wrote = archive.write_all(&lines);
                wrote.map_err(|source| Error::Output { source })?;
            }
            Ok(compacted)
        };
    }),
    ("numbers_are_never_used_twice", |b| {
        b.calls.append = |b, key, expect, id, records| {
            let empty = b.store.summary(key).is_ok_and(|row| row.record_count == 0);
            let mut appended = b.store.append(key, expect, id, records)?;
            if empty {
                (appended.last, appended.first) = (appended.last - appended.first, 0);
            }
            Ok(appended)
        };
    }),
    ("reclaim_changes_no_session", |b| {
        b.calls.reclaim = |b| {
            for summary in b.store.list(&ListQuery::default())?.sessions {
                b.store.truncate(&summary.key, u64::MAX)?;
            }
            b.store.reclaim()
        };
    }),
    ("a_store_keeps_its_id", |b| {
        b.calls.id = |b| {
            let of_nobody = b.store.id()?.map(|mut id| {
                id.id = uuid::Uuid::nil();
                id
            });
            Ok(of_nobody)
        };
    }),
];

pub(crate) const SCANNING: &[Break] = &[
    ("scan_goes_both_ways", |b| {
        b.calls.scan = |b, key, query| {
            let mut page = b.store.scan(key, query)?;
            if query.direction == Direction::Backward && query.from.is_none() {
                page.records.reverse();
            }
            Ok(page)
        };
    }),
    ("scan_starts_where_it_is_told", |b| {
        b.calls.scan = |b, key, query| {
            let mut query = *query;
            if query.direction == Direction::Backward {
                query.from = query.from.map(|from| from.saturating_sub(1));
            }
            b.store.scan(key, &query)
        };
    }),
    ("scan_passes_over_gaps", |b| {
        b.calls.scan = |b, key, query| {
            let page = b.store.scan(key, query)?;
            let found = page.records.first().map(|record| record.sequence);
            let end = b.store.summary(key)?.next_sequence;
            if query.from.is_some_and(|from| from < end) && found != query.from {
                return Ok(RecordPage::default());
            }
            Ok(page)
        };
    }),
    ("scan_pages_hold_so_many_records", |b| {
        b.calls.scan = |b, key, query| {
            let records_max = query.records_max * 2;
            b.store.scan(key, &(*query).with_records_max(records_max))
        };
    }),
    ("scan_pages_hold_so_many_bytes", |b| {
        b.calls.scan = |b, key, query| {
            let bytes_max = 0;
            b.store.scan(key, &(*query).with_bytes_max(bytes_max))
        };
    }),
    ("scan_without_limits_gives_a_thousand", |b| {
        b.calls.scan = |b, key, query| {
            let records_max = if query.records_max == 0 {
                100
            } else {
                query.records_max
            };
            b.store.scan(key, &(*query).with_records_max(records_max))
        };
    }),
    ("scan_without_limits_gives_four_mebibytes", |b| {
        b.calls.scan = |b, key, query| {
            let bytes_max = match query.bytes_max {
                0 => 1024 * 1024,
                given => given,
            };
            let query = (*query).with_bytes_max(bytes_max);
            b.store.scan(key, &query)
        };
    }),
    ("scan_gives_hidden_records_too", |b| {
        b.calls.scan = |b, key, query| {
            let mark = b.store.summary(key)?.mark;
            let mut page = b.store.scan(key, query)?;
            page.records.retain(|record| record.sequence >= mark);
            Ok(page)
        };
    }),
    ("records_tell_what_they_are", |b| {
        b.calls.scan = |b, key, query| {
            let mut page = b.store.scan(key, query)?;
            for record in &mut page.records {
                record.header.time_us = None;
            }
            Ok(page)
        };
    }),
];

fn native(id: &str) -> SessionKey {
    SessionKey::native(id).unwrap()
}

pub(crate) const PROPERTIES: &[Break] = &[
    ("properties_are_empty_at_first", |b| {
        b.calls.properties = |b, key| {
            let mut properties = b.store.properties(key)?;
            let row = b.store.summary(key)?;
            properties.project = properties.project.or(row.project);
            Ok(properties)
        };
    }),
    ("properties_change_field_by_field", |b| {
        b.calls.update = |b, key, change| {
            let mut change = change.clone();
            change.pinned = change.pinned.or(Some(false));

            b.store.update_properties(key, &change)
        };
    }),
    ("properties_leave_lines_and_time_alone", |b| {
        b.calls.update = |b, key, change| {
            let note = [NewRecord::line(
                "{\"scrollback\":1,\"type\":\"properties\"}\n",
            )];
            b.store.append(key, Expect::Any, None, &note)?;
            b.store.update_properties(key, change)
        };
    }),
    ("properties_show_in_summaries_and_lists", |b| {
        b.calls.summary = |b, key| {
            let mut summary = b.store.summary(key)?;
            summary.parent = None;
            Ok(summary)
        };
    }),
    ("properties_win_until_they_are_taken_back", |b| {
        b.calls.save = |b, session| {
            b.store.save(session)?;
            let change = PropertiesChange::default().without_title();
            b.store.update_properties(&session.key, &change).map(drop)
        };
    }),
    ("properties_stay_when_the_session_changes", |b| {
        b.calls.compact = |b, key, through, archive| {
            let change = PropertiesChange::default().with_summary(String::new());
            b.store.update_properties(key, &change)?;
            b.store.compact(key, through, archive)
        };
    }),
    ("properties_have_limits", |b| {
        b.calls.update = |b, key, change| match b.store.update_properties(key, change) {
            Err(Error::TooLarge { .. }) => b.store.properties(key),
            other => other,
        };
    }),
    ("aliases_are_tidied", |b| {
        b.calls.update = |b, key, change| {
            let mut properties = b.store.update_properties(key, change)?;
            if !properties.aliases.is_empty() && key.id() == "own" {
                properties.aliases.push(key.id().to_owned());
            }
            Ok(properties)
        };
    }),
    ("by_alias_finds_the_session", |b| {
        b.calls.by_alias = |b, alias| {
            let lower = native(&alias.id().to_lowercase());
            Ok(b.store.by_alias(alias)?.or(b.store.by_alias(&lower)?))
        };
    }),
    ("aliases_are_of_one_agent", |b| {
        b.calls.by_alias = |b, alias| {
            let mine = native(alias.id());
            Ok(b.store.by_alias(alias)?.or(b.store.by_alias(&mine)?))
        };
    }),
    ("an_alias_belongs_to_its_first_session", |b| {
        b.calls.update = |b, key, change| match b.store.update_properties(key, change) {
            Err(Error::AliasTaken { by, .. }) if key.id() == "two" => {
                let none = PropertiesChange::default().with_aliases(Vec::<String>::new());
                b.store.update_properties(&by, &none)?;
                b.store.update_properties(key, change)
            }
            other => other,
        };
    }),
    ("an_alias_never_hides_a_session", |b| {
        b.calls.load = |b, key| {
            let meant = b.store.by_alias(key)?;
            b.store.load(meant.as_ref().unwrap_or(key))
        };
    }),
];
