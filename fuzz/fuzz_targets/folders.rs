//! Folders of arbitrary files, with any names, through a store on disk and out again.

#![no_main]

scrollback_fuzz::target!("folders");
