//! Every error in every mount, byte for byte: status, media type and body. A mount without rows
//! fails the test.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_server::{
    StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer,
};

/// The errors that are provoked in every mount.
const DENIALS: [&str; 10] = [
    "malformed JSON",
    "wrong content type",
    "too large",
    "unknown route",
    "wrong method",
    "throttled",
    "database down",
    "panic",
    "foreign token",
    "foreign refresh",
];

/// Requests and expected errors of a mount. `…` stands for a trace id.
struct ExpectedErrors {
    mount: &'static str,
    /// Prefix of all paths.
    prefix: &'static str,
    login: &'static str,
    /// Builds the body of a login with this password.
    body: fn(&str) -> Value,
    /// A path that requires authentication.
    own: &'static str,
    /// Pointers to the access token and, if there is one, the refresh token in the response to a
    /// login.
    tokens: (&'static str, Option<&'static str>),
    refresh: fn(&str) -> TestRequest,
    /// Expected errors in the order of [`DENIALS`]; alternatives are on separate lines.
    said: [&'static str; 10],
}

const EXPECTED_ERRORS: &[ExpectedErrors] = &[
    ExpectedErrors {
        mount: "native",
        prefix: "/api/v1",
        login: "/api/v1/sessions",
        body: |password| json!({ "login": "cashier", "password": password }),
        own: "/api/v1/sessions/current",
        tokens: ("/access_token", Some("/refresh_token")),
        refresh: |token| post_request("/api/v1/sessions/refresh", json!({ "refresh_token": token })),
        said: [
            r#"400 application/problem+json {"type":"about:blank","title":"Bad Request","status":400,"detail":"The body ends too early (line 1, column 5).","instance":"/api/v1/sessions","code":"body_malformed","trace_id":"…"}"#,
            r#"415 application/problem+json {"type":"about:blank","title":"Unsupported Media Type","status":415,"detail":"The body must be application/json without a content encoding.","instance":"/api/v1/sessions","code":"content_type_unsupported","trace_id":"…"}"#,
            r#"413 application/problem+json {"type":"about:blank","title":"Payload Too Large","status":413,"detail":"The body is too large.","instance":"/api/v1/sessions","code":"body_too_large","trace_id":"…"}"#,
            r#"404 application/problem+json {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no resource at this path.","instance":"/api/v1/nothing","code":"route_unknown","trace_id":"…"}"#,
            r#"405 application/problem+json {"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"This path accepts GET, HEAD, POST.","instance":"/api/v1/sessions","code":"method_not_allowed","trace_id":"…"}"#,
            r#"429 application/problem+json {"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too many failed attempts; retry in 960 s.","instance":"/api/v1/sessions","code":"login_held","trace_id":"…"}"#,
            r#"503 application/problem+json {"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Temporarily unavailable. Keep your tokens and retry later.","instance":"/api/v1/sessions","code":"unavailable","trace_id":"…"}"#,
            r#"500 application/problem+json {"type":"about:blank","title":"Internal Server Error","status":500,"detail":"Internal error. Find it in the server's log by its trace id.","instance":"/api/v1/sessions","code":"internal","trace_id":"…"}"#,
            r#"401 application/problem+json {"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token is for another audience.","instance":"/api/v1/sessions/current","code":"token_foreign","trace_id":"…"}"#,
            // a token that is not a refresh token, or one of another mount
            concat!(
                r#"401 application/problem+json {"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token is not valid.","instance":"/api/v1/sessions/refresh","code":"token_invalid","trace_id":"…"}"#,
                "\n",
                r#"401 application/problem+json {"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token is for another audience.","instance":"/api/v1/sessions/refresh","code":"token_foreign","trace_id":"…"}"#
            ),
        ],
    },
    ExpectedErrors {
        mount: "portos",
        prefix: "/portos",
        login: "/portos/api/auth",
        body: |password| json!({ "UserName": "cashier", "Password": password, "DeviceName": "OFFICE" }),
        own: "/portos/api/auth",
        tokens: ("/tokenId", Some("/refreshToken")),
        refresh: |token| post_request("/portos/api/auth/refresh", json!({ "tokenId": token, "refreshToken": token })),
        said: [
            r#"400 application/problem+json {"title":"Bad Request","status":400,"detail":"Telo požiadavky sa nedá prečítať.","instance":"/api/auth","traceId":"…"}"#,
            r#"415 application/problem+json {"title":"Unsupported Media Type","status":415,"detail":"Telo požiadavky musí byť application/json a nezakódované.","instance":"/api/auth","traceId":"…"}"#,
            r#"413 application/problem+json {"title":"Payload Too Large","status":413,"detail":"Telo požiadavky je príliš veľké.","instance":"/api/auth","traceId":"…"}"#,
            r#"404 application/problem+json {"title":"Not Found","status":404,"detail":"Na tejto adrese nič nie je.","instance":"/nothing","traceId":"…"}"#,
            r#"405 application/problem+json {"title":"Method Not Allowed","status":405,"detail":"Táto adresa takúto metódu nepozná.","instance":"/api/auth","traceId":"…"}"#,
            r#"423 application/problem+json {"title":"Locked","status":423,"detail":"Príliš veľa nesprávnych pokusov. Skúste to neskôr.","instance":"/api/auth","errorCode":"ResourceLocked","traceId":"…"}"#,
            r#"503 application/problem+json {"title":"Service Unavailable","status":503,"detail":"Server teraz nemôže odpovedať. Skúste to znova.","instance":"/api/auth","traceId":"…"}"#,
            r#"500 application/problem+json {"title":"Internal Server Error","status":500,"detail":"Na serveri nastala chyba.","instance":"/api/auth","traceId":"…"}"#,
            r#"401 application/problem+json {"title":"Nie ste prihlásený.","status":401,"instance":"/api/auth","errorCode":"Unauthenticated","traceId":"…"}"#,
            r#"401 application/problem+json {"title":"Nie ste prihlásený.","status":401,"instance":"/api/auth/refresh","errorCode":"Unauthenticated","traceId":"…"}"#,
        ],
    },
    ExpectedErrors {
        mount: "kasir",
        prefix: "/kasir",
        login: "/kasir/api/v1/auth/login",
        body: |password| json!({ "email": "cashier", "password": password }),
        own: "/kasir/api/v1/auth/me",
        tokens: ("/data/Token", Some("/data/refresh_token")),
        refresh: |token| post_request("/kasir/api/v1/auth/refresh", json!({ "refresh_token": token })),
        said: [
            r#"400 application/json {"message":"Failed to parse request body","error":"the body ends too early (line 1, column 5)","data":null}"#,
            r#"415 application/json {"message":"Unsupported Media Type","error":{},"data":null}"#,
            r#"413 application/json {"message":"Payload Too Large","error":{},"data":null}"#,
            r#"404 application/json {"message":"Not Found","error":{},"data":null}"#,
            r#"405 application/json {"message":"Method Not Allowed","error":{},"data":null}"#,
            r#"429 application/json {"message":"Too many requests","error":{},"data":null}"#,
            r#"503 application/json {"message":"Service Unavailable","error":{},"data":null}"#,
            r#"500 application/json {"message":"Internal Server Error","error":{},"data":null}"#,
            r#"401 application/json {"message":"Invalid or expired token","error":{},"data":null}"#,
            r#"401 application/json {"message":"Invalid or expired session","error":{},"data":null}"#,
        ],
    },
    ExpectedErrors {
        mount: "fiuu",
        prefix: "/fiuu",
        login: "/fiuu/auth/login",
        body: |password| json!({ "posId": "P01", "password": password }),
        own: "/fiuu/api/terminals",
        tokens: ("/access/token", Some("/refresh/token")),
        refresh: |token| with_bearer(build_request(Method::POST, "/fiuu/auth/refresh"), token),
        said: [
            r#"400 application/json {"code":40031,"error":"invalid_request","message":"Invalid or missing parameters."}"#,
            r#"415 application/json {"code":41500,"error":"unsupported_media_type","message":"Unsupported Media Type"}"#,
            r#"413 application/json {"code":41300,"error":"payload_too_large","message":"Payload Too Large"}"#,
            r#"404 application/json {"code":40400,"error":"not_found","message":"Not Found"}"#,
            r#"405 application/json {"code":40500,"error":"method_not_allowed","message":"Method Not Allowed"}"#,
            r#"429 application/json {"code":42930,"error":"rate_limit_exceeded","message":"Login failed, this account is temporarily locked due to multiple failed login attempts."}"#,
            r#"503 application/json {"code":50300,"error":"service_unavailable","message":"Service Unavailable"}"#,
            r#"500 application/json {"code":500,"error":"internal_server_error","message":"Internal server error."}"#,
            r#"401 application/json {"code":40120,"error":"unauthorized","message":"Invalid or missing access token."}"#,
            r#"401 application/json {"code":40121,"error":"unauthorized","message":"Invalid or missing refresh token."}"#,
        ],
    },
    ExpectedErrors {
        mount: "posstar",
        prefix: "/posstar",
        login: "/posstar/api/v1/auth/login",
        body: |password| json!({ "email": "admin@example.com", "password": password }),
        own: "/posstar/api/v1/auth/me",
        tokens: ("/access_token", None),
        refresh: |token| post_request("/posstar/api/v1/auth/refresh", json!({ "token": token })),
        said: [
            r#"400 application/json {"statusCode":400,"message":"the body ends too early (line 1, column 5)","error":"Bad Request"}"#,
            r#"415 application/json {"statusCode":415,"message":"Unsupported Media Type","error":"Unsupported Media Type"}"#,
            r#"413 application/json {"statusCode":413,"message":"Payload Too Large","error":"Payload Too Large"}"#,
            r#"404 application/json {"statusCode":404,"message":"Not Found","error":"Not Found"}"#,
            r#"405 application/json {"statusCode":405,"message":"Method Not Allowed","error":"Method Not Allowed"}"#,
            r#"429 application/json {"statusCode":429,"message":"Too Many Requests","error":"Too Many Requests"}"#,
            r#"503 application/json {"statusCode":503,"message":"Service Unavailable","error":"Service Unavailable"}"#,
            r#"500 application/json {"statusCode":500,"message":"Internal Server Error","error":"Internal Server Error"}"#,
            r#"401 application/json {"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#,
            r#"401 application/json {"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#,
        ],
    },
    ExpectedErrors {
        mount: "krmpesan",
        prefix: "/krmpesan",
        login: "/krmpesan/app/login",
        body: |password| json!({ "login": "cashier", "password": password }),
        own: "/krmpesan/devices",
        tokens: ("/data/token", None),
        refresh: |token| {
            build_request(
                Method::GET,
                &format!("/krmpesan/token?refresh_token={token}&device_id=01890a5d-ac96-774b-bcce-b302099a8057"),
            )
        },
        said: [
            r#"400 application/json {"code":400,"message":"Bad Request","data":null}"#,
            r#"415 application/json {"code":415,"message":"Unsupported Media Type","data":null}"#,
            r#"413 application/json {"code":413,"message":"Payload Too Large","data":null}"#,
            r#"404 application/json {"code":404,"message":"Not Found","data":null}"#,
            r#"405 application/json {"code":405,"message":"Method Not Allowed","data":null}"#,
            r#"429 application/json {"code":429,"message":"Too Many Requests","data":null}"#,
            r#"503 application/json {"code":503,"message":"Service Unavailable","data":null}"#,
            r#"500 application/json {"code":500,"message":"Internal Server Error","data":null}"#,
            r#"401 application/json {"code":401,"message":"Unauthorized","data":null}"#,
            r#"401 application/json {"code":401,"message":"Unauthorized","data":null}"#,
        ],
    },
];

/// The response in the format of the table.
fn describe_response(response: &TestResponse) -> String {
    let mut body = String::from_utf8_lossy(&response.bytes).into_owned();
    let trace = response.header("x-request-id");
    assert!(!trace.is_empty());
    body = body.replace(trace, "…");
    format!("{} {} {body}", response.status.as_u16(), response.header("content-type"))
}

/// Asserts the headers that every error of a status must have.
fn assert_required_headers(response: &TestResponse, what: &str) {
    let status = response.status.as_u16();
    assert_eq!(response.header("retry-after").is_empty(), ![423, 429, 503].contains(&status), "{what}");
    assert_eq!(response.challenges().is_empty(), status != 401, "{what}");
    assert_eq!(response.header("allow").is_empty(), status != 405, "{what}");
    assert_eq!(response.header("cache-control"), "no-store", "{what}");
}

async fn provoke_denial(words: &ExpectedErrors, refusal: &str) -> TestResponse {
    let shop = TestServer::start();
    let good = || post_request(words.login, (words.body)(TEST_PASSWORD));
    let raw = |kind: &'static str, body: Vec<u8>| {
        build_request(Method::POST, words.login).insert_header(("Content-Type", kind)).set_payload(body)
    };
    match refusal {
        "malformed JSON" => shop.send(raw("application/json", b"{\"a\":".to_vec())).await,
        "wrong content type" => shop.send(raw("text/plain", b"{}".to_vec())).await,
        "too large" => shop.send(raw("application/json", vec![b' '; 64 * 1024 + 1])).await,
        "unknown route" => shop.send(build_request(Method::GET, &format!("{}/nothing", words.prefix))).await,
        "wrong method" => shop.send(build_request(Method::PATCH, words.login)).await,
        "throttled" => {
            let wrong = |number: u8| post_request(words.login, (words.body)(&format!("wrong {number}")));
            let first = shop.send(wrong(0)).await.status;
            for number in 1..20 {
                let response = shop.send(wrong(number)).await;
                if response.status != first {
                    return response;
                }
            }
            panic!("no login is limited at {}", words.mount);
        }
        "database down" => {
            shop.store.set_state(StoreState::Unavailable);
            shop.send(good()).await
        }
        "panic" => {
            shop.store.set_state(StoreState::Panicking);
            shop.send(good()).await
        }
        other => panic!("{other} is tried elsewhere"),
    }
}

#[actix_web::test]
async fn every_mount_renders_each_denial() {
    let mounts: BTreeSet<&str> = TestServer::start().http.routes().iter().map(|route| route.mount).collect();
    // nobody logs in through OAuth; its errors are tested in oauth.rs
    let known: BTreeSet<&str> = EXPECTED_ERRORS.iter().map(|words| words.mount).chain(["oauth", "server"]).collect();
    assert_eq!(mounts, known, "a mount without rows, or rows without a mount");
    let mut wrong = Vec::new();
    for words in EXPECTED_ERRORS {
        for (refusal, said) in DENIALS.iter().zip(words.said).take(8) {
            let response = provoke_denial(words, refusal).await;
            assert_required_headers(&response, &format!("{} {refusal}", words.mount));
            let reported = describe_response(&response);
            if reported != said {
                wrong.push(format!("{}, {refusal}:\n  {reported}\n  {said}", words.mount));
            }
        }
    }
    assert!(wrong.is_empty(), "actual and expected:\n{}", wrong.join("\n"));
}

#[actix_web::test]
async fn token_of_one_mount_is_rejected_by_all_others() {
    let shop = TestServer::start();
    let mut tokens = Vec::new();
    for words in EXPECTED_ERRORS {
        let login = shop.post(words.login, (words.body)(TEST_PASSWORD)).await;
        assert!(login.status.is_success(), "{}: {}", words.mount, login.json());
        let access = login.text_at(words.tokens.0);
        tokens.push((words.mount, access, words.tokens.1.map(|at| login.text_at(at))));
    }
    // tokens of a program of krmpesan, in addition to those of its page
    let paired = shop.generate_krmpesan_tokens("cashier", "OFFICE");
    let refresh = paired.refresh_token.as_ref().map(|token| token.expose().clone());
    tokens.push(("krmpesan", paired.access_token.expose().clone(), refresh.clone()));
    tokens.push(("krmpesan", paired.id_token.as_ref().unwrap().expose().clone(), refresh));
    let mut wrong = Vec::new();
    for words in EXPECTED_ERRORS {
        for (mount, access, refresh) in tokens.iter().filter(|(mount, ..)| *mount != words.mount) {
            let mut tried = vec![(8, shop.get(words.own, access).await)];
            if let Some(refresh) = refresh {
                tried.push((9, shop.send((words.refresh)(refresh)).await));
            }
            // an access token is not a refresh token in other mounts either
            tried.push((9, shop.send((words.refresh)(access)).await));
            for (at, response) in tried {
                assert_required_headers(&response, &format!("a token of {mount} on {}", words.mount));
                let reported = describe_response(&response);
                if !words.said[at].lines().any(|said| said == reported) {
                    wrong.push(format!(
                        "{}, {} of {mount}:\n  {reported}\n  {}",
                        words.mount, DENIALS[at], words.said[at]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "actual and expected:\n{}", wrong.join("\n"));
    for words in EXPECTED_ERRORS {
        let own = tokens.iter().rev().find(|(mount, ..)| *mount == words.mount).unwrap();
        assert_eq!(shop.get(words.own, &own.1).await.status, 200, "the token of {} is still valid", words.mount);
    }
}
