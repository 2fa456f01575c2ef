//! How many cases the randomized tests try.

/// Whether the tests may take long: `tests/run thorough` sets `THOROUGH` before a release.
#[must_use]
pub fn is_thorough() -> bool {
    std::env::var_os("THOROUGH").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The number of cases for a randomized test: `quick` in a normal run, `thorough` in a thorough
/// one.
#[must_use]
pub fn case_count(quick: u64, thorough: u64) -> u64 {
    if self::is_thorough() { thorough } else { quick }
}
