//! Proofs of a client's key in the header `DPoP`.

use serde_json::Value;
use tillgate_auth_core::PresentedProof;
use tillgate_auth_core::dpop::check_proof;
use tillgate_testkit::ProofSigner;

const METHOD: &str = "POST";
const URI: &str = "https://pos.example/api/v1/sessions";
const NONCE: &str = "nonce";

/// An accepted proof is signed by the public key in its header, and was made for the method, the
/// URI and the nonce. The usual proof is accepted.
pub fn proof(input: &[u8]) {
    let signer = ProofSigner::ed25519(7);
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let mut part = |name: &str, usual: &Value| match lines.next() {
        Some(line) if line != name => (line.to_owned(), false),
        _ => (usual.to_string(), true),
    };
    let (header, usual_header) = part("header", &signer.header());
    let (claims, usual_claims) = part("claims", &ProofSigner::claims(METHOD, URI, NONCE, None));
    let signed = signer.sign_texts(&header, &claims);
    let (message, signature) = signed.rsplit_once('.').unwrap();
    let (last, usual_signature) = part("signature", &Value::Null);
    let jwt = if usual_signature { signed.clone() } else { format!("{message}.{last}") };
    let presented = PresentedProof { jwt: jwt.clone(), method: METHOD.to_owned(), uri: URI.to_owned() };
    match check_proof(&presented, None, &|nonce| nonce == NONCE) {
        Ok(proven) => {
            assert!(usual_signature || last == signature, "accepted with a signature that was not made");
            let key: Value = serde_json::from_str(proven.key.jwk()).unwrap();
            assert_eq!(&key, signer.jwk(), "another key than that of the signature");
            let header: Value = serde_json::from_str(&header).unwrap();
            assert!(header["jwk"].get("d").is_none(), "a private key is accepted");
            assert!(header["alg"] == "EdDSA" && header["jwk"]["x"] == signer.jwk()["x"]);
            let claims: Value = serde_json::from_str(&claims).unwrap();
            assert!(claims["htm"] == METHOD && claims["nonce"] == NONCE, "for another request: {claims}");
            let uri = claims["htu"].as_str().unwrap().to_ascii_lowercase();
            assert!(uri.starts_with("https:") && uri.contains("pos.example"), "for another address: {uri}");
            assert!(jwt.len() <= 4096);
        }
        Err(denied) => {
            assert!(!(usual_header && usual_claims && usual_signature), "the usual proof is refused: {denied}");
        }
    }
}
