//! Tests of the store from within: faults, power cuts, tampering, counts.

pub(crate) mod callers;
pub(crate) mod chain_paths;
pub(crate) mod counts;
pub(crate) mod families;
pub(crate) mod gone;
pub(crate) mod old_locks;
pub(crate) mod races;
pub(crate) mod search;
pub(crate) mod slices;
pub(crate) mod slots;
pub(crate) mod sweeps;
pub(crate) mod tampering;
