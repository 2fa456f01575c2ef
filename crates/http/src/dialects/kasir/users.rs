//! POS Kasir's users: who there is, adding, changing, switching on and off, deleting.
//!
//! A user here is one who holds a role without a device; whom other contracts know is listed too, without a role.

mod listing;
mod parts;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{self, Decided, Field, NewUser, Ranked, Refused, Stamp, UserChange};
use tillgate_domain::{Rank, RoleName, TenantId, User, UserId, UserStatus};

use super::envelope::{said, told};
use super::people::Person;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::office::{Office, decided};
use crate::route::Route;
use listing::list;
use parts::{ChangedParts, NewParts};

const USERS: &str = "/api/v1/users";
pub(super) const USER: &str = "/api/v1/users/{id}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::known(Method::POST, "/api/v1/auth/add", register),
        Route::known(Method::GET, USERS, list),
        Route::known(Method::POST, USERS, add),
        Route::known(Method::GET, USER, one),
        Route::known(Method::PUT, USER, change),
        Route::known(Method::DELETE, USER, delete),
        Route::known(Method::POST, "/api/v1/users/{id}/toggle-status", toggle),
    ]
}

/// Adds a user below the caller.
async fn register(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let ranked = make(&call, caller, true).await?;
    said(StatusCode::OK, "User added successfully", &Person::of(&ranked.user, ranked.rank))
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let ranked = make(&call, caller, false).await?;
    said(StatusCode::CREATED, "User created successfully", &Person::of(&ranked.user, ranked.rank))
}

async fn make(call: &Call, caller: Caller, below: bool) -> Result<Ranked, Failure> {
    caller.need_rank(Rank::Admin)?;
    let NewParts { name, email, password, rank, active } = NewParts::read(call)?;
    // told before a password is hashed for it
    if below && caller.profile.rank.is_none_or(|own| rank >= own) {
        return Err(Refused::TooHigh(rank).into());
    }
    let role = RoleName::parse(rank.name()).map_err(|why| Failure::Fault(format!("a rank is no role: {why}")))?;
    let status = status(active, UserStatus::Pending);
    call.office(move |office| {
        let tenant = caller.profile.tenant.id;
        let mut words = office::password_words(office.store, tenant, None)?;
        words.push(name.to_string());
        words.extend(office::email_words(&email));
        let verifier = office.engine.verifier(&password, &words, caller.address)?;
        let new = NewUser {
            id: office.engine.id(UserId::new)?,
            display_name: name.to_string(),
            name,
            email: Some(email),
            status,
            feature: None,
            roles: vec![role],
            devices: Vec::new(),
            verifier: Some(verifier),
            password_change_required: false,
        };
        let stamp = office.stamp(&caller)?;
        let user = if below {
            decided(office::register_user(office.store, tenant, &stamp, caller.profile.rank, rank, &new))?
        } else {
            decided(office::add_user(office.store, tenant, &stamp, &new))?
        };
        Ok(Ranked { user, rank: Some(rank) })
    })
    .await
}

fn status(active: bool, otherwise: UserStatus) -> UserStatus {
    if active { UserStatus::Active } else { otherwise }
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Manager)?;
    let id = id(&call)?;
    let found = call.office(move |office| Ok(office::find_ranked(office.store, caller.profile.tenant.id, id)?)).await?;
    let found = found.filter(|found| found.user.status != UserStatus::Deleted);
    let found = found.ok_or_else(|| Refused::Absent { field: Field::User, value: id.to_string() })?;
    said(StatusCode::OK, "User retrieved successfully", &Person::of(&found.user, found.rank))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Admin)?;
    let (id, sent) = (id(&call)?, ChangedParts::read(&call)?);
    let own = caller.user() == Some(id);
    let proof = sent.proof.filter(|_| own && sent.email.is_some());
    let mut change = UserChange {
        name: sent.name,
        email: sent.email.map(Some),
        status: sent.active.map(|active| status(active, UserStatus::Suspended)),
        rank: sent.rank,
        ..UserChange::default()
    };
    if let Some(proof) = proof {
        let caller = caller.clone();
        call.block(move |engine| engine.confirm_password(&caller, &proof)).await?;
        change.proved = true;
    }
    let changed = write(&call, caller, id, move |office, tenant, stamp| {
        office::change_user(office.store, tenant, stamp, id, None, &change)
    })
    .await?;
    said(StatusCode::OK, "User updated successfully", &Person::of(&changed.user, changed.rank))
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Admin)?;
    let id = id(&call)?;
    write(&call, caller, id, move |office, tenant, stamp| {
        office::set_user_status(office.store, tenant, stamp, id, UserStatus::Deleted)
    })
    .await?;
    told(StatusCode::OK, "User deleted successfully")
}

async fn toggle(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Admin)?;
    let id = id(&call)?;
    write(&call, caller, id, move |office, tenant, stamp| office::toggle_user(office.store, tenant, stamp, id)).await?;
    told(StatusCode::OK, "User status toggled successfully")
}

/// Runs a use case that changes a user, and reads them with their rank.
async fn write(
    call: &Call,
    caller: Caller,
    id: UserId,
    change: impl FnOnce(&Office<'_>, TenantId, &Stamp) -> Decided<User> + Send + 'static,
) -> Result<Ranked, Failure> {
    call.office(move |office| {
        let tenant = caller.profile.tenant.id;
        let user = decided(change(office, tenant, &office.stamp(&caller)?))?;
        let found = office::find_ranked(office.store, tenant, id)?;
        Ok(found.unwrap_or(Ranked { user, rank: None }))
    })
    .await
}

/// The id in the path.
fn id(call: &Call) -> Result<UserId, Failure> {
    call.head().segment("id").parse().map_err(|_| {
        let (code, message) = ("type".into(), "must be a UUID".into());
        Protocol::Fields(vec![FieldFault { field: "id".into(), query: false, code, message }]).into()
    })
}
