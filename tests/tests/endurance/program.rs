//! Programs that sign their requests (NWS4) by a key that nobody revokes: each signature is good.

use std::time::{SystemTime, UNIX_EPOCH};

use tillgate_tests::{PortosKey, Unsigned};

use crate::chance::Chance;
use crate::wire::Asked;
use crate::world::World;

#[expect(clippy::disallowed_methods, reason = "a client has the real clock")]
fn instant() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Who am I, signed by this key.
pub(crate) fn signed(key: &PortosKey, address: &str) -> Asked {
    let target = "/portos/api/auth";
    let unsigned = Unsigned { method: "GET", target, host: address, headers: &[], body: b"", at: instant() };
    let asked = Asked::new("GET", target);
    key.sign(&unsigned).into_iter().fold(asked, |asked, (name, value)| asked.header(name, value))
}

/// Asks until the world is over.
pub(crate) fn run(world: &World, key: &PortosKey, mut chance: Chance) {
    while world.goes_on() {
        let answer = signed(key, world.address()).ask(world.address(), world.plan.limit);
        match answer.map(|answer| answer.status) {
            None | Some(503) => world.count(|counts| &counts.unanswered),
            Some(200) => world.count(|counts| &counts.answered),
            Some(status) => world.journal.note(format!("a good signature was answered {status}")),
        }
        std::thread::sleep(chance.between(20, 200));
    }
}
