//! The native API's audit: what was done, by whom, and how it went.

mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, EventFilter, Field as Of, Part};
use tillgate_domain::{Action, EventId, Outcome, SubjectKind, TenantId};

use super::page::Asked;
use super::path::{absent, id};
use crate::answer::json;
use crate::call::Call;
use crate::failure::Failure;
use crate::instants::Given;
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/audit-events", list).told(told::list),
        Route::known(Method::GET, "/audit-events/{id}", one).told(told::one),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, filter) = search(&call, caller.profile.tenant.id)?;
    let part = Part { after: asked.after_id().map(EventId), ..Part::first(asked.sought()) };
    let found = call
        .office(move |office| {
            let (tenant, authority) = (caller.profile.tenant.id, caller.authority());
            decided(office::list_events(office.store, tenant, &authority, &filter, &part))
        })
        .await?;
    asked.answer(&found, |told| told.event.id.0, Shape::of)
}

fn search(call: &Call, tenant: TenantId) -> Result<(Asked, EventFilter), Failure> {
    const ID: &str = "must be an id";
    const INSTANT: &str = "must be an instant such as 2026-11-21T08:00:00Z";
    const WORD: &str = "must be one of the words that the documentation lists";
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent, "audit_events", "", tenant);
    let action = sent.choice("action", Action::ALL.iter().map(|each| (each.name(), *each)), WORD);
    let outcome = sent.choice("outcome", Outcome::ALL.iter().map(|each| (each.name(), *each)), WORD);
    let kind = sent.choice("subject_kind", SubjectKind::ALL.iter().map(|each| (each.name(), *each)), WORD);
    let filter = EventFilter {
        user: sent.take("user", ID),
        device: sent.take("device", ID),
        session: sent.take("session", ID),
        actions: action.into_iter().collect(),
        outcome,
        kind,
        subject: sent.take("subject", ID),
        from: sent.take("from", INSTANT).map(|Given(at)| at),
        until: sent.take("until", INSTANT).map(|Given(at)| at),
        text: sent.word("search"),
        ..EventFilter::default()
    };
    sent.checked((asked, filter))
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id: EventId = id(&call, Of::Event)?;
    let found = call
        .office(move |office| {
            let (tenant, authority) = (caller.profile.tenant.id, caller.authority());
            decided(office::find_event(office.store, tenant, &authority, id))
        })
        .await?;
    json(StatusCode::OK, &Shape::of(&found.ok_or_else(|| absent(Of::Event, id))?))
}
