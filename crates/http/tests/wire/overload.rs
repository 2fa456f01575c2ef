//! More requests than threads: requests without a slot are rejected at once in their contract's
//! format, and requests that need no thread are served.

use actix_web::http::Method;
use serde_json::json;
use tillgate_http::HttpSettings;

use crate::test_server::{StoreState, TEST_PASSWORD, TestServer, build_request, with_bearer};

#[actix_web::test]
async fn request_beyond_the_limit_is_503_while_memory_still_answers() {
    let shop = TestServer::with_settings(HttpSettings { blocking_limit: 2, ..HttpSettings::default() });
    let native = shop.log_in_native("cashier").await.text_at("/access_token");
    let portos = shop.log_in_portos("cashier", "OFFICE").await.text_at("/tokenId");
    let (me, list) = ("/api/v1/sessions/current", "/api/v1/sessions");
    assert_eq!(shop.get(me, &native).await.status, 200);
    assert_eq!(shop.get("/portos/api/auth", &portos).await.status, 200);
    shop.store.set_state(StoreState::Hanging);
    let ended = shop.send(with_bearer(build_request(Method::GET, list), &native));
    let also = shop.send(with_bearer(build_request(Method::GET, list), &native));
    let others = async {
        for (path, body) in [
            ("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD })),
            ("/portos/api/auth", json!({ "UserName": "cashier", "Password": TEST_PASSWORD, "DeviceName": "OFFICE" })),
            ("/kasir/api/v1/auth/login", json!({ "email": "cashier", "password": TEST_PASSWORD })),
            ("/fiuu/auth/login", json!({ "posId": "P01", "password": TEST_PASSWORD })),
            ("/posstar/api/v1/auth/login", json!({ "email": "admin@example.com", "password": TEST_PASSWORD })),
        ] {
            let response = shop.post(path, body).await;
            assert_eq!(response.status, 503, "{path}");
            assert_eq!(response.header("retry-after"), "1", "{path}");
            response.json();
        }
        assert_eq!(shop.get("/healthz", "").await.status, 200);
        assert_eq!(shop.get("/metrics", "").await.status, 200);
        assert_eq!(shop.get(me, &native).await.status, 200);
        assert_eq!(shop.get("/portos/api/auth", &portos).await.status, 200);
        shop.store.set_state(StoreState::Healthy);
    };
    // in a defined order: the two occupy their threads before the others arrive
    let (ended, also, ()) = tokio::join!(biased; ended, also, others);
    assert_eq!((ended.status.as_u16(), also.status.as_u16()), (200, 200));
    assert_eq!(shop.get(list, &native).await.status, 200, "slots are free again");
}
