//! The ending that several agents give to the file about one session, beside the session's.

/// The ending of the file about the session in the file of the same name.
pub(crate) const META_ENDING: &str = ".meta.json";
