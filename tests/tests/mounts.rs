//! Where contracts are served, by the configuration: two mounts of one contract on hosts of their own and for tenants of their own,
//! one at the root, the native API out of its way; and what cannot stand together is refused at start, by both names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use tillgate_tests::{Answer, Engine, Installation, PASSWORD, Running};
use ureq::http::Request;

/// Writes the configuration file of the data folder.
fn configure(shop: &Installation, text: &str) {
    std::fs::write(shop.folder().join("tillgate.toml"), text).unwrap();
}

/// A second vendor beside `default`, with a device and a user of the same names.
fn open_second_vendor(shop: &Installation) {
    shop.succeed(&["tenant", "add", "second", "--name", "Second"], "");
    shop.succeed(&["device", "add", "P01", "--env", "CashRegister", "--tenant", "second"], "");
    let add = ["user", "add", "cashier", "--role", "cashier", "--on", "P01=cashier", "--tenant", "second"];
    shop.secrets().note("another-horse-till");
    shop.succeed(&add, "another-horse-till\n");
}

/// Calls the server under a host name.
fn call(server: &Running, host: &str, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", server.address()));
    request = request.header("host", host);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(body.map(Value::to_string).unwrap_or_default()).unwrap();
    server.till().try_send(request).unwrap()
}

fn portos(server: &Running, host: &str, path: &str, password: &str) -> Answer {
    let body = json!({ "UserName": "cashier", "Password": password, "DeviceName": "P01" });
    call(server, host, "POST", path, "", Some(&body))
}

const TWO: &str = r#"
[native]
prefix = "/native/v1"

[[mounts]]
dialect = "portos"
prefix = ""
host = "one.example"
tenant = "default"

[[mounts]]
dialect = "portos"
prefix = ""
host = "two.example"
tenant = "second"

[[mounts]]
dialect = "krmpesan"
prefix = "/any/krmpesan"
tenant = "default"
"#;

#[test]
fn two_mounts_of_one_contract_serve_two_vendors_on_two_hosts() {
    let shop = Installation::with_shop(Engine::Sqlite);
    open_second_vendor(&shop);
    configure(&shop, TWO);
    let server = shop.serve();
    let token = |answer: Answer| {
        let token = answer.expect(200).text_at("/tokenId");
        shop.secrets().note(&token);
        token
    };
    let one = token(portos(&server, "one.example", "/api/auth", PASSWORD));
    let two = token(portos(&server, "TWO.example.:8443", "/api/v1/auth", "another-horse-till"));
    // the same names are other people there
    portos(&server, "two.example", "/api/auth", PASSWORD).expect(401);
    portos(&server, "one.example", "/api/auth", "another-horse-till").expect(401);
    for (host, token, status) in [
        ("one.example", &one, 200),
        ("one.example:80", &one, 200),
        ("two.example", &two, 200),
        ("two.example", &one, 401),
        ("one.example", &two, 401),
        ("three.example", &one, 404),
        ("one.example.evil.example", &one, 404),
    ] {
        let answer = call(&server, host, "GET", "/api/auth", token, None);
        assert_eq!(answer.status(), status, "{host}: {}", answer.text());
    }
    // what a mount does not serve is worded in its own words, and by the server where no mount is
    let unknown = call(&server, "two.example", "GET", "/nothing", "", None).expect(404);
    assert!(unknown.text().contains("traceId"), "{}", unknown.text());
    let unknown = call(&server, "three.example", "GET", "/nothing", "", None).expect(404);
    assert!(unknown.text().contains("trace_id"), "{}", unknown.text());
    // the native API stands where it was moved, and what every host has is on every other
    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "P01" });
    call(&server, "three.example", "POST", "/native/v1/sessions", "", Some(&login)).expect(201);
    call(&server, "three.example", "POST", "/api/v1/sessions", "", Some(&login)).expect(404);
    call(&server, "one.example", "POST", "/native/v1/sessions", "", Some(&login)).expect(404);
    call(&server, "three.example", "GET", "/any/krmpesan/app", "", None).expect(200);
    for host in ["one.example", "two.example", "three.example"] {
        call(&server, host, "GET", "/readyz", "", None).expect(200);
    }
}

#[test]
fn one_contract_stands_at_the_root_of_every_host() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let mounts = "[native]\nprefix = \"/native/v1\"\n[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\ntenant = \"default\"\n\
        [[mounts]]\ndialect = \"kasir\"\nprefix = \"/kasir\"\ntenant = \"default\"\n";
    configure(&shop, mounts);
    let server = shop.serve();
    let till = portos(&server, "any.example", "/api/auth", PASSWORD).expect(200).text_at("/tokenId");
    shop.secrets().note(&till);
    call(&server, "other.example", "GET", "/api/v1/auth", &till, None).expect(200);
    let login = json!({ "email": "cashier@example.com", "password": PASSWORD });
    call(&server, "any.example", "POST", "/kasir/api/v1/auth/login", "", Some(&login)).expect(200);
    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "OFFICE" });
    call(&server, "any.example", "POST", "/native/v1/sessions", "", Some(&login)).expect(201);
    call(&server, "any.example", "GET", "/healthz", "", None).expect(200);
    call(&server, "any.example", "GET", "/portos/api/auth", &till, None).expect(404);
}

#[test]
fn what_cannot_stand_together_is_refused_at_start_by_both_names() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let mount = |dialect: &str, more: &str| format!("[[mounts]]\ndialect = \"{dialect}\"\n{more}\n");
    for (text, names) in [
        (mount("portos", "prefix = \"\""), &["native at /api/v1", "portos at /", "/api/v1", "native.prefix"][..]),
        (mount("kasir", "prefix = \"\""), &["native at /api/v1", "kasir at /"]),
        (
            mount("portos", "prefix = \"/pos\"\ntenant = \"default\"") + &mount("kasir", "prefix = \"/pos\""),
            &["portos at /pos for the tenant default", "kasir at /pos"],
        ),
        (
            mount("portos", "prefix = \"/a\"\nhost = \"a.example\"")
                + &mount("portos", "prefix = \"/a\"\nhost = \"A.example.\""),
            &["portos at a.example/a and portos at a.example/a"],
        ),
        (
            mount("portos", "prefix = \"/pos\"") + &mount("krmpesan", "prefix = \"/pos/api/auth\""),
            &["portos at /pos", "krmpesan at /pos/api/auth"],
        ),
        (mount("kasir", "prefix = \"/healthz\""), &["the server itself", "kasir at /healthz"]),
    ] {
        configure(&shop, &text);
        let output = shop.run(&["serve", "--listen", "127.0.0.1:0"], "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        for name in names {
            assert!(said.contains(name), "{name} is not in: {said}");
        }
    }
}
