//! How many cases a property test runs.

/// How many cases a property test runs: `PROPTEST_CASES` if it is set, as in `.ci/run long`.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(usual)
}
