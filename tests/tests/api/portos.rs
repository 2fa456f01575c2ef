//! PORTOS as its own clients use it, on both databases: a till with tokens, and a program that
//! signs its requests with none of the server's code.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tillgate_tests::{
    DatabaseEngine, Installation, PASSWORD, PortosKey, RunningServer, TestResponse, TillClient, UnsignedRequest,
    wait_until,
};

const PUBLIC_HOST: &str = "till.example.com:8443";

/// The response of a server: status, head and body.
#[derive(Debug)]
struct PortosResponse {
    status: u16,
    head: String,
    json: Value,
}

/// The current time in milliseconds, different at each call, since a call that is signed twice in
/// one millisecond is accepted once.
#[expect(clippy::disallowed_methods, reason = "a client has the real clock")]
fn next_unix_millis() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let real = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let later = |last: i64| Some(real.max(last + 1));
    later(LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later).unwrap()).unwrap()
}

fn get_request(target: &str) -> UnsignedRequest<'_> {
    UnsignedRequest { method: "GET", target, host: PUBLIC_HOST, headers: &[], body: b"", sent_at: next_unix_millis() }
}

/// Sends one request over a new socket, with its headers in an order that no library uses.
fn send_signed(server: &RunningServer, key: &PortosKey, request: &UnsignedRequest<'_>) -> PortosResponse {
    send_with_headers(server, &key.sign(request), request)
}

/// Sends the request with these headers of a signature.
fn send_with_headers(
    server: &RunningServer,
    signed: &[(&str, String)],
    request: &UnsignedRequest<'_>,
) -> PortosResponse {
    let mut lines = vec![format!("{} {} HTTP/1.1", request.method, request.target)];
    lines.extend(signed.iter().rev().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}:  {value} ")));
    lines.push("Connection: close".to_owned());
    lines.push(format!("content-length: {}", request.body.len()));
    lines.push(format!("HOST: {}", request.host));
    let head = lines.join("\r\n") + "\r\n\r\n";
    let mut socket = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(&[head.as_bytes(), request.body].concat()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {response:?}"));
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    PortosResponse { status, head: head.to_lowercase(), json }
}

/// Creates an API key with the command line while the server runs, and returns its id and the key.
fn create_key(installation: &Installation, user: &str, device: &str) -> (String, PortosKey) {
    let line = ["api-key", "add", "Till sync", "--user", user, "--device", device, "--json"];
    let made: Value = serde_json::from_str(&installation.run_ok(&line, "")).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    installation.secrets().add(&text("client_secret"));
    (text("id"), PortosKey { client: text("client_id"), secret: text("client_secret") })
}

tillgate_testkit::on_both_databases!(
    till_logs_in_works_and_logs_out,
    till_without_rotation_keeps_its_refresh_token,
    client_signs_the_requests_of_tills,
    client_signs_a_body_and_later_requests,
    signature_counts_once_across_processes_and_restarts,
    skewed_clock_and_revoked_key_are_refused
);

fn till_logs_in_works_and_logs_out(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let login = |user: &str, device: &str| {
        let body = json!({ "UserName": user, "Password": PASSWORD, "DeviceName": device });
        server.new_till().post("/portos/api/v1/auth", &body).expect_status(200)
    };
    let bearer = |response: &TestResponse| {
        installation.secrets().add(&response.text_at("/tokenId"));
        TillClient::with_token(&server, &response.text_at("/tokenId"))
    };
    let till = login("cashier", "P01");
    assert_eq!(bearer(&till).get("/portos/api/auth").expect_status(200).json(), till.json()["user"]);
    let pair = json!({ "TokenId": till.text_at("/tokenId"), "REFRESHTOKEN": till.text_at("/refreshToken") });
    let renewed = server.new_till().post("/portos/api/auth/refresh", &pair).expect_status(200);
    let again = server.new_till().post("/portos/api/auth/refresh", &pair).expect_status(200);
    assert_eq!(renewed.text_at("/refreshToken"), again.text_at("/refreshToken"), "a lost response is forgiven");
    assert_ne!(renewed.text_at("/refreshToken"), till.text_at("/refreshToken"), "it rotates by default");
    let office = bearer(&login("manager", "OFFICE"));
    let seen = office.get("/portos/api/sessions?userName=cashier&deviceName=P01").expect_status(200).json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
    let next = login("manager", "P01");
    bearer(&renewed).get("/portos/api/auth").expect_status(401);
    let end = office.get("/portos/api/sessions?deviceName=P01").expect_status(200).text_at("/items/0/id");
    office.delete(&format!("/portos/api/sessions/{end}")).expect_status(200);
    bearer(&next).get("/portos/api/auth").expect_status(401);
    assert_eq!(office.delete("/portos/api/auth").expect_status(200).json(), json!({}));
    office.get("/portos/api/auth").expect_status(401);
}

fn till_without_rotation_keeps_its_refresh_token(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine).with_setting("PORTOS__ROTATION", "false");
    let server = installation.serve();
    let body = json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P01" });
    let mut last = server.new_till().post("/portos/api/v1/auth", &body).expect_status(200);
    let first = last.text_at("/refreshToken");
    for _ in 0..3 {
        let pair = json!({ "TokenId": last.text_at("/tokenId"), "RefreshToken": first });
        last = server.new_till().post("/portos/api/auth/refresh", &pair).expect_status(200);
        assert_eq!(last.text_at("/refreshToken"), first);
        installation.secrets().add(&last.text_at("/tokenId"));
        TillClient::with_token(&server, &last.text_at("/tokenId")).get("/portos/api/auth").expect_status(200);
    }
}

fn client_signs_the_requests_of_tills(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    installation.run_ok(&["device", "add", "Predajňa 1+2/A", "--env", "Tool"], "");
    let server = installation.serve();
    let (_, key) = create_key(&installation, "cashier", "P01");
    let who = send_signed(&server, &key, &get_request("/portos/api/auth"));
    assert_eq!(
        (who.status, &who.json["userName"], &who.json["device"]["name"]),
        (200, &json!("cashier"), &json!("P01"))
    );
    for target in [
        "/portos/api/devices/Predaj%C5%88a%201+2%2FA",
        "/portos/api/devices/predaj%c5%88a%201%2b2%2fa?b=2&a=1&b=1&a=2",
        "/portos/api/v1/devices/Predaj%C5%88a%201+2%2FA?q=a+b&q=a%20b&q=a%2Fb&%C5%88=%c5%88&x&&=",
    ] {
        let said = send_signed(&server, &key, &get_request(target));
        assert_eq!((said.status, &said.json["name"]), (200, &json!("Predajňa 1+2/A")), "{target}: {said:?}");
    }
    let headers = [("X-Zone", "b"), ("__tenant", "a \t b"), ("accept", "text/html,  */*"), ("x-zone", "a")];
    let odd = UnsignedRequest {
        headers: &headers,
        ..get_request("/portos/api/sessions?$sort=-createdAt&$take=1&name=contains:x;y")
    };
    assert_eq!(send_signed(&server, &key, &odd).status, 200);
    let count = send_signed(&server, &key, &get_request("/portos/api/sessions?$count=true")).json;
    assert_eq!(count, json!({ "count": 0, "totalCount": 0 }), "no signature made a session");
    let out = send_signed(&server, &key, &UnsignedRequest { method: "DELETE", ..get_request("/portos/api/auth") });
    assert_eq!((out.status, out.json), (200, json!({})));
    assert_eq!(send_signed(&server, &key, &get_request("/portos/api/auth")).status, 200);
}

fn client_signs_a_body_and_later_requests(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let (_, key) = create_key(&installation, "admin", "OFFICE");
    let body = json!({ "name": "Výklad", "userName": "cashier", "deviceName": "P02" }).to_string();
    let headers = [("Content-Type", "application/json; charset=utf-8"), ("Accept-Language", "en-GB")];
    let post = || UnsignedRequest {
        method: "POST",
        headers: &headers,
        body: body.as_bytes(),
        ..get_request("/portos/api/apikeys?source=till")
    };
    let made = send_signed(&server, &key, &post());
    assert_eq!((made.status, &made.json["name"]), (201, &json!("Výklad")), "{made:?}");
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    installation.secrets().add(&text("clientSecret"));
    let made = PortosKey { client: text("clientId"), secret: text("clientSecret") };
    assert_eq!(send_signed(&server, &made, &get_request("/portos/api/auth")).json["device"]["name"], "P02");
    // the body differs from the signed one: with its own digest, and with the signed digest
    let other = UnsignedRequest { body: b"{}", ..post() };
    let signed = key.sign(&post());
    let mut adapted = signed.clone();
    adapted[2] = key.sign(&other)[2].clone();
    for headers in [signed, adapted] {
        let refused = send_with_headers(&server, &headers, &other);
        assert_eq!((refused.status, &refused.json["title"]), (401, &json!("You are not signed in.")), "{refused:?}");
    }
    if installation.engine() == DatabaseEngine::Sqlite {
        for file in ["tillgate.db", "tillgate.db-wal"] {
            let bytes = std::fs::read(installation.folder().join(file)).unwrap_or_default();
            let secret = made.secret.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{file} holds the secret");
        }
    }
}

fn signature_counts_once_across_processes_and_restarts(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let (_, key) = create_key(&installation, "cashier", "P01");
    // the call ends nothing; a call that only reads may be repeated
    let end = || UnsignedRequest { method: "DELETE", ..get_request("/portos/api/auth") };
    let read = get_request("/portos/api/auth");
    for server in [&one, &other, &one] {
        assert_eq!(send_signed(server, &key, &read).status, 200);
    }
    let request = end();
    assert_eq!(send_signed(&one, &key, &request).status, 200);
    for server in [&one, &other] {
        let again = send_signed(server, &key, &request);
        assert_eq!((again.status, &again.json["errorCode"]), (401, &json!("Unauthenticated")));
        assert!(again.head.contains("www-authenticate: nws4-hmac-sha256 realm=\"tillgate\", charset=\"utf-8\""));
        assert!(again.head.contains("www-authenticate: bearer realm=\"tillgate\""));
    }
    for _ in 0..5 {
        let request = end();
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| send_signed(&one, &key, &request).status);
            let second = scope.spawn(|| send_signed(&other, &key, &request).status);
            (first.join().unwrap(), second.join().unwrap())
        });
        assert_eq!(first.min(second), 200, "one of two at once");
        assert_eq!(first.max(second), 401, "one of two at once");
    }
    drop((one, other));
    assert_eq!(send_signed(&installation.serve(), &key, &request).status, 401, "after a restart");
}

fn skewed_clock_and_revoked_key_are_refused(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let (id, key) = create_key(&installation, "cashier", "P01");
    for (skew, status) in [(-120_000, 200), (120_000, 200), (-160_000, 401), (160_000, 401), (3_600_000, 401)] {
        let request = get_request("/portos/api/auth");
        let skewed = UnsignedRequest { sent_at: request.sent_at + skew, ..request };
        assert_eq!(send_signed(&one, &key, &skewed).status, status, "{skew}");
    }
    let over = |why: &str, arguments: [&str; 4], back: &str| {
        for server in [&one, &other] {
            assert_eq!(send_signed(server, &key, &get_request("/portos/api/auth")).status, 200, "before: {why}");
        }
        installation.run_ok(&arguments, "");
        for server in [&one, &other] {
            wait_until(Duration::from_secs(1), why, || {
                send_signed(server, &key, &get_request("/portos/api/auth")).status == 401
            });
        }
        installation.run_ok(&[arguments[0], arguments[1], arguments[2], back], "");
        for server in [&one, &other] {
            wait_until(Duration::from_secs(1), "the end of it", || {
                send_signed(server, &key, &get_request("/portos/api/auth")).status == 200
            });
        }
    };
    over("a revoked key", ["api-key", "status", &id, "revoked"], "active");
    over("a suspended user", ["user", "status", "cashier", "suspended"], "active");
    over("a locked device", ["device", "status", "P01", "locked"], "active");
}
