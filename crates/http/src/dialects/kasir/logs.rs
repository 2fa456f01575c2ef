//! POS Kasir's activity logs: the audit of the tenant, in this contract's words.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, EventFilter, Found, Part, Told};
use tillgate_domain::{Action, EventId, Outcome, Rank, SubjectKind, UserId, UserName};
use uuid::Uuid;

use super::envelope::said;
use super::pages::Page;
use super::people::stamp;
use crate::call::Call;
use crate::failure::Failure;
use crate::query::Parameters;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::known(Method::GET, "/api/v1/activity-logs", list)
}

#[derive(Serialize)]
struct Logbook<'l> {
    logs: Vec<Log<'l>>,
    total_items: u64,
    total_pages: u64,
    page: u32,
    limit: u32,
}

/// `user_id` and `user_name` are null where nobody can be told, `entity_id` where the entity has none.
#[derive(Serialize)]
struct Log<'l> {
    id: EventId,
    user_id: Option<UserId>,
    user_name: Option<&'l str>,
    action_type: String,
    entity_type: String,
    entity_id: Option<Uuid>,
    details: &'l Map<String, Value>,
    created_at: String,
}

impl<'l> Log<'l> {
    fn of(told: &'l Told) -> Self {
        let event = &told.event;
        Self {
            id: event.id,
            user_id: event.actor.user,
            user_name: told.user_name.as_ref().map(UserName::as_str),
            action_type: action_type(event.action, event.outcome),
            entity_type: entity_type(event.subject.kind()),
            entity_id: event.subject.uuid(),
            details: &event.details,
            created_at: stamp(event.at),
        }
    }
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Admin)?;
    let (filter, page) = asked(&call, &caller)?;
    let part = Part { skip: page.skip(), ..Part::first(page.size) };
    let found = match filter {
        Some(filter) => call.office(move |office| Ok(office::search_audit(office.store, &filter, &part)?)).await?,
        None => Found { items: Vec::new(), total: 0 },
    };
    let logs = Logbook {
        logs: found.items.iter().map(Log::of).collect(),
        total_items: found.total,
        total_pages: page.of(found.total),
        page: page.number,
        limit: page.size,
    };
    said(StatusCode::OK, "Success", &logs)
}

/// What the query asks for; no filter where it names a type that no log has.
fn asked(call: &Call, caller: &Caller) -> Result<(Option<EventFilter>, Page), Failure> {
    const DATE: &str = "must be a date such as 2026-11-21";
    let tenant = &caller.profile.tenant;
    let mut sent = Parameters::of(call.head());
    let page = Page::take(&mut sent);
    let mut day = |name: &'static str| {
        let day = sent.word(name).map(|date| tenant.zone.day(&date));
        if day == Some(None) {
            sent.fault(name, "format", DATE);
        }
        day.flatten()
    };
    let (from, until) = (day("start_date").map(|(from, _)| from), day("end_date").map(|(_, until)| until));
    let kind = sent.word("entity_type").map(|word| kind(&word));
    let acts = sent.word("action_type").map(|word| acts(&word));
    let filter = EventFilter {
        tenant: Some(tenant.id),
        user: sent.word("user_id").and_then(|_| sent.take("user_id", "must be a UUID")),
        from,
        until,
        text: sent.word("search"),
        kind: kind.flatten(),
        actions: acts.as_ref().map(|(actions, _)| actions.clone()).unwrap_or_default(),
        outcome: acts.as_ref().and_then(|(_, outcome)| *outcome),
        ..EventFilter::default()
    };
    let none = kind == Some(None) || acts.is_some_and(|(actions, _)| actions.is_empty());
    sent.checked(((!none).then_some(filter), page))
}

fn entity_type(kind: SubjectKind) -> String {
    kind.name().to_ascii_uppercase()
}

fn kind(word: &str) -> Option<SubjectKind> {
    SubjectKind::ALL.iter().copied().find(|kind| entity_type(*kind) == word)
}

/// The published types; what has none has the audit's own word in capitals.
fn action_type(action: Action, outcome: Outcome) -> String {
    let word = match (action, outcome) {
        (Action::Login, Outcome::Done) => "LOGIN_SUCCESS",
        (Action::Login, Outcome::Refused) => "LOGIN_FAILED",
        (Action::Password, Outcome::Done) => "UPDATE_PASSWORD",
        (Action::Password, Outcome::Refused) => "UPDATE_PASSWORD_FAILED",
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

/// The actions of a type, and how they went where the type says so.
fn acts(word: &str) -> (Vec<Action>, Option<Outcome>) {
    let of = |outcome: Outcome| -> Vec<Action> {
        Action::ALL.iter().copied().filter(|action| action_type(*action, outcome) == word).collect()
    };
    match (of(Outcome::Done), of(Outcome::Refused)) {
        (done, refused) if done == refused => (done, None),
        (done, refused) if refused.is_empty() => (done, Some(Outcome::Done)),
        (_, refused) => (refused, Some(Outcome::Refused)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_finds_what_bears_it_and_nothing_else() {
        for action in Action::ALL {
            for outcome in Outcome::ALL {
                let word = action_type(*action, *outcome);
                let (actions, how) = acts(&word);
                assert!(actions.contains(action) && how.is_none_or(|how| how == *outcome), "{word}");
                for other in actions {
                    assert_eq!(action_type(other, how.unwrap_or(*outcome)), word);
                }
            }
        }
        assert_eq!(acts("APPLY_PROMOTION"), (vec![], None));
        assert_eq!(kind("ORDER"), None);
        assert!(SubjectKind::ALL.iter().all(|each| kind(&entity_type(*each)) == Some(*each)));
    }
}
