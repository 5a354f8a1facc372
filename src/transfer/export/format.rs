//! The forms of an export.

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// The lines, byte for byte.
    #[default]
    Jsonl,
    /// A transcript.
    Markdown,
}
