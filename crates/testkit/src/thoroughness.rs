//! How long random tests go on.

/// Whether the tests may take their time: set by `tests/run thorough`, which runs before a release.
#[must_use]
pub fn is_thorough() -> bool {
    std::env::var_os("THOROUGH").is_some_and(|value| !value.is_empty() && value != "0")
}

/// How many cases a random test tries: `quick` of them in every run, `thorough` in a thorough one.
#[must_use]
pub fn case_count(quick: u64, thorough: u64) -> u64 {
    if self::is_thorough() { thorough } else { quick }
}
