//! PORTOS' sessions, devices, roles, users and API keys in the published formats.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::portos_client::{PortosKey, UnsignedRequest};
use crate::portos_signed::{create_key, get, sign_request};
use crate::test_server::{NOON, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request};

/// A request of the rights matrix other than authentication.
pub async fn request(
    shop: &TestServer,
    method: &str,
    path: &str,
    own: bool,
    (someone, known): (&str, bool),
) -> TestRequest {
    let token = shop.log_in_portos(someone, "OFFICE").await.text_at("/tokenId");
    let named = match path.rsplit('/').nth(1) {
        Some("sessions") if own => shop.get("/portos/api/sessions", &token).await.text_at("/items/0/id"),
        Some("sessions") => shop.log_in_native("witness").await.text_at("/session/id"),
        Some("apikeys") => create_key(shop, "witness", "P01", &[]).0.id.to_string(),
        Some("users") => shop.log_in_portos("witness", "OFFICE").await.text_at("/user/id"),
        Some("roles") => "cashier".to_owned(),
        _ => "P01".to_owned(),
    };
    let path = path.replace("{id}", &named).replace("{name}", &named);
    let request = match method {
        "POST" => post_request(&path, json!({ "Name": "x", "UserName": someone, "DeviceName": "OFFICE" })),
        "PUT" => put_request(&path, json!({ "Name": "x" })),
        method => build_request(method.parse().unwrap(), &path),
    };
    if known { request.insert_header(("Authorization", format!("Bearer {token}"))) } else { request }
}

fn names(response: &TestResponse, member: &str) -> Vec<String> {
    let items = response.json()["items"].as_array().unwrap_or_else(|| panic!("{}", response.json())).clone();
    items.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn sessions_are_listed_read_and_ended() {
    let shop = TestServer::start();
    let till = shop.log_in_portos("999", "P01").await;
    let manager = shop.log_in_portos("manager", "OFFICE").await.text_at("/tokenId");
    shop.log_in_native("cashier").await;
    let all = shop.get("/portos/api/v1/sessions", &manager).await;
    assert_eq!((all.status.as_u16(), all.header("content-type")), (200, "application/json"));
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 3);
    let mine = shop.get("/portos/api/sessions?USERNAME=999&deviceName=p01", &manager).await;
    let id = mine.text_at("/items/0/id");
    let expected = json!({ "id": id, "userName": "999", "name": "Majiteľ", "deviceName": "P01", "envName": "CashRegister",
        "createdAt": "2026-11-21T12:00:00.000Z", "lastUsedAt": null, "expiresAt": "2026-11-22T00:00:00.000Z" });
    assert_eq!(mine.json(), json!({ "items": [expected], "count": 1, "totalCount": 1 }));
    let by_id = shop.get(&format!("/portos/api/sessions?sessionId={id}"), &manager).await;
    assert_eq!(by_id.json(), mine.json());
    let path = format!("/portos/api/sessions/{id}");
    assert_eq!(shop.get(&path, &manager).await.json(), expected);
    let ended = shop.delete(&path, &manager).await;
    assert_eq!((ended.status.as_u16(), ended.json()), (200, expected));
    assert_eq!(shop.get("/portos/api/auth", &till.text_at("/tokenId")).await.status, 401, "at once");
    for method in [Method::GET, Method::DELETE] {
        let gone = shop.with_token(method, &path, &manager).await;
        assert_eq!(
            (gone.status.as_u16(), gone.json_masked(&["/traceId"])),
            (
                404,
                json!({ "title": "Not Found", "status": 404, "detail": "Taká relácia neexistuje.",
                          "instance": path.trim_start_matches("/portos"), "traceId": "…" })
            )
        );
    }
    assert_eq!(
        shop.get("/portos/api/sessions?$count=true", &manager).await.json(),
        json!({ "count": 2, "totalCount": 2 })
    );
}

#[actix_web::test]
async fn sessions_of_others_require_the_right() {
    let shop = TestServer::start();
    let other = shop.log_in_portos("manager", "OFFICE").await;
    let token = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    let manager = shop.get("/portos/api/sessions", &other.text_at("/tokenId")).await;
    let at = names(&manager, "userName").iter().position(|name| name == "manager").unwrap();
    let path = format!("/portos/api/sessions/{}", manager.text_at(&format!("/items/{at}/id")));
    for (method, right) in [(Method::GET, "sessionRead"), (Method::DELETE, "sessionDelete")] {
        let refused = shop
            .send(
                build_request(method, &path)
                    .insert_header(("Authorization", format!("Bearer {token}")))
                    .insert_header(("Accept-Language", "en")),
            )
            .await;
        assert_eq!(refused.header("content-language"), "en-GB");
        assert_eq!(
            (refused.status.as_u16(), refused.json_masked(&["/traceId", "/instance"])),
            (
                403,
                json!({ "title": "Forbidden", "status": 403, "detail": format!("The right {right} is missing."),
                          "instance": "…", "errorCode": "Unauthorized", "traceId": "…" })
            )
        );
    }
    let own = shop.get("/portos/api/sessions", &token).await;
    assert_eq!(names(&own, "userName"), ["cashier"]);
    let own = format!("/portos/api/sessions/{}", own.text_at("/items/0/id"));
    assert_eq!(shop.delete(&own, &token).await.status, 200);
    assert_eq!(shop.get("/portos/api/auth", &token).await.status, 401, "its own token is invalid at once");
    // a signed request has no session, and may end those of its user
    let again = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let own = shop.send(sign_request(&key, &get("/portos/api/sessions"))).await;
    assert_eq!(names(&own, "userName"), ["cashier"]);
    let target = format!("/portos/api/sessions/{}", own.text_at("/items/0/id"));
    let end = UnsignedRequest { method: "DELETE", ..get(&target) };
    assert_eq!(shop.send(sign_request(&key, &end)).await.status, 200);
    assert_eq!(shop.get("/portos/api/auth", &again).await.status, 401);
}

#[actix_web::test]
async fn devices_roles_and_users_have_their_published_shapes() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    let read = async |path: &str| {
        let response = shop.get(&format!("/portos/api/{path}"), &token).await;
        assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"), "{path}");
        response
    };
    let device = json!({ "name": "P01", "isActive": true, "envName": "CashRegister", "description": "P01",
        "roles": ["cashier"], "preferences": {}, "_v": 1,
        "settings": { "MaxQuantity": "200", "OpenedPrices": "false", "NoticeOnNegativeSale": "false",
            "VisibleQuantities": "false", "DefaultFiscalName": "eKasa", "DefaultOrderEndpointName": "",
            "DefaultStockName": "S01" } });
    for path in ["devices/P01", "v1/devices/p01", "devices/%50%301"] {
        assert_eq!(read(path).await.json(), device, "{path}");
    }
    assert_eq!(read("devices?name=P01").await.json(), json!({ "items": [device], "count": 1, "totalCount": 1 }));
    assert_eq!(names(&read("devices?$sort=-name&isActive=true").await, "name"), ["UNLISTED", "PDA1", "P01", "OFFICE"]);
    assert_eq!(names(&read("devices?envname=ne:cashregister&$skip=1&$take=2").await, "name"), ["OFFICE", "LOCKED"]);

    let role = read("roles/cashier").await.json();
    assert_eq!(
        role,
        json!({ "name": "cashier", "label": "Cashier", "description": "",
        "rights": ["fiscalOpenDrawer", "ticketClose", "ticketCreate", "ticketSetCustomer", "ticketUpdate"],
        "envNames": ["CashRegister", "PDA", "BackOffice", "Tool"], "_v": 1 })
    );
    assert_eq!(names(&read("roles?rights=admin").await, "name"), ["admin"]);
    assert_eq!(names(&read("roles?$sort=name").await, "name"), ["admin", "cashier", "clerk", "manager"]);

    let owner = read("users?userName=999").await;
    let user = json!({ "id": owner.text_at("/items/0/id"), "isActive": true, "isVirtual": false, "userName": "999",
        "featureName": null, "name": "Majiteľ",
        "devices": [{ "isActive": true, "envName": "CashRegister", "name": "P01", "roles": ["admin"],
                      "description": "P01", "preferences": {} }] });
    assert_eq!(owner.json(), json!({ "items": [user], "count": 1, "totalCount": 1 }));
    assert_eq!(read(&format!("users/{}", owner.text_at("/items/0/id"))).await.json(), user);
    let everybody = read("users").await;
    assert!(!names(&everybody, "userName").contains(&"stranger".to_owned()), "another tenant's");
    assert_eq!(names(&read("users?isVirtual=true").await, "featureName"), ["loyalty"]);
    let secret = String::from_utf8(everybody.bytes.clone()).unwrap();
    assert!(!secret.contains("$plain$") && !secret.contains("@example.com"));
    for path in ["devices/P99", "roles/boss", "users/999", "users/00000000-0000-7000-8000-000000000000", "devices/%FF"]
    {
        let absent = shop.get(&format!("/portos/api/{path}"), &token).await;
        assert_eq!((absent.status.as_u16(), absent.json().get("errorCode")), (404, None), "{path}");
    }
    let wrong = shop.get("/portos/api/users?$take=many&$skip=-1", &token).await;
    assert_eq!((wrong.status.as_u16(), wrong.text_at("/errorCode").as_str()), (400, "ValidationFailed"));
    let members: Vec<_> =
        wrong.json()["errors"].as_array().unwrap().iter().map(|fault| fault["memberName"].clone()).collect();
    assert_eq!(members, ["$take", "$skip"]);
}

#[actix_web::test]
async fn api_key_is_created_read_updated_and_deleted() {
    let shop = TestServer::start();
    let admin = shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    let bearer = |request: TestRequest| request.insert_header(("Authorization", format!("Bearer {admin}")));
    let body = json!({ "NAME": "Till sync", "description": "at night", "userName": "CASHIER", "DeviceName": "p01",
        "Permissions": ["ticketClose", "storno"] });
    let made = shop.send(bearer(post_request("/portos/api/apikeys", body))).await;
    let (id, client, secret) = (made.text_at("/id"), made.text_at("/clientId"), made.text_at("/clientSecret"));
    assert_eq!(made.status, 201);
    assert_eq!(made.header("location"), format!("/portos/api/apikeys/{id}"));
    assert_eq!((client.len(), secret.len()), (32, 64));
    let expected = |secret: Option<&str>, version: u32| {
        json!({ "id": id, "clientId": client, "clientSecret": secret, "isActive": true,
            "createdAt": "2026-11-21T12:00:00.000Z", "name": "Till sync", "description": "at night",
            "userName": "cashier", "deviceName": "P01", "permissions": ["storno", "ticketClose"], "_v": version })
    };
    assert_eq!(made.json(), expected(Some(&secret), 1));
    let path = format!("/portos/api/v1/apikeys/{id}");
    assert_eq!(shop.get(&path, &admin).await.json(), expected(None, 1));
    assert_eq!(
        shop.get("/portos/api/apikeys", &admin).await.json(),
        json!({ "items": [expected(None, 1)], "count": 1, "totalCount": 1 })
    );
    assert!(!crate::captured_log::captured_log().contains(&secret), "no log has it");
    let key = PortosKey { client: client.clone(), secret };
    let call = async |query: &str| {
        let target = format!("/portos/api/auth?{query}");
        shop.send(sign_request(&key, &get(&target))).await
    };
    assert_eq!(call("1").await.json()["rights"], json!(["ticketClose"]));

    let change = |body: Value| bearer(put_request(&path, body));
    let revoked = shop.send(change(json!({ "isActive": false, "_v": 1 }))).await;
    assert_eq!(
        (revoked.status.as_u16(), &revoked.json()["isActive"], &revoked.json()["_v"]),
        (200, &json!(false), &json!(2))
    );
    assert_eq!(call("2").await.status, 401, "at once");
    let late = shop.send(change(json!({ "isActive": true, "_v": 1 }))).await;
    assert_eq!(
        (late.status.as_u16(), late.json_masked(&["/traceId"])),
        (
            412,
            json!({ "title": "Precondition Failed", "status": 412,
            "detail": "Záznam medzitým niekto zmenil. Načítajte ho znova.", "instance": format!("/api/v1/apikeys/{id}"),
            "errorCode": "ResourceVersionMismatch", "traceId": "…",
            "resource": { "name": "ApiKey", "id": id, "version": 2 } })
        )
    );
    assert_eq!(call("3").await.status, 401, "nothing was changed");
    let wide = json!({ "ISACTIVE": true, "permissions": [], "name": "Sync", "description": "", "DEVICENAME": "OFFICE", "_v": 2 });
    let wide = shop.send(change(wide)).await.json();
    assert_eq!((wide.get("description"), &wide["deviceName"], &wide["name"]), (None, &json!("OFFICE"), &json!("Sync")));
    let response = call("4").await;
    assert_eq!(
        (&response.json()["device"]["name"], response.json()["rights"].as_array().unwrap().len()),
        (&json!("OFFICE"), 5)
    );

    assert_eq!(shop.delete(&path, &admin).await.json()["_v"], 3);
    assert_eq!(call("5").await.status, 401);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(shop.with_token(method, &path, &admin).await.status, 404);
    }
    assert_eq!(shop.send(change(json!({ "name": "x" }))).await.status, 404);
}

#[actix_web::test]
async fn invalid_api_key_is_reported_member_by_member() {
    let shop = TestServer::start();
    let admin = shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    let errors = async |body: Value, english: bool| {
        let request =
            post_request("/portos/api/apikeys", body).insert_header(("Authorization", format!("Bearer {admin}")));
        let request = if english { request.insert_header(("Accept-Language", "de, en-US;q=0.1")) } else { request };
        let response = shop.send(request).await;
        assert_eq!((response.status.as_u16(), response.text_at("/errorCode").as_str()), (400, "ValidationFailed"));
        response.json()["errors"].clone()
    };
    let fault = |member: &str, message: &str, code: Option<u8>| match code {
        Some(code) => json!({ "memberName": member, "message": message, "code": code }),
        None => json!({ "memberName": member, "message": message }),
    };
    let required = |member| fault(member, "Pole je povinné.", Some(1));
    assert_eq!(errors(json!({}), false).await, json!([required("DeviceName"), required("Name"), required("UserName")]));
    let invalid = |member| fault(member, "The value is not valid.", None);
    let wrong =
        json!({ "name": 1, "userName": "a@b", "deviceName": "P01", "permissions": ["Storno"], "isActive": "yes" });
    assert_eq!(
        errors(wrong, true).await,
        json!([invalid("IsActive"), invalid("Name"), invalid("Permissions"), invalid("UserName")])
    );
    let texts =
        json!({ "name": "a\u{200b}b", "description": "x".repeat(2_001), "userName": "a@b", "deviceName": "P01" });
    assert_eq!(errors(texts, true).await, json!([invalid("Description"), invalid("Name"), invalid("UserName")]));
    let nobody = json!({ "name": "x", "userName": "nobody", "deviceName": "P01" });
    assert_eq!(errors(nobody, true).await, json!([invalid("UserName")]));
    let elsewhere = json!({ "name": "x", "userName": "cashier", "deviceName": "UNLISTED" });
    assert_eq!(errors(elsewhere, true).await, json!([invalid("DeviceName")]));
}

/// A key cannot be given more rights than its creator has, who may use a session or a key.
#[actix_web::test]
async fn api_key_grants_no_more_than_its_creator_holds() {
    let shop = TestServer::start();
    let (_, narrowed) = create_key(&shop, "admin", "OFFICE", &["apiKeyCreate", "ticketClose"]);
    let made = async |body: Value, at: i64| {
        let bytes = body.to_string().into_bytes();
        let headers = [("Content-Type", "application/json")];
        let request = UnsignedRequest {
            method: "POST",
            headers: &headers,
            body: &bytes,
            sent_at: NOON.millis() + at,
            ..get("/portos/api/apikeys")
        };
        shop.send(sign_request(&narrowed, &request)).await
    };
    let of = |user: &str, permissions: &[&str]| json!({ "name": "x", "userName": user, "deviceName": "OFFICE", "permissions": permissions });
    assert_eq!(made(of("cashier", &["ticketClose"]), 0).await.status, 201);
    assert_eq!(made(of("admin", &[]), 1).await.status, 403);
    assert_eq!(made(of("cashier", &[]), 2).await.status, 403, "a cashier may more than close tickets");
    let manager = shop.log_in_portos("manager", "OFFICE").await.text_at("/tokenId");
    assert_eq!(shop.get("/portos/api/apikeys", &manager).await.status, 403, "reading requires one of three rights");
    let login = json!({ "UserName": "admin", "Password": TEST_PASSWORD, "DeviceName": "OFFICE" });
    assert_eq!(shop.post("/portos/api/auth", login).await.status, 200);
}

#[actix_web::test]
async fn every_error_is_rendered_in_both_languages() {
    let shop = TestServer::start();
    let token = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    let ask = |method: Method, path: &str, language: &'static str| {
        build_request(method, path)
            .insert_header(("Authorization", format!("Bearer {token}")))
            .insert_header(("Accept-Language", language))
    };
    for (language, tag, absent, method, body, right) in [
        (
            "sk",
            "sk-SK",
            "Na tejto adrese nič nie je.",
            "Táto adresa takúto metódu nepozná.",
            "Telo požiadavky sa nedá prečítať.",
            "Chýba právo apiKeyCreate.",
        ),
        (
            "en-GB",
            "en-GB",
            "There is no resource at this path.",
            "This path does not accept this method.",
            "The body ends too early (line 1, column 1)",
            "The right apiKeyCreate is missing.",
        ),
    ] {
        let expect_response = |response: TestResponse, status: u16, detail: &str| {
            assert_eq!((response.status.as_u16(), response.header("content-language")), (status, tag));
            assert_eq!(response.text_at("/detail").to_lowercase(), detail.to_lowercase());
        };
        expect_response(shop.send(ask(Method::GET, "/portos/api/nothing", language)).await, 404, absent);
        expect_response(shop.send(ask(Method::PATCH, "/portos/api/users", language)).await, 405, method);
        let json = ("Content-Type", "application/json");
        let cut = ask(Method::POST, "/portos/api/auth", language).insert_header(json).set_payload("{");
        expect_response(shop.send(cut).await, 400, body);
        expect_response(shop.send(ask(Method::GET, "/portos/api/apikeys", language)).await, 403, right);
    }
}
