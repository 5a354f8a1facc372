//! The forms of an export.

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// The lines, byte for byte.
    #[default]
    Jsonl,
    /// A transcript.
    Markdown,
    /// A page, self-contained, for a browser; with an index page where there are several.
    #[cfg(feature = "html")]
    Html,
}

impl ExportFormat {
    /// The ending of a file that holds one session in this form.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Markdown => "md",
            #[cfg(feature = "html")]
            Self::Html => "html",
        }
    }
}
