//! Samples of POS Kasir, krmpesan, PosStar, Fiuu and the back office in the browser: a request for
//! each call that accepts text.

use serde_json::json;
use tillgate_tests::{PASSWORD, RunningServer, TillClient};

use super::{Sample, SampleBody};

/// All samples of these contracts.
pub(super) fn all_samples(server: &RunningServer) -> Vec<Sample> {
    let mut samples = kasir_samples(server);
    samples.extend(other_samples(server));
    samples.extend(office_samples());
    samples
}

/// The samples of POS Kasir.
fn kasir_samples(server: &RunningServer) -> Vec<Sample> {
    let body = json!({ "email": "admin", "password": PASSWORD });
    let token = server.new_till().post("/kasir/api/v1/auth/login", &body).expect_status(200).text_at("/data/Token");
    let nina =
        json!({ "username": "nina", "email": "nina@example.com", "password": "staple battery", "role": "cashier" });
    let made = TillClient::with_token(server, &token).post("/kasir/api/v1/users", &nina).expect_status(201).json();
    let id = made["data"]["id"].as_str().map_or_else(String::new, str::to_owned);
    let mut samples = vec![
        Sample::json("POST", "/kasir/api/v1/auth/login", json!({ "email": "nobody", "password": "x" }))
            .call_with_header("Cookie", "refresh_token=x"),
        Sample::json("POST", "/kasir/api/v1/auth/refresh", json!({ "refresh_token": "x" })),
        Sample::new("POST", "/kasir/api/v1/auth/refresh", SampleBody::None).call_with_header("Cookie", "refresh_token=x"),
        Sample::new("POST", "/kasir/api/v1/auth/logout", SampleBody::None).call_with_header("Cookie", "access_token=x; refresh_token=x"),
        Sample::new("GET", "/kasir/api/v1/auth/me", SampleBody::None).call_with_header("Cookie", "access_token=x"),
        Sample::json(
            "POST",
            "/kasir/api/v1/auth/add",
            json!({ "username": "below", "email": "below@example.com", "password": "staple battery", "role": "cashier" }),
        )
        .with_token(&token),
        Sample::json(
            "PUT",
            "/kasir/api/v1/auth/me/password",
            json!({ "old_password": "x", "new_password": "staple battery" }),
        )
        .with_token(&token),
        Sample::json(
            "POST",
            "/kasir/api/v1/users",
            json!({ "username": "new", "email": "kasir@example.com", "password": "staple battery", "role": "cashier" }),
        )
        .with_token(&token),
        Sample::json(
            "PUT",
            &format!("/kasir/api/v1/users/{id}"),
            json!({ "username": "nina", "email": "nina@example.com", "role": "cashier", "old_password": "x" }),
        )
        .with_token(&token),
        Sample::get("/kasir/api/v1/users/{}", &[]).with_token(&token),
    ];
    for (list, names) in [
        ("users", &["search", "status", "role", "sortBy", "sortOrder", "page"][..]),
        ("activity-logs", &["search", "user_id", "entity_type", "action_type", "start_date", "end_date"]),
    ] {
        samples
            .extend(names.iter().map(|name| Sample::get(&format!("/kasir/api/v1/{list}"), &[name]).with_token(&token)));
    }
    samples
}

/// The samples of krmpesan, PosStar and Fiuu.
fn other_samples(server: &RunningServer) -> Vec<Sample> {
    let body = json!({ "login": "admin", "password": PASSWORD });
    let page = server.new_till().post("/krmpesan/app/login", &body).expect_status(200).text_at("/data/token");
    let register = json!({ "posId": "PDA1", "password": PASSWORD });
    let register = server.new_till().post("/fiuu/auth/login", &register).expect_status(200).text_at("/access/token");
    vec![
        Sample::json("POST", "/krmpesan/app/login", json!({ "login": "nobody", "password": "x" })),
        Sample::json("POST", "/krmpesan/app/generate", json!({ "device": "P01", "password": "x" })).with_token(&page),
        Sample::get("/krmpesan/tokens", &["refresh_token", "device_id"]),
        Sample::json(
            "POST",
            "/posstar/api/v1/auth/register",
            json!({
                "name": "Rita Retail", "email": "rita@example.com", "password": "a song in the rain",
                "business_name": "Corner Shop", "industry": "grocery",
            }),
        ),
        Sample::json("POST", "/posstar/api/v1/auth/login", json!({ "email": "a@example.com", "password": "x" })),
        Sample::json("POST", "/posstar/api/v1/auth/forgot-password", json!({ "email": "rita@example.com" })),
        Sample::json(
            "POST",
            "/posstar/api/v1/auth/reset-password",
            json!({ "token": "x", "password": "a song in the rain" }),
        ),
        Sample::json("POST", "/posstar/api/v1/auth/refresh", json!({ "token": "x" })),
        Sample::json("POST", "/fiuu/auth/login", json!({ "posId": "P01", "password": "x" })),
        Sample::new("POST", "/fiuu/auth/refresh", SampleBody::None).with_token("x"),
        Sample::form("/fiuu/auth/login", &[("posId", "P01"), ("password", "x")]),
        Sample::new("GET", "/fiuu/api/terminals", SampleBody::None).with_token("x"),
        Sample::get("/fiuu/api/terminals", &["posId"]).with_token(&register),
    ]
}

/// The samples of the back office in the browser.
fn office_samples() -> Vec<Sample> {
    let from_own_page = |sample: Sample| sample.call_with_header("Sec-Fetch-Site", "same-origin");
    let with_cookies =
        |sample: Sample| from_own_page(sample).call_with_header("Cookie", "tillgate-office=x; tillgate-renew=x");
    let (session, verify) = ("/office/session", "/office/verify-email");
    // these pages exist on encrypted connections only
    let by_proxy = |sample: Sample| sample.call_with_header("X-Forwarded-Proto", "https").spread_addresses();
    vec![
        from_own_page(Sample::json(
            "POST",
            session,
            json!({ "login": "nobody", "password": "x", "new_password": "sea salt and honey", "tenant": "default" }),
        )),
        with_cookies(Sample::json("POST", session, json!({}))),
        with_cookies(Sample::new("DELETE", session, SampleBody::None)),
        with_cookies(Sample::new("GET", "/office/api/v1/sessions/current", SampleBody::None)),
        Sample::get("/office/sign-in", &["next", "login"]).call_with_header("Accept-Language", "sk"),
        from_own_page(Sample::form(
            "/office/sign-in",
            &[("login", "nobody"), ("password", "x"), ("new_password", "sea salt and honey"), ("next", "/office/")],
        )),
        with_cookies(Sample::form("/office/sign-out", &[])),
        Sample::get("/office/set-up", &[]).call_with_header("Accept-Language", "id"),
        from_own_page(Sample::form(
            "/office/set-up",
            &[("token", "x"), ("shop", "Shop"), ("zone", "UTC"), ("user_name", "ada"), ("password", "x")],
        )),
        by_proxy(from_own_page(Sample::form(
            "/office/invitation",
            &[("token", "x"), ("new_password", "sea salt and honey")],
        ))),
        by_proxy(Sample::get(verify, &["token"])),
        by_proxy(from_own_page(Sample::form(verify, &[("token", "x")]))),
        Sample::get("/office/{}", &[]),
    ]
}
