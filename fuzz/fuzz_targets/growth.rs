//! A file that grows: its start imported first and then the rest, or all of it at once, is the

#![no_main]

scrollback_fuzz::target!("growth");
