//! jcode's lines.
