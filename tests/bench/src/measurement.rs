//! The result of a benchmark: its number, the reference that was measured in the same run, and
//! whether the target is met.

use serde::Serialize;

/// One measurement and its reference.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) value: f64,
    pub(crate) reference: f64,
}

/// The target of a benchmark, for its number or for its ratio to the reference.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MeasurementTarget {
    /// The ratio is at least this.
    Share(f64),
    /// The ratio is at most this.
    Times(f64),
    /// The ratio is at most the first, or the number at most the second.
    TimesOr(f64, f64),
    /// The number is at most the reference.
    Reference,
    /// There is no target.
    None,
}

/// The result of a benchmark.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// The median of the rounds.
    pub(crate) value: f64,
    /// What the reference is.
    pub(crate) reference_name: String,
    pub(crate) reference: f64,
    /// The median of the rounds' ratios.
    pub(crate) ratio: f64,
    pub(crate) target: String,
    /// `None` if there is no target.
    pub(crate) met: Option<bool>,
    pub(crate) rounds: Vec<Round>,
    pub(crate) notes: Vec<String>,
}

impl Measurement {
    pub(crate) fn new(name: &'static str, what: &str, unit: &'static str, beside: &str) -> Self {
        Self {
            name,
            what: what.to_owned(),
            unit,
            value: f64::NAN,
            reference_name: beside.to_owned(),
            reference: f64::NAN,
            ratio: f64::NAN,
            target: String::new(),
            met: None,
            rounds: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn with_rounds(mut self, rounds: Vec<Round>, target: MeasurementTarget) -> Self {
        self.value = median(rounds.iter().map(|round| round.value));
        self.reference = median(rounds.iter().map(|round| round.reference));
        self.ratio = median(rounds.iter().map(|round| round.value / round.reference));
        let unit = self.unit;
        (self.target, self.met) = match target {
            MeasurementTarget::Share(share) => (format!("at least {share}"), Some(self.ratio >= share)),
            MeasurementTarget::Times(times) => (format!("at most {times}"), Some(self.ratio <= times)),
            MeasurementTarget::TimesOr(times, value) => {
                (format!("at most {times}, or {value} {unit}"), Some(self.ratio <= times || self.value <= value))
            }
            MeasurementTarget::Reference => {
                (format!("at most {} {unit}", format_figure(self.reference)), Some(self.value <= self.reference))
            }
            MeasurementTarget::None => (String::new(), None),
        };
        self.rounds = rounds;
        self
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        }
    }
}

/// Measures the reference before and after each number; the reference of a round is the mean of the
/// two.
pub(crate) fn measure_rounds(
    rounds: usize,
    mut measure_reference: impl FnMut() -> f64,
    mut value: impl FnMut() -> f64,
) -> Vec<Round> {
    let mut before = measure_reference();
    (0..rounds)
        .map(|_| {
            let value = value();
            let after = measure_reference();
            let round = Round { value, reference: f64::midpoint(before, after) };
            before = after;
            round
        })
        .collect()
}

/// The median; of an even number of values, the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// Formats a number with a sensible number of digits.
pub(crate) fn format_figure(value: f64) -> String {
    match value.abs() {
        huge if huge >= 10_000.0 => {
            let digits = format!("{value:.0}");
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
            groups.join(",")
        }
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_compared_with_references_before_and_after() {
        let (mut references, mut values) = ([100.0, 120.0, 80.0].into_iter(), [55.0, 50.0].into_iter());
        let rounds = measure_rounds(2, || references.next().unwrap(), || values.next().unwrap());
        let line = Measurement::new("n", "w", "/s", "b").with_rounds(rounds, MeasurementTarget::Share(0.51));
        assert_eq!((line.value, line.reference, line.ratio, line.met), (52.5, 105.0, 0.5, Some(false)));
    }

    #[test]
    fn targets_are_met_by_ratio_or_value() {
        let met = |value, reference, target| {
            Measurement::new("n", "w", "ms", "b").with_rounds(vec![Round { value, reference }], target).met
        };
        assert_eq!(met(13.0, 10.0, MeasurementTarget::Times(1.3)), Some(true));
        assert_eq!(met(19.0, 2.0, MeasurementTarget::TimesOr(3.0, 20.0)), Some(true));
        assert_eq!(met(21.0, 2.0, MeasurementTarget::TimesOr(3.0, 20.0)), Some(false));
        assert_eq!(met(101.0, 100.0, MeasurementTarget::Reference), Some(false));
        assert_eq!(met(1.0, 1.0, MeasurementTarget::None), None);
    }

    #[test]
    fn figures_are_formatted() {
        let read: Vec<String> = [1e6, 114_600.2, 512.4, 61.27, 0.456].map(format_figure).to_vec();
        assert_eq!(read, ["1,000,000", "114,600", "512", "61.3", "0.46"]);
    }
}
