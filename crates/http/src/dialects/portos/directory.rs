//! PORTOS' devices, roles and users, to read. Whoever is logged in may: nothing secret is in them.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    Field, Refused, all, device_named, devices_among, find_user, list_devices, list_present_users, list_roles,
    role_named,
};
use tillgate_domain::{
    Device, DeviceId, DeviceName, DeviceStatus, ExactJson, Role, RoleId, RoleName, Stored, TenantId, User, UserId,
    UserStatus,
};

use super::list::{Asked, ENVIRONMENTS, Kind, Member};
use super::path::{both, name};
use crate::answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::office::Office;
use crate::route::Route;

/// What can be asked about in lists.
const DEVICE: &[Member] = &[
    Member::new("name", Kind::Text),
    Member::new("isActive", Kind::Truth),
    Member::new("envName", ENVIRONMENTS),
    Member::new("description", Kind::Text),
    Member::new("roles", Kind::Text),
    Member::new("_v", Kind::Number),
];
const ROLE: &[Member] = &[
    Member::new("name", Kind::Text),
    Member::new("label", Kind::Text),
    Member::new("description", Kind::Text),
    Member::new("rights", Kind::Text),
    Member::new("envNames", ENVIRONMENTS),
    Member::new("_v", Kind::Number),
];
const USER: &[Member] = &[
    Member::new("id", Kind::Text),
    Member::new("isActive", Kind::Truth),
    Member::new("isVirtual", Kind::Truth),
    Member::new("userName", Kind::Text),
    Member::new("featureName", Kind::Text),
    Member::new("name", Kind::Text),
];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(both!("/devices").map(|path| Route::known(Method::GET, path, devices)));
    routes.extend(both!("/devices/{name}").map(|path| Route::known(Method::GET, path, device)));
    routes.extend(both!("/roles").map(|path| Route::known(Method::GET, path, roles)));
    routes.extend(both!("/roles/{name}").map(|path| Route::known(Method::GET, path, role)));
    routes.extend(both!("/users").map(|path| Route::known(Method::GET, path, users)));
    routes.extend(both!("/users/{id}").map(|path| Route::known(Method::GET, path, user)));
    routes
}

async fn devices(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let asked = Asked::of(call.head(), DEVICE)?;
    let tenant = caller.profile.tenant.id;
    let rows = call
        .office(move |office| {
            let names = role_names(office, tenant)?;
            let found = all(None, |page| list_devices(office.store, tenant, page), |device| device.id)?;
            Ok(found.iter().map(|device| device_row(device, &names)).collect())
        })
        .await?;
    asked.answer(rows)
}

async fn device(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (name(&call, "name"), caller.profile.tenant.id);
    let row = call
        .office(move |office| {
            let found = match DeviceName::parse(&asked) {
                Ok(name) => device_named(office.store, tenant, &name)?,
                Err(_) => None,
            };
            let device = found.ok_or_else(|| absent(Field::Device, &asked))?;
            Ok(device_row(&device, &role_names(office, tenant)?))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

async fn roles(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (Asked::of(call.head(), ROLE)?, caller.profile.tenant.id);
    let found = call.office(move |office| Ok(list_roles(office.store, tenant)?)).await?;
    asked.answer(found.iter().map(role_row).collect())
}

async fn role(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (name(&call, "name"), caller.profile.tenant.id);
    let role = call
        .office(move |office| {
            let found = match RoleName::parse(&asked) {
                Ok(name) => role_named(office.store, tenant, &name)?,
                Err(_) => None,
            };
            found.ok_or_else(|| absent(Field::Roles, &asked))
        })
        .await?;
    answer::json(StatusCode::OK, &role_row(&role))
}

async fn users(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (Asked::of(call.head(), USER)?, caller.profile.tenant.id);
    let rows = call
        .office(move |office| {
            let there = all(None, |page| list_present_users(office.store, tenant, page), |user| user.id)?;
            let told = Told::read(office, tenant, &there)?;
            Ok(there.iter().map(|user| told.user(user)).collect())
        })
        .await?;
    asked.answer(rows)
}

async fn user(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (name(&call, "id"), caller.profile.tenant.id);
    let row = call
        .office(move |office| {
            let found = match asked.parse::<UserId>() {
                Ok(id) => find_user(office.store, tenant, id)?,
                Err(_) => None,
            };
            let found = found.filter(|user| user.status != UserStatus::Deleted);
            let user = found.ok_or_else(|| absent(Field::User, &asked))?;
            Ok(Told::read(office, tenant, std::slice::from_ref(&user))?.user(&user))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

fn absent(field: Field, value: &str) -> Failure {
    Failure::Office(Refused::Absent { field, value: value.to_owned() })
}

type RoleNames = BTreeMap<RoleId, String>;

fn role_names(office: &Office<'_>, tenant: TenantId) -> Stored<RoleNames> {
    Ok(list_roles(office.store, tenant)?.into_iter().map(|role| (role.id, role.name.to_string())).collect())
}

fn named<'n>(ids: &BTreeSet<RoleId>, names: &'n RoleNames) -> Vec<&'n str> {
    let mut named: Vec<&str> = ids.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
    named.sort_unstable();
    named
}

fn device_row(device: &Device, names: &RoleNames) -> ExactJson {
    let row = json!({
        "name": device.name,
        "isActive": device.status == DeviceStatus::Active,
        "envName": device.environment.name(),
        "description": device.description,
        "roles": named(&device.roles, names),
        "settings": device.settings,
        "_v": device.version,
    });
    ExactJson::from(&row).with(preferences(device))
}

/// The member that keeps what a client wrote to the digit.
fn preferences(device: &Device) -> impl Iterator<Item = (String, ExactJson)> {
    std::iter::once(("preferences".to_owned(), ExactJson::from(&device.preferences)))
}

fn role_row(role: &Role) -> Value {
    json!({
        "name": role.name,
        "label": role.label,
        "description": role.description,
        "rights": role.rights,
        "envNames": role.environments.iter().map(|each| each.name()).collect::<Vec<_>>(),
        "_v": role.version,
    })
}

/// What the lists of devices of some users tell besides their ids.
struct Told {
    roles: RoleNames,
    devices: BTreeMap<DeviceId, Device>,
}

impl Told {
    fn read(office: &Office<'_>, tenant: TenantId, users: &[User]) -> Stored<Self> {
        let named = users.iter().flat_map(|user| user.assignment.devices.keys().copied()).collect();
        Ok(Self { roles: role_names(office, tenant)?, devices: devices_among(office.store, tenant, &named)? })
    }

    fn user(&self, user: &User) -> ExactJson {
        let on = |(id, held): (&DeviceId, &BTreeSet<RoleId>)| {
            let device = self.devices.get(id)?;
            let row = json!({
                "isActive": device.status == DeviceStatus::Active,
                "envName": device.environment.name(),
                "name": device.name,
                "roles": named(held, &self.roles),
                "description": device.description,
            });
            Some(ExactJson::from(&row).with(preferences(device)))
        };
        let row = json!({
            "id": user.id,
            "isActive": user.status == UserStatus::Active,
            "isVirtual": user.is_virtual(),
            "userName": user.name,
            "featureName": user.feature,
            "name": user.display_name,
        });
        let devices = ExactJson::List(user.assignment.devices.iter().filter_map(on).collect());
        ExactJson::from(&row).with(std::iter::once(("devices".to_owned(), devices)))
    }
}
