//! One thing that a query asks for: a term, where it is looked for, and whether it must not be there.

use super::term::Term;

/// What a term is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// What a message says.
    Message,
    /// The title of its session.
    Title,
}

/// One thing that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Where it is looked for.
    pub of: Of,
    /// Whether it must not be there.
    pub is_negated: bool,
    /// What it is.
    pub term: Term,
}
