//! The reader of lines: any bytes, read in any pieces, with any limit, resumed anywhere.

#![no_main]

scrollback_fuzz::target!("line_reader");
