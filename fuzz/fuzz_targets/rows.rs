//! Rows of the store: any bytes are read or refused, what was written comes back, and no changed

#![no_main]

scrollback_fuzz::target!("rows");
