//! More requests than threads: those who find no place are told so at once, in their contract's words, and what needs no thread is
//! answered as ever.

use actix_web::http::Method;
use serde_json::json;
use tillgate_http::Settings;

use crate::shop::{Mood, PASSWORD, Shop, bearer, call};

#[actix_web::test]
async fn request_beyond_the_bound_is_503_at_once_and_what_memory_answers_goes_on() {
    let shop = Shop::with(Settings { blocking_limit: 2, ..Settings::default() });
    let native = shop.native("cashier").await.text("/access_token");
    let portos = shop.portos("cashier", "OFFICE").await.text("/tokenId");
    let (me, list) = ("/api/v1/sessions/current", "/api/v1/sessions");
    assert_eq!(shop.get(me, &native).await.status, 200);
    assert_eq!(shop.get("/portos/api/auth", &portos).await.status, 200);
    shop.store.set(Mood::Hangs);
    let ended = shop.send(bearer(call(Method::GET, list), &native));
    let also = shop.send(bearer(call(Method::GET, list), &native));
    let others = async {
        for (path, body) in [
            ("/api/v1/sessions", json!({ "login": "cashier", "password": PASSWORD })),
            ("/portos/api/auth", json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "OFFICE" })),
            ("/kasir/api/v1/auth/login", json!({ "email": "cashier", "password": PASSWORD })),
            ("/fiuu/auth/login", json!({ "posId": "P01", "password": PASSWORD })),
            ("/posstar/api/v1/auth/login", json!({ "email": "admin@example.com", "password": PASSWORD })),
        ] {
            let answer = shop.post(path, body).await;
            assert_eq!(answer.status, 503, "{path}");
            assert_eq!(answer.header("retry-after"), "1", "{path}");
            answer.json();
        }
        assert_eq!(shop.get("/healthz", "").await.status, 200);
        assert_eq!(shop.get("/metrics", "").await.status, 200);
        assert_eq!(shop.get(me, &native).await.status, 200);
        assert_eq!(shop.get("/portos/api/auth", &portos).await.status, 200);
        shop.store.set(Mood::Well);
    };
    // in the order of their names: the two are on their threads when the others come
    let (ended, also, ()) = tokio::join!(biased; ended, also, others);
    assert_eq!((ended.status.as_u16(), also.status.as_u16()), (200, 200));
    assert_eq!(shop.get(list, &native).await.status, 200, "there is room again");
}
