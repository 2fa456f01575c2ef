//! Back-office errors in the format of every mount: the correct status, the invalid field, and no
//! internal information.

use std::sync::{Arc, Mutex};

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use serde_json::{Value, json};
use tillgate_auth_core::{RequestCredentials, Terms};
use tillgate_domain::office::{FieldName, OfficeError};
use tillgate_domain::{InvalidText, KnownRight, Rank, StoreError, Subject, UserName};
use tillgate_http::{
    ApiError, BrowserSettings, Dialect, HttpSettings, Kasir, Krmpesan, Mount, Native, Portos, Request, RequestHead,
    Route, into_api_result,
};

use crate::test_server::TestServer;

/// A contract with an additional operation that returns the error of the test.
struct FixedErrorDialect<D>(D, Arc<Mutex<Option<OfficeError>>>);

impl<D: Dialect> Dialect for FixedErrorDialect<D> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn terms(&self) -> Option<&Terms> {
        self.0.terms()
    }
    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        self.0.read_credentials(head, body)
    }
    fn routes(&self) -> Vec<Route> {
        let next = Arc::clone(&self.1);
        vec![Route::public(Method::GET, "/decide", move |call: Request| {
            let next = next.lock().unwrap().clone();
            async move {
                let response =
                    next.map_or(Err(StoreError::Unavailable("the disk is full".into())), |next| Ok(Err(next)));
                call.with_office(move |_| into_api_result::<()>(response)).await.map(|()| HttpResponse::Ok().finish())
            }
        })]
    }
    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        self.0.render_error(failure, head)
    }
}

fn already_exists(field: FieldName) -> OfficeError {
    OfficeError::AlreadyExists { field, value: "anna".into() }
}

/// An error; status and code of the native API; status, `errorCode` and member of PORTOS; status
/// and message of POS Kasir and whether it has an error text; status of krmpesan.
type ErrorCase = (OfficeError, (u16, &'static str), (u16, Value, Value), (u16, &'static str, bool), u16);

fn error_cases() -> Vec<ErrorCase> {
    let unreadable = "Failed to parse request body";
    let validation = json!("ValidationFailed");
    let member = |name: &str, code: Value| json!([name, code]);
    vec![
        (
            already_exists(FieldName::UserName),
            (409, "name_taken"),
            (400, validation.clone(), member("UserName", json!(2))),
            (409, "Username already exists", true),
            409,
        ),
        (
            already_exists(FieldName::Email),
            (409, "name_taken"),
            (400, validation.clone(), member("Email", json!(2))),
            (409, "Email already exists", true),
            409,
        ),
        (
            already_exists(FieldName::Slug),
            (409, "name_taken"),
            (400, validation.clone(), member("slug", json!(2))),
            (409, "Conflict", true),
            409,
        ),
        (
            OfficeError::NotFound { field: FieldName::User, value: "0".into() },
            (404, "not_found"),
            (404, Value::Null, Value::Null),
            (404, "User not found", false),
            404,
        ),
        (
            OfficeError::UnknownName { field: FieldName::Roles, value: "boss".into() },
            (422, "fields_invalid"),
            (400, validation.clone(), member("Roles", Value::Null)),
            (400, unreadable, true),
            400,
        ),
        (
            OfficeError::InvalidValue { field: FieldName::Name, why: InvalidText::Empty },
            (422, "fields_invalid"),
            (400, validation.clone(), member("Name", json!(1))),
            (400, unreadable, true),
            400,
        ),
        (
            OfficeError::Required { field: FieldName::Roles },
            (422, "fields_invalid"),
            (400, validation, member("Roles", json!(1))),
            (400, unreadable, true),
            400,
        ),
        (
            OfficeError::VersionMismatch { subject: Subject::Server, current: 7 },
            (412, "version_moved"),
            (412, json!("ResourceVersionMismatch"), Value::Null),
            (412, "Precondition Failed", false),
            412,
        ),
        (OfficeError::LastAdmin, (409, "last_admin"), (409, Value::Null, Value::Null), (409, "Conflict", true), 409),
        (
            OfficeError::VirtualUser(UserName::parse("kiosk").unwrap()),
            (409, "user_virtual"),
            (409, Value::Null, Value::Null),
            (409, "Conflict", true),
            409,
        ),
        (
            OfficeError::UserSuspended(UserName::parse("anna").unwrap()),
            (409, "user_suspended"),
            (409, Value::Null, Value::Null),
            (409, "Conflict", true),
            409,
        ),
        (
            OfficeError::InvalidStatusTransition { from: "active", to: "pending" },
            (409, "status_impossible"),
            (409, Value::Null, Value::Null),
            (409, "Conflict", true),
            409,
        ),
        (
            OfficeError::RankTooHigh(Rank::Admin),
            (403, "rank_too_high"),
            (403, json!("Unauthorized"), Value::Null),
            (403, "Cannot assign a role equal to or higher than your own", true),
            403,
        ),
        (
            OfficeError::RightMissing(KnownRight::UserCreate.into()),
            (403, "right_missing"),
            (403, json!("Unauthorized"), Value::Null),
            (403, "Insufficient permissions", false),
            403,
        ),
    ]
}

#[actix_web::test]
async fn each_office_error_is_rendered_by_every_mount() {
    let next = Arc::new(Mutex::new(None));
    let at = |prefix: &str, dialect: Arc<dyn Dialect>| Mount::at_prefix(prefix, dialect).unwrap();
    let shop = TestServer::with_mounts(
        HttpSettings::default(),
        vec![
            at("/api/v1", Arc::new(FixedErrorDialect(Native::new(Native::default_terms()), Arc::clone(&next)))),
            at("/portos", Arc::new(FixedErrorDialect(Portos::new(Portos::default_terms()), Arc::clone(&next)))),
            at(
                "/kasir",
                Arc::new(FixedErrorDialect(
                    Kasir::new(Kasir::default_terms(), BrowserSettings::default(), 1_000),
                    Arc::clone(&next),
                )),
            ),
            at("/krmpesan", Arc::new(FixedErrorDialect(Krmpesan::new(Krmpesan::default_terms()), Arc::clone(&next)))),
        ],
    );
    for (refused, (status, code), (portos, error_code, members), (kasir, message, sentence), krmpesan) in error_cases()
    {
        next.lock().unwrap().replace(refused.clone());
        let response = shop.get("/api/v1/decide", "").await;
        assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (status, code), "{refused}");
        assert_eq!(response.header("content-type"), "application/problem+json");
        let named = response.json()["errors"][0]["pointer"].is_string();
        assert_eq!(named, matches!(code, "name_taken" | "fields_invalid"), "{}", response.json());
        assert_eq!(response.json()["right"].is_string(), code == "right_missing");

        let response = shop.get("/portos/decide", "").await;
        let json = response.json();
        let first = json["errors"].get(0).map(|each| json!([each["memberName"], each["code"]])).unwrap_or_default();
        assert_eq!((response.status.as_u16(), &json["errorCode"], first), (portos, &error_code, members), "{json}");

        let response = shop.get("/kasir/decide", "").await;
        let json = response.json();
        assert_eq!((response.status.as_u16(), response.text_at("/message").as_str()), (kasir, message), "{json}");
        let beside = if sentence { json["error"].is_string() } else { json["error"] == json!({}) };
        assert!(beside && json["data"].is_null(), "{json}");

        let response = shop.get("/krmpesan/decide", "").await;
        assert_eq!((response.status.as_u16(), response.json()["code"].as_u64()), (krmpesan, Some(u64::from(krmpesan))));
    }
    next.lock().unwrap().take();
    for prefix in ["/api/v1", "/portos", "/kasir", "/krmpesan"] {
        let response = shop.get(&format!("{prefix}/decide"), "").await;
        assert_eq!(
            (response.status.as_u16(), response.header("retry-after")),
            (503, "1"),
            "{prefix}: a store that fails"
        );
    }
}
