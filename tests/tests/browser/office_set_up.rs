//! The first administrator is set up in the browser: once, with the newest token, whichever of two
//! processes is asked. Afterwards the page is gone in both.

use serde_json::Value;
use tillgate_tests::browser::keys;
use tillgate_tests::{
    AxeRules, DatabaseEngine, Installation, OfficePage, PASSWORD, RunningServer, TillClient, find_axe_faults,
    find_unnamed_controls, run_on_engines,
};
use ureq::Agent;

tillgate_testkit::on_both_databases!(of_two_set_ups_at_once_in_two_processes_one_wins);

/// An installation with a database without any user.
fn create_installation(engine: DatabaseEngine) -> Installation {
    let installation = Installation::new(engine);
    installation.secrets().add(PASSWORD);
    installation.run_ok(&["init"], "");
    installation
}

/// The token that a server without a terminal has written into its data folder.
fn read_token(installation: &Installation) -> String {
    let token = std::fs::read_to_string(installation.folder().join("setup-token")).unwrap().trim().to_owned();
    installation.secrets().add(&token);
    token
}

/// Sends the form as the page does. Returns the status and the page.
fn send_form(server: &RunningServer, token: &str, user: &str) -> (u16, String) {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let zone = "Europe%2FBratislava";
    let form = format!(
        "token={token}&shop=Corner&zone={zone}&locale=sk&user_name={user}&display_name=&email=&till=P01&\
         password={PASSWORD}"
    );
    let request = agent
        .post(format!("{}/office/set-up", server.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let mut response = request.send(form).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn log_in(server: &RunningServer, user: &str) -> TillClient {
    let mut client = server.new_till();
    let login = serde_json::json!({ "login": user, "password": PASSWORD });
    let response = client.post("/api/v1/sessions", &login).expect_status(201);
    client.store_tokens(&response);
    client
}

fn list(client: &TillClient, path: &str) -> Vec<Value> {
    client.get(path).expect_status(200).json()["items"].as_array().unwrap().clone()
}

fn of_two_set_ups_at_once_in_two_processes_one_wins(engine: DatabaseEngine) {
    let installation = create_installation(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let earlier = read_token(&installation);
    let drawn: Value = serde_json::from_str(&installation.run_ok(&["setup-token", "--json"], "")).unwrap();
    let token = drawn["token"].as_str().unwrap();
    installation.secrets().add(token);
    for wrong in [&*earlier, "", "K7QX"] {
        assert_eq!(send_form(&one, wrong, "mallory").0, 401);
    }
    let (response, late) = std::thread::scope(|scope| {
        let late = scope.spawn(|| send_form(&other, token, "ben"));
        (send_form(&one, token, "ada"), late.join().unwrap())
    });
    let mut statuses = [response.0, late.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404], "{} {}", response.1, late.1);
    let (winner, lost) = if response.0 == 303 { ("ada", &late.1) } else { ("ben", &response.1) };
    assert!(lost.contains("Already set up"), "{lost}");
    let admin = log_in(&other, winner);
    let users = list(&admin, "/api/v1/users");
    assert_eq!((users.len(), &users[0]["user_name"]), (1, &Value::from(winner)), "{users:?}");
    assert_eq!(list(&admin, "/api/v1/devices").len(), 1);
    let events = list(&admin, "/api/v1/audit-events?action=user.add");
    assert_eq!(events.len(), 1, "{events:?}");
    let next = installation.serve();
    for server in [&one, &other, &next] {
        let page = server.new_till().get("/office/set-up").expect_status(404);
        assert!(page.text().contains("Already set up"), "{}", page.text());
        assert_eq!(send_form(server, token, "late").0, 404);
    }
    assert!(!installation.folder().join("setup-token").exists(), "a start removes what nobody needs any more");
}

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn shop_is_set_up_by_its_page_and_works() {
    run_on_engines(set_up_by_page);
}

fn set_up_by_page(engine: DatabaseEngine) {
    let page = OfficePage::start_on(create_installation(engine));
    let token = read_token(&page.installation);
    page.open("/set-up");
    page.browser.wait_until_visible("#token");
    assert_eq!(find_unnamed_controls(&page.browser), Vec::<String>::new());
    assert_eq!(find_axe_faults(&page.browser, AxeRules::Default), Vec::<String>::new());
    page.browser.take_console_errors();
    let set = |id: &str, text: &str| {
        page.browser.run(&format!("document.getElementById({id:?}).value = ''"));
        page.browser.type_into(&format!("#{id}"), text);
    };
    set("token", "WRONG");
    set("shop", "Corner");
    set("zone", "Asia/Jakarta");
    set("user_name", "ada");
    set("display_name", "Ada");
    set("till", "P01");
    set("password", &format!("{PASSWORD}{}", keys::ENTER));
    page.wait_for_text("#token-fault, .notice-bad", "The set-up token is wrong");
    assert_eq!(page.browser.value("#shop"), "Corner", "what was typed is kept");
    assert_eq!(page.browser.value("#password"), "");
    set("token", &token);
    set("password", &format!("{PASSWORD}{}", keys::ENTER));
    page.wait_for_path("/sign-in");
    page.sign_in("ada");
    page.open("/settings");
    page.wait_for_text("#main", "Asia/Jakarta");
    page.assert_clean();
    page.open("/set-up");
    page.browser.wait_for("h1", "Already set up");
    page.assert_clean();
}
