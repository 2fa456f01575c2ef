//! Standard OAuth libraries of two languages against the real server: they discover it, check
//! tokens with its keys, introspect them and revoke them.

use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};
use tillgate_tests::clients::{node_script, python_script, run_ok};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, TillClient};

/// What each client does, in order.
const EXPECTED_STEPS: [&str; 6] = [
    "metadata",
    "signature",
    "introspection client_secret_basic",
    "introspection client_secret_post",
    "stranger",
    "revocation",
];

/// The client id and secret of an API key whose user may introspect and revoke, and nothing else.
fn create_client(installation: &Installation) -> (String, String) {
    let role =
        ["role", "add", "token-checker", "--right", "tokenIntrospect", "--right", "sessionDelete", "--env", "Tool"];
    installation.run_ok(&role, "");
    installation.run_ok(&["device", "add", "CHECKER", "--env", "Tool"], "");
    installation.run_ok(&["user", "add", "warehouse", "--on", "CHECKER=token-checker"], PASSWORD);
    let add = ["api-key", "add", "Warehouse", "--user", "warehouse", "--device", "CHECKER", "--json"];
    let key: Value = serde_json::from_str(&installation.run_ok(&add, "")).unwrap();
    let text = |member: &str| key[member].as_str().unwrap().to_owned();
    installation.secrets().add(&text("client_secret"));
    (text("client_id"), text("client_secret"))
}

/// The refresh token of a cashier, issued by PORTOS.
fn portos_token(server: &RunningServer) -> String {
    let login = json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P02" });
    let response = server.new_till().post("/portos/api/auth", &login).expect_status(200);
    response.json()["refreshToken"].as_str().unwrap().to_owned()
}

fn run_client_script(
    installation: &Installation,
    server: &RunningServer,
    issuer: &str,
    key: &(String, String),
    mut script: Command,
) {
    let cashier = server.new_till().login("cashier", "P01");
    let other = portos_token(server);
    installation.secrets().add(&other);
    script.env("BASE", server.address()).env("ISSUER", issuer).env("CLIENT_ID", &key.0).env("CLIENT_SECRET", &key.1);
    script.env("ACCESS", &cashier.access).env("REFRESH", &cashier.refresh).env("OTHER_REFRESH", &other);
    let said = run_ok(script);
    for step in EXPECTED_STEPS {
        assert!(said.lines().any(|line| line == step), "{step} is missing: {said}");
    }
    assert_eq!(cashier.get_current_session().status(), 401, "its session was revoked");
    let ended = server.new_till().login("manager", "OFFICE").get("/api/v1/sessions?live=false").json();
    assert!(ended["items"].as_array().unwrap().iter().any(|session| session["ended_why"] == "admin"), "{ended}");
}

/// A port on which nothing listens.
fn find_free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn issuer_url(server: &RunningServer) -> String {
    let metadata =
        TillClient::with_token(server, "").get("/.well-known/oauth-authorization-server").expect_status(200).json();
    metadata["issuer"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "requires Python and Node.js"]
fn stock_libraries_work_with_the_default_issuer_on_sqlite() {
    check_default_issuer(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires Python, Node.js and PostgreSQL"]
fn stock_libraries_work_with_the_default_issuer_on_postgres() {
    check_default_issuer(DatabaseEngine::Postgres);
}

#[test]
#[ignore = "requires Python and Node.js"]
fn strict_libraries_find_a_server_by_its_issuer_on_sqlite() {
    check_configured_issuer(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires Python, Node.js and PostgreSQL"]
fn strict_libraries_find_a_server_by_its_issuer_on_postgres() {
    check_configured_issuer(DatabaseEngine::Postgres);
}

fn check_default_issuer(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let key = create_client(&installation);
    let server = installation.serve();
    let issuer = issuer_url(&server);
    assert!(issuer.starts_with("urn:uuid:"), "{issuer}");
    for script in [python_script("oauth.py"), node_script("oauth.mjs")] {
        run_client_script(&installation, &server, &issuer, &key, script);
    }
}

fn check_configured_issuer(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let key = create_client(&installation);
    for path in ["", "/till/one"] {
        let listen = format!("127.0.0.1:{}", find_free_port());
        let named = format!("http://{listen}{path}");
        let mut command = installation.tillgate_command(&["serve", "--listen", &listen]);
        command.env("TILLGATE_TOKENS__ISSUER", &named);
        let server = RunningServer::spawn(&installation, command);
        assert_eq!((server.address(), issuer_url(&server)), (&*format!("http://{listen}"), named.clone()));
        for script in [python_script("oauth.py"), node_script("oauth.mjs")] {
            run_client_script(&installation, &server, &named, &key, script);
        }
    }
}
