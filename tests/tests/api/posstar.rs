//! PosStar: vendors that register themselves, and exchanged tokens.

use std::time::Duration;

use serde_json::json;
use tillgate_tests::{DatabaseEngine, PosStarClient, RunningServer, assert_counts_once, wait_until};

/// How long to wait for a line of the log.
const WARNING_TIMEOUT: Duration = Duration::from_mins(1);

tillgate_testkit::on_both_databases!(
    tenants_register_and_are_isolated,
    exchanged_token_ends_in_every_process,
    exchanges_in_a_loop_are_limited_over_processes
);

fn tenants_register_and_are_isolated(engine: DatabaseEngine) {
    let installation = PosStarClient::create_installation(engine);
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    let registered = app.register("rita@example.com").expect_status(201);
    let first = registered.text_at("/access_token");
    installation.secrets().add(&first);
    let other = app.register("olga@example.com").expect_status(201);
    assert_ne!(registered.text_at("/user/vendor_id"), other.text_at("/user/vendor_id"));
    assert_eq!(app.register("RITA@example.com").status(), 409);
    let me = app.with_token(&first).get_me().expect_status(200).json();
    assert_eq!((&me["role"], &me["email"], &me["avatar"]), (&json!("admin"), &json!("rita@example.com"), &json!(null)));
    assert_ne!(
        me["store_id"],
        app.with_token(&other.text_at("/access_token")).get_me().expect_status(200).json()["store_id"]
    );
    let next = app.exchange(&first).expect_status(200).text_at("/access_token");
    installation.secrets().add(&next);
    for token in [&first, &next] {
        app.with_token(token).get_me().expect_status(200);
    }
    assert_eq!(app.login("rita@example.com", PosStarClient::NEW_PASSWORD).status(), 401);
    drop(server);
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    app.with_token(&next).get_me().expect_status(200);
    app.login("Rita@Example.com", PosStarClient::PASSWORD).expect_status(200);
    // several concurrent registrations of one address: exactly one succeeds
    let responses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| app.register("crowd@example.com").status())).collect();
        all.into_iter().map(|each| each.join().unwrap()).collect()
    });
    assert_counts_once(&responses, 201, &server.read_log());
    assert!(responses.iter().all(|status| [201, 409].contains(status)), "{responses:?}");
    app.login("crowd@example.com", PosStarClient::PASSWORD).expect_status(200);
}

/// The number of units of work with this name that the server has run.
fn count_units(server: &RunningServer, name: &str) -> u64 {
    let metrics = server.read_metrics().expect_status(200);
    let label = format!("unit=\"{name}\"");
    let is_count = |line: &&str| line.starts_with("tillgate_unit_of_work_seconds_count{") && line.contains(&label);
    let counts = metrics.text().lines().filter(is_count);
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

fn exchanged_token_ends_in_every_process(engine: DatabaseEngine) {
    let installation = PosStarClient::create_installation(engine).with_setting("POSSTAR__OVERLAP", "0s");
    let (one, other) = (installation.serve(), installation.serve());
    let (app, elsewhere) = (PosStarClient::for_server(&one), PosStarClient::for_server(&other));
    let exchange =
        |client: &PosStarClient, token: &str| client.exchange(token).expect_status(200).text_at("/access_token");
    let first = app.register("rita@example.com").expect_status(201).text_at("/access_token");
    let neighbor =
        elsewhere.login("rita@example.com", PosStarClient::PASSWORD).expect_status(200).text_at("/access_token");
    let second = exchange(&app, &first);
    for client in [&app, &elsewhere] {
        client.with_token(&first).get_me().expect_status(200);
    }
    elsewhere.with_token(&second).get_me().expect_status(200);
    elsewhere.with_token(&first).get_me().expect_status(401);
    wait_until(Duration::from_secs(2), "the end of the exchanged token in the other process", || {
        app.with_token(&first).get_me().status() == 401
    });
    for client in [&app, &elsewhere] {
        client.with_token(&second).get_me().expect_status(200);
        client.with_token(&neighbor).get_me().expect_status(200);
    }
    // an exchange reads what it needs in its own unit of work
    let reads = || count_units(&one, "authenticate") + count_units(&one, "read_first_uses");
    let before = reads();
    let last = (0..20).fold(second, |token, _| exchange(&app, &token));
    let again = reads() - before;
    assert!(again < 10, "{again} reads in 20 exchanges");
    // the end of a session has effect in both
    elsewhere.with_token(&last).post_auth("logout", &json!({})).expect_status(200);
    elsewhere.with_token(&last).get_me().expect_status(401);
    wait_until(Duration::from_secs(2), "the end of the session in the other process", || {
        app.with_token(&last).get_me().status() == 401
    });
    app.with_token(&neighbor).get_me().expect_status(200);
}

fn exchanges_in_a_loop_are_limited_over_processes(engine: DatabaseEngine) {
    let installation = PosStarClient::create_installation(engine);
    let servers = [installation.serve(), installation.serve()];
    let clients = servers.each_ref().map(PosStarClient::for_server);
    let mut token = clients[0].register("rita@example.com").expect_status(201).text_at("/access_token");
    for number in 1..258 {
        token = clients[number % 2].exchange(&token).expect_status(200).text_at("/access_token");
    }
    for client in &clients {
        let denied = client.exchange(&token).expect_status(429);
        assert!(!denied.header("retry-after").is_empty());
        client.with_token(&token).get_me().expect_status(200);
    }
}

#[test]
fn sessions_of_an_unmounted_dialect_are_reported_at_start() {
    let installation = PosStarClient::create_installation(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let unserved = |server: &RunningServer| server.read_log().contains("sessions of a dialect that is not mounted");
    PosStarClient::for_server(&server).register("rita@example.com").expect_status(201);
    drop(server);
    let server = installation.serve();
    PosStarClient::for_server(&server).login("rita@example.com", PosStarClient::PASSWORD).expect_status(200);
    assert!(!unserved(&server));
    drop(server);
    std::fs::write(installation.folder().join("tillgate.toml"), "").unwrap();
    let server = installation.serve();
    wait_until(WARNING_TIMEOUT, "a warning", || unserved(&server));
    assert_eq!(PosStarClient::for_server(&server).login("rita@example.com", PosStarClient::PASSWORD).status(), 404);
}
