//! A program that holds a krmpesan token and refreshes it before every request, on both databases: with a query that it does not
//! encode, an empty body that claims to be JSON, and whatever bearer it had last.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tillgate_tests::{Engine, Installation, PASSWORD, Running, eventually};

/// The three values that belong together.
struct Held {
    refresh: String,
    device: String,
    bearer: String,
}

/// What a server answered: its status and its body.
type Said = (u16, Value);

/// Generates the token of a device beside the running server.
fn generate(shop: &Installation, user: &str, device: &str, password: &str) -> Held {
    let arguments = ["token", "generate", "--user", user, "--device", device, "--json"];
    let printed: Value = serde_json::from_str(&shop.succeed(&arguments, &format!("{password}\n"))).unwrap();
    let text = |name: &str| {
        let text = printed[name].as_str().unwrap_or_else(|| panic!("no {name}: {printed}")).to_owned();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{name} is not safe");
        text
    };
    let held = Held { refresh: text("RefreshToken"), device: text("DeviceId"), bearer: text("IdToken") };
    shop.secrets().note(&held.refresh);
    shop.secrets().note(&held.bearer);
    held
}

/// One request over a socket of its own, each byte as the program writes it.
fn call(server: &Running, method: &str, target: &str, bearer: &str) -> Said {
    let address = server.address().trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("no status: {answer}")), serde_json::from_str(body).unwrap())
}

fn refresh(server: &Running, held: &Held) -> Said {
    let target = format!("/krmpesan/tokens?refresh_token={}&device_id={}", held.refresh, held.device);
    call(server, "POST", &target, &held.bearer)
}

fn refused(server: &Running, held: &Held, what: &str) {
    let (status, body) = refresh(server, held);
    assert_eq!((status, body["code"].as_u64(), body["data"].is_null()), (401, Some(401), true), "{what}: {body}");
}

fn granted(server: &Running, shop: &Installation, held: &mut Held, what: &str) {
    let (status, body) = refresh(server, held);
    assert_eq!(status, 200, "{what}: {body}");
    assert_eq!((body["ExpiresIn"].as_u64(), body["TokenType"].as_str()), (Some(86_400), Some("Bearer")));
    for token in ["AccessToken", "IdToken"] {
        let token = body[token].as_str().unwrap();
        shop.secrets().note(token);
        let (status, devices) = call(server, "GET", "/krmpesan/devices", token);
        assert_eq!((status, devices["data"][0]["id"].as_str()), (200, Some(held.device.as_str())), "{what}: {devices}");
    }
    body["IdToken"].as_str().unwrap().clone_into(&mut held.bearer);
}

/// On both databases, with a log of everything that there is to say: it is searched for secrets when a server stops.
fn on_both_told_everything(test: impl Fn(&Installation)) {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        test(&Installation::with_shop(engine).with_setting("LOG__LEVEL", "trace"));
    }
}

#[test]
fn a_token_lasts_until_it_is_ended() {
    on_both_told_everything(|shop| {
        let server = shop.serve();
        let mut held = generate(shop, "cashier", "P01", PASSWORD);
        let first = held.bearer.clone();
        for _ in 0..3 {
            granted(&server, shop, &mut held, "again and again");
        }
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| refresh(&server, &held).0)).collect();
            assert!(all.into_iter().all(|each| each.join().unwrap() == 200), "at once");
        });
        assert_eq!(call(&server, "GET", "/krmpesan/devices", &first).0, 200, "the first bearer is still good");
        drop(server);

        let server = shop.serve();
        held.bearer.clear();
        granted(&server, shop, &mut held, "after a restart, with an empty bearer");
        let mut next = generate(shop, "manager", "P01", PASSWORD);
        refused(&server, &held, "generated again");
        eventually(Duration::from_secs(10), "the end of the earlier bearer", || {
            call(&server, "GET", "/krmpesan/devices", &held.bearer).0 == 401
        });
        granted(&server, shop, &mut next, "the new one");
        let mixed = Held { refresh: next.refresh.clone(), device: held.device.clone(), bearer: String::new() };
        refused(&server, &mixed, "another's device id");
        shop.succeed(&["session", "end", &next.device], "");
        refused(&server, &next, "ended by hand");
        let last = generate(shop, "manager", "P01", PASSWORD);
        shop.succeed(&["session", "end", "--user", "manager"], "");
        refused(&server, &last, "ended by hand with whatever else its user has");
    });
}

#[test]
fn a_suspension_and_a_lock_hold_it_back_and_a_password_ends_it() {
    on_both_told_everything(|shop| {
        let server = shop.serve();
        let mut held = generate(shop, "cashier", "P01", PASSWORD);
        for (who, name, away) in [("user", "cashier", "suspended"), ("device", "P01", "locked")] {
            shop.succeed(&[who, "status", name, away], "");
            refused(&server, &held, away);
            shop.succeed(&[who, "status", name, "active"], "");
            granted(&server, shop, &mut held, "back from it");
        }
        let mut other = generate(shop, "manager", "P02", PASSWORD);
        shop.succeed(&["user", "password", "cashier"], "another-horse-till\n");
        refused(&server, &held, "another password");
        let mut again = generate(shop, "cashier", "P01", "another-horse-till");
        granted(&server, shop, &mut again, "with the new password");
        refused(&server, &held, "the old one stays over");
        shop.succeed(&["device", "status", "P01", "retired", "--yes"], "");
        refused(&server, &again, "a retired device");
        granted(&server, shop, &mut other, "nobody else's");
        shop.succeed(&["user", "status", "manager", "deleted", "--yes"], "");
        refused(&server, &other, "a deleted user");
    });
}

#[test]
fn nobody_generates_a_token_without_the_right_password() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let server = shop.serve();
    let mut held = generate(&shop, "cashier", "P01", PASSWORD);
    for (user, device, password) in
        [("cashier", "P01", "wrong-horse-till"), ("nobody", "P01", PASSWORD), ("cashier", "P99", PASSWORD)]
    {
        let output = shop.run(&["token", "generate", "--user", user, "--device", device], &format!("{password}\n"));
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{user} on {device}");
        assert!(!output.stderr.is_empty());
    }
    granted(&server, &shop, &mut held, "the one that there was");
    let shown = shop.succeed(&["token", "generate", "--user", "cashier", "--device", "P01"], &format!("{PASSWORD}\n"));
    let names: Vec<&str> = shown.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["IdToken", "RefreshToken", "DeviceId"]);
}
