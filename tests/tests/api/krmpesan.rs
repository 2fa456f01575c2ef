//! A program with a krmpesan token that it refreshes before every request, on both databases: with
//! an unencoded query, an empty body declared as JSON, and its latest bearer token, whatever that
//! is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, wait_until};

/// The three values that belong together.
struct PermanentTokens {
    refresh: String,
    device: String,
    bearer: String,
}

/// The status and the body of a response.
type StatusAndBody = (u16, Value);

/// Generates the token of a device while the server runs.
fn generate_tokens(installation: &Installation, user: &str, device: &str, password: &str) -> PermanentTokens {
    let arguments = ["token", "generate", "--user", user, "--device", device, "--json"];
    let printed: Value = serde_json::from_str(&installation.run_ok(&arguments, &format!("{password}\n"))).unwrap();
    let text = |name: &str| {
        let text = printed[name].as_str().unwrap_or_else(|| panic!("no {name}: {printed}")).to_owned();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{name} is not safe");
        text
    };
    let tokens = PermanentTokens { refresh: text("RefreshToken"), device: text("DeviceId"), bearer: text("IdToken") };
    installation.secrets().add(&tokens.refresh);
    installation.secrets().add(&tokens.bearer);
    tokens
}

/// Sends one request over a new socket, byte for byte as the program writes it.
fn send_request(server: &RunningServer, method: &str, target: &str, bearer: &str) -> StatusAndBody {
    let address = server.address().trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("no status: {response}")), serde_json::from_str(body).unwrap())
}

fn refresh(server: &RunningServer, tokens: &PermanentTokens) -> StatusAndBody {
    let target = format!("/krmpesan/tokens?refresh_token={}&device_id={}", tokens.refresh, tokens.device);
    send_request(server, "POST", &target, &tokens.bearer)
}

fn assert_refused(server: &RunningServer, tokens: &PermanentTokens, what: &str) {
    let (status, body) = refresh(server, tokens);
    assert_eq!((status, body["code"].as_u64(), body["data"].is_null()), (401, Some(401), true), "{what}: {body}");
}

fn assert_refreshed(server: &RunningServer, installation: &Installation, tokens: &mut PermanentTokens, what: &str) {
    let (status, body) = refresh(server, tokens);
    assert_eq!(status, 200, "{what}: {body}");
    assert_eq!((body["ExpiresIn"].as_u64(), body["TokenType"].as_str()), (Some(86_400), Some("Bearer")));
    for token in ["AccessToken", "IdToken"] {
        let token = body[token].as_str().unwrap();
        installation.secrets().add(token);
        let (status, devices) = send_request(server, "GET", "/krmpesan/devices", token);
        assert_eq!(
            (status, devices["data"][0]["id"].as_str()),
            (200, Some(tokens.device.as_str())),
            "{what}: {devices}"
        );
    }
    body["IdToken"].as_str().unwrap().clone_into(&mut tokens.bearer);
}

/// An installation with the most detailed log, which is searched for secrets when a server stops.
fn new_installation(engine: DatabaseEngine) -> Installation {
    Installation::with_fixture(engine).with_setting("LOG__LEVEL", "trace")
}

tillgate_testkit::on_both_databases!(
    token_lasts_until_ended,
    suspension_and_lock_suspend_the_token_and_a_password_change_ends_it
);

fn token_lasts_until_ended(engine: DatabaseEngine) {
    let installation = new_installation(engine);
    let server = installation.serve();
    let mut tokens = generate_tokens(&installation, "cashier", "P01", PASSWORD);
    let first = tokens.bearer.clone();
    for _ in 0..3 {
        assert_refreshed(&server, &installation, &mut tokens, "again and again");
    }
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| refresh(&server, &tokens).0)).collect();
        assert!(all.into_iter().all(|each| each.join().unwrap() == 200), "at once");
    });
    assert_eq!(send_request(&server, "GET", "/krmpesan/devices", &first).0, 200, "the first bearer is still good");
    drop(server);

    let server = installation.serve();
    tokens.bearer.clear();
    assert_refreshed(&server, &installation, &mut tokens, "after a restart, with an empty bearer");
    let mut next = generate_tokens(&installation, "manager", "P01", PASSWORD);
    assert_refused(&server, &tokens, "generated again");
    wait_until(Duration::from_secs(10), "the end of the earlier bearer", || {
        send_request(&server, "GET", "/krmpesan/devices", &tokens.bearer).0 == 401
    });
    assert_refreshed(&server, &installation, &mut next, "the new one");
    let mixed = PermanentTokens { refresh: next.refresh.clone(), device: tokens.device.clone(), bearer: String::new() };
    assert_refused(&server, &mixed, "another's device id");
    installation.run_ok(&["session", "end", &next.device], "");
    assert_refused(&server, &next, "ended by hand");
    let last = generate_tokens(&installation, "manager", "P01", PASSWORD);
    installation.run_ok(&["session", "end", "--user", "manager", "--yes"], "");
    assert_refused(&server, &last, "ended by hand with whatever else its user has");
}

fn suspension_and_lock_suspend_the_token_and_a_password_change_ends_it(engine: DatabaseEngine) {
    let installation = new_installation(engine);
    let server = installation.serve();
    let mut tokens = generate_tokens(&installation, "cashier", "P01", PASSWORD);
    for (who, name, away) in [("user", "cashier", "suspended"), ("device", "P01", "locked")] {
        installation.run_ok(&[who, "status", name, away], "");
        assert_refused(&server, &tokens, away);
        installation.run_ok(&[who, "status", name, "active"], "");
        assert_refreshed(&server, &installation, &mut tokens, "back from it");
    }
    let mut other = generate_tokens(&installation, "manager", "P02", PASSWORD);
    installation.run_ok(&["user", "password", "cashier", "--yes"], "another-horse-till\n");
    assert_refused(&server, &tokens, "another password");
    let mut again = generate_tokens(&installation, "cashier", "P01", "another-horse-till");
    assert_refreshed(&server, &installation, &mut again, "with the new password");
    assert_refused(&server, &tokens, "the old one stays over");
    installation.run_ok(&["device", "status", "P01", "retired", "--yes"], "");
    assert_refused(&server, &again, "a retired device");
    assert_refreshed(&server, &installation, &mut other, "nobody else's");
    installation.run_ok(&["user", "status", "manager", "deleted", "--yes"], "");
    assert_refused(&server, &other, "a deleted user");
}

#[test]
fn token_generation_requires_the_password() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let mut tokens = generate_tokens(&installation, "cashier", "P01", PASSWORD);
    for (user, device, password) in
        [("cashier", "P01", "wrong-horse-till"), ("nobody", "P01", PASSWORD), ("cashier", "P99", PASSWORD)]
    {
        let output =
            installation.run(&["token", "generate", "--user", user, "--device", device], &format!("{password}\n"));
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{user} on {device}");
        assert!(!output.stderr.is_empty());
    }
    assert_refreshed(&server, &installation, &mut tokens, "the one that there was");
    let shown =
        installation.run_ok(&["token", "generate", "--user", "cashier", "--device", "P01"], &format!("{PASSWORD}\n"));
    let names: Vec<&str> = shown.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["IdToken", "RefreshToken", "DeviceId"]);
}
