//! One file of an export: where it goes, and what goes into it.

use std::io::Write;

use super::format::ExportFormat;
use crate::agents::{self, Agent};
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::model::session::Summary;
use crate::store::IngestStore;
use crate::transfer::export::file_names::Targets;
use crate::transfer::files::paths;
use crate::transfer::older;

/// A file to write.
#[derive(Debug)]
pub(in crate::transfer) struct Item {
    /// Where it goes, name by name: a place of its own.
    pub names: Vec<Vec<u8>>,
    /// What goes into it.
    pub content: Content,
    /// Store number of the session; 0 if there is none.
    pub session: u64,
    /// The time of change that it gets, in nanoseconds since 1970.
    pub mtime_ns: Option<i64>,
    /// About how many bytes there are to write.
    pub bytes: u64,
}

/// What goes into a file.
#[derive(Debug)]
pub(in crate::transfer) enum Content {
    /// A session, in a form.
    Session(SessionKey, ExportFormat),
    /// A file that was imported, by its name.
    Attachment(String),
    /// A file of the agent, as it is now.
    Written(Vec<u8>),
}

impl Item {
    /// The transcript of a session.
    pub(super) fn transcript(
        summary: &Summary,
        format: ExportFormat,
        targets: &mut Targets,
    ) -> Self {
        let name = format!("{}.{}", paths::file_safe(summary.key.id()), format.ending());
        let wanted = [summary.key.agent().as_bytes().to_vec(), name.into_bytes()];
        Self {
            names: targets.claim(&wanted),
            session: summary.number,
            mtime_ns: None,
            bytes: summary.bytes,
            content: Content::Session(summary.key.clone(), format),
        }
    }

    /// Goes on behind a file of which there is nothing, if another process has deleted its session
    /// since the export began. What is still there and was not found is damage.
    pub(super) fn pass_over(
        &self,
        store: &dyn IngestStore,
        was_asked_for: bool,
        error: Error,
    ) -> Result<()> {
        let Error::NotFound { wanted } = &error else {
            return Err(error);
        };
        if self.session == 0 || store.sources().key(self.session)?.is_some() {
            let table = match self.content {
                Content::Attachment(_) => "attachments",
                _ => "session_keys",
            };
            return Err(Error::Corrupt {
                table,
                key: format!("session {}, `{wanted}`", self.session),
                detail: "it is there, but was not found under its name".to_owned(),
            });
        }
        if was_asked_for { Err(error) } else { Ok(()) }
    }

    /// Whether lines of a session go into it.
    pub(in crate::transfer) fn is_lines(&self) -> bool {
        matches!(self.content, Content::Session(_, ExportFormat::Jsonl))
    }

    /// Writes its content. Returns bytes written.
    pub(in crate::transfer) fn write(
        &self,
        store: &dyn IngestStore,
        out: &mut dyn Write,
        seen: &mut Seen,
    ) -> Result<u64> {
        let mut measured = Measured {
            out,
            longest: &mut seen.longest,
        };
        let mut out = Counted {
            out: &mut measured,
            bytes: 0,
        };
        match &self.content {
            Content::Session(key, ExportFormat::Jsonl) => write_lines(store, key, &mut out)?,
            Content::Session(key, ExportFormat::Markdown) => {
                store.export_markdown(key, &mut out)?;
            }
            #[cfg(feature = "html")]
            Content::Session(key, ExportFormat::Html) => {
                seen.days = super::html::write_session(store, key, &mut out)?;
            }
            Content::Attachment(name) => {
                store
                    .sources()
                    .read_attachment(self.session, name, &mut out)?;
            }
            Content::Written(bytes) => out
                .write_all(bytes)
                .map_err(|source| Error::Output { source })?,
        }
        Ok(out.bytes)
    }
}

impl Item {
    /// The agent whose file it is.
    fn agent(&self) -> &'static dyn Agent {
        let names = older::below(&self.names).unwrap_or(&self.names);
        let name = names.first().map(Vec::as_slice).unwrap_or_default();
        agents::of_agent(std::str::from_utf8(name).unwrap_or_default())
    }

    /// Whether its agent deletes files of sessions by their time.
    pub(super) fn is_deleted_by_time(&self) -> bool {
        self.agent().deletes_by_time()
    }

    /// What is seen of it, before it is written: lines are measured if its agent's program takes them up to some length.
    pub(super) fn seen(&self) -> Seen {
        let agent = self.agent();
        let taken = agent.line_bytes_max().filter(|_| self.is_lines());
        let longest = taken.map(|taken| Longest {
            taken,
            agent: agent.agent(),
            now: 0,
            found: 0,
        });
        Seen {
            longest,
            #[cfg(feature = "html")]
            days: super::html::Days::new(),
        }
    }
}

/// What is seen of a file while it is written.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Seen {
    /// Its longest line, where that is measured.
    pub longest: Option<Longest>,
    /// The tokens of a page by day.
    #[cfg(feature = "html")]
    pub days: super::html::Days,
}

/// The longest line that was written.
#[derive(Debug)]
pub(in crate::transfer) struct Longest {
    /// Bytes of the longest line that the agent's program takes, without its end.
    taken: u64,
    agent: &'static str,
    now: u64,
    found: u64,
}

impl Longest {
    fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.now += end as u64;
            self.found = self.found.max(self.now);
            self.now = 0;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        // A line may come in several buffers.
        self.now += rest.len() as u64;
    }

    /// What is told of it, if it is too long.
    pub(super) fn reason(&self) -> Option<String> {
        let found = self.found.max(self.now);
        (found > self.taken).then(|| {
            format!(
                "has a line of {found} bytes; the program of `{}` reads lines of up to {}",
                self.agent, self.taken
            )
        })
    }
}

/// A writer that measures lines.
struct Measured<'a> {
    out: &'a mut dyn Write,
    longest: &'a mut Option<Longest>,
}

impl Write for Measured<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(buffer)?;
        if let Some(longest) = self.longest {
            longest.add(buffer.get(..written).unwrap_or_default());
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Writes all lines of a session.
pub(super) fn write_lines(
    store: &dyn IngestStore,
    key: &SessionKey,
    out: &mut Counted<'_>,
) -> Result<()> {
    store.visit_lines(key, 0, &mut |lines| {
        out.write_all(lines)
            .map_err(|source| Error::Output { source })
    })
}

/// A writer that counts.
pub(super) struct Counted<'a> {
    /// Where it writes to.
    pub out: &'a mut dyn Write,
    /// Bytes written.
    pub bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
