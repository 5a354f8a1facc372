//! What is to be made of a file: lines of a session, a session in one document, a database of
//! sessions, or a sidecar.
//!
//! The head of a file is read only where its name alone does not decide.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::found::{FoundFile, cannot_read};
use super::unpacked::{NOT_PACKED, is_packed, unpacks};
use crate::agents::{self, Agent, Candidate, Document, Recognition, Sidecar};
use crate::transfer::files::open::open_regular;
use crate::transfer::files::paths;

/// Extensions of files of lines.
const LINES_EXTENSIONS: [&str; 2] = ["jsonl", "ndjson"];

/// Extensions of files that hold one document; some agents give it to files of lines.
const DOCUMENT_EXTENSIONS: [&str; 1] = ["json"];

/// Bytes of a file that its format is recognised by.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// Bytes of a companion that are read, at most.
const COMPANION_BYTES: u64 = 1024 * 1024;

/// How every store's file begins.
const STORE_MAGIC: &[u8] = b"redb";

/// How every SQLite database begins.
const DATABASE_MAGIC: &[u8] = b"SQLite format 3\0";

/// What is to be made of a file.
#[derive(Debug)]
pub(super) enum Form {
    /// Its lines are records.
    Lines,
    /// It is a session.
    Document(Document),
    /// It is a database of sessions of this agent.
    Database(&'static dyn Agent),
    /// It is a sidecar of this agent.
    Sidecar(&'static str, Sidecar),
}

/// Whether a file may be of interest, by its name.
pub(super) fn matters(path: &Path) -> bool {
    if agents::is_part_of_tree(path) {
        return false;
    }
    paths::has_extension(path, &LINES_EXTENSIONS)
        || is_packed(path)
        || paths::has_extension(path, &DOCUMENT_EXTENSIONS)
        || agents::is_named_as_document(path)
        || database_agent(path).is_some()
        || agents::recognise_sidecar(path).is_some()
}

/// The agent whose databases have the name of that file.
pub(super) fn database_agent(path: &Path) -> Option<&'static dyn Agent> {
    agents::recognise_database(path)
}

/// Whether a path is that of a session in files of its own.
pub(super) fn is_in_tree(agent: &dyn Agent, path: &Path) -> bool {
    let databases = agent.databases();
    databases.is_some_and(|databases| databases.is_in_tree(path))
}

/// What is to be made of a file; `None` if it is of no interest; an error says why it cannot be
/// taken.
pub(super) fn classify(
    file: &FoundFile,
    forced: Option<&'static dyn Agent>,
) -> std::result::Result<Option<Form>, String> {
    let name = file.name_path();
    let beside = agents::recognise_sidecar(name);
    let packed = is_packed(name);
    if packed {
        let mut opened = open_regular(&file.path).map_err(|error| cannot_read(Some(&error)))?;
        if !unpacks(&mut opened).map_err(|error| cannot_read(Some(&error)))? {
            // Kept whole where its place tells whose it is.
            let of_agent = beside.map(into_form);
            return of_agent.map(Some).ok_or_else(|| NOT_PACKED.to_owned());
        }
    }
    let is_lines = paths::has_extension(name, &LINES_EXTENSIONS) || packed;
    // Lines that are changes of one document come to a session together: each says nothing alone.
    let is_folded = is_lines && !packed && agents::folds(name);
    if is_lines && !is_folded && !file.named {
        // What lies beside sessions may be lines too: a list of prompts, what a tool has put out.
        let beside = beside.filter(|_| !packed);
        return Ok(Some(beside.map_or(Form::Lines, into_form)));
    }
    let is_document =
        paths::has_extension(name, &DOCUMENT_EXTENSIONS) || agents::is_named_as_document(name);
    // Whoever names a file says what it is, wherever it lies.
    let told = || agents::recognise_database_name(name).filter(|_| file.named);
    let database = database_agent(name).or_else(told);
    if !(file.named || is_document || is_folded || database.is_some()) {
        return Ok(beside.map(into_form));
    }
    let head = open_regular(&file.path)
        .and_then(|mut opened| read_head(&mut opened, file.size))
        .map_err(|error| cannot_read(Some(&error)))?;
    // Only a file that is named is read without a session's name; taken as lines, a store would
    // become one session of garbage.
    if file.named && head.starts_with(STORE_MAGIC) {
        return Err("is a Scrollback store; export it first: \
                    `scrollback --store FILE export --all --to DIR`"
            .to_owned());
    }
    if let Some(agent) = database
        && (head.starts_with(DATABASE_MAGIC) || is_in_tree(agent, name))
        && forced.is_none_or(|forced| forced.agent() == agent.agent())
    {
        return Ok(Some(Form::Database(agent)));
    }
    if file.named && head.starts_with(DATABASE_MAGIC) {
        return Err("is a database that no known agent keeps under that name".to_owned());
    }
    // Whoever names a file of lines, or its agent, means all of it to be read as that.
    if file.named && ((is_lines && !is_folded) || forced.is_some()) {
        return Ok(Some(Form::Lines));
    }
    let companion = companion(name);
    let candidate = Candidate::new(name, &head).beside(companion.as_deref());
    // Below an agent's home, and in a folder like it, only that agent's files are sessions: what a tool
    // has put out may look like anything. Whoever names a file says that it is one.
    let home = agents::home_of(name).filter(|_| !file.named);
    let may_be_of = |agent: &str| {
        home.is_none_or(|home| home.agent() == agent)
            && beside.as_ref().is_none_or(|(owner, _)| *owner == agent)
    };
    if let Some(document) = agents::recognise_document(&candidate)
        && may_be_of(document.agent)
    {
        return Ok(Some(Form::Document(document)));
    }
    let found = agents::recognise(&candidate);
    let is_known = found.is_some_and(|found| {
        may_be_of(found.agent()) && found.recognise(&candidate) > Recognition::Fallback
    });
    match (found, beside) {
        _ if is_document && is_known => Ok(Some(Form::Lines)),
        (_, Some(beside)) => Ok(Some(into_form(beside))),
        _ if !file.named => Ok(None),
        (Some(_), None) => Ok(Some(Form::Lines)),
        (None, None) => Err("not recognised as sessions; name its agent".to_owned()),
    }
}

fn into_form((agent, owner): (&'static str, Sidecar)) -> Form {
    Form::Sidecar(agent, owner)
}

/// The start of the file that has to be read before the session in `path` gets its name, if there
/// is such a file and it can be read.
pub(super) fn companion(path: &Path) -> Option<Vec<u8>> {
    agents::companion_of(path).find_map(|companion| {
        let mut bytes = Vec::new();
        let file = open_regular(&companion).ok()?;
        file.take(COMPANION_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    })
}

/// The first bytes of a file that has about so many; what is read is the file's position then.
pub(super) fn read_head(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    // In one read, where reading to the end would feel its way. One byte more tells the end.
    let expected = usize::try_from(size.saturating_add(1)).unwrap_or(HEAD_BYTES);
    let mut head = vec![0; expected.min(HEAD_BYTES)];
    let mut filled = 0;
    while filled < HEAD_BYTES {
        if filled == head.len() {
            // It has grown since.
            head.resize(HEAD_BYTES, 0);
        }
        match file.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}
