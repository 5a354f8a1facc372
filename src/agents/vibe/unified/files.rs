//! The files of a session's folder, and what they say together.
//!
//! `CURRENT` names a generation. In its folder a manifest names the pieces that the list of what was said is cut into,
//! each a file in `chunks`; beside it stand what is said of the session (`projection-state.json`) and how it was run
//! (`runtime-state.json`). The journal that begins behind the generation changes that list, one record a line. Names
//! that lead to files are taken only as the program makes them, so none leads out of the folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::agents::home::{head, invalid, whole};
use crate::agents::parts::compact::{compact, string};
use crate::agents::parts::fields::{elements, fields, fields_of, owned, text};
use crate::agents::parts::lines::body;
use crate::json::Json;
use crate::model::error::Result;
use crate::model::limits::LINE_BYTES_MAX;

/// The session's own file.
pub(super) const CURRENT: &str = "CURRENT";

/// How the names of the versions of the form that is read begin.
const FORM: &str = "mistral.vibe.unified-session-store/v1";

/// Bytes of a session's entries that are read, at most.
const BYTES_MAX: usize = 512 * 1024 * 1024;

/// What a session is.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What is said of it, as JSON: the newest.
    session: String,
    /// What it was run with.
    metadata: String,
    /// Whose it is.
    identity: String,
    /// What was said and done, in order, each as JSON on one line; nothing where it was taken away.
    entries: Vec<Option<String>>,
    /// Where those of an id stand.
    places: HashMap<String, Vec<usize>>,
    /// The bytes of them, how many there may be, and whether there is no room for more.
    bytes: usize,
    room: usize,
    is_full: bool,
    /// What is left out.
    pub problems: Vec<String>,
}

/// What `CURRENT` says.
struct Current {
    generation: String,
    sequence: u64,
}

/// Reads a session's folder.
pub(super) fn read(folder: &Path) -> Result<State> {
    read_within(folder, BYTES_MAX)
}

/// The same, with so many bytes of entries at most.
pub(super) fn read_within(folder: &Path, room: usize) -> Result<State> {
    let current = current(folder)?;
    let generation = folder.join("generations").join(&current.generation);
    let mut state = State {
        room,
        ..State::default()
    };
    let about = generation.join("runtime-state.json");
    let bytes = whole(&about)?;
    let content = String::from_utf8_lossy(&bytes);
    let wanted = fields(body(&content), &["session_metadata", "identity"]);
    let [metadata, identity] = wanted.map_err(|_error| invalid(&about, "is no JSON object"))?;
    state.metadata = json(metadata);
    state.identity = json(identity);
    let shown = generation.join("projection-state.json");
    let bytes = whole(&shown)?;
    let content = String::from_utf8_lossy(&bytes);
    let wanted = fields(body(&content), &["snapshot"]);
    let [snapshot] = wanted.map_err(|_error| invalid(&shown, "is no JSON object"))?;
    let snapshot = snapshot.filter(|snapshot| is_object(*snapshot));
    let snapshot = snapshot.ok_or_else(|| invalid(&shown, "has no state of what is shown"))?;
    state.take_snapshot(Some(snapshot));
    for name in pieces(&generation.join("manifest.json"))? {
        if state.is_full {
            break;
        }
        let piece = folder.join("chunks").join(format!("{name}.json"));
        let bytes = whole(&piece)?;
        let content = String::from_utf8_lossy(&bytes);
        let list = Json::parse(body(&content)).map_err(|_error| invalid(&piece, "is no JSON"))?;
        if !is_list(list) {
            return Err(invalid(&piece, "is no list of what was said"));
        }
        for entry in elements(list) {
            state.add(entry);
        }
    }
    let journal = folder.join(journal(current.sequence));
    // A generation begins with an empty one.
    if journal.exists() {
        state.go_on(&whole(&journal)?, current.sequence);
    }
    Ok(state)
}

/// What a session's own file says.
fn current(folder: &Path) -> Result<Current> {
    let path = folder.join(CURRENT);
    let bytes = head(&path)?;
    let content = String::from_utf8_lossy(&bytes);
    let keys = ["store_format", "generation", "snapshot_sequence"];
    let [form, generation, sequence] = fields(body(&content), &keys).unwrap_or_default();
    if text(form).as_deref() != Some(FORM) {
        return Err(invalid(&path, "is of no form that is known"));
    }
    let generation = owned(generation).filter(|name| is_name(name, 16));
    let sequence = sequence.and_then(|sequence| sequence.get().parse().ok());
    let found = generation.zip(sequence);
    let (generation, sequence) = found.ok_or_else(|| invalid(&path, "names no generation"))?;
    Ok(Current {
        generation,
        sequence,
    })
}

/// Whether a name has that many digits, of base 16, and nothing else.
fn is_name(name: &str, length: usize) -> bool {
    name.len() == length && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names of the pieces of what was said.
fn pieces(manifest: &Path) -> Result<Vec<String>> {
    let bytes = whole(manifest)?;
    let content = String::from_utf8_lossy(&bytes);
    let wanted = fields(body(&content), &["projection_state"]);
    let [shown] = wanted.map_err(|_error| invalid(manifest, "is no JSON object"))?;
    let [names] = fields_of(shown, &["chunks"]);
    let names = names.filter(|names| is_list(*names));
    let names = names.ok_or_else(|| invalid(manifest, "has no list of pieces"))?;
    let names = elements(names).into_iter();
    let named = |name| owned(Some(name)).filter(|name| is_name(name, 64));
    names
        .map(|name| named(name).ok_or_else(|| invalid(manifest, "names no piece")))
        .collect()
}

/// The journal behind a generation, below the session's folder.
fn journal(sequence: u64) -> PathBuf {
    Path::new("journal").join(format!("{:016}.jsonl", sequence.saturating_add(1)))
}

/// The journal that goes on where a session's own file ends.
pub(super) fn journal_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let current = current(folder).ok()?;
    Some(folder.join(journal(current.sequence)))
}

fn is_list(value: Json<'_>) -> bool {
    value.get().starts_with('[')
}

fn is_object(value: Json<'_>) -> bool {
    value.get().starts_with('{')
}

fn json(value: Option<Json<'_>>) -> String {
    value.map_or_else(|| "{}".to_owned(), |value| compact(value.get()))
}

impl State {
    /// Takes a whole state of what is shown.
    fn take_snapshot(&mut self, snapshot: Option<Json<'_>>) {
        let [session, history] = fields_of(snapshot, &["session", "history"]);
        let [list] = fields_of(history, &["entries"]);
        self.session = json(session);
        self.take_entries(list);
    }

    fn take_entries(&mut self, list: Option<Json<'_>>) {
        self.entries.clear();
        self.places.clear();
        (self.bytes, self.is_full) = (0, false);
        for entry in list.into_iter().flat_map(elements) {
            self.add(entry);
        }
    }

    /// An entry as a line holds it, if there is room for it.
    fn made(&mut self, entry: Json<'_>) -> Option<String> {
        if self.is_full {
            return None;
        }
        let json = compact(entry.get());
        let bytes = json.len();
        if self.bytes.saturating_add(bytes) > self.room {
            let room = self.room;
            let problem = format!("is larger than {room} bytes; what follows is left out");
            self.problems.push(problem);
            self.is_full = true;
            return None;
        }
        if bytes > LINE_BYTES_MAX {
            let problem = format!("an entry of {bytes} bytes is left out");
            self.problems.push(problem);
            return None;
        }
        self.bytes += bytes;
        Some(json)
    }

    fn add(&mut self, entry: Json<'_>) {
        let [id] = fields_of(Some(entry), &["id"]);
        let made = self.made(entry);
        if made.is_some() {
            let place = self.entries.len();
            let id = owned(id).unwrap_or_default();
            self.places.entry(id).or_default().push(place);
            self.entries.push(made);
        }
    }

    /// Puts another in the place of the first one of an id.
    fn replace(&mut self, id: &str, entry: Json<'_>) {
        let place = self.places.get(id).and_then(|places| places.first());
        let Some(place) = place.copied() else {
            return;
        };
        if let Some(made) = self.made(entry)
            && let Some(old) = self.entries.get_mut(place).and_then(Option::as_mut)
        {
            self.bytes = self.bytes.saturating_sub(old.len());
            *old = made;
        }
    }

    /// Takes away those of an id.
    fn remove(&mut self, id: &str) {
        for place in self.places.remove(id).unwrap_or_default() {
            let old = self.entries.get_mut(place).and_then(Option::take);
            self.bytes = self.bytes.saturating_sub(old.map_or(0, |old| old.len()));
        }
    }

    /// Goes on with the records of a journal. The last line may be cut off, since it is being written.
    fn go_on(&mut self, journal: &[u8], sequence: u64) {
        let mut expected = sequence;
        for line in journal.split_inclusive(|byte| *byte == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else {
                break;
            };
            expected = expected.saturating_add(1);
            let content = String::from_utf8_lossy(line);
            let found = fields(body(&content), &["payload", "sequence", "type"]);
            let [payload, sequence, kind] = found.unwrap_or_default();
            if sequence.and_then(|number| number.get().parse().ok()) != Some(expected) {
                let problem = format!("its journal cannot be read from record {expected} on");
                self.problems.push(problem);
                return;
            }
            let wanted = ["delta", "snapshot", "metadata"];
            let [delta, snapshot, metadata] = fields_of(payload, &wanted);
            match text(kind).as_deref() {
                Some("projection_delta") => self.change(delta),
                Some("projection_advanced") => self.take_snapshot(snapshot),
                Some("session_relocated") => {
                    self.metadata = json(metadata);
                    self.change(delta);
                }
                _ => {}
            }
        }
    }

    /// Applies the changes of a record.
    fn change(&mut self, delta: Option<Json<'_>>) {
        for change in delta.into_iter().flat_map(elements) {
            let wanted = ["op", "id", "entry", "entries", "state"];
            let [op, id, entry, entries, state] = fields_of(Some(change), &wanted);
            let id = text(id).unwrap_or_default();
            match (text(op).as_deref(), entry) {
                (Some("append_entry"), Some(entry)) => self.add(entry),
                (Some("replace_entry"), Some(entry)) => self.replace(&id, entry),
                (Some("remove_entry"), _) if !id.is_empty() => self.remove(&id),
                (Some("set_history_entries"), _) => self.take_entries(entries),
                (Some("set_envelope"), _) => {
                    let [session] = fields_of(state, &["session"]);
                    // What states none leaves the one that was there.
                    if let Some(session) = session.filter(|session| is_object(*session)) {
                        self.session = json(Some(session));
                    }
                }
                _ => {}
            }
        }
    }

    /// What was said and done, each as JSON on one line.
    pub(super) fn entries(&self) -> impl Iterator<Item = &String> {
        self.entries.iter().flatten()
    }

    /// The folder that it began in: the program lists it there, also when it has moved.
    pub(super) fn project(&self) -> Option<String> {
        let [origin, folder] = fields(&self.metadata, &["origin_cwd", "cwd"]).unwrap_or_default();
        owned(origin).or_else(|| owned(folder))
    }

    /// What never changes of it.
    pub(super) fn lasting(&self, id: &str) -> Vec<(&'static str, String)> {
        let mut members = vec![("id", string(id))];
        let [kind] = fields(&self.identity, &["kind"]).unwrap_or_default();
        members.extend(member("kind", kind));
        let wanted = ["createdAt", "rootSessionId", "parentSessionId"];
        let found = fields(&self.session, &wanted).unwrap_or_default();
        let found = wanted.into_iter().zip(found);
        members.extend(found.filter_map(|(key, value)| member(key, value)));
        members.extend(self.project().map(|folder| ("cwd", string(&folder))));
        members
    }

    /// What changes with each turn.
    pub(super) fn changing(&self, id: &str) -> Vec<(&'static str, String)> {
        let mut members = vec![("id", string(id))];
        let wanted = ["title", "titleSource", "tokenUsage", "updatedAt"];
        let found = fields(&self.session, &wanted).unwrap_or_default();
        let found = wanted.into_iter().zip(found);
        members.extend(found.filter_map(|(key, value)| member(key, value)));
        let wanted = ["active_model", "agent_name"];
        let found = fields(&self.metadata, &wanted).unwrap_or_default();
        let found = wanted.into_iter().zip(found);
        members.extend(found.filter_map(|(key, value)| member(key, value)));
        members
    }
}

/// A member that is there.
fn member(key: &'static str, value: Option<Json<'_>>) -> Option<(&'static str, String)> {
    let value = value.filter(|value| value.get() != "null")?;
    Some((key, compact(value.get())))
}
