//! POS Kasir's lists of users, and its reads of one.

use actix_web::http::Method;
use serde_json::json;

use crate::kasir::assert_error;
use crate::kasir_users::{AdminClient, UNREADABLE, USERS, assert_error_sentence};

#[actix_web::test]
async fn user_list_is_paged() {
    let admin = AdminClient::open().await;
    let first = admin.get(&format!("{USERS}?page=1&limit=4")).await.json();
    assert_eq!(
        first["data"]["pagination"],
        json!({ "current_page": 1, "total_page": 3, "total_data": 10, "per_page": 4 })
    );
    assert_eq!(first["data"]["users"].as_array().unwrap().len(), 4);
    let all: Vec<String> = admin.names("limit=100").await.0;
    let mut paged = Vec::new();
    for page in 1..=3 {
        paged.extend(admin.names(&format!("page={page}&limit=4")).await.0);
    }
    assert_eq!((paged.len(), &paged), (10, &all), "no duplicates, no omissions");
    assert_eq!(admin.names("page=4&limit=4").await, (vec![], 10));
    assert_eq!(admin.names("page=4294967295&limit=100").await, (vec![], 10));
    assert_eq!(admin.get(USERS).await.json()["data"]["pagination"]["per_page"], json!(10));
    for (query, sentence) in [
        ("page=0", "page must be a number from 1"),
        ("page=x", "page must be a number from 1"),
        ("limit=0", "limit must be a number from 1 to 100"),
        ("limit=101", "limit must be a number from 1 to 100"),
        ("status=gone", "status must be active, deleted or all"),
        ("role=boss", "role must be admin, manager or cashier"),
        ("is_active=maybe", "is_active must be true or false"),
        ("sortBy=email", "sortBy must be created_at or username"),
        ("sortOrder=up", "sortOrder must be asc or desc"),
    ] {
        assert_error_sentence(&admin.get(&format!("{USERS}?{query}")).await, 400, UNREADABLE, sentence);
    }
}

#[actix_web::test]
async fn user_list_is_filtered_and_ordered() {
    let admin = AdminClient::open().await;
    let names = async |query: &str| admin.names(&format!("limit=100&sortBy=username&sortOrder=asc&{query}")).await.0;
    assert_eq!(names("role=admin").await, ["admin"]);
    assert_eq!(names("role=manager").await, ["manager"]);
    assert_eq!(names("role=cashier").await, ["cashier", "idle", "john_doe", "virtual", "witness"]);
    assert_eq!(names("search=JOHN").await, ["john_doe"]);
    assert_eq!(names("search=john%40example.com").await, ["john_doe"]);
    assert_eq!(names("search=%25").await, [""; 0]);
    assert_eq!(names("search=%00").await, [""; 0]);
    assert_eq!(names("is_active=false").await, ["idle"]);
    assert_eq!(names("is_active=true&role=cashier").await, ["cashier", "john_doe", "virtual", "witness"]);
    assert_eq!(names("status=deleted").await, [""; 0]);
    assert_eq!(names("status=all&search=stranger").await, [""; 0], "another tenant's");
    let both = [names("").await, names("status=active").await];
    assert_eq!(both[0], both[1], "who is not deleted, where nothing is said");
    let mut backwards = admin.names("limit=100&sortBy=username").await.0;
    backwards.reverse();
    assert_eq!(backwards, both[0], "backwards, where nothing is said");
    let newest = admin.names("limit=100").await.0;
    let mut oldest = admin.names("limit=100&sortBy=created_at&sortOrder=asc").await.0;
    oldest.reverse();
    assert_eq!((newest.len(), newest), (10, oldest));
}

#[actix_web::test]
async fn every_rank_lists_users_and_managers_read_one() {
    let admin = AdminClient::open().await;
    let id = admin.id("john_doe").await;
    for (role, one) in [("cashier", 403), ("manager", 200)] {
        let token = admin.shop.log_in_kasir(role).await.text_at("/data/Token");
        let list = admin.shop.get(USERS, &token).await;
        assert_eq!(list.status, 200);
        let response = admin.shop.get(&format!("{USERS}/{id}"), &token).await;
        assert_eq!(response.status, one, "{role}");
        if one == 403 {
            assert_error(&response, 403, "Insufficient permissions", role);
        }
    }
    let one = admin.get(&format!("{USERS}/{id}")).await;
    assert_eq!(
        (one.status.as_u16(), one.text_at("/message").as_str(), one.text_at("/data/username").as_str()),
        (200, "User retrieved successfully", "john_doe")
    );
    let stranger = admin.shop.log_in_native("stranger@example.com").await.text_at("/session/user/id");
    for id in ["00000000-0000-7000-8000-000000000000", stranger.as_str()] {
        let path = format!("{USERS}/{id}");
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::PUT, path.clone(), Some(json!({ "role": "cashier" }))),
            (Method::DELETE, path.clone(), None),
            (Method::POST, format!("{path}/toggle-status"), None),
        ] {
            assert_error(&admin.send(method, &path, body).await, 404, "User not found", &path);
        }
    }
    assert_error_sentence(&admin.get(&format!("{USERS}/garbage")).await, 400, UNREADABLE, "id must be a UUID");
}
