//! A file line by line, as comparisons see it: digests and lengths, without the bytes.

use xxhash_rust::xxh3::Xxh3;

use super::{COMMON_BYTES, COMMON_LINES};
use crate::agents::habits::{Habits, LineRole};
use crate::codec::chain::{Chain, Digest, digest_of};
use crate::jsonl::Line;

/// A file of more lines is only compared by digest chains.
pub(crate) const LINES_MAX: usize = 4_000_000;

/// A digest, cut: enough to tell lines of one session apart.
pub(crate) type Mark = [u8; 16];

/// The mark of a line.
pub(crate) fn mark_of(digest: &Digest) -> Mark {
    digest.first_chunk().copied().unwrap_or_default()
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// What tells it apart.
    pub mark: Mark,
    /// Its bytes.
    pub bytes: u64,
    /// What it is to the file.
    pub role: LineRole,
    /// Whether it lacks its terminator.
    pub open: bool,
}

impl Shape {
    /// Whether files are compared by it: no header, no trailer, and a whole line.
    pub(crate) fn is_compared(&self) -> bool {
        !self.open && self.role != LineRole::Frame
    }
}

/// What a stored content says of the beginning of its file.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// Lines that are compared.
    pub lines: u64,
    /// The digest chain over them.
    pub digest: Digest,
    /// The unterminated line at its end, if there is one.
    pub tail: Option<Vec<u8>>,
}

/// Where a file stands behind the lines of a content.
#[derive(Clone)]
pub(crate) struct Behind {
    /// Lines up to there, in all.
    pub lines: u64,
    /// The bytes of these.
    pub bytes: u64,
    /// The hash of these bytes, to go on with.
    pub hasher: Box<Xxh3>,
}

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Behind").finish_non_exhaustive()
    }
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct FileShape {
    /// Its lines; `None` if there are more than [`LINES_MAX`].
    pub lines: Option<Vec<Shape>>,
    /// Lines that are compared.
    pub compared: u64,
    /// The digest chain over them.
    pub digest: Digest,
    /// For each beginning that was asked about: where the file is behind it, if it begins so.
    pub begins: Vec<Option<Behind>>,
    /// For each beginning with an open line: the line of the file that begins with that.
    pub tails: Vec<Option<usize>>,
    /// Whether any line is a header or a trailer.
    pub has_frames: bool,
    /// Whether the last line lacks its terminator.
    pub is_open: bool,
    /// All lines, and their bytes.
    pub line_count: u64,
    /// All bytes.
    pub bytes: u64,
    /// Bytes of whole lines, and their hash.
    pub whole: (u64, u128),
    /// When it was last changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// How many of its lines the agent says to be hidden.
    pub skip: Option<u64>,
}

impl FileShape {
    /// Its lines that are compared.
    pub(crate) fn core(&self) -> Vec<Shape> {
        let lines = self.lines.iter().flatten();
        lines.filter(|line| line.is_compared()).copied().collect()
    }
}

/// Takes a file line by line.
pub(crate) struct Shaper<'b> {
    role: Option<fn(&[u8]) -> LineRole>,
    beginnings: &'b [Beginning],
    chain: Chain,
    hasher: Xxh3,
    shape: FileShape,
}

impl<'b> Shaper<'b> {
    /// For a file of an agent with these habits, compared with these beginnings.
    pub(crate) fn new(
        habits: Habits,
        beginnings: &'b [Beginning],
        (mtime_ns, skip): (i64, Option<u64>),
    ) -> Self {
        let mut shaper = Self {
            role: habits.role,
            beginnings,
            chain: Chain::starting_at(0),
            hasher: Xxh3::new(),
            shape: FileShape {
                lines: Some(Vec::new()),
                compared: 0,
                digest: Chain::starting_at(0).digest,
                begins: vec![None; beginnings.len()],
                tails: vec![None; beginnings.len()],
                has_frames: false,
                is_open: false,
                line_count: 0,
                bytes: 0,
                whole: (0, 0),
                mtime_ns,
                skip,
            },
        };
        // A content without compared lines is met before the first one.
        shaper.meet();
        shaper
    }

    /// Takes the next line.
    pub(crate) fn take(&mut self, line: &Line<'_>) {
        let digest = digest_of(line.bytes);
        // A piece of a line that was cut is no JSON alone, and never a header.
        let is_piece = line.continues || line.continued;
        let role = match self.role {
            Some(role) if !is_piece => role(line.bytes),
            _ => LineRole::Said,
        };
        let shape = Shape {
            mark: mark_of(&digest),
            bytes: line.bytes.len() as u64,
            role,
            open: !line.terminated && !line.continues,
        };
        let at = usize::try_from(self.shape.line_count).unwrap_or(usize::MAX);
        for (beginning, found) in self.beginnings.iter().zip(&mut self.shape.tails) {
            if let Some(tail) = &beginning.tail
                && found.is_none()
                && line.bytes.starts_with(tail)
            {
                *found = Some(at);
            }
        }
        if let Some(lines) = &mut self.shape.lines {
            lines.push(shape);
            if lines.len() > LINES_MAX {
                self.shape.lines = None;
            }
        }
        self.shape.line_count += 1;
        self.shape.bytes += shape.bytes;
        self.shape.is_open = shape.open;
        self.shape.has_frames |= shape.role == LineRole::Frame;
        // Over whole lines alone: an open one may get longer, and reading goes on where it begins.
        if !shape.open {
            self.hasher.update(line.bytes);
            self.shape.whole.0 = self.shape.bytes;
        }
        if shape.is_compared() {
            self.chain.push(&digest);
            self.shape.compared += 1;
            self.meet();
        }
    }

    /// Looks whether the lines so far are those of a beginning.
    fn meet(&mut self) {
        for (beginning, met) in self.beginnings.iter().zip(&mut self.shape.begins) {
            if beginning.lines == self.shape.compared && beginning.digest == self.chain.digest {
                *met = Some(Behind {
                    lines: self.shape.line_count,
                    bytes: self.shape.whole.0,
                    hasher: Box::new(self.hasher.clone()),
                });
            }
        }
    }

    /// The file.
    pub(crate) fn finish(mut self) -> FileShape {
        self.shape.digest = self.chain.digest;
        self.shape.whole.1 = self.hasher.digest128();
        self.shape
    }
}

/// The digest of the first lines of a file.
pub(crate) fn digest_of_first(marks: &[Mark]) -> [u8; 16] {
    xxhash_rust::xxh3::xxh3_128(&marks.concat()).to_be_bytes()
}

/// The digest of the first lines of a file that are enough to tell it from others.
pub(crate) fn first_lines(shape: &FileShape) -> Option<[u8; 16]> {
    let lines = shape.lines.as_deref()?;
    let compared: Vec<_> = lines
        .iter()
        .filter(|line| line.is_compared())
        .take(COMMON_LINES)
        .collect();
    let all = lines.iter().filter(|line| line.is_compared());
    let bytes: u64 = all.map(|line| line.bytes).sum();
    let is_enough = compared.len() == COMMON_LINES && bytes >= COMMON_BYTES;
    is_enough.then(|| {
        let marks: Vec<_> = compared.iter().map(|line| line.mark).collect();
        digest_of_first(&marks)
    })
}
