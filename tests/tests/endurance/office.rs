//! The office changes its test users: it ends their sessions, sets their passwords, suspends them,
//! changes their roles and revokes API keys. Sometimes they log out or change their password
//! themselves. Responses are reported to the oracle.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_testkit::Random;
use tillgate_tests::PortosKey;

use crate::api_client::signed_request;
use crate::dialect::{TestDialect, Tokens};
use crate::http::{HttpReply, HttpRequest};
use crate::oracle::{PossibleValues, TestApiKey, TestUser, allows_storno, check_rights};
use crate::simulation::Simulation;

/// How long the office waits for a response: longer than the server may take, so none of its
/// requests is carried out after the office has given up.
const OFFICE_TIMEOUT: Duration = Duration::from_secs(20);

/// The share of everything, in thousandths, that the oracle checks after each restart. At the end
/// it checks everything.
const CHECKED_PER_MILLE: usize = 200;

/// The outcome of a change.
enum ChangeOutcome {
    Answered(HttpReply),
    /// It may have been done or not.
    Unknown,
    /// It was not done.
    Refused,
}

/// Works until the simulation ends, and checks after each restart that everything is as expected.
pub(crate) fn run_office(world: &Simulation, mut random: Random) {
    let mut round = 0;
    while world.is_running() {
        if world.take_restarted() {
            check_oracle(world, &mut random);
        }
        round += 1;
        run_round(world, &mut random, round);
        std::thread::sleep(random.millis_between(0, 20));
    }
}

fn check_oracle(world: &Simulation, random: &mut Random) {
    world.admin.refresh(world, &mut Random::from_seed(0));
    let Some(admin) = world.admin.read_tokens() else { return };
    // nobody else changes what the oracle knows about test users; tills may continue to sell
    let oracle = world.oracle.lock().unwrap().clone();
    oracle.check(world.address(), &admin.access, &world.anomalies, || random.in_thousand(CHECKED_PER_MILLE));
}

fn run_round(world: &Simulation, random: &mut Random, round: usize) {
    let picked = random.below(world.plan.users);
    let mut user = world.oracle.lock().unwrap().users[picked].clone();
    if user.device_unlocked.certain() != Some(&true) {
        set_lock(world, &mut user, false);
    } else if user.active.certain() == Some(&true) {
        if user.session.is_none() {
            log_in(world, &mut user);
        }
        match random.below(12) {
            0 => end_sessions(world, &mut user),
            1 => log_out(world, &mut user),
            2 => set_password(world, &mut user, round),
            3 => change_own_password(world, &mut user, round),
            4 => set_status(world, &mut user, false),
            5 | 6 => set_role(world, &mut user, random),
            7 => change_keys(world, random),
            8 => end_session(world, &mut user),
            9 => set_lock(world, &mut user, true),
            10 => change_role(world, random),
            _ => check_allowed_work(world, &user),
        }
    } else {
        set_status(world, &mut user, true);
    }
    world.oracle.lock().unwrap().users[picked] = user;
}

/// Logs each test user in once and creates an API key, so that there is something to check.
pub(crate) fn log_everybody_in(world: &Simulation) {
    let victims = world.oracle.lock().unwrap().users.clone();
    for (number, mut user) in victims.into_iter().enumerate() {
        log_in(world, &mut user);
        world.oracle.lock().unwrap().users[number] = user;
    }
    change_keys(world, &mut Random::from_seed(0));
}

/// Sends a request with the admin's token.
fn send_as_admin(world: &Simulation, request: HttpRequest) -> ChangeOutcome {
    let Some(tokens) = world.admin.read_tokens() else {
        world.admin.log_in(world);
        return ChangeOutcome::Refused;
    };
    let request = request.bearer(&tokens.access);
    match send_change(world, &request) {
        // the admin's own token has expired
        ChangeOutcome::Answered(reply) if reply.status == 401 => {
            world.admin.refresh(world, &mut Random::from_seed(0));
            ChangeOutcome::Refused
        }
        ChangeOutcome::Answered(reply) if reply.status >= 400 => {
            let HttpRequest { method, target, .. } = request;
            world.anomalies.record(format!("{method} {target} was answered {} {}", reply.status, reply.body));
            ChangeOutcome::Refused
        }
        outcome => outcome,
    }
}

fn send_change(world: &Simulation, request: &HttpRequest) -> ChangeOutcome {
    match request.send(world.address(), OFFICE_TIMEOUT) {
        None => ChangeOutcome::Unknown,
        Some(reply) if reply.status == 503 => ChangeOutcome::Unknown,
        Some(reply) => ChangeOutcome::Answered(reply),
    }
}

fn patch_request(path: &str, id: &str, body: &Value) -> HttpRequest {
    HttpRequest::new("PATCH", format!("/api/v1/{path}/{id}")).header("if-match", "*").json(body)
}

/// Logs in with the valid password. If a change of the password was not answered, this shows which
/// one is valid.
fn log_in(world: &Simulation, user: &mut TestUser) {
    for password in user.password.values() {
        let Some(reply) =
            user.dialect.login_request(&user.credentials(&password)).send(world.address(), OFFICE_TIMEOUT)
        else {
            return;
        };
        match user.dialect.parse_tokens(&reply) {
            Some(tokens) => {
                user.set_password(&password);
                user.session = Some(tokens);
                return;
            }
            None if reply.status == 401 => {}
            None if reply.status == 503 => return,
            None => return world.anomalies.record(format!("{}: {} {}", user.name, reply.status, reply.body)),
        }
    }
    world.anomalies.record(format!("no password that was set is good for {}: {:?}", user.name, user.password));
}

/// Records that the user's session has ended, certainly or possibly. If it is certain, none of its
/// tokens is accepted from now on.
fn record_ended(world: &Simulation, user: &mut TestUser, outcome: &ChangeOutcome) {
    let tokens = match outcome {
        ChangeOutcome::Refused => return,
        ChangeOutcome::Unknown => return user.session = None,
        ChangeOutcome::Answered(_) => user.session.take(),
    };
    if let Some(tokens) = tokens {
        check_ended_at_once(world, user, &tokens);
        world.oracle.lock().unwrap().ended_tokens.push((user.dialect, tokens));
    }
}

fn check_ended_at_once(world: &Simulation, user: &TestUser, tokens: &Tokens) {
    if let Some(reply) = user.dialect.current_session_request(&tokens.access).send(world.address(), OFFICE_TIMEOUT)
        && ![401, 503].contains(&reply.status)
    {
        world
            .anomalies
            .record(format!("a session of {} has ended, and its token is answered {}", user.name, reply.status));
    }
}

fn end_sessions(world: &Simulation, user: &mut TestUser) {
    let ended =
        send_as_admin(world, HttpRequest::new("POST", "/api/v1/sessions/end").json(&json!({ "user": user.id })));
    record_ended(world, user, &ended);
}

/// Ends one session by its id, as its contract reports it.
fn end_session(world: &Simulation, user: &mut TestUser) {
    let (Some(tokens), TestDialect::Native) = (&user.session, user.dialect) else { return };
    let Some(shown) = TestDialect::Native.current_session_request(&tokens.access).send(world.address(), OFFICE_TIMEOUT)
    else {
        return;
    };
    let id = shown.text("/session/id");
    if !id.is_empty() {
        let ended = send_as_admin(world, HttpRequest::new("DELETE", format!("/api/v1/sessions/{id}")));
        record_ended(world, user, &ended);
    }
}

/// Locks or unlocks the device; locking ends its sessions.
fn set_lock(world: &Simulation, user: &mut TestUser, locked: bool) {
    if ![TestDialect::Native, TestDialect::Portos].contains(&user.dialect) {
        return;
    }
    user.device_unlocked.add_possible(!locked);
    let status = if locked { "locked" } else { "active" };
    let set = send_as_admin(world, patch_request("devices", &user.device.id, &json!({ "status": status })));
    match &set {
        ChangeOutcome::Answered(_) => user.device_unlocked.set_certain(!locked),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => user.device_unlocked.remove_possible(&!locked),
    }
    if locked {
        record_ended(world, user, &set);
    }
}

/// Changes the rights of a role. They apply at once to the users who have it.
fn change_role(world: &Simulation, random: &mut Random) {
    let mut role = world.oracle.lock().unwrap().roles[0].clone();
    let storno = random.in_thousand(500);
    role.storno.add_possible(storno);
    let rights = if storno { json!(["ticketClose", "storno"]) } else { json!(["ticketClose"]) };
    match send_as_admin(world, patch_request("roles", &role.id, &json!({ "rights": rights }))) {
        ChangeOutcome::Answered(_) => role.storno.set_certain(storno),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => role.storno.remove_possible(&storno),
    }
    let watchman = &world.role_holder;
    match watchman
        .read_tokens()
        .map(|tokens| watchman.dialect.current_session_request(&tokens.access).send(world.address(), OFFICE_TIMEOUT))
    {
        None => watchman.log_in(world),
        Some(Some(shown)) if shown.status == 401 => watchman.refresh(world, random),
        Some(Some(shown)) if shown.status == 200 && !role.storno.may_be(&allows_storno(&shown)) => {
            let has = &shown.json()["rights"];
            world.anomalies.record(format!("the watchman has {has}, and may have storno: {:?}", role.storno));
        }
        _ => {}
    }
    world.oracle.lock().unwrap().roles[0] = role;
}

fn log_out(world: &Simulation, user: &mut TestUser) {
    let Some(tokens) = &user.session else { return };
    let left = send_change(world, &user.dialect.logout_request(&tokens.access));
    if let ChangeOutcome::Answered(reply) = &left
        && reply.status >= 300
    {
        let (name, status) = (&user.name, reply.status);
        world.anomalies.record(format!("{name} logs out and is answered {status} {}", reply.body));
    }
    record_ended(world, user, &left);
}

fn set_password(world: &Simulation, user: &mut TestUser, round: usize) {
    let password = format!("drawn by the office {round}");
    let request =
        HttpRequest::new("PUT", format!("/api/v1/users/{}/password", user.id)).json(&json!({ "password": password }));
    user.password.add_possible(password.clone());
    let set = send_as_admin(world, request);
    match &set {
        ChangeOutcome::Answered(_) => user.set_password(&password),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => user.password.remove_possible(&password),
    }
    record_ended(world, user, &set);
}

/// A user's own session continues after a password change.
fn change_own_password(world: &Simulation, user: &mut TestUser, round: usize) {
    let (Some(tokens), Some(old), TestDialect::Native) =
        (&user.session, user.password.certain().cloned(), user.dialect)
    else {
        return;
    };
    let password = format!("chosen by oneself {round}");
    let request = HttpRequest::new("PUT", "/api/v1/sessions/current/password")
        .bearer(&tokens.access)
        .json(&json!({ "current_password": old, "password": password }));
    user.password.add_possible(password.clone());
    match send_change(world, &request) {
        ChangeOutcome::Answered(reply) if reply.status < 300 => user.set_password(&password),
        ChangeOutcome::Answered(reply) => {
            user.password.remove_possible(&password);
            let (name, status) = (&user.name, reply.status);
            world.anomalies.record(format!("{name} chooses a password and is answered {status} {}", reply.body));
        }
        ChangeOutcome::Unknown | ChangeOutcome::Refused => {}
    }
}

fn set_status(world: &Simulation, user: &mut TestUser, active: bool) {
    user.active.add_possible(active);
    let status = if active { "active" } else { "suspended" };
    let set = send_as_admin(world, patch_request("users", &user.id, &json!({ "status": status })));
    match &set {
        ChangeOutcome::Answered(_) => user.active.set_certain(active),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => user.active.remove_possible(&active),
    }
    if !active {
        record_ended(world, user, &set);
    }
}

fn set_role(world: &Simulation, user: &mut TestUser, random: &mut Random) {
    let role = random.pick(&["cashier", "manager"]);
    user.role.add_possible(role);
    let devices = [user.device.name.as_str(), "OFFICE"].map(|device| json!({ "device": device, "roles": [role] }));
    match send_as_admin(world, patch_request("users", &user.id, &json!({ "roles": [role], "devices": devices }))) {
        ChangeOutcome::Answered(_) => {
            user.role.set_certain(role);
            check_allowed_work(world, user);
        }
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => user.role.remove_possible(&role),
    }
}

/// The rights of the session are those of the role, at once.
fn check_allowed_work(world: &Simulation, user: &TestUser) {
    if let (Some(tokens), TestDialect::Native) = (&user.session, user.dialect) {
        check_rights(world.address(), user, tokens, &world.anomalies);
    }
}

/// Creates or revokes an API key.
fn change_keys(world: &Simulation, random: &mut Random) {
    let count = world.oracle.lock().unwrap().keys.len();
    if count < 3 || random.in_thousand(400) {
        let body = json!({ "name": format!("Till sync {count}"), "user": "cashier", "device": "P01" });
        if let ChangeOutcome::Answered(reply) =
            send_as_admin(world, HttpRequest::new("POST", "/api/v1/api-keys").json(&body))
        {
            let key = PortosKey { client: reply.text("/client_id"), secret: reply.text("/client_secret") };
            check_key(world, &key, true);
            world.oracle.lock().unwrap().keys.push(TestApiKey {
                id: reply.text("/id"),
                key,
                active: PossibleValues::certainly(true),
            });
        }
        return;
    }
    let picked = random.below(count);
    let mut key = world.oracle.lock().unwrap().keys[picked].clone();
    key.active.add_possible(false);
    match send_as_admin(world, patch_request("api-keys", &key.id, &json!({ "status": "revoked" }))) {
        ChangeOutcome::Answered(_) => {
            key.active.set_certain(false);
            check_key(world, &key.key, false);
        }
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => key.active.remove_possible(&false),
    }
    world.oracle.lock().unwrap().keys[picked] = key;
}

/// Checks whether a key is accepted, from the response on.
fn check_key(world: &Simulation, key: &PortosKey, active: bool) {
    if let Some(reply) = signed_request(key, world.address()).send(world.address(), OFFICE_TIMEOUT)
        && ![if active { 200 } else { 401 }, 503].contains(&reply.status)
    {
        world.anomalies.record(format!("a key that counts: {active}, is answered {}", reply.status));
    }
}
