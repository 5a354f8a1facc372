//! Bytes to model and back: rows, segments and their checksums. Pure: no I/O.
