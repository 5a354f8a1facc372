//! Searches beside a reading of all messages: `examples` by hand, `oracle` the reading, `random` any
//! sequence of operations with any query in between, `together` beside writers and an indexer, `killed`
//! behind an indexer that was killed.

mod examples;
mod killed;
mod oracle;
mod random;
mod together;
