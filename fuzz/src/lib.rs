//! The fuzz targets of scrollback, for libFuzzer: `cargo +nightly fuzz run dialect_lines`. What they
//! do is in `src/fuzz/` of the crate, where stable tests run them too.

pub use {libfuzzer_sys, scrollback};

/// A fuzzer of one target. Half of its inputs are changed by libFuzzer, which knows what code an
/// input reaches, and half by the crate's own mutator, which knows what the formats look like.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        use $crate::libfuzzer_sys::{self, fuzz_mutator, fuzz_target};

        fuzz_target!(|data: &[u8]| $crate::scrollback::fuzz::run($name, data));

        fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            if seed % 2 == 0 {
                return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
            }
            let mut input = data[..size].to_vec();
            let other = input.clone();
            $crate::scrollback::fuzz::mutate(&mut input, &other, u64::from(seed), max_size);
            data[..input.len()].copy_from_slice(&input);
            input.len()
        });
    };
}
