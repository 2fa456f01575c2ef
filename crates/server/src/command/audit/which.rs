//! Which lines of the audit a command is about, and the way through them part by part.

use clap::Args;
use tillgate_domain::office::{self, EventFilter, Part, Told};
use tillgate_domain::{Action, DeviceId, DeviceName, EventId, Instant, Outcome, SessionId, UserId, UserName, Zone};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::office::Office;
use super::super::{Stop, pairs};

/// Which lines.
#[derive(Debug, Default, Args)]
pub(crate) struct Which {
    /// From this instant on: 2026-11-21T08:00:00Z, or a date of the tenant's
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Before this instant, or to the end of that date
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// By this user: a name, or the id of one who is deleted
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// On this device: a name or an id
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// In this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// That did this, such as user.add; may be given more than once
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Vec<Action>,
    /// That went like this: done or refused
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Those of every tenant and of the server itself
    #[arg(long)]
    all_tenants: bool,
}

/// The way through the lines, the newest first.
pub(super) struct Lines<'o> {
    office: &'o Office,
    filter: EventFilter,
    after: Option<EventId>,
    ended: bool,
}

/// The most that one part holds.
const PART: u32 = 200;

impl<'o> Lines<'o> {
    /// The way through those that are asked for.
    pub(super) fn of(office: &'o Office, which: &Which) -> Result<Self, Stop> {
        let when = |text: &Option<String>, end| match text {
            Some(text) => when(&office.tenant.zone, text, end).map(Some),
            None => Ok(None),
        };
        let filter = EventFilter {
            tenant: (!which.all_tenants).then(|| office.id()),
            user: which.user.as_deref().map(|text| user(office, text)).transpose()?,
            device: which.device.as_deref().map(|text| device(office, text)).transpose()?,
            session: which.session,
            actions: which.action.clone(),
            outcome: which.outcome,
            from: when(&which.from, false)?,
            until: when(&which.until, true)?,
            ..EventFilter::default()
        };
        Ok(Self { office, filter, after: None, ended: false })
    }

    /// The next part, of so many lines at most; `None` at the end.
    pub(super) fn part(&mut self, most: u32) -> Result<Option<Vec<Told>>, Stop> {
        if self.ended || most == 0 {
            return Ok(None);
        }
        let part = Part { after: self.after, ..Part::first(most.min(PART)) };
        let lines = office::read_audit(self.office.store(), &self.filter, &part).map_err(Stop::failed)?;
        self.ended = lines.len() < part.limit as usize;
        self.after = lines.last().map(|told| told.event.id);
        Ok((!lines.is_empty()).then_some(lines))
    }
}

/// An instant, or a date's first or last.
fn when(zone: &Zone, text: &str, end: bool) -> Result<Instant, Stop> {
    if let Some((first, next)) = zone.day(text) {
        return Ok(if end { next } else { first });
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok();
    let millis = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis.map(Instant::from_millis).ok_or_else(|| {
        Stop::usage(format!("\"{text}\" is no instant: write 2026-11-21T08:00:00Z, or a date such as 2026-11-21"))
    })
}

fn user(office: &Office, text: &str) -> Result<UserId, Stop> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(office.user(&UserName::parse(text).map_err(Stop::usage)?)?.id),
    }
}

fn device(office: &Office, text: &str) -> Result<DeviceId, Stop> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let name: DeviceName = pairs::device(text).map_err(Stop::usage)?;
    Ok(office.device(&name)?.id)
}

fn action(text: &str) -> Result<Action, String> {
    let found = Action::ALL.iter().copied().find(|action| action.name() == text);
    found.ok_or_else(|| {
        let all: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        format!("must be one of {}", all.join(" "))
    })
}

fn outcome(text: &str) -> Result<Outcome, String> {
    Outcome::ALL.iter().copied().find(|outcome| outcome.name() == text).ok_or("must be done or refused".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_or_a_date_is_understood() {
        let zone = Zone::parse("Europe/Bratislava").unwrap();
        let at = |text, end| when(&zone, text, end).map(Instant::millis).ok();
        assert_eq!(at("2026-11-21T08:00:00Z", false), Some(1_795_248_000_000));
        assert_eq!(at("2026-11-21T09:00:00.5+01:00", true), Some(1_795_248_000_500));
        assert_eq!(at("2026-11-21", false), Some(1_795_215_600_000));
        assert_eq!(at("2026-11-21", true), Some(1_795_302_000_000));
        assert_eq!((at("yesterday", false), at("2026-13-01", false)), (None, None));
    }

    #[test]
    fn words_are_those_of_the_audit() {
        assert!(Action::ALL.iter().all(|each| action(each.name()) == Ok(*each)));
        assert!(action("user.fly").unwrap_err().contains("user.add"));
        assert_eq!((outcome("refused"), outcome("maybe").is_err()), (Ok(Outcome::Refused), true));
    }
}
