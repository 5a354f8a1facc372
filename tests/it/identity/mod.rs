//! Which session a file is: histories of files that agents and people write, move, copy, cut and
//! rewrite, of appends on both sides and of imports, against what a reader would expect.
//!
//! - `world`: the files and what is known of them
//! - `step`: what may happen in a history
//! - `histories`: random histories, and what has to hold after each of their imports
//! - `copied`: the store copied into another after each import
//! - `cycles`: ten rounds of export and import for each program
//! - `told`: single histories, by name

mod copied;
mod cycles;
mod histories;
mod step;
mod told;
mod world;
