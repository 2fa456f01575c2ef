//! Requests with a proof of a key (DPoP), as an enrolled till sends them.

use serde_json::{Value, json};
use tillgate_testkit::ProofSigner;
use ureq::http::Request;

use crate::{RunningServer, TestResponse};

/// Sends a proof with this nonce; the nonce is replaced by that of the response.
fn send_proof(
    server: &RunningServer,
    signer: &ProofSigner,
    path: &str,
    body: &Value,
    nonce: &mut String,
) -> TestResponse {
    let till = server.new_till();
    let uri = till.url(path);
    let request = Request::builder().method("POST").uri(&uri).header("content-type", "application/json");
    let request = request.header("dpop", signer.prove("POST", &uri, nonce, None));
    let response = till.send(&request.body(body.to_string()).unwrap());
    response.header("dpop-nonce").clone_into(nonce);
    response
}

/// Sends a proof, again with the server's nonce, as a till does.
#[track_caller]
pub fn post_with_proof(server: &RunningServer, signer: &ProofSigner, path: &str, body: &Value) -> TestResponse {
    let mut nonce = "none".to_owned();
    let challenge = send_proof(server, signer, path, body, &mut nonce);
    assert_eq!((challenge.status(), challenge.text_at("/code")), (400, "use_dpop_nonce".to_owned()));
    send_proof(server, signer, path, body, &mut nonce)
}

/// Enrolls a key with a code, as a box with its key in hardware.
#[track_caller]
pub fn enroll_device(server: &RunningServer, signer: &ProofSigner, code: &str) -> TestResponse {
    let body = json!({ "code": code, "storage": "hardware", "label": "Box", "app": "Kasa 5.1" });
    post_with_proof(server, signer, "/api/v1/enrollments", &body)
}
