//! A valid request for each route of every contract, so that only a missing right can deny it.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::office;
use crate::test_server::{TEST_PASSWORD, TestServer, build_request, post_request, put_request};

/// Builds a request for this route by a user of the role, or by nobody, about the caller's own or
/// another user's resource.
pub async fn request(shop: &TestServer, method: &str, path: &str, whose: &str, role: Option<&str>) -> TestRequest {
    let witness = shop.log_in_native("witness").await;
    let someone = role.unwrap_or("cashier");
    if path.starts_with("/oauth") {
        return crate::oauth::request(shop, path, someone, role.is_some()).await;
    }
    if path.starts_with("/kasir") {
        return kasir(shop, method, path, someone, role.is_some()).await;
    }
    if path.starts_with("/krmpesan/app") {
        return krmpesan_page(shop, method, path, someone, role.is_some()).await;
    }
    if path.starts_with("/krmpesan") {
        return krmpesan(shop, method, path, someone, role.is_some());
    }
    if path.starts_with("/posstar") {
        return posstar(shop, method, path, role).await;
    }
    if path.starts_with("/fiuu") {
        return fiuu(shop, method, path, role).await;
    }
    if path.starts_with("/portos") && path.contains("/tickets") {
        return crate::portos_tickets::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if path.starts_with("/portos") && !path.contains("/auth") {
        return crate::portos_office::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if path.starts_with("/api/v1/tickets") {
        return crate::tickets::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    if office::is_office_path(path) {
        return office::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    let portos = path.starts_with("/portos");
    let login = if portos { shop.log_in_portos(someone, "OFFICE").await } else { shop.log_in_native(someone).await };
    let request = match (method, path) {
        ("POST", path) if path.ends_with("/refresh") && portos => post_request(
            path,
            json!({ "tokenId": login.text_at("/tokenId"), "refreshToken": login.text_at("/refreshToken") }),
        ),
        ("POST", path) if path.ends_with("/refresh") => {
            post_request(path, json!({ "refresh_token": login.text_at("/refresh_token") }))
        }
        ("POST", path) if portos => {
            post_request(path, json!({ "UserName": someone, "Password": TEST_PASSWORD, "DeviceName": "OFFICE" }))
        }
        ("POST", path) => post_request(path, json!({ "login": someone, "password": TEST_PASSWORD })),
        (method, path) => {
            let named = if whose == "own" { &login } else { &witness };
            build_request(method.parse().unwrap(), &path.replace("{id}", &named.text_at("/session/id")))
        }
    };
    let token = login.text_at(if portos { "/tokenId" } else { "/access_token" });
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

fn krmpesan(shop: &TestServer, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let granted = shop.generate_krmpesan_tokens(someone, "OFFICE");
    let query = if path.contains("token") {
        let token = granted.refresh_token.as_ref().unwrap().expose();
        format!("?refresh_token={token}&device_id={}", granted.session.id)
    } else {
        String::new()
    };
    let request = build_request(method.parse().unwrap(), &format!("{path}{query}"));
    if known {
        let bearer = format!("Bearer {}", granted.access_token.expose());
        request.insert_header(("Authorization", bearer))
    } else {
        request
    }
}

async fn krmpesan_page(shop: &TestServer, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let request = match path {
        "/krmpesan/app/login" => post_request(path, json!({ "login": someone, "password": TEST_PASSWORD })),
        "/krmpesan/app/generate" => post_request(path, json!({ "device": "OFFICE", "password": TEST_PASSWORD })),
        _ => build_request(method.parse().unwrap(), path),
    };
    if known {
        let token = shop.log_in_krmpesan_page(someone).await.text_at("/data/token");
        request.insert_header(("Authorization", format!("Bearer {token}")))
    } else {
        request
    }
}

/// Registers a vendor; the user gives up the admin role if another role is requested.
async fn posstar(shop: &TestServer, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    let (email, password) = ("rita@example.com", "a song in the rain");
    let registered = shop.post("/posstar/api/v1/auth/register", crate::posstar::registration(email)).await;
    assert_eq!(registered.status, 201, "{}", registered.json());
    let token = registered.text_at("/access_token");
    shop.set_user_role(&registered.text_at("/user/id"), role.unwrap_or("cashier"));
    let request = match path.trim_start_matches("/posstar/api/v1/auth/") {
        "register" => post_request(path, crate::posstar::registration("another@example.com")),
        "login" => post_request(path, json!({ "email": email, "password": password })),
        "forgot-password" => post_request(path, json!({ "email": email })),
        // an unknown token, for every caller
        "reset-password" => post_request(path, json!({ "token": "none", "password": password })),
        "refresh" => post_request(path, json!({ "token": token })),
        _ => build_request(method.parse().unwrap(), path),
    };
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

/// The register itself has the role.
async fn fiuu(shop: &TestServer, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    shop.set_device_role("P01", role.unwrap_or("cashier"));
    let login = shop.log_in_fiuu().await;
    let bearer = |pointer: &str| ("Authorization", format!("Bearer {}", login.text_at(pointer)));
    match (path.trim_start_matches("/fiuu"), role) {
        ("/auth/login", _) => post_request(path, json!({ "posId": "P01", "password": TEST_PASSWORD })),
        ("/auth/refresh", _) => build_request(Method::POST, path).insert_header(bearer("/refresh/token")),
        (_, None) => build_request(method.parse().unwrap(), path),
        (_, Some(_)) => build_request(method.parse().unwrap(), path).insert_header(bearer("/access/token")),
    }
}

async fn kasir(shop: &TestServer, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let login = shop.log_in_kasir(someone).await;
    let request = match path.trim_start_matches("/kasir/api/v1") {
        "/auth/login" => post_request(path, json!({ "email": someone, "password": TEST_PASSWORD })),
        "/auth/refresh" => post_request(path, json!({ "refresh_token": login.text_at("/data/refresh_token") })),
        "/auth/me/password" => {
            put_request(path, json!({ "old_password": TEST_PASSWORD, "new_password": "staple battery" }))
        }
        "/auth/add" | "/users" if method == "POST" => post_request(path, crate::kasir_users::create_user_body()),
        "/users/{id}" if method == "PUT" => {
            put_request(&find_id_of_another(shop, path).await, json!({ "role": "manager" }))
        }
        "/users/{id}" | "/users/{id}/toggle-status" => {
            build_request(method.parse().unwrap(), &find_id_of_another(shop, path).await)
        }
        _ => build_request(method.parse().unwrap(), path),
    };
    if known {
        request.insert_header(("Authorization", format!("Bearer {}", login.text_at("/data/Token"))))
    } else {
        request
    }
}

/// The path with the id of another user.
async fn find_id_of_another(shop: &TestServer, path: &str) -> String {
    path.replace("{id}", &shop.log_in_kasir("john_doe").await.text_at("/data/profile/id"))
}
