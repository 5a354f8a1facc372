//! File orders, and the contents of ids, in a store that is made from a damaged one: what the rows of
//! sessions say of them is all that is needed.

use std::collections::BTreeMap;

use crate::codec::file_order::FileOrder;
use crate::codec::session_row::SessionRow;
use crate::codec::source_row::SourceKind;
use crate::model::error::Result;
use crate::model::key::SessionKey;
use crate::model::naming::numbered;
use crate::store::redb::ingest::bulk::RedbBulk;
use crate::store::redb::tables::contents::home_key;

use super::gather::Gathered;

/// The file order that a session goes on with: the one that was found, if its row was too and says no
/// less.
pub(crate) fn order_of(gathered: &Gathered, number: u64, row: &SessionRow) -> Option<FileOrder> {
    let found = gathered.file_orders.get(&number)?;
    let fits = gathered.sessions.contains_key(&number) && found.value.next <= row.next;
    fits.then(|| found.value.clone())
}

/// Lets a row say whether its session has an order of its own; where that is lost, nothing of it is
/// hidden.
pub(crate) fn tell_order(row: &mut SessionRow, order: Option<&FileOrder>) {
    let was = row.reordered;
    row.reordered = order.is_some_and(|order| order.is_reordered(row.next));
    if was && !row.reordered {
        // The mark was a place in the lost order: as a number of the log it would hide other lines.
        (row.mark, row.hidden) = (0, 0);
    }
}

/// Brings the contents of each id together, and gives the newest the plain one.
pub(crate) fn join(bulk: &mut RedbBulk<'_>, kept: &BTreeMap<u64, SessionRow>) -> Result<()> {
    let mut of_ids: BTreeMap<(&str, &str), Vec<(u32, u64)>> = BTreeMap::new();
    for (number, row) in kept {
        let key = (row.agent.as_str(), row.plain_id());
        of_ids.entry(key).or_default().push((row.content, *number));
    }
    for ((agent, plain), contents) in of_ids {
        let is_alone = contents.len() == 1;
        let first = contents.first().and_then(|(_, number)| kept.get(number));
        // One that has lost the others is renamed and counted below, too.
        if is_alone && first.is_some_and(|row| row.contents == 1) {
            continue;
        }
        let plain = SessionKey::new(agent, plain)?;
        for (content, number) in contents {
            bulk.writer.put_content(&plain, content, number)?;
        }
        crate::store::redb::ingest::contents::settle(&bulk.writer, &plain)?;
    }
    Ok(())
}

/// Notes the homes of sessions whose ids are not unique, by where they came from.
pub(crate) fn note_homes(
    bulk: &mut RedbBulk<'_>,
    gathered: &Gathered,
    kept: &BTreeMap<u64, SessionRow>,
) -> Result<()> {
    for ((path, _), found) in &gathered.sources {
        let Some(row) = kept.get(&found.value.session) else {
            continue;
        };
        // A file beside a session may lie in another folder.
        if found.value.kind != SourceKind::Lines
            || crate::agents::of_agent(&row.agent).has_unique_ids()
        {
            continue;
        }
        let plain = row.plain_id();
        let wanted = numbered(plain).map_or(plain, |(wanted, _)| wanted);
        let wanted = SessionKey::new(row.agent.as_str(), wanted)?;
        bulk.writer.put_home(&wanted, &home_key(path), plain)?;
    }
    Ok(())
}
