//! The set-up of the first administrator in the browser.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_auth_core::one_time_token::digest_typed_token;
use tillgate_auth_core::{MasterKey, SystemEntropy};
use tillgate_domain::office::{self, OfficePorts};
use tillgate_domain::{Action, Event, FoldedText, Store, StoreExt, Tenant};
use tillgate_http::HttpSettings;
use tillgate_test_store::TestStore;
use tillgate_testkit::Fixture;
use tillgate_web::SetUpField;

use crate::mounts::office;
use crate::office_browser::Browser;
use crate::test_server::{NOON, TestResponse, TestServer, build_request};

const SET_UP: &str = "/office/set-up";
const TOKEN: &str = "K7QXABCDEFGHJKLMNPQRSTUVWX";
const PASSWORD: &str = "sea salt and honey";
const FIELDS: [(&str, &str); 9] = [
    ("token", TOKEN),
    ("shop", "Corner & Co"),
    ("zone", "Europe/Bratislava"),
    ("locale", "sk"),
    ("user_name", "ada"),
    ("display_name", "Ada"),
    ("email", "ada@example.com"),
    ("password", PASSWORD),
    ("till", "P01"),
];

/// A store with the tenant `default`, no user, and the token.
fn empty_store() -> Arc<TestStore> {
    let store = Arc::new(TestStore::new());
    Fixture::builder(NOON).build().insert_into(&*store).unwrap();
    assert!(office::unguarded::put_setup_token(&*store, &digest_typed_token(TOKEN), NOON).unwrap());
    store
}

fn serve(store: Arc<TestStore>) -> TestServer {
    serve_with(store, MasterKey::generate(&SystemEntropy::new()).unwrap())
}

fn serve_with(store: Arc<TestStore>, master: MasterKey) -> TestServer {
    TestServer::over(store, master, HttpSettings::default(), office())
}

/// The form with these fields instead of those with the same names.
fn form(changed: &[(&str, &str)]) -> TestRequest {
    let value = |(name, value)| (name, changed.iter().find(|(other, _)| *other == name).map_or(value, |(_, new)| *new));
    let fields: Vec<(&str, &str)> = FIELDS.into_iter().map(value).collect();
    build_request(Method::POST, SET_UP).insert_header(("Host", "localhost:8080")).set_form(fields)
}

async fn post(shop: &TestServer, changed: &[(&str, &str)]) -> TestResponse {
    shop.send_from("127.0.0.1", form(changed).insert_header(("Sec-Fetch-Site", "same-origin"))).await
}

async fn get(shop: &TestServer) -> TestResponse {
    shop.send_from("127.0.0.1", build_request(Method::GET, SET_UP).insert_header(("Host", "localhost:8080"))).await
}

fn text(response: &TestResponse) -> String {
    String::from_utf8(response.bytes.clone()).unwrap()
}

fn office_store(shop: &TestServer) -> &dyn Store<OfficePorts> {
    &*shop.store.inner
}

fn tenant(shop: &TestServer) -> Tenant {
    office::unguarded::find_tenant_by_slug(office_store(shop), &"default".to_owned().try_into().unwrap())
        .unwrap()
        .unwrap()
}

fn has_user(shop: &TestServer) -> bool {
    office::unguarded::any_user_exists(office_store(shop)).unwrap()
}

/// The fields that the page marks.
fn faults(response: &TestResponse) -> Vec<SetUpField> {
    let html = text(response);
    let is_marked = |field: &SetUpField| html.contains(&format!("id=\"{}-fault\"", field.name()));
    SetUpField::ALL.into_iter().filter(is_marked).collect()
}

#[actix_web::test]
async fn first_administrator_is_set_up_once_for_all_processes() {
    let store = empty_store();
    let master = MasterKey::generate(&SystemEntropy::new()).unwrap();
    let same_key = MasterKey::parse(master.encode().expose()).unwrap();
    let shop = serve_with(Arc::clone(&store), master);
    let other = serve_with(Arc::new(store.share_with_process()), same_key);
    let page = get(&shop).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(!text(&page).contains(TOKEN));
    // as people type it
    let done = post(&shop, &[("token", &TOKEN.to_ascii_lowercase())]).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/office/sign-in"), "{}", text(&done));
    let found = tenant(&shop);
    assert_eq!(
        (found.name.as_str(), found.zone.name(), found.locale.as_str()),
        ("Corner & Co", "Europe/Bratislava", "sk")
    );
    let till = office_store(&shop)
        .read("test", |tx| tx.devices().find_by_name(found.id, &FoldedText::of("P01")))
        .unwrap()
        .unwrap();
    assert_eq!(till.branch, Some(found.branches[0].id));
    let events: Vec<Event> = store.audit_events().into_iter().filter(|event| event.tenant == Some(found.id)).collect();
    let actions: Vec<&str> = events.iter().map(|event| event.action.name()).collect();
    assert_eq!(actions, ["tenant.update", "user.add", "device.add"]);
    assert!(events.iter().all(|event| event.actor.address.is_some()));
    assert_eq!(office_store(&shop).read("test", |tx| tx.setup_tokens().find()).unwrap(), None);
    for server in [&shop, &other] {
        for again in [get(server).await, post(server, &[]).await, post(server, &[("token", "wrong")]).await] {
            assert_eq!(again.status, 404);
            assert!(text(&again).contains("Already set up"), "{}", text(&again));
        }
        Browser::new(server).sign_in_with("ada", PASSWORD).await;
        Browser::new(server).sign_in_with("ada@example.com", PASSWORD).await;
    }
}

#[actix_web::test]
async fn optional_fields_of_the_set_up_may_be_empty() {
    let shop = serve(empty_store());
    let done = post(&shop, &[("display_name", " "), ("email", ""), ("till", "")]).await;
    assert_eq!(done.status, 303, "{}", text(&done));
    let (id, name) = (tenant(&shop).id, FoldedText::of("ada"));
    let user = office_store(&shop).read("test", |tx| tx.users().find_by_name(id, &name)).unwrap().unwrap();
    assert_eq!((user.display_name.as_str(), user.email), ("ada", None));
}

#[actix_web::test]
async fn wrong_set_up_tokens_are_throttled_by_network_and_replace_nothing() {
    let shop = serve(empty_store());
    let mut responses = Vec::new();
    for number in 0..60 {
        let response = post(&shop, &[("token", &format!("WRONG{number}")), ("zone", "nowhere")]).await;
        let html = text(&response);
        assert!(!html.contains(PASSWORD) && html.contains("Corner &#38; Co"), "{html}");
        if response.status == 401 {
            assert_eq!(faults(&response), [SetUpField::Token], "the fields are not checked for strangers");
        }
        responses.push((response.status.as_u16(), response.header("retry-after").is_empty()));
    }
    assert_eq!(
        (responses[0], responses[49], responses[50], responses[59]),
        ((401, true), (401, true), (429, false), (429, false))
    );
    assert_eq!(post(&shop, &[]).await.status, 429, "the correct one, too");
    assert!(!has_user(&shop));
    let elsewhere = form(&[]).insert_header(("Sec-Fetch-Site", "same-origin"));
    let done = shop.send_from("::1", elsewhere).await;
    assert_eq!(done.status, 303, "{}", text(&done));

    let denials = || {
        let events = shop.store.inner.audit_events().into_iter();
        events.filter(|event| event.action == Action::OneTimeTokenUse).collect::<Vec<_>>()
    };
    let recorded = denials();
    assert_eq!((recorded.len(), &recorded[0].details["token"]), (10, &json!("set_up")));
    shop.auth.leave().unwrap();
    let counted = denials().pop().unwrap();
    assert_eq!((&counted.details["times"], &counted.details["why"]), (&json!(51), &json!("login_held")));
}

#[actix_web::test]
async fn newer_set_up_token_replaces_the_previous_one() {
    let shop = serve(empty_store());
    assert!(office::unguarded::put_setup_token(office_store(&shop), &digest_typed_token("NEWER"), NOON).unwrap());
    assert_eq!(post(&shop, &[]).await.status, 401);
    assert_eq!(post(&shop, &[("token", "NEWER")]).await.status, 303);
}

#[actix_web::test]
async fn without_a_stored_token_nothing_is_set_up() {
    let store = Arc::new(TestStore::new());
    Fixture::builder(NOON).build().insert_into(&*store).unwrap();
    let shop = serve(store);
    for token in ["", TOKEN] {
        assert_eq!(post(&shop, &[("token", token)]).await.status, 401);
    }
    assert!(!has_user(&shop));
}

#[actix_web::test]
async fn of_two_set_ups_at_once_one_wins() {
    let shop = serve(empty_store());
    let second = [("user_name", "ben"), ("email", "ben@example.com"), ("till", "P02")];
    let (one, other) = tokio::join!(post(&shop, &[]), post(&shop, &second));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    let lost = if one.status == 404 { &one } else { &other };
    assert!(text(lost).contains("Already set up"), "{}", text(lost));
    let id = tenant(&shop).id;
    let all = office::UnguardedOffice::new(office_store(&shop), id);
    let users = all.list_users(&office::PageRequest { after: None, limit: 9 }).unwrap();
    let devices = all.list_devices(&office::PageRequest { after: None, limit: 9 }).unwrap();
    assert_eq!((users.len(), devices.len()), (1, 1));
}

#[actix_web::test]
async fn all_invalid_fields_of_the_set_up_are_marked_together() {
    let shop = serve(empty_store());
    let long = "x".repeat(300);
    for bad in ["a\0b", &long, "  "] {
        let changed = [
            ("shop", bad),
            ("zone", bad),
            ("locale", bad),
            ("user_name", bad),
            ("email", if bad.trim().is_empty() { "none" } else { bad }),
            ("password", "short"),
        ];
        let response = post(&shop, &changed).await;
        assert_eq!(response.status, 422);
        let expected = [
            SetUpField::Shop,
            SetUpField::Zone,
            SetUpField::Locale,
            SetUpField::UserName,
            SetUpField::Email,
            SetUpField::Password,
        ];
        assert_eq!(faults(&response), expected, "{bad:?}");
        let html = text(&response);
        assert!(html.contains("value=\"Ada\"") && html.contains(TOKEN), "what was typed is kept: {html}");
        assert!(!html.contains("short"), "but not the password");
    }
    for (field, bad) in [
        (SetUpField::DisplayName, "a\0b"),
        (SetUpField::DisplayName, &long),
        (SetUpField::Till, "a\0b"),
        (SetUpField::Till, &long),
        (SetUpField::UserName, "a@b"),
        (SetUpField::Email, "@"),
        (SetUpField::Password, "Corner & Co"),
        (SetUpField::Password, "password123"),
        (SetUpField::Password, &long),
    ] {
        let response = post(&shop, &[(field.name(), bad)]).await;
        assert_eq!((response.status.as_u16(), faults(&response)), (422, vec![field]), "{field:?}: {bad:?}");
    }
    assert!(!has_user(&shop));
    assert_eq!(tenant(&shop).version, 1);
    assert_eq!(post(&shop, &[]).await.status, 303, "the token was not used up");
}

#[actix_web::test]
async fn set_up_names_no_till_that_exists() {
    let store = Arc::new(TestStore::new());
    let fixture = Fixture::builder(NOON).device("P01", tillgate_domain::Environment::CashRegister).build();
    fixture.insert_into(&*store).unwrap();
    office::unguarded::put_setup_token(&*store, &digest_typed_token(TOKEN), NOON).unwrap();
    let shop = serve(store);
    let response = post(&shop, &[]).await;
    assert_eq!((response.status.as_u16(), faults(&response)), (422, vec![SetUpField::Till]));
    assert_eq!((has_user(&shop), tenant(&shop).version), (false, 1), "nothing was stored");
    assert_eq!(post(&shop, &[("till", "P02")]).await.status, 303);
}

#[actix_web::test]
async fn set_up_is_refused_from_other_sites_and_without_tls() {
    let shop = serve(empty_store());
    for site in ["cross-site", "same-site", "none"] {
        let foreign = form(&[]).insert_header(("Sec-Fetch-Site", site));
        assert_eq!(shop.send_from("127.0.0.1", foreign).await.status, 403, "{site}");
    }
    assert_eq!(shop.send_from("127.0.0.1", form(&[])).await.status, 403, "neither header");
    let plain = form(&[]).insert_header(("Sec-Fetch-Site", "same-origin")).insert_header(("Host", "till.example"));
    let refused = shop.send_from("192.0.2.9", plain).await;
    assert_eq!(refused.status, 403);
    assert!(text(&refused).contains("tls_cert"), "{}", text(&refused));
    let page = shop.send_from("192.0.2.9", build_request(Method::GET, SET_UP)).await;
    assert_eq!(page.status, 403);
    assert!(!has_user(&shop));
}
