//! How much the tests do: a normal run, or a thorough one before a release.

/// Whether the tests may take long: `tests/run thorough` sets `THOROUGH` before a release.
#[must_use]
pub fn is_thorough() -> bool {
    std::env::var_os("THOROUGH").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The number of histories or cases of a model or property test: `HISTORIES` if it is set,
/// otherwise 500, or 10,000 in a thorough run. Tests whose every case takes long run
/// [`costly_histories`] instead.
///
/// # Panics
///
/// If `HISTORIES` is not a number.
#[must_use]
pub fn histories() -> u32 {
    match std::env::var("HISTORIES") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("HISTORIES is not a number: \"{text}\"")),
        Err(_) if is_thorough() => 10_000,
        Err(_) => 500,
    }
}

/// A tenth of [`histories`], for tests of which each case runs an engine.
#[must_use]
pub fn costly_histories() -> u32 {
    histories().div_ceil(10)
}
