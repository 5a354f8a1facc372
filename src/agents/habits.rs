//! What an agent does with a file that it has written: by which a file that changed is known for what
//! it is.

/// What a line is to the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineRole {
    /// One that was said or that happened: it stays as it was written.
    Said,
    /// A header or a trailer: the agent writes it anew, and the session stays the same.
    Frame,
    /// A summary that the agent puts in the place of lines that it drops.
    Summary,
}

/// Where times stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dates {
    /// In what was said, too.
    #[default]
    Lines,
    /// In headers alone: of two copies neither says when it was written on last.
    Headers,
}

/// How an agent treats its files of lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// What a line is; `None` where every line is [`LineRole::Said`]. Called for each line of a file
    /// that changed, and of a new one.
    pub role: Option<fn(&[u8]) -> LineRole>,
    /// Whether it cuts lines off at the end: it takes back what was said.
    pub truncates: bool,
    /// Whether it writes a file anew without some of its lines.
    pub rewrites: bool,
    /// Whether a file beside the lines says how many of them are hidden: lines that it drops.
    pub counts_hidden: bool,
    /// Where it writes when something was said.
    pub dates: Dates,
}
