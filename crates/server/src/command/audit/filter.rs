//! The filters of `audit list` and `audit export`, and the paged reading of the events that match.

use clap::Args;
use tillgate_domain::office::{self, EventFilter, EventView, MAX_PAGE_SIZE, OffsetPageRequest};
use tillgate_domain::{
    Action, DeviceId, DeviceName, EventId, EventOutcome, Instant, SessionId, UserId, UserName, Zone,
};
use tillgate_http::native_bodies::ExportFormat;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::office::CommandOffice;
use super::super::{CommandError, parse};

/// The filters that select audit events.
#[derive(Debug, Default, Args)]
pub(crate) struct AuditFilterArgs {
    /// Only events at or after this time: 2026-11-21T08:00:00Z, or a date in the tenant's time zone
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Only events before this time, or until the end of this date
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only events by this user: a name, or an id (also of a deleted user)
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only events on this device: a name or an id
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Only events of this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// Only events with this action, such as user.add; can be repeated
    #[arg(long, value_name = "ACTION", value_parser = parse_action)]
    action: Vec<Action>,
    /// Only events with this outcome: done or refused
    #[arg(long, value_name = "OUTCOME", value_parser = parse_outcome)]
    outcome: Option<EventOutcome>,
    /// Events of all tenants and of the server itself
    #[arg(long)]
    all_tenants: bool,
}

/// Reads the matching events page by page, newest first.
pub(super) struct EventPages<'o> {
    office: &'o CommandOffice,
    filter: EventFilter,
    after: Option<EventId>,
    ended: bool,
    /// The first page of an export, which was read before the export was recorded.
    first: Option<Vec<EventView>>,
}

impl<'o> EventPages<'o> {
    /// Starts reading the events that the filters select.
    pub(super) fn open(office: &'o CommandOffice, which: &AuditFilterArgs) -> Result<Self, CommandError> {
        let when = |text: &Option<String>, end| match text {
            Some(text) => parse_instant(&office.tenant.zone, text, end).map(Some),
            None => Ok(None),
        };
        let filter = EventFilter {
            tenant: (!which.all_tenants).then_some(office.tenant.id),
            user: which.user.as_deref().map(|text| find_user(office, text)).transpose()?,
            device: which.device.as_deref().map(|text| find_device(office, text)).transpose()?,
            session: which.session,
            actions: which.action.clone(),
            outcome: which.outcome,
            from: when(&which.from, false)?,
            until: when(&which.until, true)?,
            ..EventFilter::default()
        };
        Ok(Self { office, filter, after: None, ended: false, first: None })
    }

    /// Reads the first page and records the export as an audit event, which is not part of it.
    pub(super) fn recorded_as_export(self, format: ExportFormat) -> Result<Self, CommandError> {
        let context = self.office.ids.audit_context()?;
        let first = office::unguarded::start_audit_export(self.office.store(), &context, &self.filter, format.name())
            .map_err(CommandError::failed)?;
        Ok(Self { first: Some(first), ..self })
    }

    /// The next page, with at most `most` events; `None` at the end.
    pub(super) fn next_page(&mut self, most: u32) -> Result<Option<Vec<EventView>>, CommandError> {
        if self.ended || most == 0 {
            return Ok(None);
        }
        let page = OffsetPageRequest { after: self.after, ..OffsetPageRequest::first(most.min(MAX_PAGE_SIZE)) };
        let events = match self.first.take() {
            Some(first) => first,
            None => {
                office::unguarded::read_audit(self.office.store(), &self.filter, &page).map_err(CommandError::failed)?
            }
        };
        self.ended = events.len() < page.limit as usize;
        self.after = events.last().map(|view| view.event.id);
        Ok((!events.is_empty()).then_some(events))
    }
}

/// Parses a time, or a date in the zone: its start, or with `end` the start of the next day.
fn parse_instant(zone: &Zone, text: &str, end: bool) -> Result<Instant, CommandError> {
    if let Some((first, next)) = zone.day_bounds(text) {
        return Ok(if end { next } else { first });
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok();
    let millis = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis.map(Instant::from_millis).ok_or_else(|| {
        CommandError::usage(format!("\"{text}\" is not a time: use 2026-11-21T08:00:00Z, or a date such as 2026-11-21"))
    })
}

fn find_user(office: &CommandOffice, text: &str) -> Result<UserId, CommandError> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(office.find_user(&UserName::parse(text).map_err(CommandError::usage)?)?.id),
    }
}

fn find_device(office: &CommandOffice, text: &str) -> Result<DeviceId, CommandError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let name: DeviceName = parse::device(text).map_err(CommandError::usage)?;
    Ok(office.find_device(&name)?.id)
}

fn parse_action(text: &str) -> Result<Action, String> {
    let found = Action::ALL.iter().copied().find(|action| action.name() == text);
    found.ok_or_else(|| {
        let all: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        format!("must be one of {}", all.join(" "))
    })
}

fn parse_outcome(text: &str) -> Result<EventOutcome, String> {
    EventOutcome::ALL.iter().copied().find(|outcome| outcome.name() == text).ok_or("must be done or refused".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_or_date_is_parsed() {
        let zone = Zone::parse("Europe/Bratislava").unwrap();
        let at = |text, end| parse_instant(&zone, text, end).map(Instant::millis).ok();
        assert_eq!(at("2026-11-21T08:00:00Z", false), Some(1_795_248_000_000));
        assert_eq!(at("2026-11-21T09:00:00.5+01:00", true), Some(1_795_248_000_500));
        assert_eq!(at("2026-11-21", false), Some(1_795_215_600_000));
        assert_eq!(at("2026-11-21", true), Some(1_795_302_000_000));
        assert_eq!((at("yesterday", false), at("2026-13-01", false)), (None, None));
    }

    #[test]
    fn filter_words_are_audit_names() {
        assert!(Action::ALL.iter().all(|each| parse_action(each.name()) == Ok(*each)));
        assert!(parse_action("user.fly").unwrap_err().contains("user.add"));
        assert_eq!((parse_outcome("refused"), parse_outcome("maybe").is_err()), (Ok(EventOutcome::Refused), true));
    }
}
