//! Stock OAuth libraries of two languages against the real server: they find it, check tokens by its keys, ask about them and
//! revoke them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};
use tillgate_tests::clients::{node_script, python_script, succeed};
use tillgate_tests::{Installation, PASSWORD, Running, Till, on_both};

/// What each client does, in its own order.
const STEPS: [&str; 6] = [
    "metadata",
    "signature",
    "introspection client_secret_basic",
    "introspection client_secret_post",
    "stranger",
    "revocation",
];

/// A client's id and secret: those of a key whose user may introspect and revoke, and nothing else.
fn client(shop: &Installation) -> (String, String) {
    let role =
        ["role", "add", "token-checker", "--right", "tokenIntrospect", "--right", "sessionDelete", "--env", "Tool"];
    shop.succeed(&role, "");
    shop.succeed(&["device", "add", "CHECKER", "--env", "Tool"], "");
    shop.succeed(&["user", "add", "warehouse", "--on", "CHECKER=token-checker"], PASSWORD);
    let add = ["api-key", "add", "Warehouse", "--user", "warehouse", "--device", "CHECKER", "--json"];
    let key: Value = serde_json::from_str(&shop.succeed(&add, "")).unwrap();
    let text = |member: &str| key[member].as_str().unwrap().to_owned();
    shop.secrets().note(&text("clientSecret"));
    (text("clientId"), text("clientSecret"))
}

/// The refresh token of a cashier who works by PORTOS.
fn portos(server: &Running) -> String {
    let login = json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P02" });
    let answer = server.till().post("/portos/api/auth", &login).expect(200);
    answer.json()["refreshToken"].as_str().unwrap().to_owned()
}

fn tried(shop: &Installation, server: &Running, issuer: &str, key: &(String, String), mut script: Command) {
    let cashier = server.till().login("cashier", "P01");
    let other = portos(server);
    shop.secrets().note(&other);
    script.env("BASE", server.address()).env("ISSUER", issuer).env("CLIENT_ID", &key.0).env("CLIENT_SECRET", &key.1);
    script.env("ACCESS", &cashier.access).env("REFRESH", &cashier.refresh).env("OTHER_REFRESH", &other);
    let said = succeed(script);
    for step in STEPS {
        assert!(said.lines().any(|line| line == step), "{step} is missing: {said}");
    }
    assert_eq!(cashier.current().status(), 401, "its session was revoked");
    let ended = server.till().login("manager", "OFFICE").get("/api/v1/sessions?live=false").json();
    assert!(ended["items"].as_array().unwrap().iter().any(|session| session["ended_why"] == "admin"), "{ended}");
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn issuer(server: &Running) -> String {
    let metadata = Till::bearing(server, "").get("/.well-known/oauth-authorization-server").expect(200).json();
    metadata["issuer"].as_str().unwrap().to_owned()
}

#[test]
fn stock_libraries_work_with_the_issuer_that_is_there_by_itself() {
    on_both(|shop| {
        let key = client(shop);
        let server = shop.serve();
        let issuer = issuer(&server);
        assert!(issuer.starts_with("urn:uuid:"), "{issuer}");
        for script in [python_script("oauth.py"), node_script("oauth.mjs")] {
            tried(shop, &server, &issuer, &key, script);
        }
    });
}

#[test]
fn strict_libraries_find_a_server_by_its_issuer() {
    on_both(|shop| {
        let key = client(shop);
        for path in ["", "/till/one"] {
            let listen = format!("127.0.0.1:{}", free_port());
            let named = format!("http://{listen}{path}");
            let mut command = shop.command(&["serve", "--listen", &listen]);
            command.env("TILLGATE_TOKENS__ISSUER", &named);
            let server = Running::spawn(shop, command);
            assert_eq!((server.address(), issuer(&server)), (&*format!("http://{listen}"), named.clone()));
            for script in [python_script("oauth.py"), node_script("oauth.mjs")] {
                tried(shop, &server, &named, &key, script);
            }
        }
    });
}
