//! PORTOS' API keys: the back office's, in this contract's shape. A secret stands in the answer that makes its key and nowhere else.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, ApiKeyChange, ApiKeyFilter, Field as Of, KnownApiKey, NewApiKey, Refused, check_description, check_new_name,
    find_api_key, list_api_keys,
};
use tillgate_domain::{ApiKeyId, DeviceName, InvalidName, Right, Rights, UserName};

use super::list::{Asked, Kind, Member};
use super::path::both;
use crate::answer;
use crate::body;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::Field;
use crate::instants;
use crate::office::decided;
use crate::route::Route;

/// What can be asked about in a list.
const MEMBERS: &[Member] = &[
    Member::new("id", Kind::Text),
    Member::new("clientId", Kind::Text),
    Member::new("isActive", Kind::Truth),
    Member::new("createdAt", Kind::Instant),
    Member::new("name", Kind::Text),
    Member::new("description", Kind::Text),
    Member::new("userName", Kind::Text),
    Member::new("deviceName", Kind::Text),
    Member::new("permissions", Kind::Text),
    Member::new("_v", Kind::Number),
];

pub(super) fn routes() -> Vec<Route> {
    let whole = both!("/apikeys")
        .into_iter()
        .flat_map(|path| [Route::known(Method::GET, path, list), Route::known(Method::POST, path, add)]);
    let one = both!("/apikeys/{id}").into_iter().flat_map(|path| {
        [
            Route::known(Method::GET, path, one),
            Route::known(Method::PUT, path, change),
            Route::known(Method::DELETE, path, delete),
        ]
    });
    whole.chain(one).collect()
}

/// A key as it is sent.
#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase", default)]
struct Sent {
    name: Field<String>,
    description: Field<String>,
    isactive: Field<bool>,
    username: Field<String>,
    devicename: Field<String>,
    permissions: Field<Vec<String>>,
    #[serde(rename = "_v")]
    version: Field<i64>,
}

/// What was sent, as far as it can be.
struct Read {
    change: ApiKeyChange,
    version: Option<i64>,
}

async fn list(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (asked, tenant) = (Asked::of(call.head(), MEMBERS)?, caller.profile.tenant.id);
    let rows = call
        .office(move |office| {
            let (authority, every) = (caller.authority(), ApiKeyFilter::default());
            let part = |page: &_| decided(list_api_keys(office.store, tenant, &authority, &every, page));
            let found = office::all(None, part, |known| known.key.id)?;
            Ok(found.iter().map(|known| row(known, None)).collect())
        })
        .await?;
    asked.answer(rows)
}

async fn one(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let row = call
        .office(move |office| {
            let found = decided(find_api_key(office.store, tenant, &caller.authority(), id))?;
            let known = found.ok_or_else(|| absent(&id.to_string()))?;
            Ok(row(&known, None))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

async fn add(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let Read { change, .. } = read(&call, true)?;
    let ApiKeyChange { name: Some(name), user: Some(user), device: Some(device), .. } = change else {
        return Err(Failure::Fault("what is required was not asked for".to_owned()));
    };
    let (description, active) = (change.description.unwrap_or_default(), change.active.unwrap_or(true));
    let permissions = change.permissions.unwrap_or_default();
    let tenant = caller.profile.tenant.id;
    let (id, made) = call
        .office(move |office| {
            let drawn = office.engine.draw_api_key()?;
            let (id, client, wrapped) = (drawn.id, drawn.client, drawn.wrapped);
            let new = NewApiKey { id, client, wrapped, name, description, active, user, device, permissions };
            let key = decided(office::add_api_key(office.store, tenant, &office.stamp(&caller)?, &new))?;
            Ok((id, row(&office::known_api_key(office.store, &key)?, Some(drawn.secret.expose()))))
        })
        .await?;
    let mut answer = answer::json(StatusCode::CREATED, &made)?;
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{id}", call.head().path().trim_end_matches('/'))) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

async fn change(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let Read { change, version } = read(&call, false)?;
    let row = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            let key = decided(office::change_api_key(office.store, tenant, &stamp, id, version, &change))?;
            Ok(row(&office::known_api_key(office.store, &key)?, None))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

async fn delete(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let (id, tenant) = (id(&call)?, caller.profile.tenant.id);
    let row = call
        .office(move |office| {
            let stamp = office.stamp(&caller)?;
            let key = decided(office::delete_api_key(office.store, tenant, &stamp, id, None))?;
            Ok(row(&office::known_api_key(office.store, &key)?, None))
        })
        .await?;
    answer::json(StatusCode::OK, &row)
}

/// What is no id names no key.
fn id(call: &Call) -> Result<ApiKeyId, Failure> {
    let sent = call.head().segment("id");
    sent.parse().map_err(|_| absent(sent))
}

fn absent(id: &str) -> Failure {
    Failure::Office(Refused::Absent { field: Of::ApiKey, value: id.to_owned() })
}

/// Reads a key. Where it is `new`, it has to say whose it is and what it is called; else what it does not say stays as it is.
fn read(call: &Call, new: bool) -> Result<Read, Failure> {
    let sent: Sent = body::caseless(call.head().headers(), call.body())?;
    let mut faults = Vec::new();
    // a name that stays may be kept: of a change the use case judges it
    let fit = |name: &str| if new { check_new_name(name) } else { Ok(()) };
    let name = text(&mut faults, "name", sent.name, new, |name| fit(name).map(|()| name.to_owned()));
    let user = text(&mut faults, "username", sent.username, new, UserName::parse);
    let device = text(&mut faults, "devicename", sent.devicename, new, DeviceName::parse);
    let description = plain(&mut faults, "description", sent.description).and_then(|text| {
        let fit = check_description(&text).map(|()| text);
        fit.map_err(|why| fault(&mut faults, "description", "format", why.to_string())).ok()
    });
    let active = plain(&mut faults, "isactive", sent.isactive);
    let version = plain(&mut faults, "_v", sent.version);
    let permissions = plain(&mut faults, "permissions", sent.permissions).and_then(|names| {
        let rights: Result<Rights, _> = names.iter().map(|name| Right::parse(name)).collect();
        rights.map_err(|why| fault(&mut faults, "permissions", "format", why.to_string())).ok()
    });
    if faults.is_empty() {
        Ok(Read { change: ApiKeyChange { name, description, active, user, device, permissions }, version })
    } else {
        faults.sort();
        Err(Protocol::Fields(faults).into())
    }
}

fn fault(faults: &mut Vec<FieldFault>, field: &'static str, code: &'static str, message: String) {
    faults.push(FieldFault { field: field.into(), query: false, code: code.into(), message: message.into() });
}

/// A text that is not blank, and is there where it has to be.
fn text<T>(
    faults: &mut Vec<FieldFault>,
    name: &'static str,
    sent: Field<String>,
    required: bool,
    parse: impl Fn(&str) -> Result<T, InvalidName>,
) -> Option<T> {
    let missing = sent.is_missing();
    match plain(faults, name, sent) {
        Some(text) if text.trim().is_empty() => fault(faults, name, "required", "is required".to_owned()),
        Some(text) => match parse(&text) {
            Ok(value) => return Some(value),
            Err(why) => fault(faults, name, "format", why.to_string()),
        },
        None if missing && required => fault(faults, name, "required", "is required".to_owned()),
        None => {}
    }
    None
}

/// A value of its type.
fn plain<T>(faults: &mut Vec<FieldFault>, name: &'static str, sent: Field<T>) -> Option<T> {
    match sent {
        Field::Given(value) => Some(value),
        Field::Missing | Field::Null => None,
        Field::Wrong(_) => {
            fault(faults, name, "type", "is of another type".to_owned());
            None
        }
    }
}

/// A key as PORTOS tells of it.
fn row(known: &KnownApiKey, secret: Option<&String>) -> Value {
    let key = &known.key;
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(key.id)),
        ("clientId".to_owned(), json!(key.client)),
        ("clientSecret".to_owned(), json!(secret)),
        ("isActive".to_owned(), json!(key.active)),
        ("createdAt".to_owned(), json!(instants::text(key.created_at))),
        ("name".to_owned(), json!(key.name)),
        ("userName".to_owned(), json!(known.user)),
        ("deviceName".to_owned(), json!(known.device)),
        ("permissions".to_owned(), json!(key.permissions)),
        ("_v".to_owned(), json!(key.version)),
    ]);
    if !key.description.is_empty() {
        row.insert("description".to_owned(), json!(key.description));
    }
    Value::Object(row)
}
