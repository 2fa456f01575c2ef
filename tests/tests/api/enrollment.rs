//! Tills that are enrolled with codes from the command line, on both databases and in several
//! processes.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_testkit::ProofSigner;
use tillgate_tests::{
    DatabaseEngine, Installation, RunningServer, TestResponse, enroll_device, post_with_proof, wait_until,
};

const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(1);
const REFRESH: &str = "/api/v1/sessions/refresh";

tillgate_testkit::on_both_databases!(
    till_is_enrolled_replaced_and_revoked_in_every_process,
    one_of_many_keys_is_enrolled_with_a_code,
    machine_that_shows_a_code_is_accepted_by_another_process,
    keys_and_waiting_machines_are_managed_by_commands,
    session_of_a_key_survives_a_restart
);

fn run_json(installation: &Installation, arguments: &[&str]) -> Value {
    let text = installation.run_ok(&[arguments, &["--json"]].concat(), "");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Starts an enrollment of P01 on the command line, and returns its code.
fn start(installation: &Installation, arguments: &[&str]) -> String {
    let started = run_json(installation, &[&["device", "enroll", "P01"], arguments].concat());
    assert_eq!((&started["state"], &started["started_by"]), (&json!("waiting"), &Value::Null));
    let code = started["code"].as_str().unwrap().to_owned();
    installation.secrets().add(&code);
    code
}

fn refresh(server: &RunningServer, signer: &ProofSigner, token: &str) -> TestResponse {
    post_with_proof(server, signer, REFRESH, &json!({ "refresh_token": token }))
}

fn till_is_enrolled_replaced_and_revoked_in_every_process(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let [first, second] = [1, 2].map(ProofSigner::ed25519);
    let code = start(&installation, &[]);
    let enrolled = enroll_device(&one, &first, &code).expect_status(201);
    assert_eq!(enrolled.text_at("/token_type"), "DPoP");
    // the same key with the same code, at another process
    let again = enroll_device(&other, &first, &code).expect_status(201);
    assert_eq!(again.text_at("/session/id"), enrolled.text_at("/session/id"));
    let denied = enroll_device(&other, &second, &code).expect_status(403);
    assert_eq!(denied.text_at("/code"), "enrollment_unknown");
    let audit = run_json(&installation, &["audit", "list", "--action", "device.enroll.replay"]);
    assert_eq!(audit.as_array().unwrap().len(), 1, "{audit}");

    let refreshed = refresh(&other, &first, &enrolled.text_at("/refresh_token")).expect_status(200);
    let code = start(&installation, &["--replace"]);
    let replaced = enroll_device(&one, &second, &code).expect_status(201);
    let token = refreshed.text_at("/refresh_token");
    wait_until(PROPAGATION_TIMEOUT, "the end of the replaced key's session elsewhere", || {
        refresh(&other, &first, &token).status() == 401
    });
    let again = start(&installation, &["--replace"]);
    let known = enroll_device(&one, &first, &again).expect_status(409);
    assert_eq!(known.text_at("/code"), "key_known");

    let admin = one.new_till().login("admin", "OFFICE");
    let device = enrolled.text_at("/session/device/id");
    let keys = admin.get(&format!("/api/v1/devices/{device}/keys")).expect_status(200).json();
    let states: Vec<&Value> = keys["items"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
    assert_eq!(states, ["current", "retired"]);
    let thumbprint = keys["items"][0]["thumbprint"].as_str().unwrap();
    admin.delete(&format!("/api/v1/devices/{device}/keys/{thumbprint}")).expect_status(204);
    let token = replaced.text_at("/refresh_token");
    wait_until(PROPAGATION_TIMEOUT, "the end of the revoked key's session elsewhere", || {
        refresh(&other, &second, &token).status() == 401
    });
}

fn one_of_many_keys_is_enrolled_with_a_code(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let servers = [installation.serve(), installation.serve()];
    let code = start(&installation, &[]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (1..=10)
            .map(|number| {
                let (server, code) = (&servers[usize::from(number % 2)], &code);
                scope.spawn(move || enroll_device(server, &ProofSigner::ed25519(number), code).status())
            })
            .collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|each| **each == status).count();
    assert_eq!((count(201), count(403)), (1, 9), "{statuses:?}");
}

fn session_of_a_key_survives_a_restart(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let signer = ProofSigner::p256();
    let code = start(&installation, &["--lifetime", "7d"]);
    assert_eq!(code.len(), 14, "12 letters in three groups");
    let token = {
        let server = installation.serve();
        enroll_device(&server, &signer, &code).expect_status(201).text_at("/refresh_token")
    };
    let server = installation.serve();
    refresh(&server, &ProofSigner::p256(), &token).expect_status(400);
    refresh(&server, &signer, &token).expect_status(200);
}

fn machine_that_shows_a_code_is_accepted_by_another_process(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let signer = ProofSigner::p256();
    let body = json!({ "storage": "software", "label": "Box", "app": "Kasa 5.1" });
    post_with_proof(&one, &signer, "/api/v1/enrollments/start", &body).expect_status(400);
    installation.run_ok(&["tenant", "set", "--machine-codes", "true"], "");
    let started = post_with_proof(&one, &signer, "/api/v1/enrollments/start", &body).expect_status(200);
    let (code, device_code) = (started.text_at("/user_code"), started.text_at("/device_code"));
    installation.secrets().add(&device_code);
    let poll = |server: &RunningServer| {
        post_with_proof(server, &signer, "/api/v1/enrollments/poll", &json!({ "device_code": device_code }))
    };
    assert_eq!(poll(&one).expect_status(400).text_at("/code"), "authorization_pending");
    assert_eq!(poll(&other).expect_status(400).text_at("/code"), "slow_down", "the polls are counted together");
    let shown = started.text_at("/fingerprint");
    let accept = ["device", "accept", &code, "--device", "P01", "--fingerprint", &shown];
    assert_eq!(run_json(&installation, &accept)["state"], "waiting");
    let enrolled = poll(&other).expect_status(200);
    assert_eq!(poll(&one).expect_status(200).text_at("/session/id"), enrolled.text_at("/session/id"));
    refresh(&one, &signer, &enrolled.text_at("/refresh_token")).expect_status(200);
    // a machine that presents a code waits as well, if somebody wants to see it first
    let code = start(&installation, &["--replace", "--confirm"]);
    let another = ProofSigner::ed25519(3);
    let waiting = enroll_device(&one, &another, &code).expect_status(202);
    let body = json!({ "device_code": waiting.text_at("/device_code") });
    let shown = waiting.text_at("/fingerprint");
    installation.run_ok(&["device", "accept", &code, "--device", "P01", "--fingerprint", &shown, "--replace"], "");
    post_with_proof(&other, &another, "/api/v1/enrollments/poll", &body).expect_status(200);
}

fn keys_and_waiting_machines_are_managed_by_commands(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let refuse = |arguments: &[&str], code| {
        let output = installation.run(arguments, "");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run_json(&installation, &["device", "keys", "P01"]), json!([]));
    assert!(refuse(&["device", "revoke-key", "P01", "--yes"], 1).contains("the device \"P01\" has no key"));
    assert!(refuse(&["device", "cancel", "P01"], 1).contains("no enrollment of the device \"P01\" waits"));

    let canceled = start(&installation, &[]);
    assert!(installation.run_ok(&["device", "show", "P01"], "").contains("waits for its machine until "));
    assert_eq!(run_json(&installation, &["device", "cancel", "P01"]), json!({ "canceled": "P01" }));
    let signer = ProofSigner::p256();
    enroll_device(&server, &signer, &canceled).expect_status(403);

    let code = start(&installation, &[]);
    let enrolled = enroll_device(&server, &signer, &code).expect_status(201);
    let keys = run_json(&installation, &["device", "keys", "P01"]);
    assert_eq!(
        (&keys[0]["state"], &keys[0]["label"], &keys[0]["used_at"]),
        (&json!("current"), &json!("Box"), &Value::Null)
    );
    let shown = installation.run_ok(&["device", "show", "P01"], "");
    assert!(shown.contains("Box, Kasa 5.1, hardware, enrolled ") && shown.contains("never used since"), "{shown}");
    let question = refuse(&["device", "revoke-key", "P01"], 2);
    assert!(
        question.contains("revokes the key of the device \"P01\" (Box, Kasa 5.1")
            && question.contains("ends 1 session.")
    );
    refresh(&server, &signer, &enrolled.text_at("/refresh_token")).expect_status(200);
    let revoked = run_json(&installation, &["device", "revoke-key", "P01", "--yes"]);
    assert_eq!(revoked, json!({ "revoked": keys[0]["thumbprint"], "ended": 1 }));
    wait_until(PROPAGATION_TIMEOUT, "the end of the revoked key's session", || {
        refresh(&server, &signer, &enrolled.text_at("/refresh_token")).status() == 401
    });
    assert_eq!(run_json(&installation, &["device", "keys", "P01"])[0]["state"], "revoked");
    let events = run_json(&installation, &["audit", "list", "--action", "device.key.revoke"]);
    assert!(
        events[0]["details"]["shell"].as_str().is_some_and(|by| by.contains('@')),
        "the user of the shell: {events}"
    );
    assert_eq!(events[0]["details"]["thumbprint"], keys[0]["thumbprint"]);

    let body = json!({ "storage": "software", "label": "Kiosk", "app": "Kasa 5.1" });
    installation.run_ok(&["tenant", "set", "--machine-codes", "true"], "");
    let started = post_with_proof(&server, &signer, "/api/v1/enrollments/start", &body).expect_status(200);
    let code = start(&installation, &["--confirm"]);
    enroll_device(&server, &ProofSigner::ed25519(3), &code).expect_status(202);
    let waiting = run_json(&installation, &["device", "waiting"]);
    let mut shown: Vec<_> = waiting.as_array().unwrap().iter().map(|each| (&each["label"], &each["device"])).collect();
    shown.sort_by_key(|(label, _)| label.to_string());
    assert_eq!(shown, [(&json!("Box"), &json!("P01")), (&json!("Kiosk"), &Value::Null)]);
    assert!(waiting[0]["fingerprint"].is_null(), "a person reads the digits from the machine: {waiting}");
    let table = installation.run(&["device", "waiting", "--limit", "1"], "");
    assert_eq!(String::from_utf8_lossy(&table.stdout).lines().count(), 2);
    assert!(String::from_utf8_lossy(&table.stderr).contains("more machines wait; --limit shows them"));
    let accept = ["device", "accept", &code, "--device", "P02", "--fingerprint", "0000"];
    let refused = refuse(&accept, 1);
    assert!(refused.contains("was started for another device than \"P02\"; is it --device P01?"), "{refused}");
    let user_code = started.text_at("/user_code");
    installation.run_ok(&["device", "deny", &user_code], "");
    let again = refuse(&["device", "deny", &user_code], 1);
    assert!(again.contains("the machine with this code was denied"), "{again}");
    installation.run_ok(&["device", "cancel", "P01"], "");
    assert_eq!(run_json(&installation, &["device", "waiting"]), json!([]));
}
