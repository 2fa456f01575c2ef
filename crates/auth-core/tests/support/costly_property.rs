//! Properties of which each case takes long.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Tries the property on [`costly_histories`](tillgate_testkit::costly_histories) inputs. The
/// macros of proptest cannot be used for it: there, `PROPTEST_CASES`, which `tests/run` sets,
/// overrides the number of cases of a test.
pub(crate) fn check_costly<S: Strategy>(inputs: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = tillgate_testkit::costly_histories();
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    if let Err(failure) = runner.run(inputs, property) {
        panic!("{failure}\n{runner}");
    }
}
