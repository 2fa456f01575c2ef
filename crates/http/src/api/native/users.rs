//! Operations on users: list, create, update, delete, set the password, and unlock.

mod email_verification;
mod export;
mod invitations;
mod mailed_link;
pub mod office_links;
mod openapi;
mod request;
mod response;

use crate::context::office::name_violations;
use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, DeviceRolesChange, EntityChange, FieldName, ListPart, MAX_PAGE_SIZE, Office, OfficeReader, UserCursor,
    UserOrder, UserView, UserViewQuery,
};
use tillgate_domain::{KnownRight, PrincipalId, RoleName, TenantId, User, UserId, UserStatus};

use super::export::{ExportWriter, export_list};
use super::page::PageQuery;
use super::path::{not_found, read_id, render_created};
use super::version::{read_if_match, render_versioned};
use super::{body, no_content, passwords, revocations};
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode};
use crate::request::Request;
use crate::request::query::QueryParameters;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use export::UserExport;
pub use invitations::InvitationBody;
pub use mailed_link::MailedLinkBody;
pub(crate) use office_links::{INVITATION_PATH, VERIFY_EMAIL_PATH};
use request::{CreateUser, UpdateUser};
use response::UpdatedUserBody;
pub use response::UserBody;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/users", Requirement::Right(KnownRight::UserRead), list_users)
            .documented(openapi::list_users),
        Route::authenticated(Method::POST, "/users", Requirement::Right(KnownRight::UserCreate), create_user)
            .documented(openapi::create_user),
        Route::authenticated(Method::GET, "/users/export", Requirement::Right(KnownRight::UserRead), export_users)
            .documented(openapi::export_users),
        Route::authenticated(Method::GET, "/users/{id}", Requirement::RightForOthers(KnownRight::UserRead), get_user)
            .documented(openapi::get_user),
        Route::authenticated(
            Method::PATCH,
            "/users/{id}",
            Requirement::AnyOf(&[KnownRight::UserUpdate, KnownRight::UserDelete]),
            update_user,
        )
        .documented(openapi::update_user),
        Route::authenticated(Method::DELETE, "/users/{id}", Requirement::Right(KnownRight::UserDelete), delete_user)
            .documented(openapi::delete_user),
        Route::authenticated(
            Method::PUT,
            "/users/{id}/password",
            Requirement::Right(KnownRight::UserUpdate),
            set_user_password,
        )
        .documented(openapi::set_user_password),
        Route::authenticated(
            Method::POST,
            "/users/{id}/invitations",
            Requirement::Right(KnownRight::UserUpdate),
            invite_user,
        )
        .documented(openapi::invite_user),
        Route::authenticated(
            Method::POST,
            "/users/{id}/email-verification",
            Requirement::RightForOthers(KnownRight::UserUpdate),
            request_email_verification,
        )
        .documented(openapi::request_email_verification),
        Route::authenticated(
            Method::POST,
            "/users/{id}/unlock",
            Requirement::Right(KnownRight::UserUpdate),
            unlock_user,
        )
        .documented(openapi::unlock_user),
    ]
}

async fn list_users(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let tenant = caller.profile.tenant.id;
    let (query, search) = read_search(&call, tenant)?;
    let order = search.order;
    let asked = query.clone();
    let permit = call.acquire_list_permit(&caller).await?;
    let page = call
        .with_office(move |context| {
            let reader = context.reader_for_caller(&caller);
            let mark = || Ok(context.unguarded(tenant).find_change_mark()?);
            asked.read_page(order.is_changing(), mark, <[UserView]>::len, |part| {
                let after = part.after.clone().map(|(key, id)| UserCursor { key, id: UserId(id) });
                read_users(&reader, &search, &ListPart { after, changed_since: part.changed_since, limit: part.limit })
            })
        })
        .await?;
    let position = |view: &UserView, is_changed: bool| {
        let UserCursor { key, id } = user_position(order, view, is_changed);
        (key, id.0)
    };
    Ok(permit.hold_until_sent(query.render_page(&page, position, UserBody::from_view)?))
}

/// Reads a part of a list: by the order of the search or, if it is what has changed, by id.
fn read_users(
    reader: &OfficeReader<'_>,
    search: &UserViewQuery,
    part: &ListPart<UserCursor>,
) -> Result<Vec<UserView>, ApiError> {
    let search = UserViewQuery { after: part.after.clone(), limit: part.limit, ..search.clone() };
    into_api_result(match part.changed_since {
        None => reader.list_user_views(&search),
        Some(since) => reader.list_changed_user_views(&search, since),
    })
}

/// The position of a user in the list or among those that have changed.
fn user_position(order: UserOrder, view: &UserView, is_changed: bool) -> UserCursor {
    if is_changed { UserOrder::Oldest } else { order }.cursor(&view.user)
}

/// The orders of the list by their names; the first is the default.
const USER_ORDERS: [(&str, UserOrder); 4] = [
    ("created_at", UserOrder::Oldest),
    ("-created_at", UserOrder::Newest),
    ("user_name", UserOrder::Name),
    ("-user_name", UserOrder::NameDescending),
];

/// Reads the search from the query. By default it selects all users that are not deleted, oldest
/// first.
fn read_search(call: &Request, tenant: TenantId) -> Result<(PageQuery<String>, UserViewQuery), ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let (word, order) = read_order(&mut sent);
    let query = PageQuery::read(&mut sent, "users", word, tenant);
    let search = read_criteria(&mut sent, order);
    sent.finish((query, search))
}

/// Reads the order, with its name.
fn read_order(sent: &mut QueryParameters) -> (&'static str, UserOrder) {
    let words = USER_ORDERS.map(|(word, order)| (word, (word, order)));
    sent.parse_choice("sort", words, "must be created_at or user_name, with a - prefix for descending order")
        .unwrap_or(words[0].1)
}

/// Reads what the list and the export have in common. The page is the first one.
fn read_criteria(sent: &mut QueryParameters, order: UserOrder) -> UserViewQuery {
    let status: Option<UserStatus> = sent.parse("status", "must be pending, active, suspended or deleted");
    let role = sent.parse_with(
        "role",
        FieldErrorCode::Format,
        |name| RoleName::parse(name).ok(),
        "must be the name of a role",
    );
    UserViewQuery {
        text: sent.read_nonempty("search"),
        statuses: status.into_iter().collect(),
        role,
        branch: sent.parse("store", "must be an id"),
        order,
        after: None,
        limit: MAX_PAGE_SIZE,
    }
}

/// Sends the users of a search as a file.
async fn export_users(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent = QueryParameters::strict(call.head());
    let writer = ExportWriter::read(&mut sent);
    let (_, order) = read_order(&mut sent);
    let search = read_criteria(&mut sent, order);
    let source = sent.finish(UserExport::new(search))?;
    export_list(&call, caller, writer, source).await
}

async fn create_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let mut sent =
        body::read_partial_request(&call, |sent: &CreateUser| sent.violations(call.auth().build_password_policy()))?;
    let view = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            // authorize before a password is hashed, which is expensive
            let words = match office.authorize_add_user() {
                Ok(()) => sent.body().words(office.unguarded())?,
                Err(refused) if sent.is_valid() => return Err(refused.into()),
                // an unauthorized caller must not learn from the violations which names exist
                Err(_) => Vec::new(),
            };
            sent.add(sent.body().password_violations(context.auth.build_password_policy(), &words));
            let sent = sent.check_body(|sent| name_violations(&office, KnownRight::UserCreate, &sent.names()))?;
            let new = sent.into_new_user(context, &words, caller.address)?;
            load_view(&office, &into_api_result(office.add_user(&new))?)
        })
        .await?;
    render_created(
        &call,
        "users",
        view.user.id,
        render_versioned(StatusCode::CREATED, view.user.version, &UserBody::from_view(&view))?,
    )
}

async fn get_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::User)?;
    let found = call
        .with_office(move |context| {
            let reader = context.reader_for_caller(&caller);
            let Some(view) = into_api_result(reader.find_user_view(caller.user(), id))? else { return Ok(None) };
            Ok(Some((view, context.auth.find_login_throttle(PrincipalId::User(id))?)))
        })
        .await?;
    let (view, throttle) = found.ok_or_else(|| not_found(FieldName::User, id))?;
    let body = UserBody::from_view(&view).with_login_throttle(throttle);
    render_versioned(StatusCode::OK, view.user.version, &body)
}

async fn update_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::User)?, read_if_match(call.head())?);
    let sent = body::read_partial_request(&call, |_: &UpdateUser| Vec::new())?;
    let (view, growing, ends_sessions) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let sent = sent.check_body(|sent| {
                let change = sent.clone().into_change();
                name_violations(&office, sent.right(), &sent.names(EntityChange::User(id, &change)))
            })?;
            let proof = sent.email_change_password().filter(|_| caller.user() == Some(id));
            let mut change = sent.into_change();
            let promotes = change.roles.is_some() || change.devices != DeviceRolesChange::Keep;
            if let Some(proof) = proof {
                context.auth.confirm_password(&caller, &proof)?;
                change.password_confirmed = true;
            }
            let user = into_api_result(office.change_user(id, versions.as_deref(), &change))?;
            let growing = if promotes { office.unguarded().list_unrestricted_api_keys(id)? } else { Vec::new() };
            Ok((load_view(&office, &user)?, growing, change.ends_sessions()))
        })
        .await?;
    let response = render_versioned(StatusCode::OK, view.user.version, &UpdatedUserBody::from_view(&view, &growing))?;
    Ok(if ends_sessions { revocations::with_position(&call, response).await } else { response })
}

async fn delete_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, versions) = (read_id(&call, FieldName::User)?, read_if_match(call.head())?);
    let change = office::UserChange { status: Some(UserStatus::Deleted), ..office::UserChange::default() };
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(office.change_user(id, versions.as_deref(), &change))
    })
    .await?;
    Ok(revocations::with_position(&call, no_content()).await)
}

async fn set_user_password(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    passwords::set_user_password(&call, caller, read_id(&call, FieldName::User)?).await
}

async fn invite_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::User)?;
    invitations::invite_user(&call, caller, id).await
}

async fn request_email_verification(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_id(&call, FieldName::User)?;
    email_verification::request_verification(&call, caller, id).await
}

async fn unlock_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    passwords::unlock_principal(&call, caller, PrincipalId::User(read_id(&call, FieldName::User)?)).await
}

fn load_view(office: &Office<'_>, user: &User) -> Result<UserView, ApiError> {
    office.unguarded().load_user_view(user)?.ok_or_else(|| ApiError::Fault("a user has no view".to_owned()))
}
