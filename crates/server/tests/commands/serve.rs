//! The command `serve`: from a new database to the last request.

use std::io::Read;
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::{Clock, SystemClock};
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation, read_response, send_request};

tillgate_testkit::on_both_databases!(
    new_database_serves_and_prints_the_next_step,
    session_ended_on_the_command_line_is_over_within_a_second
);

fn new_database_serves_and_prints_the_next_step(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_database();
    let mut server = home.start(&["serve"]);
    assert_eq!(server.request("GET", "/healthz", None).0, 200);
    assert_eq!(server.request("GET", "/readyz", None).0, 200);
    assert!(server.read_line().starts_with("There is no user yet"));
    let hint = server.read_line();
    assert_eq!(hint.trim(), format!("tillgate user add admin --role admin{}", home.flags()));
    // a user added on the command line can log in immediately
    home.run_ok_with(&["user", "add", "admin", "--role", "admin"], PASSWORD);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    // a second start prints no hint
    let mut server = home.start(&["serve"]);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
    server.send_signal("INT");
    assert_eq!(server.wait_until_ended(), Some(0));
    assert_eq!(server.read_line(), "");
}

fn session_ended_on_the_command_line_is_over_within_a_second(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let server = home.start(&["serve"]);
    let login = || {
        let (status, body) =
            server.request("POST", "/api/v1/sessions", Some(&json!({ "login": "admin", "password": PASSWORD })));
        assert_eq!(status, 201, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (body["session"]["id"].as_str().unwrap().to_owned(), body["access_token"].as_str().unwrap().to_owned())
    };
    let status = |token: &str| {
        let mut stream = server.connect();
        let head = format!(
            "GET /api/v1/sessions/current HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \
                 {token}\r\n\r\n"
        );
        std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        read_response(stream).0
    };
    let ends_soon = |token: &str| {
        let ended = (0..250).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            status(token) == 401
        });
        assert!(ended, "the session is still live");
    };
    let ((id, one), (_, other)) = (login(), login());
    assert_eq!((status(&one), status(&other)), (200, 200));
    assert_eq!(home.run_ok(&["session", "list", "--json"]).json().as_array().unwrap().len(), 2);
    home.run_ok(&["session", "end", &id]);
    ends_soon(&one);
    assert_eq!(status(&other), 200);
    assert!(home.run_refused(&["session", "end", &id], 1).contains("no live session"));
    assert_eq!(home.run_ok(&["session", "end", "--user", "admin", "--json"]).json()["ended"], 1);
    ends_soon(&other);
    let ((_, one), (_, other)) = (login(), login());
    let error = home.run_refused(&["session", "end", "--everyone"], 2);
    assert!(error.contains("This ends 2 sessions of the tenant \"default\", 0 of them permanent"), "{error}");
    assert!(error.contains("Nothing was done: repeat the command with --yes"), "{error}");
    assert_eq!(home.run_ok(&["session", "end", "--everyone", "--yes", "--json"]).json()["ended"], 2);
    ends_soon(&one);
    ends_soon(&other);
    let events = home.run_ok(&["audit", "list", "--action", "session.end", "--json"]).json();
    let events = events.as_array().unwrap().iter();
    let events: Vec<_> = events
        .map(|line| {
            let mut details = line["details"].as_object().unwrap().clone();
            let shell = details.remove("shell").unwrap();
            assert!(shell.as_str().is_some_and(|shell| shell.contains('@')), "who ran the command: {shell}");
            json!([line["subject"]["kind"], details, line["user"]])
        })
        .collect();
    let shown = home.run_ok(&["audit", "list", "--action", "session.end"]).out;
    assert!(shown.lines().skip(1).all(|line| line.split_whitespace().nth(1).unwrap().contains('@')), "{shown}");
    let (all_sessions, one) = (json!({ "why": "admin", "permanent": true }), json!({ "why": "admin" }));
    let expected =
        [json!(["tenant", all_sessions, null]), json!(["user", all_sessions, null]), json!(["session", one, null])];
    assert_eq!(events, expected, "as the native API records it");
    let (_, third) = login();
    home.run_ok_with(&["user", "password", "admin"], "another fine password");
    ends_soon(&third);
    assert_eq!(home.run_ok(&["session", "list", "--json"]).json(), json!([]));
    let all = home.run_ok(&["session", "list", "--all", "--json"]).json();
    let mut whys: Vec<_> =
        all.as_array().unwrap().iter().map(|each| each["ended_why"].as_str().unwrap().to_owned()).collect();
    whys.sort();
    assert_eq!(whys, ["admin", "admin", "admin", "admin", "password"]);
}

#[test]
fn requests_under_way_are_answered_before_the_end() {
    let home = TestInstallation::new().with_admin();
    let mut server = home.start(&["serve"]);
    // idle connections and incomplete requests do not delay the shutdown for long
    let mut idle = server.connect();
    std::io::Write::write_all(&mut idle, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    let mut half = server.connect();
    std::io::Write::write_all(&mut half, b"GET /healthz HTTP/1.1\r\nhost").unwrap();
    let in_progress: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = server.connect();
            send_request(
                &mut stream,
                "POST",
                "/api/v1/sessions",
                Some(&json!({ "login": "admin", "password": PASSWORD })),
            );
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let clock = SystemClock;
    let signaled = clock.monotonic();
    server.send_signal("TERM");
    for stream in in_progress {
        assert_eq!(read_response(stream).0, 201);
    }
    assert_eq!(server.wait_until_ended(), Some(0));
    assert!(clock.monotonic() < signaled + Duration::from_secs(10));
}

#[test]
fn public_address_requires_tls() {
    let home = TestInstallation::new();
    let error = home.run_refused(&["serve", "--listen", "0.0.0.0:0"], 2);
    assert!(error.contains("without TLS") && error.contains("--behind-proxy"), "{error}");
    assert!(!home.data().exists(), "refused before anything is created");
    assert!(
        home.run_refused(&["serve", "--listen", "0.0.0.0:0", "--behind-proxy", "nowhere"], 2)
            .contains("--behind-proxy")
    );
    let home = home.with_database();
    let config = home.path("c.toml");
    std::fs::write(&config, "[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n").unwrap();
    let error = home.run_refused(&["serve", "--config", config.to_str().unwrap()], 2);
    assert!(error.contains("server.tls_cert: cert.pem: "), "{error}");
}

#[test]
fn unknown_tenants_of_mounts_are_reported() {
    let home = TestInstallation::new().with_admin();
    let config = home.path("c.toml");
    let rows = "[[mounts]]\ndialect = \"kasir\"\nprefix = \"/kasir\"\ntenant = \"defaul\"\n[[access]]\nmethod = \
                \"GET\"\npath = \"/x\"\nmount = \"native\"\ntenant = \"bakery\"\nrole = \"cashier\"\n";
    std::fs::write(&config, rows).unwrap();
    let flags = ["--config", config.to_str().unwrap()];
    let doctor = home.run(&[&["doctor"], &flags[..]].concat());
    let found =
        "the mount of kasir at /kasir/ is for the tenant \"defaul\", which does not exist; did you mean \"default\"?";
    assert_eq!(doctor.code, 1, "{}", doctor.out);
    assert!(doctor.out.contains(&format!("FIX   mounts: {found}; row 1 of the access table (/x)")), "{}", doctor.out);
    let mut server = home.start(&[&["serve"], &flags[..]].concat());
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    let log = std::fs::read_to_string(home.path("server.log")).unwrap();
    assert!(log.contains(&format!("{found}: every login and token there is rejected")), "{log}");
    home.run_ok(&["tenant", "add", "bakery"]);
    home.run_ok(&["tenant", "add", "defaul"]);
    assert!(home.run(&[&["doctor"], &flags[..]].concat()).out.contains("ok    mounts: 1, each for tenants that exist"));
}

#[test]
fn misspelled_rights_of_the_access_table_are_reported() {
    let home = TestInstallation::new().with_admin();
    let config = home.path("c.toml");
    let row = "[[access]]\nmethod = \"GET\"\npath = \"/x\"\nmount = \"kasir\"\nrights = [\"storno\", \"ticketClos\"]\n";
    std::fs::write(&config, row).unwrap();
    let config = config.to_str().unwrap();
    let found = "row 1 of the access table (/x) requires the right \"ticketClos\", which no role has; did you mean \
                 \"ticketClose\"?";
    let doctor = home.run(&["doctor", "--config", config]);
    assert_eq!(doctor.code, 1, "{}", doctor.out);
    assert!(doctor.out.contains(&format!("FIX   access: {found}\n")), "{}", doctor.out);
    let log_of_a_start = || {
        let mut server = home.start(&["serve", "--config", config]);
        server.send_signal("TERM");
        assert_eq!(server.wait_until_ended(), Some(0));
        std::fs::read_to_string(home.path("server.log")).unwrap()
    };
    let log = log_of_a_start();
    assert!(log.contains(&format!("{found}: only administrators are allowed there")), "{log}");
    // a custom right that a role has is no mistake
    home.run_ok(&["role", "add", "own", "--new-right", "ticketClos", "--env", "PDA"]);
    let doctor = home.run_ok(&["doctor", "--config", config]).out;
    assert!(doctor.contains("ok    access: 1 row of the access table; roles have"), "{doctor}");
    assert_eq!(log_of_a_start().matches("which no role has").count(), 1);
}

#[cfg(unix)]
#[test]
fn log_of_a_start_names_the_installation_and_a_readable_master_key() {
    use std::os::unix::fs::PermissionsExt;
    let home = TestInstallation::new().with_admin();
    let config = home.path("json.toml");
    std::fs::write(&config, "[log]\nformat = \"json\"\n").unwrap();
    let key = home.data().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut server = home.start(&["serve", "--config", config.to_str().unwrap()]);
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    let log = std::fs::read_to_string(home.path("server.log")).unwrap();
    let parse = |line: &str| -> serde_json::Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let lines: Vec<serde_json::Value> = log.lines().map(parse).collect();
    let starts: Vec<&serde_json::Value> =
        lines.iter().filter(|line| line["message"] == "tillgate is serving").collect();
    let [start] = starts.as_slice() else { panic!("{log}") };
    assert!(start["version"].as_str().unwrap().starts_with(env!("CARGO_PKG_VERSION")), "{start}");
    assert_eq!(start["data"], json!(home.data()));
    assert_eq!(start["database"], json!(home.data().join("tillgate.db")));
    assert_eq!(start["listening"], format!("http://{}", server.address));
    assert_eq!(start["mounts"], "portos:/portos kasir:/kasir fiuu:/fiuu krmpesan:/krmpesan office:/office");
    assert_eq!(start["access_rows"], 0);
    let warnings = lines.iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        line["level"] == "WARN" && message.contains("can read the master key") && line["key"] == json!(key)
    });
    assert_eq!(warnings.count(), 1, "{log}");
}

#[test]
fn port_in_use_and_conflicting_mounts_are_reported() {
    let home = TestInstallation::new().with_database();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let error = home.run_refused(&["serve", "--listen", &address], 1);
    let next = format!("such as --listen 127.0.0.1:{}", other.local_addr().unwrap().port() + 1);
    assert!(error.contains(&format!("server.listen: cannot listen on {address}")) && error.contains(&next), "{error}");
    // the operations listener is a setting: a restart would not help, so this is a usage error
    let config = home.path("operations.toml");
    std::fs::write(&config, format!("[operations]\nlisten = \"{address}\"\n")).unwrap();
    let error = home.run_refused(&["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"], 2);
    assert!(
        error.contains("operations.listen: cannot listen on") && error.contains("set operations.listen to"),
        "{error}"
    );
    // a demo does not start either
    let empty = TestInstallation::new();
    empty.run_refused(&["demo", "--small", "--password", PASSWORD.trim_end(), "--listen", &address], 1);
    assert!(!empty.data().join("tillgate.db").exists());
    // with a JSON log, the error is JSON too
    let config = home.path("json.toml");
    std::fs::write(&config, "[log]\nformat = \"json\"\n").unwrap();
    let error = home.run_refused(&["serve", "--config", config.to_str().unwrap(), "--listen", &address], 1);
    let lines: Vec<serde_json::Value> = error.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["error"].to_string().contains("cannot listen")), "{error}");
    let config = home.path("c.toml");
    std::fs::write(&config, "[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\n[native]\nprefix = \"/api/v1\"\n")
        .unwrap();
    let clash = home.run(&["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(clash.code, 2, "{}", clash.err);
    std::fs::write(&config, "[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\n[native]\nprefix = \"/native/v1\"\n")
        .unwrap();
    let server = home.start(&["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(server.request("GET", "/native/v1/sessions/current", None).0, 401);
    assert_eq!(server.request("GET", "/api/v1/auth", None).0, 401);
}

#[test]
fn unreadable_password_list_is_reported_with_its_key() {
    let home = TestInstallation::new().with_database();
    let (config, list) = (home.path("c.toml"), home.path("list.txt"));
    std::fs::write(&config, format!("[passwords]\nlist = {list:?}\n")).unwrap();
    let refused = || home.run_refused(&["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"], 2);
    let error_text = |why: &str| format!("passwords.list: the file {} {why}", list.display());
    assert!(refused().contains(&error_text("cannot be read: ")), "{}", refused());
    std::fs::write(&list, b"long enough\n\xff\n").unwrap();
    assert!(refused().contains(&error_text("has no UTF-8 text in line 2")), "{}", refused());
    std::fs::write(&list, "short\n").unwrap();
    assert!(refused().contains(&error_text("has no password of 8 characters or more")), "{}", refused());
    std::fs::write(&list, "trombone-sunday\n").unwrap();
    home.start(&["serve", "--config", config.to_str().unwrap()]).wait_until_ready();
}

#[test]
fn wrong_master_key_prevents_the_start() {
    let home = TestInstallation::new().with_admin();
    let mut server = home.start(&["serve"]);
    server.send_signal("TERM");
    server.wait_until_ended();
    let key = home.data().join("master.key");
    let aside = home.path("aside");
    std::fs::rename(&key, &aside).unwrap();
    let error = home.run_refused(&["serve", "--listen", "127.0.0.1:0"], 1);
    assert!(error.contains("master.key") && error.contains("restore it"), "{error}");
    assert!(!key.exists(), "no new key is created");
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    assert!(home.run_refused(&["serve", "--listen", "127.0.0.1:0"], 1).contains("does not open the keys"));
    std::fs::rename(&aside, &key).unwrap();
    home.start(&["serve"]).wait_until_ready();
}
