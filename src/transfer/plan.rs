//! Decides for every file that was found what to do with it: pass over it, read its lines, or keep
//! it whole.
//!
//! A file that has the size and the time that it had when all of it was imported is unchanged: it
//! is not opened. The heads of other files are read only where the name alone does not decide.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::discover::{FoundFile, cannot_read};
use super::paths;
use super::report::ImportReport;
use crate::codec::source_row::SourceKind;
use crate::dialect::{self, Candidate, Dialect, Sidecar};
use crate::error::Result;
use crate::model::key::SessionKey;
use crate::store::{Source, Sources};

/// Extensions of files of lines.
const LINES_EXTENSIONS: [&str; 2] = ["jsonl", "ndjson"];

/// Bytes of a file that its format is recognised by.
const HEAD_BYTES: u64 = 64 * 1024;

/// How every store's file begins.
const STORE_MAGIC: &[u8] = b"redb";

/// A file of lines to be read.
#[derive(Debug)]
pub(super) struct LinesTask {
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
}

/// A file to be kept whole.
#[derive(Debug)]
pub(super) struct WholeTask {
    /// The file.
    pub file: FoundFile,
    /// What was imported from its path before.
    pub previous: Option<Source>,
    /// Whether the session of that is still there.
    pub previous_lives: bool,
    /// The agent.
    pub agent: &'static str,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a file is that is kept whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It lies beside the session of that id.
    Session(String),
    /// It belongs to its folder.
    Folder,
    /// It is a session itself, in one document.
    Document(String),
}

/// A session that the files of this run hold, for finding whose a sidecar is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name in the store.
    pub key: SessionKey,
    /// Its store number.
    pub number: u64,
    /// Folder of its file.
    pub folder: PathBuf,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Files of lines.
    pub lines: Vec<LinesTask>,
    /// Files to be kept whole.
    pub whole: Vec<WholeTask>,
    /// Sessions of unchanged files.
    pub places: Vec<Place>,
    /// Files in all.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of unchanged files.
    pub unchanged_bytes: u64,
}

/// Whether a file may be of interest, by its name.
pub(super) fn matters(path: &Path) -> bool {
    paths::has_extension(path, &LINES_EXTENSIONS)
        || paths::has_extension(path, &["json"])
        || sidecar(path).is_some()
}

/// Looks at every file, and at what is stored of it.
pub(super) fn plan(
    files: Vec<FoundFile>,
    sources: &Sources<'_>,
    forced: Option<&'static dyn Dialect>,
    store: &Path,
    report: &mut ImportReport,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let store = std::fs::canonicalize(store).ok();
    for file in files {
        if !file.named && store.as_ref() == Some(&file.path) {
            continue;
        }
        let previous = sources.newest(&paths::to_bytes(&file.path))?;
        let (lives, place) = match &previous {
            Some(source) => living(source, &file, sources)?,
            None => (false, None),
        };
        match &previous {
            Some(source) if lives && is_unchanged(&file, source) => {
                note_other_agent(&file, source, forced, report);
                report.files += 1;
                report.unchanged += 1;
                plan.files += 1;
                plan.bytes += file.size;
                plan.unchanged_bytes += file.size;
                plan.places.extend(place);
            }
            _ => plan.take(file, (previous, lives), forced, report),
        }
    }
    Ok(plan)
}

fn is_unchanged(file: &FoundFile, source: &Source) -> bool {
    let row = &source.row;
    row.complete && row.size == file.size && row.mtime_ns == file.mtime_ns
}

/// Whether what was made of a file is still there, and its session's place if it was lines.
fn living(
    source: &Source,
    file: &FoundFile,
    sources: &Sources<'_>,
) -> Result<(bool, Option<Place>)> {
    if source.row.session == 0 {
        return Ok((true, None));
    }
    let Some(key) = sources.key(source.row.session)? else {
        return Ok((false, None));
    };
    let folder = file.path.parent().unwrap_or(&file.path).to_owned();
    let place = Place {
        key,
        number: source.row.session,
        folder,
    };
    Ok((
        true,
        Some(place).filter(|_| source.row.kind == SourceKind::Lines),
    ))
}

fn note_other_agent(
    file: &FoundFile,
    source: &Source,
    forced: Option<&'static dyn Dialect>,
    report: &mut ImportReport,
) {
    let Some(forced) = forced.map(Dialect::agent) else {
        return;
    };
    if source.row.kind == SourceKind::Lines && source.row.agent != forced {
        let reason = format!(
            "is in the store for agent `{}`; delete that session to import it for `{forced}`",
            source.row.agent
        );
        report.add_file_problem(file.name_path(), reason);
    }
}

impl Plan {
    /// Plans a file that is new or not as it was.
    fn take(
        &mut self,
        file: FoundFile,
        (previous, previous_lives): (Option<Source>, bool),
        forced: Option<&'static dyn Dialect>,
        report: &mut ImportReport,
    ) {
        let form = match classify(&file, forced) {
            Ok(Some(form)) => form,
            Ok(None) => return,
            Err(reason) => {
                report.paths_failed += u64::from(file.named);
                return report.add_skipped(file.name_path(), reason);
            }
        };
        self.files += 1;
        self.bytes += file.size;
        match form {
            Form::Lines => self.lines.push(LinesTask { file, previous }),
            Form::Whole(agent, owner) => {
                self.whole.push(WholeTask {
                    file,
                    previous,
                    previous_lives,
                    agent,
                    owner,
                });
            }
        }
    }
}

/// What is to be made of a file.
enum Form {
    Lines,
    Whole(&'static str, Owner),
}

/// What is to be made of a file; `None` if it is of no interest; an error says why it cannot be
/// taken.
fn classify(
    file: &FoundFile,
    forced: Option<&'static dyn Dialect>,
) -> std::result::Result<Option<Form>, String> {
    let name = file.name_path();
    let is_lines = paths::has_extension(name, &LINES_EXTENSIONS);
    if is_lines && !file.named {
        return Ok(Some(Form::Lines));
    }
    if !is_lines
        && (forced.is_none() || !file.named)
        && let Some((agent, owner)) = sidecar(name)
    {
        let owner = match owner {
            Sidecar::Session(id) => Owner::Session(id),
            Sidecar::Folder => Owner::Folder,
        };
        return Ok(Some(Form::Whole(agent, owner)));
    }
    let head = open_regular(&file.path)
        .and_then(|mut opened| read_head(&mut opened))
        .map_err(|error| cannot_read(Some(&error)))?;
    if file.named && head.starts_with(STORE_MAGIC) {
        return Err("is a Scrollback store; export it first: \
                    `scrollback --store FILE export --all --to DIR`"
            .to_owned());
    }
    let candidate = Candidate {
        path: name,
        head: &head,
        companion: None,
    };
    if is_lines || (forced.is_some() && file.named) {
        return Ok(Some(Form::Lines));
    }
    if let Some(document) = dialect::recognise_document(&candidate) {
        return Ok(Some(Form::Whole(
            document.agent,
            Owner::Document(document.id),
        )));
    }
    if !file.named {
        return Ok(None);
    }
    match dialect::recognise(&candidate) {
        Some(_) => Ok(Some(Form::Lines)),
        None => Err("not recognised as sessions; name its format with --agent".to_owned()),
    }
}

/// Whose sidecar a file is, by its path.
fn sidecar(path: &Path) -> Option<(&'static str, Sidecar)> {
    dialect::all()
        .iter()
        .find_map(|dialect| dialect.sidecar(path).map(|owner| (dialect.agent(), owner)))
}

/// Opens a file for reading, unless it has become something that is no file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    File::open(path)
}

/// The first bytes of a file; what is read is the file's position then.
pub(super) fn read_head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}
