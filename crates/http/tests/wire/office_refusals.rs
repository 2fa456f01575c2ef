//! What the back office refuses, in every mount's own words: the true status, the field where one is at fault, and nothing of ours.

use std::sync::{Arc, Mutex};

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use serde_json::{Value, json};
use tillgate_auth_core::{Evidence, Terms};
use tillgate_domain::office::{Field, Refused};
use tillgate_domain::{InvalidName, Rank, Right, StoreError};
use tillgate_http::{
    Call, Dialect, Failure, Head, Kasir, Krmpesan, Mount, Native, Portos, Route, Settings, Web, decided,
};

use crate::shop::Shop;

/// A contract with one call more, whose use case answers what the test has put there.
struct Deciding<D>(D, Arc<Mutex<Option<Refused>>>);

impl<D: Dialect> Dialect for Deciding<D> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn terms(&self) -> &Terms {
        self.0.terms()
    }
    fn evidence<'r>(&self, head: &'r Head, body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        self.0.evidence(head, body)
    }
    fn routes(&self) -> Vec<Route> {
        let next = Arc::clone(&self.1);
        vec![Route::open(Method::GET, "/decide", move |call: Call| {
            let next = next.lock().unwrap().clone();
            async move {
                let answer = next.map_or(Err(StoreError::Unavailable("the disk is full".into())), |next| Ok(Err(next)));
                call.office(move |_| decided::<()>(answer)).await.map(|()| HttpResponse::Ok().finish())
            }
        })]
    }
    fn word(&self, failure: &Failure, head: &Head) -> HttpResponse {
        self.0.word(failure, head)
    }
}

fn taken(field: Field) -> Refused {
    Refused::Taken { field, value: "anna".into() }
}

/// A refusal; the native API's status and code; PORTOS' status, `errorCode` and member with its code; POS Kasir's status, message
/// and whether a sentence stands beside it; krmpesan's status.
type Line = (Refused, (u16, &'static str), (u16, Value, Value), (u16, &'static str, bool), u16);

fn lines() -> Vec<Line> {
    let unreadable = "Failed to parse request body";
    let validation = json!("ValidationFailed");
    let member = |name: &str, code: Value| json!([name, code]);
    vec![
        (
            taken(Field::UserName),
            (409, "name_taken"),
            (400, validation.clone(), member("UserName", json!(2))),
            (409, "Username already exists", true),
            409,
        ),
        (
            taken(Field::Email),
            (409, "name_taken"),
            (400, validation.clone(), member("Email", json!(2))),
            (409, "Email already exists", true),
            409,
        ),
        (
            taken(Field::Slug),
            (409, "name_taken"),
            (400, validation.clone(), member("slug", json!(2))),
            (409, "Conflict", true),
            409,
        ),
        (
            Refused::Absent { field: Field::User, value: "0".into() },
            (404, "not_found"),
            (404, Value::Null, Value::Null),
            (404, "User not found", false),
            404,
        ),
        (
            Refused::Unknown { field: Field::Roles, value: "boss".into() },
            (422, "fields_invalid"),
            (400, validation.clone(), member("Roles", Value::Null)),
            (400, unreadable, true),
            400,
        ),
        (
            Refused::Invalid { field: Field::Name, why: InvalidName::Empty },
            (422, "fields_invalid"),
            (400, validation.clone(), member("Name", json!(1))),
            (400, unreadable, true),
            400,
        ),
        (
            Refused::Empty { field: Field::Roles },
            (422, "fields_invalid"),
            (400, validation, member("Roles", json!(1))),
            (400, unreadable, true),
            400,
        ),
        (
            Refused::Moved { current: 7 },
            (412, "version_moved"),
            (412, json!("ResourceVersionMismatch"), Value::Null),
            (412, "Precondition Failed", false),
            412,
        ),
        (Refused::LastAdmin, (409, "last_admin"), (409, Value::Null, Value::Null), (409, "Conflict", true), 409),
        (Refused::Virtual, (409, "user_virtual"), (409, Value::Null, Value::Null), (409, "Conflict", true), 409),
        (
            Refused::Status { from: "active", to: "pending" },
            (409, "status_impossible"),
            (409, Value::Null, Value::Null),
            (409, "Conflict", true),
            409,
        ),
        (
            Refused::TooHigh(Rank::Admin),
            (403, "rank_too_high"),
            (403, json!("Unauthorized"), Value::Null),
            (403, "Cannot assign a role equal to or higher than your own", true),
            403,
        ),
        (
            Refused::Missing(Right::parse("userCreate").unwrap()),
            (403, "right_missing"),
            (403, json!("Unauthorized"), Value::Null),
            (403, "Insufficient permissions", false),
            403,
        ),
    ]
}

#[actix_web::test]
async fn each_in_every_mounts_words() {
    let next = Arc::new(Mutex::new(None));
    let at = |prefix: &str, dialect: Arc<dyn Dialect>| Mount::at(prefix, dialect).unwrap();
    let shop = Shop::mounted(
        Settings::default(),
        vec![
            at("/api/v1", Arc::new(Deciding(Native::new(Native::terms()), Arc::clone(&next)))),
            at("/portos", Arc::new(Deciding(Portos::new(Portos::terms()), Arc::clone(&next)))),
            at("/kasir", Arc::new(Deciding(Kasir::new(Kasir::terms(), Web::default(), 1_000), Arc::clone(&next)))),
            at("/krmpesan", Arc::new(Deciding(Krmpesan::new(Krmpesan::terms()), Arc::clone(&next)))),
        ],
    );
    for (refused, (status, code), (portos, error_code, members), (kasir, message, sentence), krmpesan) in lines() {
        next.lock().unwrap().replace(refused.clone());
        let answer = shop.get("/api/v1/decide", "").await;
        assert_eq!((answer.status.as_u16(), answer.text("/code").as_str()), (status, code), "{refused}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let named = answer.json()["errors"][0]["pointer"].is_string();
        assert_eq!(named, matches!(code, "name_taken" | "fields_invalid"), "{}", answer.json());
        assert_eq!(answer.json()["right"].is_string(), code == "right_missing");

        let answer = shop.get("/portos/decide", "").await;
        let json = answer.json();
        let first = json["errors"].get(0).map(|each| json!([each["memberName"], each["code"]])).unwrap_or_default();
        assert_eq!((answer.status.as_u16(), &json["errorCode"], first), (portos, &error_code, members), "{json}");

        let answer = shop.get("/kasir/decide", "").await;
        let json = answer.json();
        assert_eq!((answer.status.as_u16(), answer.text("/message").as_str()), (kasir, message), "{json}");
        let beside = if sentence { json["error"].is_string() } else { json["error"] == json!({}) };
        assert!(beside && json["data"].is_null(), "{json}");

        let answer = shop.get("/krmpesan/decide", "").await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (krmpesan, Some(u64::from(krmpesan))));
    }
    next.lock().unwrap().take();
    for prefix in ["/api/v1", "/portos", "/kasir", "/krmpesan"] {
        let answer = shop.get(&format!("{prefix}/decide"), "").await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{prefix}: a store that fails");
    }
}
