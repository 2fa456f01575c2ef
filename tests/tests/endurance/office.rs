//! The office does everything to its victims: it ends their sessions, sets their passwords, suspends them, gives them other roles, and
//! revokes API keys; now and then they log out or change their password themselves. What is answered goes to the oracle.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::PortosKey;

use crate::api_client::signed_request;
use crate::dialect::{TestDialect, Tokens};
use crate::http::{HttpReply, HttpRequest};
use crate::oracle::{PossibleValues, TestApiKey, TestUser, allows_storno, check_rights};
use crate::random::Random;
use crate::simulation::Simulation;

/// How long the office waits: longer than a server may take, so no request of its is done after it has given up.
const OFFICE_TIMEOUT: Duration = Duration::from_secs(20);

/// The oracle looks at so many in a thousand of everything after each restart, and at all of it at the end.
const CHECKED_PER_MILLE: usize = 200;

/// What came of a change.
enum ChangeOutcome {
    Answered(HttpReply),
    /// It may have been done, or not.
    Unknown,
    /// It was not done.
    Refused,
}

/// Works until the world is over, and looks after each restart whether everything is as it may be.
pub(crate) fn run_office(world: &Simulation, mut chance: Random) {
    let mut round = 0;
    while world.is_running() {
        if world.take_restarted() {
            check_oracle(world, &mut chance);
        }
        round += 1;
        run_round(world, &mut chance, round);
        std::thread::sleep(chance.duration_between(0, 20));
    }
}

fn check_oracle(world: &Simulation, chance: &mut Random) {
    world.admin.refresh(world, &mut Random::from_seed(0));
    let Some(admin) = world.admin.read_tokens() else { return };
    // nobody else changes what the oracle knows of victims; tills may go on to sell
    let oracle = world.oracle.lock().unwrap().clone();
    oracle.check(world.address(), &admin.access, &world.anomalies, || chance.in_thousand(CHECKED_PER_MILLE));
}

fn run_round(world: &Simulation, chance: &mut Random, round: usize) {
    let picked = chance.below(world.plan.users);
    let mut victim = world.oracle.lock().unwrap().users[picked].clone();
    if victim.device_unlocked.certain() != Some(&true) {
        set_lock(world, &mut victim, false);
    } else if victim.active.certain() == Some(&true) {
        if victim.session.is_none() {
            log_in(world, &mut victim);
        }
        match chance.below(12) {
            0 => end_sessions(world, &mut victim),
            1 => log_out(world, &mut victim),
            2 => set_password(world, &mut victim, round),
            3 => change_own_password(world, &mut victim, round),
            4 => set_status(world, &mut victim, false),
            5 | 6 => set_role(world, &mut victim, chance),
            7 => change_keys(world, chance),
            8 => end_session(world, &mut victim),
            9 => set_lock(world, &mut victim, true),
            10 => change_role(world, chance),
            _ => check_allowed_work(world, &victim),
        }
    } else {
        set_status(world, &mut victim, true);
    }
    world.oracle.lock().unwrap().users[picked] = victim;
}

/// Everybody logs in once, and there is a key: something to look at.
pub(crate) fn log_everybody_in(world: &Simulation) {
    let victims = world.oracle.lock().unwrap().users.clone();
    for (number, mut victim) in victims.into_iter().enumerate() {
        log_in(world, &mut victim);
        world.oracle.lock().unwrap().users[number] = victim;
    }
    change_keys(world, &mut Random::from_seed(0));
}

/// Asks on the admin's behalf.
fn send_as_admin(world: &Simulation, asked: HttpRequest) -> ChangeOutcome {
    let Some(tokens) = world.admin.read_tokens() else {
        world.admin.log_in(world);
        return ChangeOutcome::Refused;
    };
    let asked = asked.bearer(&tokens.access);
    match send_change(world, &asked) {
        // the admin's own token has expired
        ChangeOutcome::Answered(reply) if reply.status == 401 => {
            world.admin.refresh(world, &mut Random::from_seed(0));
            ChangeOutcome::Refused
        }
        ChangeOutcome::Answered(reply) if reply.status >= 400 => {
            let HttpRequest { method, target, .. } = asked;
            world.anomalies.record(format!("{method} {target} was answered {} {}", reply.status, reply.body));
            ChangeOutcome::Refused
        }
        outcome => outcome,
    }
}

fn send_change(world: &Simulation, asked: &HttpRequest) -> ChangeOutcome {
    match asked.send(world.address(), OFFICE_TIMEOUT) {
        None => ChangeOutcome::Unknown,
        Some(reply) if reply.status == 503 => ChangeOutcome::Unknown,
        Some(reply) => ChangeOutcome::Answered(reply),
    }
}

fn patch_request(path: &str, id: &str, body: &Value) -> HttpRequest {
    HttpRequest::new("PATCH", format!("/api/v1/{path}/{id}")).header("if-match", "*").json(body)
}

/// By the password that is good; which one that is shows here, where a change of it was not answered.
fn log_in(world: &Simulation, victim: &mut TestUser) {
    for password in victim.password.values() {
        let Some(reply) =
            victim.dialect.login_request(&victim.credentials(&password)).send(world.address(), OFFICE_TIMEOUT)
        else {
            return;
        };
        match victim.dialect.parse_tokens(&reply) {
            Some(tokens) => {
                victim.set_password(&password);
                victim.session = Some(tokens);
                return;
            }
            None if reply.status == 401 => {}
            None if reply.status == 503 => return,
            None => return world.anomalies.record(format!("{}: {} {}", victim.name, reply.status, reply.body)),
        }
    }
    world.anomalies.record(format!("no password that was set is good for {}: {:?}", victim.name, victim.password));
}

/// The victim's session has ended, for certain or perhaps. Where it is certain no token of it is good, from now on.
fn record_ended(world: &Simulation, victim: &mut TestUser, outcome: &ChangeOutcome) {
    let tokens = match outcome {
        ChangeOutcome::Refused => return,
        ChangeOutcome::Unknown => return victim.session = None,
        ChangeOutcome::Answered(_) => victim.session.take(),
    };
    if let Some(tokens) = tokens {
        check_ended_at_once(world, victim, &tokens);
        world.oracle.lock().unwrap().ended_tokens.push((victim.dialect, tokens));
    }
}

fn check_ended_at_once(world: &Simulation, victim: &TestUser, tokens: &Tokens) {
    if let Some(reply) = victim.dialect.current_session_request(&tokens.access).send(world.address(), OFFICE_TIMEOUT)
        && ![401, 503].contains(&reply.status)
    {
        world
            .anomalies
            .record(format!("a session of {} has ended, and its token is answered {}", victim.name, reply.status));
    }
}

fn end_sessions(world: &Simulation, victim: &mut TestUser) {
    let ended =
        send_as_admin(world, HttpRequest::new("POST", "/api/v1/sessions/end").json(&json!({ "user": victim.id })));
    record_ended(world, victim, &ended);
}

/// Ends one session by its id, which its own contract tells.
fn end_session(world: &Simulation, victim: &mut TestUser) {
    let (Some(tokens), TestDialect::Native) = (&victim.session, victim.dialect) else { return };
    let Some(shown) = TestDialect::Native.current_session_request(&tokens.access).send(world.address(), OFFICE_TIMEOUT)
    else {
        return;
    };
    let id = shown.text("/session/id");
    if !id.is_empty() {
        let ended = send_as_admin(world, HttpRequest::new("DELETE", format!("/api/v1/sessions/{id}")));
        record_ended(world, victim, &ended);
    }
}

/// Locks or unlocks the device, which ends the sessions on it.
fn set_lock(world: &Simulation, victim: &mut TestUser, locked: bool) {
    if ![TestDialect::Native, TestDialect::Portos].contains(&victim.dialect) {
        return;
    }
    victim.device_unlocked.add_possible(!locked);
    let status = if locked { "locked" } else { "active" };
    let set = send_as_admin(world, patch_request("devices", &victim.device.id, &json!({ "status": status })));
    match &set {
        ChangeOutcome::Answered(_) => victim.device_unlocked.set_certain(!locked),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => victim.device_unlocked.remove_possible(&!locked),
    }
    if locked {
        record_ended(world, victim, &set);
    }
}

/// Changes what a role allows; whoever holds it may do that at once, and no more.
fn change_role(world: &Simulation, chance: &mut Random) {
    let mut role = world.oracle.lock().unwrap().roles[0].clone();
    let storno = chance.in_thousand(500);
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
        Some(Some(shown)) if shown.status == 401 => watchman.refresh(world, chance),
        Some(Some(shown)) if shown.status == 200 && !role.storno.may_be(&allows_storno(&shown)) => {
            let has = &shown.json()["rights"];
            world.anomalies.record(format!("the watchman has {has}, and may have storno: {:?}", role.storno));
        }
        _ => {}
    }
    world.oracle.lock().unwrap().roles[0] = role;
}

fn log_out(world: &Simulation, victim: &mut TestUser) {
    let Some(tokens) = &victim.session else { return };
    let left = send_change(world, &victim.dialect.logout_request(&tokens.access));
    if let ChangeOutcome::Answered(reply) = &left
        && reply.status >= 300
    {
        let (name, status) = (&victim.name, reply.status);
        world.anomalies.record(format!("{name} logs out and is answered {status} {}", reply.body));
    }
    record_ended(world, victim, &left);
}

fn set_password(world: &Simulation, victim: &mut TestUser, round: usize) {
    let password = format!("drawn by the office {round}");
    let asked =
        HttpRequest::new("PUT", format!("/api/v1/users/{}/password", victim.id)).json(&json!({ "password": password }));
    victim.password.add_possible(password.clone());
    let set = send_as_admin(world, asked);
    match &set {
        ChangeOutcome::Answered(_) => victim.set_password(&password),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => victim.password.remove_possible(&password),
    }
    record_ended(world, victim, &set);
}

/// One's own session goes on.
fn change_own_password(world: &Simulation, victim: &mut TestUser, round: usize) {
    let (Some(tokens), Some(old), TestDialect::Native) =
        (&victim.session, victim.password.certain().cloned(), victim.dialect)
    else {
        return;
    };
    let password = format!("chosen by oneself {round}");
    let asked = HttpRequest::new("PUT", "/api/v1/sessions/current/password")
        .bearer(&tokens.access)
        .json(&json!({ "current_password": old, "password": password }));
    victim.password.add_possible(password.clone());
    match send_change(world, &asked) {
        ChangeOutcome::Answered(reply) if reply.status < 300 => victim.set_password(&password),
        ChangeOutcome::Answered(reply) => {
            victim.password.remove_possible(&password);
            let (name, status) = (&victim.name, reply.status);
            world.anomalies.record(format!("{name} chooses a password and is answered {status} {}", reply.body));
        }
        ChangeOutcome::Unknown | ChangeOutcome::Refused => {}
    }
}

fn set_status(world: &Simulation, victim: &mut TestUser, active: bool) {
    victim.active.add_possible(active);
    let status = if active { "active" } else { "suspended" };
    let set = send_as_admin(world, patch_request("users", &victim.id, &json!({ "status": status })));
    match &set {
        ChangeOutcome::Answered(_) => victim.active.set_certain(active),
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => victim.active.remove_possible(&active),
    }
    if !active {
        record_ended(world, victim, &set);
    }
}

fn set_role(world: &Simulation, victim: &mut TestUser, chance: &mut Random) {
    let role = chance.pick(&["cashier", "manager"]);
    victim.role.add_possible(role);
    let devices = [victim.device.name.as_str(), "OFFICE"].map(|device| json!({ "device": device, "roles": [role] }));
    match send_as_admin(world, patch_request("users", &victim.id, &json!({ "roles": [role], "devices": devices }))) {
        ChangeOutcome::Answered(_) => {
            victim.role.set_certain(role);
            check_allowed_work(world, victim);
        }
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => victim.role.remove_possible(&role),
    }
}

/// What the session may do is what the role allows, at once.
fn check_allowed_work(world: &Simulation, victim: &TestUser) {
    if let (Some(tokens), TestDialect::Native) = (&victim.session, victim.dialect) {
        check_rights(world.address(), victim, tokens, &world.anomalies);
    }
}

/// Makes a key, or revokes one.
fn change_keys(world: &Simulation, chance: &mut Random) {
    let count = world.oracle.lock().unwrap().keys.len();
    if count < 3 || chance.in_thousand(400) {
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
    let picked = chance.below(count);
    let mut held = world.oracle.lock().unwrap().keys[picked].clone();
    held.active.add_possible(false);
    match send_as_admin(world, patch_request("api-keys", &held.id, &json!({ "status": "revoked" }))) {
        ChangeOutcome::Answered(_) => {
            held.active.set_certain(false);
            check_key(world, &held.key, false);
        }
        ChangeOutcome::Unknown => {}
        ChangeOutcome::Refused => held.active.remove_possible(&false),
    }
    world.oracle.lock().unwrap().keys[picked] = held;
}

/// Whether a key counts, from the answer on.
fn check_key(world: &Simulation, key: &PortosKey, active: bool) {
    if let Some(reply) = signed_request(key, world.address()).send(world.address(), OFFICE_TIMEOUT)
        && ![if active { 200 } else { 401 }, 503].contains(&reply.status)
    {
        world.anomalies.record(format!("a key that counts: {active}, is answered {}", reply.status));
    }
}
