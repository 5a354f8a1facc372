//! Segments: any bytes are read or refused, what was packed comes back, parts add up.

#![no_main]

scrollback_fuzz::target!("segments");
