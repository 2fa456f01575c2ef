//! The native API's users: who there is, adding, changing, deleting, their passwords, and letting somebody log in again.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Decided, Field as Of, PeopleSearch, Person, Stamp, UserOrder};
use tillgate_domain::{PrincipalId, RoleName, TenantId, User, UserId, UserStatus};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{held, shown};
use super::{body, done, passwords};
use crate::call::Call;
use crate::failure::Failure;
use crate::office::{Office, decided};
use crate::query::Parameters;
use crate::route::Route;
use sent::{Change, New};
use shape::Shape;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::GET, "/users", list).told(told::list),
        Route::known(Method::POST, "/users", add).told(told::add),
        Route::known(Method::GET, "/users/{id}", one).told(told::one),
        Route::known(Method::PATCH, "/users/{id}", change).told(told::change),
        Route::known(Method::DELETE, "/users/{id}", delete).told(told::delete),
        Route::known(Method::PUT, "/users/{id}/password", set_password).told(told::set_password),
        Route::known(Method::POST, "/users/{id}/unlock", unlock).told(told::unlock),
    ]
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, search) = search(&call)?;
    let found = call
        .office(move |office| {
            decided(office::list_people(office.store, caller.profile.tenant.id, &caller.authority(), &search))
        })
        .await?;
    asked.answer(&found, |person| person.user.id.0, Shape::of)
}

/// In which order people are listed, by the words for it.
const ORDERS: [(&str, UserOrder); 4] = [
    ("created_at", UserOrder::Oldest),
    ("-created_at", UserOrder::Newest),
    ("user_name", UserOrder::Name),
    ("-user_name", UserOrder::NameBackwards),
];

/// What the query asks for: where nothing is said, the oldest first, whoever is not deleted.
fn search(call: &Call) -> Result<(Asked, PeopleSearch), Failure> {
    let mut sent = Parameters::all_known(call.head());
    let asked = Asked::take(&mut sent);
    let order =
        sent.choice("sort", ORDERS, "must be created_at or user_name, with a - before it for the other way round");
    let status: Option<UserStatus> = sent.take("status", "must be pending, active, suspended or deleted");
    let role = sent.read("role", "format", |name| RoleName::parse(name).ok(), "must be the name of a role");
    let search = PeopleSearch {
        text: sent.word("search"),
        statuses: status.into_iter().collect(),
        role,
        order: order.unwrap_or(UserOrder::Oldest),
        after: asked.after.map(UserId),
        limit: asked.sought(),
    };
    sent.checked((asked, search))
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let sent: New = body::sent(&call)?;
    let person = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            // before a password is hashed for it
            office::may_add_user(&stamp.authority)?;
            let new = sent.user(office.engine)?;
            named(office, &decided(office::add_user(office.store, tenant, &stamp, &new))?)
        })
        .await?;
    created(&call, "users", person.user.id, shown(StatusCode::CREATED, person.user.version, &Shape::of(&person))?)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let id = id(&call, Of::User)?;
    let found = call
        .office(move |office| {
            let (tenant, own) = (caller.profile.tenant.id, caller.user());
            decided(office::find_person(office.store, tenant, &caller.authority(), own, id))
        })
        .await?;
    let person = found.ok_or_else(|| absent(Of::User, id))?;
    shown(StatusCode::OK, person.user.version, &Shape::of(&person))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, version) = (id(&call, Of::User)?, held(call.head().headers())?);
    let sent: Change = body::sent(&call)?;
    let change = sent.change();
    let person = write(&call, caller, move |office, tenant, stamp| {
        office::change_user(office.store, tenant, stamp, id, version, &change)
    })
    .await?;
    shown(StatusCode::OK, person.user.version, &Shape::of(&person))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, version) = (id(&call, Of::User)?, held(call.head().headers())?);
    let change = office::UserChange { status: Some(UserStatus::Deleted), ..office::UserChange::default() };
    write(&call, caller, move |office, tenant, stamp| {
        office::change_user(office.store, tenant, stamp, id, version, &change)
    })
    .await?;
    Ok(done())
}

async fn set_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::set(&call, caller, PrincipalId::User(id(&call, Of::User)?)).await
}

async fn unlock(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::unlock(&call, caller, PrincipalId::User(id(&call, Of::User)?)).await
}

/// Runs a use case that changes a user, and reads them with the names of what they hold.
async fn write(
    call: &Call,
    caller: Caller,
    change: impl FnOnce(&Office<'_>, TenantId, &Stamp) -> Decided<User> + Send + 'static,
) -> Result<Person, Failure> {
    call.office(move |office| {
        let user = decided(change(office, caller.profile.tenant.id, &office.stamp(&caller)?))?;
        named(office, &user)
    })
    .await
}

fn named(office: &Office<'_>, user: &User) -> Result<Person, Failure> {
    office::person(office.store, user)?.ok_or_else(|| Failure::Fault("a user has no names".to_owned()))
}
