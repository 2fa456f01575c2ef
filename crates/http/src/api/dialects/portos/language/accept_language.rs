//! `Accept-Language` (RFC 9110, 12.5.4), as far as needed to choose between two languages.

/// The preference for a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Preference {
    /// Excluded by a weight of 0.
    Excluded,
    /// Not mentioned.
    Unspecified,
    /// Weight in thousandths; of equal weights, the first range is preferred.
    Weighted(u16, std::cmp::Reverse<usize>),
}

/// A language range and its weight in thousandths.
struct LanguageRange<'l> {
    /// The language without its region, or `*`.
    primary: &'l str,
    weight: u16,
}

/// Whether the header prefers the language `one` to the default `other`. Ranges match by their
/// first subtag, so `en-US` includes `en`; of several matching ranges the greatest weight is used.
/// Unreadable ranges are ignored.
pub(super) fn is_preferred<'l>(lines: impl Iterator<Item = &'l str>, one: &str, other: &str) -> bool {
    let ranges: Vec<LanguageRange<'_>> =
        lines.flat_map(|line| line.split(',')).filter_map(LanguageRange::parse).collect();
    find_preference(&ranges, one) > find_preference(&ranges, other)
}

fn find_preference(ranges: &[LanguageRange<'_>], language: &str) -> Preference {
    let weight_of = |name: &str| {
        let matching = ranges.iter().enumerate().filter(|(_, range)| range.primary.eq_ignore_ascii_case(name));
        matching.map(|(at, range)| (range.weight, std::cmp::Reverse(at))).max()
    };
    // an explicit range has precedence over `*`
    let any = || weight_of("*").map(|(weight, _)| (weight, std::cmp::Reverse(usize::MAX)));
    match weight_of(language).or_else(any) {
        None => Preference::Unspecified,
        Some((0, _)) => Preference::Excluded,
        Some((weight, at)) => Preference::Weighted(weight, at),
    }
}

impl<'l> LanguageRange<'l> {
    /// Parses `range` or `range;q=weight`.
    fn parse(text: &'l str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let range = parts.next()?;
        let subtag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if range != "*" && !range.split('-').all(subtag) {
            return None;
        }
        let weight = match (parts.next(), parts.next()) {
            (None, _) => 1_000,
            (Some(parameter), None) => parse_weight(parameter)?,
            _ => return None,
        };
        Some(Self { primary: range.split('-').next()?, weight })
    }
}

/// Parses `q=0.123` to thousandths (RFC 9110, 12.4.2).
fn parse_weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (integer, places) = value.split_once('.').unwrap_or((value, ""));
    let read = name.eq_ignore_ascii_case("q")
        && matches!(integer, "0" | "1")
        && places.len() <= 3
        && places.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{integer}{places:0<3}").parse().ok().filter(|_| read)?;
    (thousandths <= 1_000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers_english(lines: &[&str]) -> bool {
        is_preferred(lines.iter().copied(), "en", "sk")
    }

    #[test]
    fn greater_weight_wins() {
        for (line, expected) in [
            ("", false),
            ("en", true),
            ("en-US", true),
            ("EN-gb", true),
            ("sk", false),
            ("sk-SK,sk;q=0.9,en;q=0.7", false),
            ("sk-SK,sk;q=0.9,en-US;q=0.8,en;q=0.7", false),
            ("en;q=0.7, sk;q=0.9", false),
            ("en-GB,en;q=0.9,sk;q=0.8", true),
            ("cs,en;q=0.5", true),
            ("de,fr;q=0.5", false),
            ("en;q=0.123,sk;q=0.122", true),
            ("en ; q=1.000 , sk ; Q=0.999", true),
            ("en;q=0.2,en-US;q=0.9,sk;q=0.5", true),
        ] {
            assert_eq!(prefers_english(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn first_of_equal_weights_wins() {
        for (line, expected) in [("en,sk", true), ("sk,en", false), ("*", false), ("en,*", true), ("*,en", true)] {
            assert_eq!(prefers_english(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn zero_weight_excludes_language() {
        for (line, expected) in [
            ("en;q=0", false),
            ("sk;q=0", true),
            ("sk;q=0,*", true),
            ("sk;q=0.000,en;q=0.001", true),
            ("en;q=0,*", false),
            ("en;q=0,sk;q=0", false),
            ("*;q=0,en", true),
        ] {
            assert_eq!(prefers_english(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn unreadable_range_is_ignored() {
        for line in [
            "en;q=2",
            "en;q=1.001",
            "en;q=0.1234",
            "en;q=.5",
            "en;q=-1",
            "en;q=",
            "en;q",
            "en;q=0,5;x",
            "en_GB",
            "english-and-more",
            "en-",
            "en;level=1",
            "en;q=1;q=1",
            "e n",
            "éн",
        ] {
            assert!(!prefers_english(&[line]), "{line}");
            assert!(prefers_english(&[line, "en"]), "{line}");
        }
    }
}
