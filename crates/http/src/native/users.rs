//! The native API's users: who there is, adding, changing, deleting, their passwords, and letting somebody log in again.

mod sent;
mod shape;
mod told;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, Decided, DeviceRoles, Field as Of, PeopleSearch, Person, Stamp, UserCursor, UserOrder,
};
use tillgate_domain::{KnownRight, PrincipalId, RoleName, TenantId, User, UserId, UserStatus};

use super::page::Asked;
use super::path::{absent, created, id};
use super::version::{Condition, condition, shown};
use super::{body, done, passwords};
use crate::call::Call;
use crate::cursor::Cursor;
use crate::failure::Failure;
use crate::office::{Office, decided};
use crate::query::Parameters;
use crate::route::Route;
use sent::{Change, New};
use shape::{Changed, Shape};

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
    let (asked, search) = search(&call, caller.profile.tenant.id)?;
    let order = search.order;
    let found = call
        .office(move |office| {
            decided(office::list_people(office.store, caller.profile.tenant.id, &caller.authority(), &search))
        })
        .await?;
    let cursor = |person: &Person| {
        let UserCursor { key, id } = order.cursor(&person.user);
        Cursor { key, id: id.0 }
    };
    asked.answer_by(&found, cursor, Shape::of)
}

/// In which order people are listed, by the words for it.
const ORDERS: [(&str, UserOrder); 4] = [
    ("created_at", UserOrder::Oldest),
    ("-created_at", UserOrder::Newest),
    ("user_name", UserOrder::Name),
    ("-user_name", UserOrder::NameBackwards),
];

/// What the query asks for: where nothing is said, the oldest first, whoever is not deleted.
fn search(call: &Call, tenant: TenantId) -> Result<(Asked<String>, PeopleSearch), Failure> {
    let mut sent = Parameters::all_known(call.head());
    let words = ORDERS.map(|(word, order)| (word, (word, order)));
    let (word, order) = sent
        .choice("sort", words, "must be created_at or user_name, with a - before it for the other way round")
        .unwrap_or(words[0].1);
    let asked = Asked::take(&mut sent, "users", word, tenant);
    let status: Option<UserStatus> = sent.take("status", "must be pending, active, suspended or deleted");
    let role = sent.read("role", "format", |name| RoleName::parse(name).ok(), "must be the name of a role");
    let search = PeopleSearch {
        text: sent.word("search"),
        statuses: status.into_iter().collect(),
        role,
        order,
        after: asked.after.clone().map(|Cursor { key, id }| UserCursor { key, id: UserId(id) }),
        limit: asked.sought(),
    };
    sent.checked((asked, search))
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let mut sent = body::sent_so_far(&call, |sent: &New| sent.faults(call.engine().password_policy()))?;
    let person = call
        .office(move |office| {
            let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
            // before a password is hashed for it
            let words = match office::may_add_user(&stamp.authority) {
                Ok(()) => sent.body().words(office, tenant)?,
                Err(refused) if sent.is_faultless() => return Err(refused.into()),
                // who may add nobody learns nothing of the names there are
                Err(_) => Vec::new(),
            };
            sent.add(sent.body().weak_by(office.engine.password_policy(), &words));
            let sent = sent.checked(|sent| office.refused_names(&caller, KnownRight::UserCreate, &sent.names()))?;
            let new = sent.user(office, &words, caller.address)?;
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
    let (id, condition) = (id(&call, Of::User)?, condition(call.head().headers())?);
    let sent = body::sent_so_far(&call, |_: &Change| Vec::new())?;
    let (person, growing) = call
        .office(move |office| {
            let sent = sent.checked(|sent| office.refused_names(&caller, sent.right(), &sent.names(id)))?;
            let proof = sent.proof().filter(|_| caller.user() == Some(id));
            let mut change = sent.change();
            let promotes = change.roles.is_some() || change.devices != DeviceRoles::Keep;
            let tenant = caller.profile.tenant.id;
            if let Some(proof) = proof {
                office.engine.confirm_password(&caller, &proof)?;
                change.proved = true;
            }
            let stamp = office.stamp(&caller)?;
            let user = condition
                .holding(|version| decided(office::change_user(office.store, tenant, &stamp, id, version, &change)))?;
            let growing = if promotes { office::growing_api_keys(office.store, tenant, id)? } else { Vec::new() };
            Ok((named(office, &user)?, growing))
        })
        .await?;
    shown(StatusCode::OK, person.user.version, &Changed::of(&person, &growing))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, condition) = (id(&call, Of::User)?, condition(call.head().headers())?);
    let change = office::UserChange { status: Some(UserStatus::Deleted), ..office::UserChange::default() };
    write(&call, caller, condition, move |office, tenant, stamp, version| {
        office::change_user(office.store, tenant, stamp, id, version, &change)
    })
    .await?;
    Ok(done())
}

async fn set_password(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::set_of_user(&call, caller, id(&call, Of::User)?).await
}

async fn unlock(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    passwords::unlock(&call, caller, PrincipalId::User(id(&call, Of::User)?)).await
}

/// Runs a use case that changes a user, and reads them with the names of what they hold.
async fn write(
    call: &Call,
    caller: Caller,
    condition: Condition,
    change: impl Fn(&Office<'_>, TenantId, &Stamp, Option<i64>) -> Decided<User> + Send + 'static,
) -> Result<Person, Failure> {
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        let user = condition.holding(|version| decided(change(office, tenant, &stamp, version)))?;
        named(office, &user)
    })
    .await
}

fn named(office: &Office<'_>, user: &User) -> Result<Person, Failure> {
    office::person(office.store, user)?.ok_or_else(|| Failure::Fault("a user has no names".to_owned()))
}
