//! The office does everything to its victims: it ends their sessions, sets their passwords, suspends them, gives them other roles, and
//! revokes API keys; now and then they log out or change their password themselves. What is answered goes to the oracle.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::PortosKey;

use crate::chance::Chance;
use crate::contract::{Contract, Tokens};
use crate::oracle::{Fact, Held, Victim, allows_storno, check_rights};
use crate::program::signed;
use crate::wire::{Asked, Reply};
use crate::world::World;

/// How long the office waits: longer than a server may take, so no request of its is done after it has given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// The oracle looks at so many in a thousand of everything after each restart, and at all of it at the end.
const LOOKED_AT: usize = 200;

/// What came of a change.
enum Outcome {
    Answered(Reply),
    /// It may have been done, or not.
    Unknown,
    /// It was not done.
    Refused,
}

/// Works until the world is over, and looks after each restart whether everything is as it may be.
pub(crate) fn run(world: &World, mut chance: Chance) {
    let mut round = 0;
    while world.goes_on() {
        if world.restarted() {
            look(world, &mut chance);
        }
        round += 1;
        turn(world, &mut chance, round);
        std::thread::sleep(chance.between(0, 20));
    }
}

fn look(world: &World, chance: &mut Chance) {
    world.admin.refresh(world, &mut Chance::of(0));
    let Some(admin) = world.admin.read() else { return };
    // nobody else changes what the oracle knows of victims; tills may go on to sell
    let oracle = world.oracle.lock().unwrap().clone();
    oracle.check(world.address(), &admin.access, &world.journal, || chance.in_thousand(LOOKED_AT));
}

fn turn(world: &World, chance: &mut Chance, round: usize) {
    let picked = chance.below(world.plan.victims);
    let mut victim = world.oracle.lock().unwrap().victims[picked].clone();
    if victim.unlocked.certain() != Some(&true) {
        set_lock(world, &mut victim, false);
    } else if victim.active.certain() == Some(&true) {
        if victim.session.is_none() {
            log_in(world, &mut victim);
        }
        match chance.below(12) {
            0 => end(world, &mut victim),
            1 => log_out(world, &mut victim),
            2 => set_password(world, &mut victim, round),
            3 => own_password(world, &mut victim, round),
            4 => set_status(world, &mut victim, false),
            5 | 6 => set_role(world, &mut victim, chance),
            7 => keys(world, chance),
            8 => end_one(world, &mut victim),
            9 => set_lock(world, &mut victim, true),
            10 => change_role(world, chance),
            _ => work(world, &victim),
        }
    } else {
        set_status(world, &mut victim, true);
    }
    world.oracle.lock().unwrap().victims[picked] = victim;
}

/// Everybody logs in once, and there is a key: something to look at.
pub(crate) fn greet(world: &World) {
    let victims = world.oracle.lock().unwrap().victims.clone();
    for (number, mut victim) in victims.into_iter().enumerate() {
        log_in(world, &mut victim);
        world.oracle.lock().unwrap().victims[number] = victim;
    }
    keys(world, &mut Chance::of(0));
}

/// Asks on the admin's behalf.
fn by_admin(world: &World, asked: Asked) -> Outcome {
    let Some(tokens) = world.admin.read() else {
        world.admin.log_in(world);
        return Outcome::Refused;
    };
    let asked = asked.bearer(&tokens.access);
    match change(world, &asked) {
        // the admin's own token has expired
        Outcome::Answered(reply) if reply.status == 401 => {
            world.admin.refresh(world, &mut Chance::of(0));
            Outcome::Refused
        }
        Outcome::Answered(reply) if reply.status >= 400 => {
            let Asked { method, target, .. } = asked;
            world.journal.note(format!("{method} {target} was answered {} {}", reply.status, reply.body));
            Outcome::Refused
        }
        outcome => outcome,
    }
}

fn change(world: &World, asked: &Asked) -> Outcome {
    match asked.ask(world.address(), PATIENCE) {
        None => Outcome::Unknown,
        Some(reply) if reply.status == 503 => Outcome::Unknown,
        Some(reply) => Outcome::Answered(reply),
    }
}

fn patch(path: &str, id: &str, body: &Value) -> Asked {
    Asked::new("PATCH", format!("/api/v1/{path}/{id}")).header("if-match", "*").json(body)
}

/// By the password that is good; which one that is shows here, where a change of it was not answered.
fn log_in(world: &World, victim: &mut Victim) {
    for password in victim.password.all() {
        let Some(reply) = victim.contract.log_in(&victim.account(&password)).ask(world.address(), PATIENCE) else {
            return;
        };
        match victim.contract.tokens(&reply) {
            Some(tokens) => {
                victim.knows(&password);
                victim.session = Some(tokens);
                return;
            }
            None if reply.status == 401 => {}
            None if reply.status == 503 => return,
            None => return world.journal.note(format!("{}: {} {}", victim.name, reply.status, reply.body)),
        }
    }
    world.journal.note(format!("no password that was set is good for {}: {:?}", victim.name, victim.password));
}

/// The victim's session has ended, for certain or perhaps. Where it is certain no token of it is good, from now on.
fn over(world: &World, victim: &mut Victim, outcome: &Outcome) {
    let tokens = match outcome {
        Outcome::Refused => return,
        Outcome::Unknown => return victim.session = None,
        Outcome::Answered(_) => victim.session.take(),
    };
    if let Some(tokens) = tokens {
        at_once(world, victim, &tokens);
        world.oracle.lock().unwrap().dead.push((victim.contract, tokens));
    }
}

fn at_once(world: &World, victim: &Victim, tokens: &Tokens) {
    if let Some(reply) = victim.contract.who(&tokens.access).ask(world.address(), PATIENCE)
        && ![401, 503].contains(&reply.status)
    {
        world
            .journal
            .note(format!("a session of {} has ended, and its token is answered {}", victim.name, reply.status));
    }
}

fn end(world: &World, victim: &mut Victim) {
    let ended = by_admin(world, Asked::new("POST", "/api/v1/sessions/end").json(&json!({ "user": victim.id })));
    over(world, victim, &ended);
}

/// Ends one session by its id, which its own contract tells.
fn end_one(world: &World, victim: &mut Victim) {
    let (Some(tokens), Contract::Native) = (&victim.session, victim.contract) else { return };
    let Some(shown) = Contract::Native.who(&tokens.access).ask(world.address(), PATIENCE) else { return };
    let id = shown.text("/session/id");
    if !id.is_empty() {
        let ended = by_admin(world, Asked::new("DELETE", format!("/api/v1/sessions/{id}")));
        over(world, victim, &ended);
    }
}

/// Locks or unlocks the device, which ends the sessions on it.
fn set_lock(world: &World, victim: &mut Victim, locked: bool) {
    if ![Contract::Native, Contract::Portos].contains(&victim.contract) {
        return;
    }
    victim.unlocked.tried(!locked);
    let status = if locked { "locked" } else { "active" };
    let set = by_admin(world, patch("devices", &victim.device.id, &json!({ "status": status })));
    match &set {
        Outcome::Answered(_) => victim.unlocked.is(!locked),
        Outcome::Unknown => {}
        Outcome::Refused => victim.unlocked.gave_up(&!locked),
    }
    if locked {
        over(world, victim, &set);
    }
}

/// Changes what a role allows; whoever holds it may do that at once, and no more.
fn change_role(world: &World, chance: &mut Chance) {
    let mut role = world.oracle.lock().unwrap().roles[0].clone();
    let storno = chance.in_thousand(500);
    role.storno.tried(storno);
    let rights = if storno { json!(["ticketClose", "storno"]) } else { json!(["ticketClose"]) };
    match by_admin(world, patch("roles", &role.id, &json!({ "rights": rights }))) {
        Outcome::Answered(_) => role.storno.is(storno),
        Outcome::Unknown => {}
        Outcome::Refused => role.storno.gave_up(&storno),
    }
    let watchman = &world.watchman;
    match watchman.read().map(|tokens| watchman.contract.who(&tokens.access).ask(world.address(), PATIENCE)) {
        None => watchman.log_in(world),
        Some(Some(shown)) if shown.status == 401 => watchman.refresh(world, chance),
        Some(Some(shown)) if shown.status == 200 && !role.storno.may_be(&allows_storno(&shown)) => {
            let has = &shown.json()["rights"];
            world.journal.note(format!("the watchman has {has}, and may have storno: {:?}", role.storno));
        }
        _ => {}
    }
    world.oracle.lock().unwrap().roles[0] = role;
}

fn log_out(world: &World, victim: &mut Victim) {
    let Some(tokens) = &victim.session else { return };
    let left = change(world, &victim.contract.log_out(&tokens.access));
    if let Outcome::Answered(reply) = &left
        && reply.status >= 300
    {
        let (name, status) = (&victim.name, reply.status);
        world.journal.note(format!("{name} logs out and is answered {status} {}", reply.body));
    }
    over(world, victim, &left);
}

fn set_password(world: &World, victim: &mut Victim, round: usize) {
    let password = format!("drawn by the office {round}");
    let asked =
        Asked::new("PUT", format!("/api/v1/users/{}/password", victim.id)).json(&json!({ "password": password }));
    victim.password.tried(password.clone());
    let set = by_admin(world, asked);
    match &set {
        Outcome::Answered(_) => victim.knows(&password),
        Outcome::Unknown => {}
        Outcome::Refused => victim.password.gave_up(&password),
    }
    over(world, victim, &set);
}

/// One's own session goes on.
fn own_password(world: &World, victim: &mut Victim, round: usize) {
    let (Some(tokens), Some(old), Contract::Native) =
        (&victim.session, victim.password.certain().cloned(), victim.contract)
    else {
        return;
    };
    let password = format!("chosen by oneself {round}");
    let asked = Asked::new("PUT", "/api/v1/sessions/current/password")
        .bearer(&tokens.access)
        .json(&json!({ "current_password": old, "password": password }));
    victim.password.tried(password.clone());
    match change(world, &asked) {
        Outcome::Answered(reply) if reply.status < 300 => victim.knows(&password),
        Outcome::Answered(reply) => {
            victim.password.gave_up(&password);
            let (name, status) = (&victim.name, reply.status);
            world.journal.note(format!("{name} chooses a password and is answered {status} {}", reply.body));
        }
        Outcome::Unknown | Outcome::Refused => {}
    }
}

fn set_status(world: &World, victim: &mut Victim, active: bool) {
    victim.active.tried(active);
    let status = if active { "active" } else { "suspended" };
    let set = by_admin(world, patch("users", &victim.id, &json!({ "status": status })));
    match &set {
        Outcome::Answered(_) => victim.active.is(active),
        Outcome::Unknown => {}
        Outcome::Refused => victim.active.gave_up(&active),
    }
    if !active {
        over(world, victim, &set);
    }
}

fn set_role(world: &World, victim: &mut Victim, chance: &mut Chance) {
    let role = chance.pick(&["cashier", "manager"]);
    victim.role.tried(role);
    let devices = [victim.device.name.as_str(), "OFFICE"].map(|device| json!({ "device": device, "roles": [role] }));
    match by_admin(world, patch("users", &victim.id, &json!({ "roles": [role], "devices": devices }))) {
        Outcome::Answered(_) => {
            victim.role.is(role);
            work(world, victim);
        }
        Outcome::Unknown => {}
        Outcome::Refused => victim.role.gave_up(&role),
    }
}

/// What the session may do is what the role allows, at once.
fn work(world: &World, victim: &Victim) {
    if let (Some(tokens), Contract::Native) = (&victim.session, victim.contract) {
        check_rights(world.address(), victim, tokens, &world.journal);
    }
}

/// Makes a key, or revokes one.
fn keys(world: &World, chance: &mut Chance) {
    let count = world.oracle.lock().unwrap().keys.len();
    if count < 3 || chance.in_thousand(400) {
        let body = json!({ "name": format!("Till sync {count}"), "user": "cashier", "device": "P01" });
        if let Outcome::Answered(reply) = by_admin(world, Asked::new("POST", "/api/v1/api-keys").json(&body)) {
            let key = PortosKey { client: reply.text("/client_id"), secret: reply.text("/client_secret") };
            counts(world, &key, true);
            world.oracle.lock().unwrap().keys.push(Held { id: reply.text("/id"), key, active: Fact::of(true) });
        }
        return;
    }
    let picked = chance.below(count);
    let mut held = world.oracle.lock().unwrap().keys[picked].clone();
    held.active.tried(false);
    match by_admin(world, patch("api-keys", &held.id, &json!({ "status": "revoked" }))) {
        Outcome::Answered(_) => {
            held.active.is(false);
            counts(world, &held.key, false);
        }
        Outcome::Unknown => {}
        Outcome::Refused => held.active.gave_up(&false),
    }
    world.oracle.lock().unwrap().keys[picked] = held;
}

/// Whether a key counts, from the answer on.
fn counts(world: &World, key: &PortosKey, active: bool) {
    if let Some(reply) = signed(key, world.address()).ask(world.address(), PATIENCE)
        && ![if active { 200 } else { 401 }, 503].contains(&reply.status)
    {
        world.journal.note(format!("a key that counts: {active}, is answered {}", reply.status));
    }
}
