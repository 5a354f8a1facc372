//! Every dialect on any bytes as a line and as the head of a file.

#![no_main]

scrollback_fuzz::target!("dialect_lines");
