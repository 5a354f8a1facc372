//! Markdown of any message: what tools say stays within its fence, names stay on their line.

#![no_main]

scrollback_fuzz::target!("markdown");
