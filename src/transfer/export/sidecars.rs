//! An agent's own files about its sessions: the meta file beside a session, and the index of a
//! folder, as the sessions are now.
//!
//! What was not changed here keeps its bytes. An index that cannot be read stays as it is until a
//! session of its folder was changed: then it is made anew, of all sessions of the folder.

use std::collections::BTreeMap;
use std::path::Path;

use super::item::{Content, Item};
use super::older;
use super::place::{name_of, safe, sketch};
use super::plan::{Plan, updated_ns};
use crate::agents::{self, SessionState, Sidecar, SidecarFacts};
use crate::model::error::{Error, Result};
use crate::model::properties::Properties;
use crate::model::session::Summary;
use crate::store::ScanQuery;
use crate::transfer::import::sidecar_facts::{self, FACTS_BYTES_MAX};

/// Sessions of one folder of an agent.
#[derive(Default)]
struct Folder<'p> {
    all: Vec<&'p Summary>,
    changed: Vec<&'p Summary>,
}

/// Adds or replaces the agents' files about these sessions. An index is about all sessions of a
/// folder, so it is left alone where only some are exported.
pub(super) fn take(plan: &mut Plan<'_>, sessions: &[Summary], has_all: bool) -> Result<()> {
    let mut folders: BTreeMap<Vec<Vec<u8>>, Folder<'_>> = BTreeMap::new();
    for summary in sessions {
        let Some(home) = plan.homes.get(&summary.number) else {
            continue;
        };
        let Some(lines) = home.lines.and_then(|place| plan.items.get(place)) else {
            continue;
        };
        // No agent looks there, so nothing has to say what lies there.
        if older::is_older(&lines.names) {
            continue;
        }
        // A compaction takes records away, and adds none.
        let is_changed =
            home.is_changed(summary.next_sequence) || summary.record_count < summary.next_sequence;
        let mut folder = lines.names.clone();
        if has_sidecar(summary) {
            unless_damaged(sidecar(plan, summary, is_changed))?;
        }
        let Some(name) = name_of(summary).filter(|_| has_all) else {
            continue;
        };
        // An index lies where the names of sessions begin, which may be some folders above the
        // file.
        folder.truncate(folder.len().saturating_sub(name.len()));
        let folder = folders.entry(folder).or_default();
        folder.all.push(summary);
        if is_changed || is_renamed(plan, summary)? {
            folder.changed.push(summary);
        }
    }
    for (names, folder) in folders {
        unless_damaged(index(plan, &names, &folder))?;
    }
    unless_damaged(unreadable(plan))
}

/// Tells of indexes that are no JSON: the agent's program cannot read them either.
fn unreadable(plan: &mut Plan<'_>) -> Result<()> {
    for place in 0..plan.items.len() {
        let Some(item) = plan.items.get(place) else {
            continue;
        };
        let (agent, name) = match item.names.as_slice() {
            [agent, .., name] if item.session == 0 && item.bytes <= FACTS_BYTES_MAX => {
                (agent, name)
            }
            _ => continue,
        };
        let dialect = agents::of_agent(std::str::from_utf8(agent).unwrap_or_default());
        if !dialect.is_telling(name, &Sidecar::Folder) {
            continue;
        }
        let names = item.names.clone();
        if let Some(bytes) = original(plan, place)?
            && !sidecar_facts::is_json(&bytes)
        {
            let reason = "cannot be read as an index, and is written as it came".to_owned();
            plan.notes.push((names, reason));
        }
    }
    Ok(())
}

/// What cannot be read of a session stops nothing here: its agent's files stay as they are, and the
/// damage is told where its lines are written.
fn unless_damaged(done: Result<()>) -> Result<()> {
    done.or_else(|error| {
        if error.is_corruption() {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// Whether the agent keeps a meta file beside each session.
pub(super) fn has_sidecar(summary: &Summary) -> bool {
    let dialect = agents::of_agent(summary.key.agent());
    dialect.write_sidecar(&sketch(summary), None).is_some()
}

/// Whether the title in lists is one that was given to the session here.
fn is_renamed(plan: &Plan<'_>, summary: &Summary) -> Result<bool> {
    let row = plan.snapshot.row(summary.number)?;
    Ok(row.is_some_and(|row| row.given.title.is_some()))
}

/// The meta file of a session.
fn sidecar(plan: &mut Plan<'_>, summary: &Summary, is_changed: bool) -> Result<()> {
    let Some(mut state) = state_of(plan, summary)? else {
        return Ok(());
    };
    let dialect = agents::of_agent(summary.key.agent());
    let Some((name, bytes)) = dialect.write_sidecar(&state, None) else {
        return Ok(());
    };
    let Some((folder, own)) = lines_of(plan, summary) else {
        return Ok(());
    };
    let wanted = named_like(&name, summary, &own);
    let beside = [folder.as_slice(), std::slice::from_ref(&wanted)].concat();
    let has_news = is_changed || state.skip > 0 || state.properties != Properties::default();
    let there = plan.homes.get(&summary.number).and_then(|home| {
        let mut whole = home.whole.iter().copied();
        whole.find(|place| {
            plan.items
                .get(*place)
                .is_some_and(|item| item.names == beside)
        })
    });
    if let Some(place) = there {
        let Some(original) = original(plan, place)? else {
            return Ok(());
        };
        // What else an untouched file says, a wrong count for one, is as it was when it came. One
        // that cannot be read says nothing that could have been changed here.
        let all = dialect.sidecar_facts(Path::new(&name), &original);
        let told = all.first();
        let taken = told.map(|told| sidecar_facts::properties_of(told, &summary.key));
        let holds = match (told, &taken) {
            (Some(told), Some(taken)) => {
                told.skip.unwrap_or_default().min(state.lines) == state.skip
                    && taken.summary == state.properties.summary
                    && taken.aliases == state.properties.aliases
                    && taken.scope == state.properties.scope
            }
            _ => !has_news,
        };
        if !is_changed && holds {
            return Ok(());
        }
        if let (Some(told), Some(taken)) = (told, &taken) {
            as_told(&mut state.properties, taken, told);
        }
        // Nor can it be gone on with.
        let readable = told.map(|_| original.as_slice());
        let written = dialect.write_sidecar(&state, readable);
        if let Some((_, bytes)) = written
            && bytes != original
        {
            replace(plan, place, bytes, updated_ns(summary));
        }
        return Ok(());
    }
    if has_news {
        plan.push(
            &beside,
            Item {
                names: Vec::new(),
                bytes: bytes.len() as u64,
                content: Content::Written(bytes),
                session: summary.number,
                mtime_ns: updated_ns(summary),
            },
        );
    }
    Ok(())
}

/// What was `taken` over of a meta file and not changed since, as the file tells it: of what is too
/// long for a store, a part is here and all of it there.
fn as_told(properties: &mut Properties, taken: &Properties, told: &SidecarFacts) {
    if properties.summary == taken.summary {
        properties.summary = told.summary.clone().unwrap_or_default();
    }
    if properties.aliases == taken.aliases {
        properties.aliases = told.aliases.clone().unwrap_or_default();
    }
    if properties.scope == taken.scope {
        properties.scope.clone_from(&told.scope);
    }
}

/// The index of a folder, with rows for what was changed in it.
fn index(plan: &mut Plan<'_>, folder: &[Vec<u8>], sessions: &Folder<'_>) -> Result<()> {
    let Some(first) = sessions.changed.first() else {
        return Ok(());
    };
    let dialect = agents::of_agent(first.key.agent());
    let mut changed = states_of(plan, &sessions.changed)?;
    // In the order in which the agent would have made them.
    changed.sort_by_key(|state| state.summary.number);
    let Some((name, bytes)) = dialect.write_index(None, &changed) else {
        return Ok(());
    };
    let names = [folder, &[safe(&name).into_bytes()]].concat();
    let there = plan
        .items
        .iter()
        .position(|item| item.session == 0 && item.names == names);
    let newest = changed
        .iter()
        .filter_map(|state| updated_ns(&state.summary))
        .max();
    let Some(place) = there else {
        plan.push(
            &names,
            Item {
                names: Vec::new(),
                bytes: bytes.len() as u64,
                content: Content::Written(bytes),
                session: 0,
                mtime_ns: newest,
            },
        );
        return Ok(());
    };
    let Some(original) = original(plan, place)? else {
        return Ok(());
    };
    let mut written = dialect.write_index(Some(&original), &changed);
    // No row of it can be read, so those of all sessions are made.
    if written.is_none() {
        let mut all = states_of(plan, &sessions.all)?;
        all.sort_by_key(|state| state.summary.number);
        written = dialect.write_index(None, &all);
    }
    if let Some((_, bytes)) = written
        && bytes != original
    {
        replace(plan, place, bytes, newest);
    }
    Ok(())
}

/// The bytes of a file that was kept whole; `None` if it has gone since.
fn original(plan: &Plan<'_>, place: usize) -> Result<Option<Vec<u8>>> {
    let Some(item) = plan.items.get(place) else {
        return Ok(None);
    };
    let Content::Attachment(name) = &item.content else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    match plan
        .snapshot
        .read_attachment(item.session, name, &mut bytes)
    {
        Ok(()) => Ok(Some(bytes)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn replace(plan: &mut Plan<'_>, place: usize, bytes: Vec<u8>, mtime_ns: Option<i64>) {
    if let Some(item) = plan.items.get_mut(place) {
        item.bytes = bytes.len() as u64;
        item.content = Content::Written(bytes);
        item.mtime_ns = mtime_ns;
    }
}

/// The folder and the name of the file with a session's lines.
fn lines_of(plan: &Plan<'_>, summary: &Summary) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let place = plan.homes.get(&summary.number)?.lines?;
    let (name, folder) = plan.items.get(place)?.names.split_last()?;
    Some((folder.to_vec(), name.clone()))
}

/// The name of a meta file beside a session whose lines lie in the file `own`: `name` with the
/// stem that this one has, in place of that of the file that the agent would make.
fn named_like(name: &str, summary: &Summary, own: &[u8]) -> Vec<u8> {
    let dialect = agents::of_agent(summary.key.agent());
    let given = dialect
        .file_name(&sketch(summary))
        .and_then(|mut names| names.pop());
    let end = given
        .as_deref()
        .and_then(|given| given.rsplit_once('.'))
        .and_then(|(stem, _)| name.strip_prefix(stem));
    let is_plain = |end: &&str| {
        end.starts_with('.') && end.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    // What differs otherwise is no ending: then the agent's own name is taken.
    let Some(end) = end.filter(is_plain) else {
        return safe(name).into_bytes();
    };
    let stem = match own.iter().rposition(|byte| *byte == b'.') {
        Some(at) => own.get(..at).unwrap_or(own),
        None => own,
    };
    [stem, end.as_bytes()].concat()
}

fn states_of(plan: &Plan<'_>, sessions: &[&Summary]) -> Result<Vec<SessionState>> {
    let mut states = Vec::with_capacity(sessions.len());
    for summary in sessions {
        states.extend(state_of(plan, summary)?);
    }
    Ok(states)
}

/// A session as it is now; `None` if it has been deleted since the export began.
fn state_of(plan: &Plan<'_>, summary: &Summary) -> Result<Option<SessionState>> {
    let Some(place) = plan.homes.get(&summary.number).and_then(|home| home.lines) else {
        return Ok(None);
    };
    let Some(item) = plan.items.get(place) else {
        return Ok(None);
    };
    let Some(row) = plan.snapshot.row(summary.number)? else {
        return Ok(None);
    };
    let parts = match plan.snapshot.session_state_parts(summary.number) {
        Ok(parts) => parts,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let path = item
        .names
        .iter()
        // Without the agent's name, which only an export has in front.
        .skip(1)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    // What tells of the session may stand behind other lines.
    let mut first_line = parts.first_line;
    if let Some(sequence) = row.header_sequence {
        let one = ScanQuery {
            from: Some(sequence),
            records_max: 1,
            ..ScanQuery::default()
        };
        let page = plan.store.scan(&summary.key, &one)?;
        if let Some(header) = page.records.into_iter().next() {
            first_line = header.line;
        }
    }
    Ok(Some(SessionState {
        summary: parts.summary,
        properties: parts.properties,
        lines: parts.lines,
        skip: parts.skip,
        first_line,
        path,
    }))
}
