//! Messages and sessions of any content, written by each dialect that writes, and read back.

#![no_main]

scrollback_fuzz::target!("written");
