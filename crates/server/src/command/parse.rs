//! Parsers for command-line arguments: names with their types, `DEVICE=ROLE,ROLE`, `KEY=VALUE` and
//! durations.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser};
use tillgate_domain::office::DeviceRoleAssignment;
use tillgate_domain::{
    AccentColor, DeviceName, Email, Environment, Instant, Locale, Right, RoleName, Slug, UserName, Zone,
};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::CommandError;
use crate::configuration::parse_span;

/// Parses `DEVICE=ROLE[,ROLE]...`. Without roles after the `=`, the user may log in on the device
/// but has no rights there.
pub(super) fn roles_on_device(text: &str) -> Result<DeviceRoleAssignment, String> {
    let (device, roles) = text.split_once('=').ok_or("must be DEVICE=ROLE or DEVICE=ROLE,ROLE")?;
    let roles = roles.split(',').map(str::trim).filter(|name| !name.is_empty()).map(role).collect::<Result<_, _>>()?;
    Ok(DeviceRoleAssignment { device: self::device(device)?, roles })
}

/// Parses `KEY=VALUE`; the value may contain `=`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

/// Parses a time, or a date in the zone: its start, or with `end` the start of the next day.
pub(super) fn instant(zone: &Zone, text: &str, end: bool) -> Result<Instant, CommandError> {
    if let Some((first, next)) = zone.day_bounds(text) {
        return Ok(if end { next } else { first });
    }
    // a time that has no four-digit year in UTC could not be printed
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    let at = at.filter(|at| (0..=9999).contains(&at.year()));
    let millis = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis.map(Instant::from_millis).ok_or_else(|| {
        CommandError::usage(format!("\"{text}\" is not a time: use 2026-11-21T08:00:00Z, or a date such as 2026-11-21"))
    })
}

/// Parses a duration such as `10m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "must be a duration such as 120s, 15m, 12h or 30d".to_owned())
}

/// A limit on session lifetimes; `None` removes the limit, so that the configuration applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitArg(pub(super) Option<Duration>);

/// Parses a duration such as `5m`, or `none`.
pub(super) fn session_limit(text: &str) -> Result<LimitArg, String> {
    if text == "none" {
        return Ok(LimitArg(None));
    }
    let span = parse_span(text).ok_or("must be a duration such as 120s, 15m, 12h or 30d, or none")?;
    Ok(LimitArg(Some(span)))
}

/// An accent color; `None` restores the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccentColorArg(pub(super) Option<AccentColor>);

/// Parses a color such as `#0b6b5e`, or `none`.
pub(super) fn accent_color(text: &str) -> Result<AccentColorArg, String> {
    if text == "none" {
        return Ok(AccentColorArg(None));
    }
    AccentColor::parse(text).map(|color| AccentColorArg(Some(color))).map_err(|why| why.to_string())
}

/// Parses the name of a time zone.
pub(super) fn zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).map_err(|why| why.to_string())
}

/// The time zone of a store; `None` restores that of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoreZoneArg(pub(super) Option<Zone>);

/// Parses the name of a time zone, or `none`.
pub(super) fn store_zone(text: &str) -> Result<StoreZoneArg, String> {
    if text == "none" { Ok(StoreZoneArg(None)) } else { zone(text).map(|zone| StoreZoneArg(Some(zone))) }
}

/// Parses the short name of a tenant.
pub(super) fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|why| why.to_string())
}

/// Parses a user name.
pub(super) fn user(text: &str) -> Result<UserName, String> {
    UserName::parse(text).map_err(|why| why.to_string())
}

/// Parses an e-mail address.
pub(super) fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|why| why.to_string())
}

/// Parses the name of a device.
pub(super) fn device(text: &str) -> Result<DeviceName, String> {
    DeviceName::parse(text).map_err(|why| why.to_string())
}

/// Parses the name of a role.
pub(super) fn role(text: &str) -> Result<RoleName, String> {
    RoleName::parse(text).map_err(|why| why.to_string())
}

/// Parses a language tag.
pub(super) fn locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text).map_err(|why| why.to_string())
}

/// Parses the name of a right, known or custom.
pub(super) fn right(text: &str) -> Result<Right, String> {
    Right::parse(text).map_err(|why| why.to_string())
}

/// The parser for an id; its error names the command that lists the ids.
pub(super) fn id<T>(list: &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
{
    StringValueParser::new()
        .try_map(move |text| text.parse::<T>().map_err(|_| format!("not an id; `tillgate {list}` shows the ids")))
}

/// The parser for the maximum number of rows, which is at least 1.
pub(super) fn limit<T>() -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + Clone + Send + Sync + 'static,
{
    let must = || "must be a whole number from 1, or omit it".to_owned();
    StringValueParser::new().try_map(move |text| {
        let number = text.parse::<u64>().ok().filter(|number| *number >= 1);
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(must)
    })
}

/// The parser for an environment; shells complete its values.
pub(super) fn environments() -> impl TypedValueParser<Value = Environment> {
    PossibleValuesParser::new(Environment::ALL.map(Environment::name)).try_map(|text| environment(&text))
}

/// The parser for one of these words; shells complete them.
pub(super) fn one_of_words<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|text| text.parse::<T>())
}

/// The parser for one of these values by its name; shells complete the names.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    values: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(values.iter().map(|value| name(*value)));
    names.try_map(move |text| values.iter().copied().find(|value| name(*value) == text).ok_or("unknown name"))
}

/// The help text of every argument that takes an environment.
pub(super) const ENVIRONMENT_HELP: &str = "Kind of device; letter case is ignored";

/// The values of an environment, for errors.
const ENVIRONMENT_VALUES: &str = "CashRegister, PDA, BackOffice or Tool";

/// Parses an environment, ignoring letter case.
pub(super) fn environment(text: &str) -> Result<Environment, String> {
    let named = |each: &Environment| each.name().eq_ignore_ascii_case(text);
    Environment::ALL.into_iter().find(named).ok_or_else(|| format!("must be {ENVIRONMENT_VALUES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_or_date_is_parsed() {
        let zone = Zone::parse("Europe/Bratislava").unwrap();
        let at = |text, end| instant(&zone, text, end).map(Instant::millis).ok();
        assert_eq!(at("2026-11-21T08:00:00Z", false), Some(1_795_248_000_000));
        assert_eq!(at("2026-11-21T09:00:00.5+01:00", true), Some(1_795_248_000_500));
        assert_eq!(at("2026-11-21", false), Some(1_795_215_600_000));
        assert_eq!(at("2026-11-21", true), Some(1_795_302_000_000));
        assert_eq!((at("yesterday", false), at("2026-13-01", false)), (None, None));
        for text in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(at(text, true), None, "{text}");
        }
    }

    #[test]
    fn roles_on_a_device_are_parsed() {
        let on = roles_on_device("P01=cashier,manager").unwrap();
        assert_eq!(on.device.as_str(), "P01");
        assert_eq!(on.roles.iter().map(RoleName::as_str).collect::<Vec<_>>(), ["cashier", "manager"]);
        assert!(roles_on_device("P01=").unwrap().roles.is_empty());
        assert!(roles_on_device("P01").is_err());
        assert!(roles_on_device("=cashier").is_err());
    }

    #[test]
    fn value_may_contain_an_equals_sign() {
        assert_eq!(key_value("url=http://a/?b=c"), Ok(("url".into(), "http://a/?b=c".into())));
        assert_eq!(key_value("stock="), Ok(("stock".into(), String::new())));
        assert!(key_value("=x").is_err());
        assert!(key_value("x").is_err());
    }

    #[test]
    fn environment_is_parsed_in_any_case() {
        assert_eq!(environment("pda"), Ok(Environment::Pda));
        assert_eq!(environment("CashRegister"), Ok(Environment::CashRegister));
        assert!(environment("till").is_err());
    }
}
