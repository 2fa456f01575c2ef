//! Programs that sign their requests (NWS4) with an API key that nobody revokes: each signature is
//! accepted.

use std::time::{SystemTime, UNIX_EPOCH};

use tillgate_testkit::Random;
use tillgate_tests::{PortosKey, UnsignedRequest};

use crate::http::HttpRequest;
use crate::simulation::Simulation;

#[expect(clippy::disallowed_methods, reason = "a client has the real clock")]
fn unix_millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A signed request for the current session.
pub(crate) fn signed_request(key: &PortosKey, address: &str) -> HttpRequest {
    let target = "/portos/api/auth";
    let unsigned =
        UnsignedRequest { method: "GET", target, host: address, headers: &[], body: b"", sent_at: unix_millis() };
    let request = HttpRequest::new("GET", target);
    key.sign(&unsigned).into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// Sends requests until the simulation ends.
pub(crate) fn run_client(world: &Simulation, key: &PortosKey, mut random: Random) {
    while world.is_running() {
        let response = signed_request(key, world.address()).send(world.address(), world.plan.response_limit);
        match response.map(|response| response.status) {
            None | Some(503) => world.increment(|counts| &counts.unanswered),
            Some(200) => world.increment(|counts| &counts.answered),
            Some(status) => world.anomalies.record(format!("a good signature was answered {status}")),
        }
        std::thread::sleep(random.millis_between(20, 200));
    }
}
