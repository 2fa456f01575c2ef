//! A request for each route of every contract, as the table of rights tries it: nothing but a missing right stands against it.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::office;
use crate::shop::{PASSWORD, Shop, call, post, put};

/// A request for this route by somebody of the role, or by nobody; about what is their own, or another's.
pub async fn request(shop: &Shop, method: &str, path: &str, whose: &str, role: Option<&str>) -> TestRequest {
    let witness = shop.native("witness").await;
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
    if office::is_ours(path) {
        return office::request(shop, method, path, whose == "own", (someone, role.is_some())).await;
    }
    let portos = path.starts_with("/portos");
    let login = if portos { shop.portos(someone, "OFFICE").await } else { shop.native(someone).await };
    let request = match (method, path) {
        ("POST", path) if path.ends_with("/refresh") && portos => {
            post(path, json!({ "tokenId": login.text("/tokenId"), "refreshToken": login.text("/refreshToken") }))
        }
        ("POST", path) if path.ends_with("/refresh") => {
            post(path, json!({ "refresh_token": login.text("/refresh_token") }))
        }
        ("POST", path) if portos => {
            post(path, json!({ "UserName": someone, "Password": PASSWORD, "DeviceName": "OFFICE" }))
        }
        ("POST", path) => post(path, json!({ "login": someone, "password": PASSWORD })),
        (method, path) => {
            let named = if whose == "own" { &login } else { &witness };
            call(method.parse().unwrap(), &path.replace("{id}", &named.text("/session/id")))
        }
    };
    let token = login.text(if portos { "/tokenId" } else { "/access_token" });
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

fn krmpesan(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let granted = shop.krmpesan(someone, "OFFICE");
    let query = if path.contains("token") {
        let token = granted.refresh_token.as_ref().unwrap().expose();
        format!("?refresh_token={token}&device_id={}", granted.session.id)
    } else {
        String::new()
    };
    let request = call(method.parse().unwrap(), &format!("{path}{query}"));
    if known {
        let bearer = format!("Bearer {}", granted.access_token.expose());
        request.insert_header(("Authorization", bearer))
    } else {
        request
    }
}

async fn krmpesan_page(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let request = match path {
        "/krmpesan/app/login" => post(path, json!({ "login": someone, "password": PASSWORD })),
        "/krmpesan/app/generate" => post(path, json!({ "device": "OFFICE", "password": PASSWORD })),
        _ => call(method.parse().unwrap(), path),
    };
    if known {
        let token = shop.krmpesan_visit(someone).await.text("/data/token");
        request.insert_header(("Authorization", format!("Bearer {token}")))
    } else {
        request
    }
}

/// Somebody registers a vendor, and gives up the rank of an admin where another is asked for.
async fn posstar(shop: &Shop, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    let (email, password) = ("rita@example.com", "a song in the rain");
    let registered = shop.post("/posstar/api/v1/auth/register", crate::posstar::registration(email)).await;
    assert_eq!(registered.status, 201, "{}", registered.json());
    let token = registered.text("/access_token");
    shop.rank(&registered.text("/user/id"), role.unwrap_or("cashier"));
    let request = match path.trim_start_matches("/posstar/api/v1/auth/") {
        "register" => post(path, crate::posstar::registration("another@example.com")),
        "login" => post(path, json!({ "email": email, "password": password })),
        "forgot-password" => post(path, json!({ "email": email })),
        // nobody's token, whoever calls
        "reset-password" => post(path, json!({ "token": "none", "password": password })),
        "refresh" => post(path, json!({ "token": token })),
        _ => call(method.parse().unwrap(), path),
    };
    match role {
        Some(_) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    }
}

/// The register itself holds the role.
async fn fiuu(shop: &Shop, method: &str, path: &str, role: Option<&str>) -> TestRequest {
    shop.give_device("P01", role.unwrap_or("cashier"));
    let login = shop.fiuu().await;
    let bearer = |pointer: &str| ("Authorization", format!("Bearer {}", login.text(pointer)));
    match (path.trim_start_matches("/fiuu"), role) {
        ("/auth/login", _) => post(path, json!({ "posId": "P01", "password": PASSWORD })),
        ("/auth/refresh", _) => call(Method::POST, path).insert_header(bearer("/refresh/token")),
        (_, None) => call(method.parse().unwrap(), path),
        (_, Some(_)) => call(method.parse().unwrap(), path).insert_header(bearer("/access/token")),
    }
}

async fn kasir(shop: &Shop, method: &str, path: &str, someone: &str, known: bool) -> TestRequest {
    let login = shop.kasir(someone).await;
    let request = match path.trim_start_matches("/kasir/api/v1") {
        "/auth/login" => post(path, json!({ "email": someone, "password": PASSWORD })),
        "/auth/refresh" => post(path, json!({ "refresh_token": login.text("/data/refresh_token") })),
        "/auth/me/password" => put(path, json!({ "old_password": PASSWORD, "new_password": "staple battery" })),
        "/auth/add" | "/users" if method == "POST" => post(path, crate::kasir_users::nina()),
        "/users/{id}" if method == "PUT" => put(&someones(shop, path).await, json!({ "role": "manager" })),
        "/users/{id}" | "/users/{id}/toggle-status" => call(method.parse().unwrap(), &someones(shop, path).await),
        _ => call(method.parse().unwrap(), path),
    };
    if known {
        request.insert_header(("Authorization", format!("Bearer {}", login.text("/data/Token"))))
    } else {
        request
    }
}

/// The path with the id of somebody who is not the caller.
async fn someones(shop: &Shop, path: &str) -> String {
    path.replace("{id}", &shop.kasir("john_doe").await.text("/data/profile/id"))
}
