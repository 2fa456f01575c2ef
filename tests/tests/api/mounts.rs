//! Mounts of contracts in the configuration: two mounts of one contract with their own hosts and
//! tenants, one at the root, and the native API elsewhere. Conflicting mounts are refused at start,
//! with both names.

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, TestResponse};
use ureq::http::Request;

/// Writes the configuration file of the data folder.
fn write_configuration(installation: &Installation, text: &str) {
    std::fs::write(installation.folder().join("tillgate.toml"), text).unwrap();
}

/// Creates a second tenant beside `default`, with a device and a user of the same names.
fn create_second_tenant(installation: &Installation) {
    installation.run_ok(&["tenant", "add", "second", "--name", "Second"], "");
    installation.run_ok(&["device", "add", "P01", "--env", "CashRegister", "--tenant", "second"], "");
    let add = ["user", "add", "cashier", "--role", "cashier", "--on", "P01=cashier", "--tenant", "second"];
    installation.secrets().add("another-horse-till");
    installation.run_ok(&add, "another-horse-till\n");
}

/// Sends a request with this host name.
fn send_to_host(
    server: &RunningServer,
    host: &str,
    method: &str,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> TestResponse {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", server.address()));
    request = request.header("host", host);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(body.map(Value::to_string).unwrap_or_default()).unwrap();
    server.new_till().send(&request)
}

fn portos_log_in(server: &RunningServer, host: &str, path: &str, password: &str) -> TestResponse {
    let body = json!({ "UserName": "cashier", "Password": password, "DeviceName": "P01" });
    send_to_host(server, host, "POST", path, "", Some(&body))
}

const TWO_MOUNTS: &str = r#"
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
fn two_mounts_of_one_dialect_serve_two_tenants_on_two_hosts() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    create_second_tenant(&installation);
    write_configuration(&installation, TWO_MOUNTS);
    let server = installation.serve();
    let token = |response: TestResponse| {
        let token = response.expect_status(200).text_at("/tokenId");
        installation.secrets().add(&token);
        token
    };
    let one = token(portos_log_in(&server, "one.example", "/api/auth", PASSWORD));
    let two = token(portos_log_in(&server, "TWO.example.:8443", "/api/v1/auth", "another-horse-till"));
    // the same names belong to another tenant's users there
    portos_log_in(&server, "two.example", "/api/auth", PASSWORD).expect_status(401);
    portos_log_in(&server, "one.example", "/api/auth", "another-horse-till").expect_status(401);
    for (host, token, status) in [
        ("one.example", &one, 200),
        ("one.example:80", &one, 200),
        ("two.example", &two, 200),
        ("two.example", &one, 401),
        ("one.example", &two, 401),
        ("three.example", &one, 404),
        ("one.example.evil.example", &one, 404),
    ] {
        let response = send_to_host(&server, host, "GET", "/api/auth", token, None);
        assert_eq!(response.status(), status, "{host}: {}", response.text());
    }
    // an unknown path below a mount has the mount's error format, and elsewhere the server's
    let unknown = send_to_host(&server, "two.example", "GET", "/nothing", "", None).expect_status(404);
    assert!(unknown.text().contains("traceId"), "{}", unknown.text());
    let unknown = send_to_host(&server, "three.example", "GET", "/nothing", "", None).expect_status(404);
    assert!(unknown.text().contains("trace_id"), "{}", unknown.text());
    // the native API is at its configured prefix, and paths of every host are on every other host
    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "P01" });
    send_to_host(&server, "three.example", "POST", "/native/v1/sessions", "", Some(&login)).expect_status(201);
    send_to_host(&server, "three.example", "POST", "/api/v1/sessions", "", Some(&login)).expect_status(404);
    send_to_host(&server, "one.example", "POST", "/native/v1/sessions", "", Some(&login)).expect_status(404);
    send_to_host(&server, "three.example", "GET", "/any/krmpesan/app", "", None).expect_status(200);
    for host in ["one.example", "two.example", "three.example"] {
        send_to_host(&server, host, "GET", "/readyz", "", None).expect_status(200);
    }
}

#[test]
fn dialect_is_served_at_the_root_of_every_host() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let mounts = "[native]\nprefix = \"/native/v1\"\n[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\ntenant = \"default\"\n\
        [[mounts]]\ndialect = \"kasir\"\nprefix = \"/kasir\"\ntenant = \"default\"\n";
    write_configuration(&installation, mounts);
    let server = installation.serve();
    let till = portos_log_in(&server, "any.example", "/api/auth", PASSWORD).expect_status(200).text_at("/tokenId");
    installation.secrets().add(&till);
    send_to_host(&server, "other.example", "GET", "/api/v1/auth", &till, None).expect_status(200);
    let login = json!({ "email": "cashier@example.com", "password": PASSWORD });
    send_to_host(&server, "any.example", "POST", "/kasir/api/v1/auth/login", "", Some(&login)).expect_status(200);
    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "OFFICE" });
    send_to_host(&server, "any.example", "POST", "/native/v1/sessions", "", Some(&login)).expect_status(201);
    send_to_host(&server, "any.example", "GET", "/healthz", "", None).expect_status(200);
    send_to_host(&server, "any.example", "GET", "/portos/api/auth", &till, None).expect_status(404);
}

#[test]
fn conflicting_mounts_are_refused_at_start_by_both_names() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
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
        write_configuration(&installation, &text);
        let output = installation.run(&["serve", "--listen", "127.0.0.1:0"], "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        for name in names {
            assert!(said.contains(name), "{name} is not in: {said}");
        }
    }
}
