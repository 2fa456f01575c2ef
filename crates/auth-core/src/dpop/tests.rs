use serde_json::{Map, json};
use tillgate_testkit::ProofSigner;

use super::*;

const METHOD: &str = "POST";
const URI: &str = "https://pos.example/api/v1/sessions";
const NONCE: &str = "of-today";
const TOKEN: &str = "an.access.token";

fn check(jwt: &str, access_token: Option<&str>) -> Result<ProvenKey, ProofDenied> {
    let presented = PresentedProof { jwt: jwt.to_owned(), method: METHOD.to_owned(), uri: URI.to_owned() };
    check_proof(&presented, access_token, &|nonce| nonce == NONCE)
}

fn signers() -> [ProofSigner; 2] {
    [ProofSigner::ed25519(1), ProofSigner::p256()]
}

fn failed_check(outcome: Result<ProvenKey, ProofDenied>) -> &'static str {
    match outcome.unwrap_err() {
        ProofDenied::Invalid(fault) => fault.check(),
        other => other.code(),
    }
}

/// The examples of RFC 9449, sections 4.1 and 7.1: the proofs of a token request and of a request
/// with an access token.
const RFC_9449_PROOFS: [(&str, &str, &str, Option<&str>); 2] = [
    (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
        "POST",
        "https://server.example.com/token",
        None,
    ),
    (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
        "GET",
        "https://resource.example.org/protectedresource",
        Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
    ),
];

#[test]
fn proofs_of_rfc_9449_verify() {
    for (jwt, method, uri, access_token) in RFC_9449_PROOFS {
        let (key, claims) = open_proof(jwt).unwrap();
        // `jkt` in RFC 9449, section 6.1
        assert_eq!(encode_base64url(key.thumbprint()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(key.algorithm(), SigningAlgorithm::ES256);
        let hash = access_token.map(|token| BASE64_URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())));
        assert_eq!(claims.ath, hash);
        let presented = PresentedProof { jwt: jwt.to_owned(), method: method.to_owned(), uri: uri.to_owned() };
        assert_eq!(check_proof(&presented, access_token, &|_| true), Err(ProofDenied::Nonce), "they have no nonce");
    }
}

#[test]
fn thumbprint_matches_rfc_8037_example() {
    // RFC 8037, appendix A.3, for the key of appendix A.2. The example of RFC 7638 is an RSA key.
    let jwk = json!({ "kid": "x", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let key = ProofKey::parse(SigningAlgorithm::EdDSA, &jwk).unwrap();
    assert_eq!(encode_base64url(key.thumbprint()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(key.jwk(), r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
}

#[test]
fn valid_proof_yields_its_key() {
    for signer in signers() {
        let proven = check(&signer.prove(METHOD, URI, NONCE, None), None).unwrap();
        let jwk: Value = serde_json::from_str(proven.key.jwk()).unwrap();
        assert_eq!(&jwk, signer.jwk());
        let with_token = check(&signer.prove(METHOD, URI, NONCE, Some(TOKEN)), Some(TOKEN)).unwrap();
        assert_eq!(with_token.key, proven.key);
        assert_ne!(with_token.digest, proven.digest, "each proof is recognized by itself");
        // a later client may say more than is examined
        let mut claims = ProofSigner::claims(METHOD, &format!("{URI}?x=1#y"), NONCE, None);
        claims["exp"] = json!("whenever");
        assert!(check(&signer.sign(&signer.header(), &claims), None).is_ok());
    }
}

#[test]
fn same_id_of_two_keys_is_two_proofs() {
    let claims = ProofSigner::claims(METHOD, URI, NONCE, None);
    let [one, other] = signers().map(|signer| check(&signer.sign(&signer.header(), &claims), None).unwrap());
    assert_ne!(one.digest, other.digest);
}

#[test]
fn failed_check_is_named() {
    type Change = (&'static str, &'static str, Value, &'static str);
    let null = Value::Null;
    let claims: [Change; 16] = [
        ("no type", "typ", null.clone(), "typ"),
        ("another type", "typ", json!("JWT"), "typ"),
        ("no algorithm", "alg", null.clone(), "alg"),
        ("no signature", "alg", json!("none"), "alg"),
        ("HMAC", "alg", json!("HS256"), "alg"),
        ("RSA", "alg", json!("RS256"), "alg"),
        ("no key", "jwk", null.clone(), "jwk"),
        ("an extension", "crit", json!(["exp"]), "format"),
        ("no id", "jti", null.clone(), "jti"),
        ("an empty id", "jti", json!(""), "jti"),
        ("no instant", "iat", null.clone(), "iat"),
        ("a method in another case", "htm", json!("post"), "htm"),
        ("another URI", "htu", json!("https://pos.example/api/v1/sessions/refresh"), "htu"),
        ("no nonce", "nonce", null.clone(), "use_dpop_nonce"),
        ("an old nonce", "nonce", json!("of-yesterday"), "use_dpop_nonce"),
        ("another access token", "ath", json!("x"), "ath"),
    ];
    for signer in signers() {
        for (what, member, value, expected) in &claims {
            let (mut header, mut claims) = (signer.header(), ProofSigner::claims(METHOD, URI, NONCE, Some(TOKEN)));
            let part = if matches!(*member, "typ" | "alg" | "jwk" | "crit") { &mut header } else { &mut claims };
            if value.is_null() {
                part.as_object_mut().unwrap().remove(*member);
            } else {
                part[*member] = value.clone();
            }
            assert_eq!(failed_check(check(&signer.sign(&header, &claims), Some(TOKEN))), *expected, "{what}");
        }
        let untied = signer.prove(METHOD, URI, NONCE, None);
        assert_eq!(failed_check(check(&untied, Some(TOKEN))), "ath");
    }
}

#[test]
fn wrong_uri_is_reported_with_the_right_one() {
    let signer = ProofSigner::ed25519(1);
    let jwt = signer.prove(METHOD, "http://10.0.0.7:8080/api/v1/sessions", NONCE, None);
    let denied = check(&jwt, None).unwrap_err();
    let fault = denied.fault().unwrap();
    assert_eq!(fault.expected_and_received(), Some((URI, "http://10.0.0.7:8080/api/v1/sessions")));
    let long = signer.prove(METHOD, &format!("https://pos.example/{}", "a".repeat(1_000)), NONCE, None);
    let denied = check(&long, None).unwrap_err();
    let shown = denied.fault().and_then(ProofFault::expected_and_received);
    assert_eq!(shown.map(|(_, received)| received.len()), Some(200));
}

#[test]
fn key_must_be_public_and_of_the_algorithm() {
    let [ed25519, p256] = signers();
    let with = |signer: &ProofSigner, change: &dyn Fn(&mut Map<String, Value>)| {
        let mut header = signer.header();
        change(header["jwk"].as_object_mut().unwrap());
        failed_check(check(&signer.sign(&header, &ProofSigner::claims(METHOD, URI, NONCE, None)), None))
    };
    for signer in [&ed25519, &p256] {
        for (member, value) in [
            ("d", json!("AAAA")),
            ("d", Value::Null),
            ("k", json!("AAAA")),
            ("kty", json!("RSA")),
            ("crv", json!("P-384")),
            ("x", json!("AAAA")),
            ("x", json!(7)),
            ("x", json!(format!("{}=", signer.jwk()["x"].as_str().unwrap()))),
        ] {
            let found = with(signer, &|jwk| drop(jwk.insert(member.to_owned(), value.clone())));
            assert_eq!(found, "jwk", "{member} {value}");
        }
    }
    assert_eq!(with(&p256, &|jwk| drop(jwk.remove("y"))), "jwk");
    let zero = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(with(&p256, &|jwk| drop(jwk.insert("y".to_owned(), zero.clone()))), "signature", "not on the curve");
    let mut header = p256.header();
    header["alg"] = json!("EdDSA");
    let jwt = p256.sign(&header, &ProofSigner::claims(METHOD, URI, NONCE, None));
    assert_eq!(failed_check(check(&jwt, None)), "jwk");
}

#[test]
fn any_other_signature_or_format_is_rejected() {
    let [ed25519, p256] = signers();
    let good = ed25519.prove(METHOD, URI, NONCE, None);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let foreign = ed25519.sign(&p256.header(), &ProofSigner::claims(METHOD, URI, NONCE, None));
    let flipped = format!("{message}.{}{}", if signature.starts_with('B') { 'C' } else { 'B' }, &signature[1..]);
    for jwt in [foreign, flipped, format!("{message}.")] {
        assert_eq!(failed_check(check(&jwt, None)), "signature", "{jwt}");
    }
    let long = ed25519.sign(&ed25519.header(), &json!({ "jti": "x".repeat(8 << 10) }));
    let mut twice = good.clone();
    twice.push_str(", ");
    twice.push_str(&good);
    for jwt in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("e30.{signature}"),
        twice,
        long,
    ] {
        assert_eq!(failed_check(check(&jwt, None)), "format", "{jwt}");
    }
}
