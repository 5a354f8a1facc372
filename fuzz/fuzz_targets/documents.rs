//! Whole files that are no lines: sessions in one document, and files beside sessions.

#![no_main]

scrollback_fuzz::target!("documents");
