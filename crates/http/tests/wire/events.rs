//! The event stream of the native API.

use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::Method;
use actix_web::rt::time::timeout;
use actix_web::test;
use serde_json::{Value, json};
use tillgate_auth_core::{AuthPorts, Clock};
use tillgate_domain::{Event, EventId, Store, StoreExt};
use tillgate_testkit::server_sent_events::{StreamEvent, take_event};
use uuid::Uuid;

use crate::test_server::{
    StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer,
};

const EVENTS: &str = "/api/v1/events";

/// How long an event may take, and a stream to end, on a busy machine.
const EVENT_TIMEOUT: Duration = Duration::from_mins(1);

/// The complete events in the text of a stream.
fn parse_events(text: &str) -> Vec<StreamEvent> {
    let mut text = text.to_owned();
    std::iter::from_fn(|| take_event(&mut text)).collect()
}

fn events(response: &TestResponse) -> Vec<StreamEvent> {
    assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "text/event-stream"));
    parse_events(std::str::from_utf8(&response.bytes).unwrap())
}

/// Opens a stream, reads what it begins with, and closes it.
async fn open(shop: &TestServer, token: &str, last_event_id: Option<&str>) -> Vec<StreamEvent> {
    let request = with_bearer(build_request(Method::GET, EVENTS), token);
    let request = match last_event_id {
        Some(id) => request.insert_header(("Last-Event-ID", id)),
        None => request,
    };
    events(&shop.send(request).await)
}

/// The position of the end.
async fn find_position(shop: &TestServer, token: &str) -> String {
    let begin = open(shop, token, None).await;
    assert_eq!((begin.len(), begin[0].name.as_str()), (1, "reset"), "{begin:?}");
    begin[0].id.clone().unwrap()
}

/// Records an event of the tenant, and does this in the same unit of work.
fn record_event(shop: &TestServer, act: impl Fn()) {
    let template = shop.store.inner.audit_events().pop().unwrap();
    let event = Event { id: EventId(Uuid::from_u128(7)), ..template };
    let store: &dyn Store<AuthPorts> = &*shop.store.inner;
    let recorded = store.write("test", |tx| {
        tx.audit().record(&event)?;
        act();
        Ok(())
    });
    recorded.unwrap();
}

/// The kinds and ids of the changes.
fn changes(events: &[StreamEvent]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let change = |event: &StreamEvent| {
        assert_eq!(event.name, "change", "{event:?}");
        (text(&event.data["kind"]), text(&event.data["id"]))
    };
    events.iter().map(change).collect()
}

/// An open stream.
struct Follower {
    body: Pin<Box<BoxBody>>,
    text: String,
}

impl Follower {
    async fn open(shop: &TestServer, token: &str) -> Self {
        let app = test::init_service(shop.http.app()).await;
        let request = with_bearer(build_request(Method::GET, EVENTS), token).to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        Self { body: Box::pin(response.into_body().boxed()), text: String::new() }
    }

    /// Reads until an event matches; returns all so far. `None` if the stream ends before.
    async fn read_until(&mut self, is_last: impl Fn(&StreamEvent) -> bool) -> Option<Vec<StreamEvent>> {
        let reading = async {
            loop {
                let events = parse_events(&self.text);
                if events.iter().any(&is_last) {
                    return Some(events);
                }
                let piece = std::future::poll_fn(|context| self.body.as_mut().poll_next(context)).await?;
                self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
            }
        };
        timeout(EVENT_TIMEOUT, reading).await.expect("an event or the end in time")
    }
}

#[actix_web::test]
async fn stream_without_a_position_begins_with_a_reset() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    for position in [None, Some("x"), Some("-1"), Some("99999999")] {
        let begin = open(&shop, &token, position).await;
        assert_eq!((begin.len(), begin[0].name.as_str(), &begin[0].data), (1, "reset", &json!({})), "{position:?}");
    }
    let head = shop.with_token(Method::HEAD, EVENTS, &token).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert_eq!((head.header("content-type"), head.header("x-accel-buffering")), ("text/event-stream", "no"));
    assert_eq!(shop.get(EVENTS, "").await.status, 401);
}

#[actix_web::test]
async fn viewers_see_only_what_they_may_read() {
    let shop = TestServer::start();
    let log_in = async |name: &str| shop.log_in_native(name).await;
    let log_in_stranger = async || {
        let body = json!({ "login": "stranger", "password": TEST_PASSWORD, "tenant": "other" });
        shop.post("/api/v1/sessions", body).await
    };
    let (admin, cashier, stranger) = (log_in("admin").await, log_in("cashier").await, log_in_stranger().await);
    let token = |response: &TestResponse| response.text_at("/access_token");
    let from = find_position(&shop, &token(&admin)).await;
    let own = log_in("cashier").await.text_at("/session/id");
    let others = log_in("manager").await.text_at("/session/id");
    let foreign = log_in_stranger().await.text_at("/session/id");
    let store = json!({ "name": "Harbor" });
    let store = shop.send(with_bearer(post_request("/api/v1/stores", store), &token(&admin))).await;
    assert_eq!(store.status, 201);
    let store = store.text_at("/id");
    shop.get("/api/v1/users", &token(&cashier)).await;

    let named = |seen: &[(String, String)], kind: &str| -> Vec<String> {
        seen.iter().filter(|(of, _)| of == kind).map(|(_, id)| id.clone()).collect()
    };
    let seen = changes(&open(&shop, &token(&admin), Some(&from)).await);
    assert_eq!(named(&seen, "session"), [own.clone(), others]);
    assert_eq!(named(&seen, "store"), std::slice::from_ref(&store));
    assert_eq!(named(&seen, "audit_event").len(), 4, "two logins, a store, a denial: {seen:?}");
    let seen = changes(&open(&shop, &token(&cashier), Some(&from)).await);
    assert_eq!(seen, [("session".to_owned(), own), ("store".to_owned(), store)]);
    let seen = changes(&open(&shop, &token(&stranger), Some(&from)).await);
    assert_eq!((named(&seen, "session"), seen.len()), (vec![foreign], 2), "{seen:?}");
}

#[actix_web::test]
async fn change_has_the_version_that_the_resource_has_at_delivery() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await;
    let token = admin.text_at("/access_token");
    let from = find_position(&shop, &token).await;
    let user = shop.get("/api/v1/users?search=witness", &token).await.json()["items"][0].clone();
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    for name in ["Will", "William"] {
        let request = with_bearer(build_request(Method::PATCH, &path), &token);
        let request = request.insert_header(("If-Match", "*")).set_json(json!({ "display_name": name }));
        assert_eq!(shop.send(request).await.status, 200);
    }
    let seen = open(&shop, &token, Some(&from)).await;
    let versions: Vec<&Value> =
        seen.iter().filter(|event| event.data["kind"] == "user").map(|event| &event.data["version"]).collect();
    let tag = shop.get(&path, &token).await.header("etag").trim_matches('"').to_owned();
    assert_eq!(versions.iter().map(ToString::to_string).collect::<Vec<_>>(), [tag.clone(), tag], "{seen:?}");
    let positions: Vec<bool> = seen.iter().map(|event| event.id.is_some()).collect();
    assert_eq!(positions, [false, false, false, true], "only after the last event is everything received");
}

#[actix_web::test]
async fn position_that_was_swept_is_answered_with_a_reset() {
    let shop = TestServer::start();
    let token = shop.log_in_native("admin").await.text_at("/access_token");
    let from = find_position(&shop, &token).await;
    shop.log_in_native("cashier").await;
    let store: &dyn Store<AuthPorts> = &*shop.store.inner;
    let after = shop.clock.now().saturating_add(Duration::from_secs(1));
    store.write("test", |tx| tx.live_events().sweep(after, 100)).unwrap();
    let begin = open(&shop, &token, Some(&from)).await;
    assert_eq!((begin.len(), begin[0].name.as_str()), (1, "reset"));
    let next = begin[0].id.clone().unwrap();
    assert_eq!(open(&shop, &token, Some(&next)).await, [], "the position of the reset is known");
}

#[actix_web::test]
async fn refresh_is_not_a_change() {
    let shop = TestServer::start();
    let login = shop.log_in_native("admin").await;
    let from = find_position(&shop, &login.text_at("/access_token")).await;
    let body = json!({ "refresh_token": login.text_at("/refresh_token") });
    let refreshed = shop.post("/api/v1/sessions/refresh", body).await;
    assert_eq!(open(&shop, &refreshed.text_at("/access_token"), Some(&from)).await, []);
}

#[actix_web::test]
async fn open_stream_reports_changes_and_ends_with_its_session() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let mut follower = Follower::open(&shop, &admin).await;
    follower.read_until(|event| event.name == "reset").await.unwrap();
    let session = shop.log_in_native("cashier").await.text_at("/session/id");
    follower.read_until(|event| event.data["id"] == session).await.unwrap();
    shop.delete("/api/v1/sessions/current", &admin).await;
    let end = follower.read_until(|event| event.name == "never").await;
    assert_eq!(end, None, "the stream has ended");
}

#[actix_web::test]
async fn stream_ends_when_its_access_token_expires() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let mut follower = Follower::open(&shop, &token).await;
    shop.clock.advance(Duration::from_mins(16));
    assert_eq!(follower.read_until(|event| event.name == "never").await, None);
}

#[actix_web::test]
async fn stream_ends_at_the_expiry_while_the_store_hangs() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let mut follower = Follower::open(&shop, &token).await;
    follower.read_until(|event| event.name == "reset").await.unwrap();
    shop.store.set_state(StoreState::Hanging);
    shop.clock.advance(Duration::from_mins(16));
    let end = follower.read_until(|event| event.name == "never").await;
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(end, None);
}

#[actix_web::test]
async fn streams_end_if_polling_panics_and_can_be_opened_again() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let mut follower = Follower::open(&shop, &token).await;
    follower.read_until(|event| event.name == "reset").await.unwrap();
    shop.store.set_state(StoreState::Panicking);
    assert_eq!(follower.read_until(|event| event.name == "never").await, None, "the stream has ended");
    shop.store.set_state(StoreState::Healthy);
    let mut follower = Follower::open(&shop, &token).await;
    let session = shop.log_in_native("cashier").await.text_at("/session/id");
    follower.read_until(|event| event.data["id"] == session).await.expect("a new poller");
}

#[actix_web::test]
async fn event_after_the_expiry_is_not_delivered() {
    let shop = TestServer::start();
    let login = shop.log_in_native("admin").await;
    let mut follower = Follower::open(&shop, &login.text_at("/access_token")).await;
    follower.read_until(|event| event.name == "reset").await.unwrap();
    // no poll is between the event and the expiry
    record_event(&shop, || shop.clock.advance(Duration::from_mins(16)));
    assert_eq!(follower.read_until(|event| event.name == "change").await, None, "the stream ends first");
}

#[actix_web::test]
async fn streams_share_one_poll_of_the_change_feed() {
    let shop = TestServer::start();
    let token = shop.log_in_native("admin").await.text_at("/access_token");
    let mut followers = Vec::new();
    for _ in 0..4 {
        let mut follower = Follower::open(&shop, &token).await;
        follower.read_until(|event| event.name == "reset").await.unwrap();
        follower.text.clear();
        followers.push(follower);
    }
    shop.store.set_state(StoreState::FeedUnavailable);
    shop.clock.advance(Duration::from_mins(2));
    shop.store.units.lock().unwrap().clear();
    record_event(&shop, || {});
    for follower in &mut followers {
        follower.read_until(|event| event.name == "reset").await.expect("a reset, since the rights are unknown");
    }
    let units = shop.store.units.lock().unwrap().clone();
    assert!(units.contains(&"poll_feed"));
    assert!(!units.windows(2).any(|pair| pair == ["poll_feed", "poll_feed"]), "{units:?}");
}

#[actix_web::test]
async fn lost_right_hides_events_from_an_open_stream() {
    let shop = TestServer::start();
    let manager = shop.log_in_native("manager").await;
    let mut follower = Follower::open(&shop, &manager.text_at("/access_token")).await;
    let before = shop.log_in_native("cashier").await.text_at("/session/id");
    follower.read_until(|event| event.data["id"] == before).await.unwrap();
    shop.set_user_role(&manager.text_at("/session/user/id"), "cashier");
    let hidden = shop.log_in_native("cashier").await.text_at("/session/id");
    let own = shop.log_in_native("manager").await.text_at("/session/id");
    let seen = follower.read_until(|event| event.data["id"] == own).await.unwrap();
    assert!(seen.iter().all(|event| event.data["id"] != hidden), "{seen:?}");
}

#[actix_web::test]
async fn reader_that_falls_behind_is_reset() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let mut follower = Follower::open(&shop, &admin).await;
    follower.read_until(|event| event.name == "reset").await.unwrap();
    follower.text.clear();
    for _ in 0..400 {
        shop.log_in_native("cashier").await;
    }
    let has_second_reset = async || {
        let metrics = shop.get("/metrics", "").await;
        let text = std::str::from_utf8(&metrics.bytes).unwrap();
        let resets = text.lines().find_map(|line| line.strip_prefix("tillgate_event_resets_total "));
        resets.unwrap().parse::<u32>().unwrap() >= 2
    };
    let waiting = async {
        while !has_second_reset().await {
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(EVENT_TIMEOUT, waiting).await.expect("the reset of a reader that falls behind");
    let seen = follower.read_until(|event| event.name == "reset").await.unwrap();
    assert!(follower.text.len() < 64 * 1024, "{} bytes were kept", follower.text.len());
    assert_eq!(seen[0].name, "reset", "what was not read is dropped");
    // while the poller is behind, the next login may be part of what another reset replaces
    for _ in 0..100 {
        follower.text.clear();
        let last = shop.log_in_native("witness").await.text_at("/session/id");
        let seen = follower.read_until(|event| event.name == "reset" || event.data["id"] == last).await.unwrap();
        if seen.iter().any(|event| event.data["id"] == last) {
            return;
        }
    }
    panic!("a reader that reads again receives no changes");
}

#[actix_web::test]
async fn client_that_missed_many_changes_receives_them_all() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let from = find_position(&shop, &admin).await;
    for _ in 0..450 {
        shop.log_in_native("cashier").await;
    }
    let seen = open(&shop, &admin, Some(&from)).await;
    assert_eq!((seen.len(), changes(&seen).len()), (900, 900), "an audit event and a session for each login");
}

#[actix_web::test]
async fn position_of_a_revocation_is_not_negative() {
    let shop = TestServer::start();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    for (position, status) in [("0", 200), ("-1", 404), ("x", 404)] {
        let response = shop.get(&format!("/api/v1/revocations/{position}"), &admin).await;
        assert_eq!(response.status, status, "{position}");
    }
}

#[actix_web::test]
async fn fifth_stream_of_a_user_is_refused() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let other = shop.log_in_native("manager").await.text_at("/access_token");
    let mut open_streams = Vec::new();
    for _ in 0..4 {
        open_streams.push(Follower::open(&shop, &token).await);
    }
    let refused = shop.get(EVENTS, &token).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code")), (429, "streams_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), "30");
    open(&shop, &other, None).await;
    let metrics = shop.get("/metrics", "").await;
    let metrics = std::str::from_utf8(&metrics.bytes).unwrap();
    assert!(metrics.contains("\ntillgate_event_streams 4\n"), "{metrics}");
    assert!(metrics.contains("tillgate_event_streams_refused_total{limit=\"principal\"} 1\n"), "{metrics}");
    drop(open_streams.pop());
    open(&shop, &token, None).await;
}
