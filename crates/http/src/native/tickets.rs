//! The native API's tickets: opened, changed, closed, made void and taken back by who may, on a till; looked at by everybody of the
//! tenant.

mod fit;
mod item;
mod once;
mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::ports::{OrderedBy, Part, TicketFilter, TicketOrder, TicketPlace};
use tillgate_domain::office::{self, Field as Of, NamedFields, Refused, Shown, TicketAmendment, TicketSearch};
use tillgate_domain::ticket::{Note, TicketStatus};
use tillgate_domain::{JsonObject, KnownRight, TenantId, TicketId};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{Condition, condition, shown};
use super::{body, done};
use crate::body::object;
use crate::call::Call;
use crate::cursor::Cursor;
use crate::failure::Failure;
use crate::instants::Given;
use crate::large_bodies::MAX_TICKET_BODY;
use crate::office::decided;
use crate::query::Parameters;
use crate::route::Route;
use sent::{Closing, New, Refunding};
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/tickets", list).told(told::list),
        Route::known(Method::POST, "/tickets", open).takes_bodies_of(MAX_TICKET_BODY).told(told::open),
        Route::known(Method::GET, "/tickets/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/tickets/{id}", change).takes_bodies_of(MAX_TICKET_BODY).told(told::change),
        Route::known(Method::DELETE, "/tickets/{id}", void).told(told::void),
        Route::known(Method::POST, "/tickets/{id}/close", close).takes_bodies_of(MAX_TICKET_BODY).told(told::close),
        Route::known(Method::POST, "/tickets/{id}/refund", refund).takes_bodies_of(MAX_TICKET_BODY).told(told::refund),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let tenant = caller.profile.tenant.id;
    let (asked, search) = search(&call, tenant)?;
    let by = search.order.by;
    let slot = call.list_slot(&caller).await?;
    let found =
        call.office(move |office| Ok(office::list_tickets_while(office.store, tenant, &search, shape::fits)?)).await?;
    let cursor = |shown: &Shown| {
        let TicketPlace { key, id } = by.place(&shown.ticket);
        Cursor { key, id: id.0 }
    };
    Ok(slot.hold(asked.shortened(shape::fitting(&found)).answer_by(&found, cursor, Shape::of)?))
}

/// In which order tickets are listed, by the words for it; the first where nothing is said.
const ORDERS: [(&str, TicketOrder); 6] = [
    ("opened_at", TicketOrder { by: OrderedBy::Opened, backwards: false }),
    ("-opened_at", TicketOrder { by: OrderedBy::Opened, backwards: true }),
    ("updated_at", TicketOrder { by: OrderedBy::Updated, backwards: false }),
    ("-updated_at", TicketOrder { by: OrderedBy::Updated, backwards: true }),
    ("payable", TicketOrder { by: OrderedBy::Payable, backwards: false }),
    ("-payable", TicketOrder { by: OrderedBy::Payable, backwards: true }),
];

fn search(call: &Call, tenant: TenantId) -> Result<(Asked<i64>, TicketSearch), Failure> {
    const ID: &str = "must be an id";
    const INSTANT: &str = "must be an instant such as 2026-11-21T08:00:00Z";
    const SORT: &str = "must be opened_at, updated_at or payable, with a - before it for the other way round";
    let mut sent = Parameters::all_known(call.head());
    let status =
        sent.choice("state", TicketStatus::ALL.map(|each| (each.name(), each)), "must be open, closed or void");
    let words = ORDERS.map(|(word, order)| (word, (word, order)));
    let (word, order) = sent.choice("sort", words, SORT).unwrap_or(words[0].1);
    let asked = Asked::take(&mut sent, "tickets", word, tenant);
    let filter = TicketFilter {
        statuses: status.into_iter().collect(),
        owner: sent.take("owner", ID),
        device: sent.take("device", ID),
        refund_of: sent.take("refund_of", ID),
        from: sent.take("from", INSTANT).map(|Given(at)| at),
        until: sent.take("until", INSTANT).map(|Given(at)| at),
        text: sent.word("search"),
    };
    let after = asked.after.clone().map(|Cursor { key, id }| TicketPlace { key, id: TicketId(id) });
    let part = Part { after, ..Part::first(asked.sought()) };
    sent.checked((asked, TicketSearch { filter, order, part }))
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call, Of::Ticket)?, caller.profile.tenant.id);
    let found = call.office(move |office| Ok(office::find_ticket(office.store, tenant, id)?)).await?;
    told_of(StatusCode::OK, &found.ok_or_else(|| absent(Of::Ticket, id))?)
}

async fn open(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let once = once::of(&call)?;
    let sent = body::sent_so_far(&call, New::unpayable)?;
    let tenant = caller.profile.tenant.id;
    let made = call
        .office(move |office| {
            let sent =
                sent.checked(|sent| office.refused_names(&caller, KnownRight::TicketCreate, &sent.names(&caller)))?;
            let new = sent.ticket(office.engine.id(TicketId::new)?)?;
            decided(office::open_ticket(office.store, tenant, &office.stamp(&caller)?, &new, once.as_ref()))
        })
        .await?;
    made_there(&call, &made.shown)
}

/// How often a change that holds to no version is tried where others are faster.
const TRIES: usize = 5;

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Ticket)?, condition(call.head().headers())?);
    let patch: JsonObject = object(call.head().headers(), call.body())?;
    let tenant = caller.profile.tenant.id;
    let changed = call
        .office(move |office| {
            // what a patch leaves of a member is what was read: so it holds to that version in any case
            let amend = |held: Option<i64>| {
                let found = office::find_ticket(office.store, tenant, id)?.ok_or_else(|| absent(Of::Ticket, id))?;
                let names = |names: &NamedFields<'_>| office.refused_names(&caller, KnownRight::TicketUpdate, names);
                let change = sent::patched(&found, &patch, names)?;
                let version = Some(held.unwrap_or(found.ticket.version));
                let amendment = TicketAmendment { stamp: office.stamp(&caller)?, id, version, change };
                decided(office::amend_tickets(office.store, tenant, &[amendment]))
            };
            let mut answer = condition.holding(&amend);
            for _ in 1..TRIES {
                match answer {
                    Err(Failure::Office(Refused::TicketMoved { .. })) if condition == Condition::Any => {
                        answer = condition.holding(&amend);
                    }
                    _ => break,
                }
            }
            answer
        })
        .await?;
    told_of(StatusCode::OK, changed.first().ok_or_else(|| Failure::Fault("a change has no outcome".to_owned()))?)
}

async fn void(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Ticket)?, condition(call.head().headers())?);
    let mut sent = Parameters::all_known(call.head());
    let what = "must have at most 2000 characters and no control characters";
    let reason = sent.read("reason", "length", |text| Note::parse(text).ok(), what).unwrap_or_default();
    let (reason, tenant) = (sent.checked(reason)?, caller.profile.tenant.id);
    call.office(move |office| {
        let stamp = office.stamp(&caller)?;
        condition.holding(|version| decided(office::void_ticket(office.store, tenant, &stamp, id, version, &reason)))
    })
    .await?;
    Ok(done())
}

async fn close(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::Ticket)?, condition(call.head().headers())?);
    let sent: Closing = body::sent_or_nothing(&call)?;
    let (closing, tenant) = (sent.closing(), caller.profile.tenant.id);
    let shown = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            condition
                .holding(|version| decided(office::close_ticket(office.store, tenant, &stamp, id, version, &closing)))
        })
        .await?;
    told_of(StatusCode::OK, &shown)
}

async fn refund(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (sold, once) = (id(&call, Of::Ticket)?, once::of(&call)?);
    let sent: Refunding = body::sent_or_nothing(&call)?;
    let tenant = caller.profile.tenant.id;
    let made = call
        .office(move |office| {
            let new = sent.refund(office.engine.id(TicketId::new)?)?;
            decided(office::refund_ticket(office.store, tenant, &office.stamp(&caller)?, sold, &new, once.as_ref()))
        })
        .await?;
    made_there(&call, &made.shown)
}

fn told_of(status: StatusCode, ticket: &Shown) -> Result<HttpResponse, Failure> {
    shown(status, ticket.ticket.version, &Shape::of(ticket))
}

fn made_there(call: &Call, ticket: &Shown) -> Result<HttpResponse, Failure> {
    created(call, "tickets", ticket.ticket.id, told_of(StatusCode::CREATED, ticket)?)
}
