//! The native API's roles and rights.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::office::{OfficeClient, device};

#[actix_web::test]
async fn role_is_added_changed_and_deleted_if_unused() {
    let desk = OfficeClient::open().await;
    let sent = json!({
        "name": "waiter",
        "description": "Serves",
        "rights": ["ticketUpdate", "ticketCreate"],
        "environments": ["PDA"],
    });
    let added = desk.post("/roles", sent).await;
    assert_eq!(added.status, 201, "{}", added.json());
    let id = added.text_at("/id");
    let expected = json!({
        "id": id,
        "name": "waiter",
        "label": "waiter",
        "description": "Serves",
        "rights": ["ticketCreate", "ticketUpdate"],
        "environments": ["PDA"],
        "built_in": false,
        "holder_count": 0,
    });
    assert_eq!((added.json(), added.header("etag")), (expected.clone(), "\"1\""));
    assert_eq!(added.header("location"), format!("/api/v1/roles/{id}"));
    let path = format!("/roles/{id}");
    assert_eq!(desk.get(&path).await.json(), expected);

    let user = desk.shop.log_in_native("cashier").await;
    let person = format!("/users/{}", user.text_at("/session/user/id"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["waiter"] })).await.status, 200);
    let token = user.text_at("/access_token");
    let rights = || async { desk.shop.get("/api/v1/sessions/current", &token).await.json()["rights"].clone() };
    assert_eq!(rights().await, json!(["ticketCreate", "ticketUpdate"]));
    let changed = desk.patch(&path, "\"1\"", json!({ "rights": ["storno"], "label": null })).await;
    assert_eq!(
        (changed.status.as_u16(), changed.header("etag"), changed.text_at("/label").as_str()),
        (200, "\"2\"", "")
    );
    assert_eq!(rights().await, json!(["storno"]), "from the next request");

    let held = desk.send(Method::DELETE, &path, Some("\"2\""), None).await;
    assert_eq!((held.status.as_u16(), held.text_at("/code").as_str()), (409, "role_held"));
    assert!(held.text_at("/detail").contains("user cashier"), "{}", held.text_at("/detail"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["cashier"] })).await.status, 200);
    assert_eq!(desk.send(Method::DELETE, &path, Some("\"1\""), None).await.status, 412);
    assert_eq!(desk.send(Method::DELETE, &path, Some("\"2\""), None).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);

    let names = desk.collect_pages("/roles?built_in=true", "/name").await;
    assert_eq!(names, ["cashier", "manager", "admin"]);
    assert_eq!(desk.collect_pages("/roles?search=MANA", "/name").await, ["manager"]);
    let ids = desk.collect_pages("/roles?built_in=true", "/id").await;
    for id in ids {
        let path = format!("/roles/{id}");
        let changed = desk.patch(&path, "*", json!({ "label": "x" })).await;
        let deleted = desk.send(Method::DELETE, &path, Some("*"), None).await;
        for response in [changed, deleted] {
            assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (409, "role_built_in"));
        }
    }
}

#[actix_web::test]
async fn role_or_device_grants_no_more_than_its_author_holds() {
    let desk = OfficeClient::open().await;
    desk.create_role("deputy", &["roleCreate", "roleUpdate", "deviceUpdate", "userUpdate"]);
    let person = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    assert_eq!(desk.patch(&person, "*", json!({ "roles": ["deputy", "cashier"] })).await.status, 200);
    let clerk = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let send = |method: &str, path: String, body: Value| {
        let request = crate::test_server::build_request(method.parse().unwrap(), &format!("/api/v1{path}"))
            .insert_header(("Authorization", format!("Bearer {clerk}")))
            .insert_header(("If-Match", "*"))
            .set_json(body);
        desk.shop.send(request)
    };
    let own = desk.get("/roles?search=deputy").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let strong = json!({ "name": "strong", "rights": ["admin"], "environments": ["PDA"] });
    let till = device(&desk.shop, "P01").id;
    for (method, path, body) in [
        ("POST", "/roles".to_owned(), strong),
        ("PATCH", format!("/roles/{own}"), json!({ "rights": ["roleUpdate", "admin"] })),
        ("PATCH", format!("/devices/{till}"), json!({ "roles": ["admin"] })),
        ("PATCH", person.clone(), json!({ "roles": ["admin"] })),
    ] {
        let response = send(method, path.clone(), body).await;
        let reported = (response.status.as_u16(), response.text_at("/right"));
        assert_eq!(reported, (403, "admin".to_owned()), "{method} {path}");
    }
}

#[actix_web::test]
async fn rights_are_listed() {
    let desk = OfficeClient::open().await;
    desk.create_role("odd", &["teleportUpdate"]);
    let items = desk.get("/rights").await.json()["items"].as_array().unwrap().clone();
    let names: Vec<&str> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"ticketClose") && names.contains(&"teleportUpdate"));
    assert!(items.iter().all(|item| item["held"] == true), "an admin has all rights");
    let cashier =
        OfficeClient::log_in_as("cashier").await.get("/rights").await.json()["items"].as_array().unwrap().clone();
    let held: Vec<&str> =
        cashier.iter().filter(|item| item["held"] == true).map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(held, ["fiscalOpenDrawer", "ticketClose", "ticketCreate", "ticketSetCustomer", "ticketUpdate"]);
}
