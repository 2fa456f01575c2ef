//! POS Kasir's users: who there is, adding, changing, switching on and off, deleting.
//!
//! A user here is one who holds a role without a device; whom other contracts know is listed too, without a role.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, Decided, Field as Of, NewUser, Ranked, Refused, Stamp, UserChange, UserOrder, UserSearch,
};
use tillgate_domain::{Email, Rank, RoleName, Secret, TenantId, User, UserId, UserName, UserStatus};
use validator::Validate;

use super::envelope::{said, told};
use super::pages::Page;
use super::people::Person;
use crate::body;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, text, truth, validated};
use crate::office::{Office, decided};
use crate::query::Parameters;
use crate::route::Route;

const USERS: &str = "/api/v1/users";
const USER: &str = "/api/v1/users/{id}";

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

#[derive(Deserialize, Validate)]
struct Sent {
    #[serde(default)]
    #[validate(custom(function = "text"))]
    username: Field<String>,
    #[serde(default)]
    #[validate(custom(function = "text"))]
    email: Field<String>,
    #[serde(default)]
    #[validate(custom(function = "text"))]
    password: Field<String>,
    #[serde(default)]
    #[validate(custom(function = "text"))]
    role: Field<String>,
    #[serde(default)]
    #[validate(custom(function = "truth"))]
    is_active: Field<bool>,
}

/// What was sent of a user, each part of its type. What was not sent is `None`.
struct Parts {
    name: Option<UserName>,
    email: Option<Email>,
    password: Option<Secret<String>>,
    rank: Option<Rank>,
    active: Option<bool>,
}

impl Parts {
    /// Reads the body. `whole` asks for all of it but `is_active`, else any part may be missing.
    fn read(call: &Call, whole: bool) -> Result<Self, Failure> {
        let sent: Sent = validated(body::object(call.head().headers(), call.body())?)?;
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, code: &'static str, message: String| {
            faults.push(FieldFault { field: field.into(), query: false, code: code.into(), message: message.into() });
        };
        let parts = Self {
            name: sent.username.given().and_then(|text| {
                UserName::parse(&text).map_err(|why| fault("username", "format", why.to_string())).ok()
            }),
            email: sent
                .email
                .given()
                .and_then(|text| Email::parse(&text).map_err(|why| fault("email", "format", why.to_string())).ok()),
            password: sent.password.given().map(Secret::new),
            rank: sent.role.given().and_then(|text| {
                let rank = rank(&text);
                if rank.is_none() {
                    fault("role", "format", ROLES.to_owned());
                }
                rank
            }),
            active: sent.is_active.given(),
        };
        if whole && faults.is_empty() {
            let missing = [
                ("email", parts.email.is_none()),
                ("password", parts.password.is_none()),
                ("role", parts.rank.is_none()),
                ("username", parts.name.is_none()),
            ];
            for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
                faults.push(FieldFault {
                    field: field.into(),
                    query: false,
                    code: "required".into(),
                    message: "is required".into(),
                });
            }
        }
        if faults.is_empty() { Ok(parts) } else { Err(Protocol::Fields(faults).into()) }
    }
}

const ROLES: &str = "must be admin, manager or cashier";

fn rank(text: &str) -> Option<Rank> {
    Rank::ALL.into_iter().find(|rank| rank.name() == text)
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
    let sent = Parts::read(call, true)?;
    let (Some(name), Some(password), Some(rank)) = (sent.name, sent.password, sent.rank) else {
        return Err(Failure::Fault("a field that was required is missing".to_owned()));
    };
    // told before a password is hashed for it
    if below && caller.profile.rank.is_none_or(|own| rank >= own) {
        return Err(Refused::TooHigh(rank).into());
    }
    let role = RoleName::parse(rank.name()).map_err(|why| Failure::Fault(format!("a rank is no role: {why}")))?;
    let (email, status) = (sent.email, status(sent.active.unwrap_or(true), UserStatus::Pending));
    call.office(move |office| {
        let new = NewUser {
            id: office.engine.id(UserId::new)?,
            display_name: name.to_string(),
            name,
            email,
            status,
            feature: None,
            roles: vec![role],
            devices: Vec::new(),
            verifier: Some(office.engine.verifier(&password)?),
        };
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
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
    let found = found.ok_or_else(|| Refused::Absent { field: Of::User, value: id.to_string() })?;
    said(StatusCode::OK, "User retrieved successfully", &Person::of(&found.user, found.rank))
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Admin)?;
    let (id, sent) = (id(&call)?, Parts::read(&call, false)?);
    let change = UserChange {
        name: sent.name,
        email: sent.email.map(Some),
        status: sent.active.map(|active| status(active, UserStatus::Suspended)),
        rank: sent.rank,
        ..UserChange::default()
    };
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

#[derive(Serialize)]
struct Users<'u> {
    users: Vec<Person<'u>>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    current_page: u32,
    total_page: u64,
    total_data: u64,
    per_page: u32,
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    caller.need_rank(Rank::Cashier)?;
    let (search, page) = search(&call)?;
    let found =
        call.office(move |office| Ok(office::search_users(office.store, caller.profile.tenant.id, &search)?)).await?;
    let pagination = Pagination {
        current_page: page.number,
        total_page: page.of(found.total),
        total_data: found.total,
        per_page: page.size,
    };
    let users = found.items.iter().map(|found| Person::of(&found.user, found.rank)).collect();
    said(StatusCode::OK, "Users retrieved successfully", &Users { users, pagination })
}

/// What the query asks for: where nothing is said, the newest first, whoever is not deleted.
fn search(call: &Call) -> Result<(UserSearch, Page), Failure> {
    let mut sent = Parameters::of(call.head());
    let page = Page::take(&mut sent);
    let among: &[UserStatus] = match sent.word("status").as_deref() {
        None | Some("active") => &[UserStatus::Pending, UserStatus::Active, UserStatus::Suspended],
        Some("deleted") => &[UserStatus::Deleted],
        Some("all") => &UserStatus::ALL,
        Some(_) => {
            sent.fault("status", "format", "must be active, deleted or all");
            &[]
        }
    };
    let active: Option<bool> = sent.take("is_active", "must be true or false");
    let fits = |status: &UserStatus| active.is_none_or(|active| active == (*status == UserStatus::Active));
    let asked = sent.word("role");
    let rank = asked.as_deref().and_then(rank);
    if asked.is_some() && rank.is_none() {
        sent.fault("role", "format", ROLES);
    }
    let by_name = match sent.word("sortBy").as_deref() {
        None | Some("created_at") => false,
        Some("username") => true,
        Some(_) => {
            sent.fault("sortBy", "format", "must be created_at or username");
            false
        }
    };
    let order = match (sent.word("sortOrder").as_deref(), by_name) {
        (None | Some("desc"), false) => UserOrder::Newest,
        (Some("asc"), false) => UserOrder::Oldest,
        (None | Some("desc"), true) => UserOrder::NameBackwards,
        (Some("asc"), true) => UserOrder::Name,
        (Some(_), _) => {
            sent.fault("sortOrder", "format", "must be asc or desc");
            UserOrder::Newest
        }
    };
    let search = UserSearch {
        text: sent.word("search"),
        statuses: Some(among.iter().copied().filter(fits).collect()),
        rank,
        order,
        skip: page.skip(),
        limit: page.size,
    };
    sent.checked((search, page))
}
