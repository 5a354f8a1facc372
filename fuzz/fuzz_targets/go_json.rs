//! JSON as Go writes it, read back by `serde_json`.

#![no_main]

scrollback_fuzz::target!("go_json");
