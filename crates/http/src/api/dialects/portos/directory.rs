//! PORTOS' devices, roles and users, read-only. Every authenticated caller may read them, since
//! they contain no secret.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{FieldName, OfficeError, UnguardedOffice, collect_pages};
use tillgate_domain::{
    Device, DeviceId, DeviceName, DeviceStatus, ExactJson, Role, RoleId, RoleName, StoreResult, SubjectKind, User,
    UserId, UserStatus,
};

use super::list::{ENVIRONMENT_KIND, ListMember, ListQuery, MemberKind};
use super::paths::{api_paths, read_path_name};
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;

/// Members that can be used in list queries.
const DEVICE_MEMBERS: &[ListMember] = &[
    ListMember::new("name", MemberKind::Text),
    ListMember::new("isActive", MemberKind::Bool),
    ListMember::new("envName", ENVIRONMENT_KIND),
    ListMember::new("description", MemberKind::Text),
    ListMember::new("roles", MemberKind::Text),
    ListMember::new("settings", MemberKind::Structure),
    ListMember::new("preferences", MemberKind::Structure),
    ListMember::new("_v", MemberKind::Number),
];
const ROLE_MEMBERS: &[ListMember] = &[
    ListMember::new("name", MemberKind::Text),
    ListMember::new("label", MemberKind::Text),
    ListMember::new("description", MemberKind::Text),
    ListMember::new("rights", MemberKind::Text),
    ListMember::new("envNames", ENVIRONMENT_KIND),
    ListMember::new("_v", MemberKind::Number),
];
const USER_MEMBERS: &[ListMember] = &[
    ListMember::new("id", MemberKind::Text),
    ListMember::new("isActive", MemberKind::Bool),
    ListMember::new("isVirtual", MemberKind::Bool),
    ListMember::new("userName", MemberKind::Text),
    ListMember::new("featureName", MemberKind::Text),
    ListMember::new("name", MemberKind::Text),
    ListMember::new("devices", MemberKind::Structure),
];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(
        api_paths!("/devices")
            .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, list_device_rows)),
    );
    routes.extend(
        api_paths!("/devices/{name}")
            .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, get_device)),
    );
    routes.extend(
        api_paths!("/roles")
            .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, list_role_rows)),
    );
    routes.extend(
        api_paths!("/roles/{name}")
            .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, get_role)),
    );
    routes.extend(
        api_paths!("/users")
            .map(|path| Route::authenticated(Method::GET, path, Requirement::Authenticated, list_user_rows)),
    );
    routes.extend(api_paths!("/users/{id}").map(|path| {
        Route::authenticated(Method::GET, path, Requirement::Authenticated, get_user).about(SubjectKind::User)
    }));
    routes
}

async fn list_device_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let requested = ListQuery::from_head(call.head(), DEVICE_MEMBERS)?;
    let permit = call.acquire_list_permit(&caller).await?;
    let tenant = caller.profile.tenant.id;
    let rows = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let names = load_role_names(office)?;
            let found = collect_pages(None, |page| office.list_devices(page), |device| device.id)?;
            Ok(found.iter().map(|device| build_device_row(device, &names)).collect())
        })
        .await?;
    Ok(permit.hold_until_sent(requested.render(rows)?))
}

async fn get_device(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (requested, tenant) = (read_path_name(&call, "name"), caller.profile.tenant.id);
    let row = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let found = match DeviceName::parse(&requested) {
                Ok(name) => office.find_device_by_name(&name)?,
                Err(_) => None,
            };
            let device = found.ok_or_else(|| not_found(FieldName::Device, &requested))?;
            Ok(build_device_row(&device, &load_role_names(office)?))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn list_role_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (requested, tenant) = (ListQuery::from_head(call.head(), ROLE_MEMBERS)?, caller.profile.tenant.id);
    let permit = call.acquire_list_permit(&caller).await?;
    let found = call.with_office(move |context| Ok(context.unguarded(tenant).list_roles()?)).await?;
    Ok(permit.hold_until_sent(requested.render(found.iter().map(build_role_row).collect())?))
}

async fn get_role(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (requested, tenant) = (read_path_name(&call, "name"), caller.profile.tenant.id);
    let role = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let found = match RoleName::parse(&requested) {
                Ok(name) => office.find_role_by_name(&name)?,
                Err(_) => None,
            };
            found.ok_or_else(|| not_found(FieldName::Roles, &requested))
        })
        .await?;
    response::render_json(StatusCode::OK, &build_role_row(&role))
}

async fn list_user_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (requested, tenant) = (ListQuery::from_head(call.head(), USER_MEMBERS)?, caller.profile.tenant.id);
    let permit = call.acquire_list_permit(&caller).await?;
    let rows = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let users = collect_pages(None, |page| office.list_undeleted_users(page), |user| user.id)?;
            let context = UserRowContext::load(office, &users)?;
            Ok(users.iter().map(|user| context.build_row(user)).collect())
        })
        .await?;
    Ok(permit.hold_until_sent(requested.render(rows)?))
}

async fn get_user(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (requested, tenant) = (read_path_name(&call, "id"), caller.profile.tenant.id);
    let row = call
        .with_office(move |context| {
            let office = context.unguarded(tenant);
            let found = match requested.parse::<UserId>() {
                Ok(id) => office.find_user(id)?,
                Err(_) => None,
            };
            let found = found.filter(|user| user.status != UserStatus::Deleted);
            let user = found.ok_or_else(|| not_found(FieldName::User, &requested))?;
            Ok(UserRowContext::load(office, std::slice::from_ref(&user))?.build_row(&user))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

fn not_found(field: FieldName, value: &str) -> ApiError {
    ApiError::Office(OfficeError::NotFound { field, value: value.to_owned() })
}

type RoleNames = BTreeMap<RoleId, String>;

fn load_role_names(office: UnguardedOffice<'_>) -> StoreResult<RoleNames> {
    Ok(office.list_roles()?.into_iter().map(|role| (role.id, role.name.to_string())).collect())
}

fn map_role_names<'n>(ids: &BTreeSet<RoleId>, names: &'n RoleNames) -> Vec<&'n str> {
    let mut named: Vec<&str> = ids.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
    named.sort_unstable();
    named
}

fn build_device_row(device: &Device, names: &RoleNames) -> ExactJson {
    let row = json!({
        "name": device.name,
        "isActive": device.status == DeviceStatus::Active,
        "envName": device.environment.name(),
        "description": device.description,
        "roles": map_role_names(&device.roles, names),
        "settings": device.settings,
        "_v": device.version,
    });
    ExactJson::from(&row).with_members(preferences_member(device))
}

/// The member with the client's own JSON, whose numbers keep their digits.
fn preferences_member(device: &Device) -> impl Iterator<Item = (String, ExactJson)> {
    std::iter::once(("preferences".to_owned(), ExactJson::from(&device.preferences)))
}

fn build_role_row(role: &Role) -> Value {
    json!({
        "name": role.name,
        "label": role.label,
        "description": role.description,
        "rights": role.rights,
        "envNames": role.environments.iter().map(|each| each.name()).collect::<Vec<_>>(),
        "_v": role.version,
    })
}

/// Data of devices and roles that the rows of users refer to by id.
struct UserRowContext {
    roles: RoleNames,
    devices: BTreeMap<DeviceId, Device>,
}

impl UserRowContext {
    fn load(office: UnguardedOffice<'_>, users: &[User]) -> StoreResult<Self> {
        let named = users.iter().flat_map(|user| user.assignment.devices.keys().copied()).collect();
        Ok(Self { roles: load_role_names(office)?, devices: office.find_devices(&named)? })
    }

    fn build_row(&self, user: &User) -> ExactJson {
        let on = |(id, roles): (&DeviceId, &BTreeSet<RoleId>)| {
            let device = self.devices.get(id)?;
            let row = json!({
                "isActive": device.status == DeviceStatus::Active,
                "envName": device.environment.name(),
                "name": device.name,
                "roles": map_role_names(roles, &self.roles),
                "description": device.description,
            });
            Some(ExactJson::from(&row).with_members(preferences_member(device)))
        };
        let row = json!({
            "id": user.id,
            "isActive": user.status == UserStatus::Active,
            "isVirtual": user.is_virtual(),
            "userName": user.name,
            "featureName": user.feature,
            "name": user.display_name,
        });
        let devices = ExactJson::Array(user.assignment.devices.iter().filter_map(on).collect());
        ExactJson::from(&row).with_members(std::iter::once(("devices".to_owned(), devices)))
    }
}
