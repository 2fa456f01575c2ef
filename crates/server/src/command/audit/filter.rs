//! The filters of `audit list` and `audit export`, and the paged reading of the events that match.

use clap::Args;
use tillgate_domain::office::{self, EventFilter, EventView, MAX_PAGE_SIZE, OffsetPageRequest};
use tillgate_domain::{Action, DeviceId, DeviceName, EventId, EventOutcome, SessionId, SubjectKind, UserId, UserName};
use tillgate_http::native_bodies::ExportFormat;

use super::super::argument_errors::ArgumentErrors;
use super::super::office::CommandOffice;
use super::super::store::find_branch;
use super::super::{CommandError, parse};
use super::subject_names::find_subject;

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
    /// Only events on devices that are in this store now (name or id)
    #[arg(long)]
    store: Option<String>,
    /// Only events of this session
    #[arg(long, value_name = "ID", value_parser = parse::id::<SessionId>("session list --all"))]
    session: Option<SessionId>,
    /// Only events with this action, such as user.add; can be repeated
    #[arg(long, value_name = "ACTION", hide_possible_values = true, value_parser = parse::one_of(Action::ALL, Action::name))]
    action: Vec<Action>,
    /// Only events with this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = parse::one_of(EventOutcome::ALL, EventOutcome::name))]
    outcome: Option<EventOutcome>,
    /// Only events about this subject: a name of a user, device, role or store, or an id
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// Only events about subjects of this kind
    #[arg(long, value_name = "KIND", value_parser = parse::one_of(SubjectKind::ALL, SubjectKind::name))]
    subject_kind: Option<SubjectKind>,
    /// Only events with this text in the name of the user, the action or the details
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
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
            Some(text) => parse::instant(&office.tenant.zone, text, end).map(Some),
            None => Ok(None),
        };
        let user = which.user.as_deref().map(|text| find_user(office, text)).transpose();
        let device = which.device.as_deref().map(|text| find_device(office, text)).transpose();
        let branch = find_branch(office, which.store.as_deref());
        let subject = which.subject.as_deref().map(|text| find_subject(office, which.subject_kind, text)).transpose();
        let (from, until) = (when(&which.from, false), when(&which.until, true));
        let errors = ArgumentErrors::default().with(&user).with(&device).with(&branch).with(&subject);
        errors.with(&from).with(&until).report()?;
        let filter = EventFilter {
            tenant: (!which.all_tenants).then_some(office.tenant.id),
            user: user?,
            device: device?,
            branch: branch?,
            session: which.session,
            actions: which.action.clone(),
            outcome: which.outcome,
            subject_kind: which.subject_kind,
            subject_id: subject?,
            text: which.search.clone(),
            from: from?,
            until: until?,
            ..EventFilter::default()
        };
        Ok(Self { office, filter, after: None, ended: false, first: None })
    }

    /// Reads the first page and records the export as an audit event, which is not part of it.
    pub(super) fn record_export(self, format: ExportFormat) -> Result<Self, CommandError> {
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
