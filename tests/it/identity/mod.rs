//! Which session a file is: histories of files that agents and people write, move, copy, cut and
//! rewrite, of appends on both sides and of imports, against what a reader would expect.
//!
//! - `world`: the files and what is known of them
//! - `step`: what may happen in a history
//! - `histories`: random histories, and what has to hold after each of their imports
//! - `copied`: the store copied into another after each import
//! - `cycles`: ten rounds of export and import for each program
//! - `kills`: the same where imports are killed
//! - `told`: single histories, by name; `names` that several sessions might have
//! - `shelf`: files in words, for histories of one rule each: `copies` of the file as it was, `rewritten`
//!   files, their `ends` (headers and open lines), the `homes` of ids. A table of docs/reliability.md says
//!   which of them fails with which rule broken

mod copied;
mod copies;
mod cycles;
mod ends;
mod histories;
mod homes;
mod kills;
mod names;
mod rewritten;
mod shelf;
mod step;
mod told;
mod world;
