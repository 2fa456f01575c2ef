//! POS Kasir's activity logs: the audit events of the tenant in this contract's format.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, EventFilter, EventView, OffsetPageRequest, PageWithTotal};
use tillgate_domain::{Action, EventId, EventOutcome, FoldedText, Rank, SubjectKind, UserId, UserName};
use uuid::Uuid;

use super::page::PageParams;
use super::response::{format_timestamp, render_data};
use crate::error::{ApiError, FieldErrorCode};
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;

pub(super) fn route() -> Route {
    Route::authenticated(Method::GET, "/api/v1/activity-logs", Requirement::Role(Rank::Admin), list_logs)
}

#[derive(Serialize)]
struct LogsBody<'l> {
    logs: Vec<LogBody<'l>>,
    total_items: u64,
    total_pages: u64,
    page: u32,
    limit: u32,
}

/// An activity log. `user_id` and `user_name` are null if the user is unknown, `entity_id` if the
/// entity has none.
#[derive(Serialize)]
struct LogBody<'l> {
    id: EventId,
    user_id: Option<UserId>,
    user_name: Option<&'l str>,
    action_type: String,
    entity_type: String,
    entity_id: Option<Uuid>,
    details: &'l Map<String, Value>,
    created_at: String,
}

impl<'l> LogBody<'l> {
    fn from_event(view: &'l EventView) -> Self {
        let event = &view.event;
        Self {
            id: event.id,
            user_id: event.actor.user,
            user_name: view.user_name.as_ref().map(UserName::as_str),
            action_type: action_type(event.action, event.outcome),
            entity_type: entity_type(event.subject.kind()),
            entity_id: event.subject.uuid(),
            details: &event.details,
            created_at: format_timestamp(event.at),
        }
    }
}

async fn list_logs(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (filter, page) = read_query(&call, &caller)?;
    let permit = call.acquire_list_permit(&caller).await?;
    let part = OffsetPageRequest { skip: page.offset(), ..OffsetPageRequest::first(page.size) };
    let found = match filter {
        Some(filter) => {
            call.with_office(move |context| Ok(office::unguarded::search_audit(context.store, &filter, &part)?)).await?
        }
        None => PageWithTotal { items: Vec::new(), total: 0 },
    };
    let logs = LogsBody {
        logs: found.items.iter().map(LogBody::from_event).collect(),
        total_items: found.total,
        total_pages: page.page_count(found.total),
        page: page.number,
        limit: page.size,
    };
    Ok(permit.hold_until_sent(render_data(StatusCode::OK, "Success", &logs)?))
}

/// Reads the filter from the query; `None` if it names a type that no log has.
fn read_query(call: &Request, caller: &Caller) -> Result<(Option<EventFilter>, PageParams), ApiError> {
    const DATE_MESSAGE: &str = "must be a date such as 2026-11-21";
    let tenant = &caller.profile.tenant;
    let mut sent = QueryParameters::lenient(call.head());
    let page = PageParams::read(&mut sent);
    let mut read_day = |name: &'static str| {
        let bounds = sent.read_nonempty(name).map(|date| tenant.zone.day_bounds(&date));
        if bounds == Some(None) {
            sent.add_violation(name, FieldErrorCode::Format, DATE_MESSAGE);
        }
        bounds.flatten()
    };
    let (from, until) = (read_day("start_date").map(|(from, _)| from), read_day("end_date").map(|(_, until)| until));
    let kind = sent.read_nonempty("entity_type").map(|word| find_subject_kind(&word));
    let acts = sent.read_nonempty("action_type").map(|word| find_actions(&word));
    let text = sent.read_nonempty("search");
    let filter = EventFilter {
        tenant: Some(tenant.id),
        user: sent.read_nonempty("user_id").and_then(|_| sent.parse("user_id", "must be a UUID")),
        from,
        until,
        text_actions: text.as_deref().map(find_shown_actions).unwrap_or_default(),
        text,
        subject_kind: kind.flatten(),
        actions: acts.as_ref().map(|(actions, _)| actions.clone()).unwrap_or_default(),
        outcome: acts.as_ref().and_then(|(_, outcome)| *outcome),
        ..EventFilter::default()
    };
    let none = kind == Some(None) || acts.is_some_and(|(actions, _)| actions.is_empty());
    sent.finish(((!none).then_some(filter), page))
}

fn entity_type(kind: SubjectKind) -> String {
    kind.name().to_ascii_uppercase()
}

fn find_subject_kind(word: &str) -> Option<SubjectKind> {
    SubjectKind::ALL.iter().copied().find(|kind| entity_type(*kind) == word)
}

/// Returns the published type, or the audit action in capitals if none is published.
fn action_type(action: Action, outcome: EventOutcome) -> String {
    let word = match (action, outcome) {
        (Action::Login, EventOutcome::Done) => "LOGIN_SUCCESS",
        (Action::Login, EventOutcome::Refused) => "LOGIN_FAILED",
        (Action::Password, EventOutcome::Done) => "UPDATE_PASSWORD",
        (Action::Password, EventOutcome::Refused) => "UPDATE_PASSWORD_FAILED",
        (Action::UserRegister, _) => "REGISTER",
        (
            Action::UserAdd
            | Action::DeviceAdd
            | Action::RoleAdd
            | Action::TenantAdd
            | Action::ApiKeyAdd
            | Action::TicketOpen,
            _,
        ) => "CREATE",
        (
            Action::UserUpdate
            | Action::UserStatus
            | Action::UserRoles
            | Action::DeviceUpdate
            | Action::DeviceStatus
            | Action::TenantUpdate
            | Action::ApiKeyUpdate
            | Action::ApiKeyStatus
            | Action::TicketUpdate,
            _,
        ) => "UPDATE",
        (Action::UserDelete | Action::ApiKeyDelete | Action::TicketVoid, _) => "DELETE",
        (other, _) => return other.name().replace('.', "_").to_ascii_uppercase(),
    };
    word.to_owned()
}

/// Returns the actions of a type, and their outcome if the type determines it.
fn find_actions(word: &str) -> (Vec<Action>, Option<EventOutcome>) {
    let of = |outcome: EventOutcome| -> Vec<Action> {
        Action::ALL.iter().copied().filter(|action| action_type(*action, outcome) == word).collect()
    };
    match (of(EventOutcome::Done), of(EventOutcome::Refused)) {
        (done, refused) if done == refused => (done, None),
        (done, refused) if refused.is_empty() => (done, Some(EventOutcome::Done)),
        (_, refused) => (refused, Some(EventOutcome::Refused)),
    }
}

/// Returns the actions with their outcome whose type, as it is shown, contains the text.
fn find_shown_actions(text: &str) -> Vec<(Action, EventOutcome)> {
    let text = FoldedText::of(text);
    let each = Action::ALL.iter().flat_map(|action| EventOutcome::ALL.iter().map(move |outcome| (*action, *outcome)));
    each.filter(|(action, outcome)| FoldedText::of(&action_type(*action, *outcome)).as_str().contains(text.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_type_finds_exactly_its_actions() {
        for action in Action::ALL {
            for outcome in EventOutcome::ALL {
                let word = action_type(*action, *outcome);
                let (actions, how) = find_actions(&word);
                assert!(actions.contains(action) && how.is_none_or(|how| how == *outcome), "{word}");
                for other in actions {
                    assert_eq!(action_type(other, how.unwrap_or(*outcome)), word);
                }
            }
        }
        assert_eq!(find_actions("APPLY_PROMOTION"), (vec![], None));
        assert_eq!(find_subject_kind("ORDER"), None);
        assert!(SubjectKind::ALL.iter().all(|each| find_subject_kind(&entity_type(*each)) == Some(*each)));
    }
}
