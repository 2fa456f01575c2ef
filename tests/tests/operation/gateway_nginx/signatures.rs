//! Signed requests of programs through nginx.

use std::time::Duration;

use tillgate_tests::gateway::header_values;
use tillgate_tests::{DatabaseEngine, Installation, PortosKey, UnsignedRequest, wait_until};

use super::Gateway;

/// Headers as they are sent.
fn header_lines(headers: Vec<(&'static str, String)>) -> String {
    let lines: Vec<String> = headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

/// The current time in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "programs sign by the real clock")]
fn unix_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
#[ignore = "requires nginx"]
fn signature_is_accepted_with_a_trusted_hash_and_not_consumed() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let add = ["api-key", "add", "stock", "--user", "cashier", "--device", "OFFICE", "--json"];
    let printed: serde_json::Value = serde_json::from_str(&installation.run_ok(&add, "")).unwrap();
    let text = |name: &str| printed[name].as_str().unwrap_or_else(|| panic!("no {name}: {printed}")).to_owned();
    let key = PortosKey { client: text("client_id"), secret: text("client_secret") };
    installation.secrets().add(&key.secret);
    let signed = |method: &str, target: &str, body: &[u8], at: i64| {
        let headers = [("Accept", "application/json")];
        let unsigned = UnsignedRequest { method, target, host: "pos.example", headers: &headers, body, sent_at: at };
        header_lines(key.sign(&unsigned)) + "Accept: application/json\r\n"
    };
    let now = unix_millis();
    let target = "/stock/caf%C3%A9/1?b=2&a=1&a=%2F";
    let get = signed("GET", target, b"", now);
    for time in ["once", "and again"] {
        let head = gateway.reached(&gateway.send("GET", target, &get));
        assert_eq!(
            (header_values(&head, "X-Tillgate-User"), header_values(&head, "X-Tillgate-Device")),
            (vec!["cashier"], vec!["OFFICE"]),
            "{time}"
        );
    }
    // the body that passes is `{}`
    gateway.reached(&gateway.send("POST", "/stock", &signed("POST", "/stock", b"{}", now)));
    gateway.reached(&gateway.send("POST", "/stock", &signed("POST", "/stock", b"another body", now)));
    let unreached = header_lines(key.sign(&UnsignedRequest {
        method: "GET",
        target,
        host: "pos.example",
        headers: &[("Content-Length", "0")],
        body: b"",
        sent_at: now,
    }));
    for (what, method, sent, headers) in [
        ("another path", "GET", "/stock/2", get.clone()),
        ("another query", "GET", "/stock/caf%C3%A9/1?b=2&a=2", get.clone()),
        ("another method", "DELETE", target, get.clone()),
        ("another header", "GET", target, get.replace("Accept: application/json", "Accept: text/html")),
        ("another hash", "GET", target, get.replace("x-nd-content-sha256: e", "x-nd-content-sha256: f")),
        ("no hash", "GET", target, get.replace("x-nd-content-sha256", "x-nd-content")),
        ("an old one", "GET", target, signed("GET", target, b"", now - 200_000)),
        ("one to come", "GET", target, signed("GET", target, b"", now + 200_000)),
        ("a header that does not reach the check", "GET", target, unreached),
    ] {
        gateway.refused(&gateway.send(method, sent, &headers), 401, what);
    }
    // a client's headers cannot replace those of the gateway
    let forged = format!("{get}X-Original-Method: GET\r\nX-Original-URI: {target}\r\n");
    gateway.refused(&gateway.send("DELETE", "/stock/2", &forged), 401, "a forged question");
    // POS Kasir accepts no signature, and the rights are those of the user on that device
    let kasir = signed("GET", "/api/v1/products", b"", now);
    gateway.refused(&gateway.send("GET", "/api/v1/products", &kasir), 401, "a row without PORTOS");
    installation.run_ok(&["api-key", "status", &text("id"), "revoked"], "");
    wait_until(Duration::from_secs(10), "the end of a key", || {
        let status = gateway.send("GET", target, &get).status;
        gateway.api.take_heads();
        status == 401
    });
}
