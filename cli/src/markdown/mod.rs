//! Markdown for a terminal: headings, lists, tables, quotations and code as rows that fit. What is no Markdown stays
//! as it was written, line by line; raw HTML is text.
//!
//! `document` reads it, `words` breaks rows, `grid` lays tables out.

mod document;
mod grid;
mod words;

pub(crate) use self::document::rows;
