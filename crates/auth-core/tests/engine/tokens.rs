//! Tokens that are foreign, damaged, or for another audience.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tillgate_auth_core::keys::SigningAlgorithm;
use tillgate_auth_core::{AuthRequest, AuthSettings, DialectName, RefreshRequest, RequestCredentials, TokenDenied};
use tillgate_domain::KnownRight;

use crate::fixture::{
    EngineFixture, address, authenticate, by_user, call, native, presented, refreshing, settings, token, token_refused,
    with_password,
};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn access_token_has_documented_claims() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("manager", Some("P01"));
    let (header, claims) = (part(granted.access_token.expose(), 0), part(granted.access_token.expose(), 1));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
    let set: Value = serde_json::from_str(&fixture.auth.jwks()).unwrap();
    assert_eq!(header["kid"], set["keys"][0]["kid"]);
    for (claim, expected) in [
        ("iss", json!(fixture.auth.issuer())),
        ("sub", json!(fixture.records.user("manager").id)),
        ("client_id", json!(fixture.records.device("P01").id)),
        ("aud", json!(format!("urn:tillgate:native:{}", fixture.records.tenant.id))),
        ("sid", json!(granted.session.id)),
        ("gen", json!(1)),
        ("tid", json!(fixture.records.tenant.id)),
        ("did", json!(fixture.records.device("P01").id)),
        ("amr", json!(["pwd"])),
        ("auth_time", claims["iat"].clone()),
        ("scope", json!(granted.profile.rights.to_scope())),
    ] {
        assert_eq!(claims[claim], expected, "{claim}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 15 * 60);
    assert!(fixture.auth.issuer().starts_with("urn:uuid:"));
}

#[test]
fn access_token_with_changed_letter_is_denied() {
    for algorithm in [SigningAlgorithm::EdDSA, SigningAlgorithm::ES256] {
        let fixture = EngineFixture::with(AuthSettings { algorithm, ..settings() });
        let granted = fixture.user("cashier", Some("P01"));
        let good = granted.access_token.expose();
        assert!(call(&fixture.auth, good).is_ok());
        let step = if algorithm == SigningAlgorithm::EdDSA { 1 } else { 7 };
        // The last letter of a part has unused bits: strict base64 accepts only one spelling of it.
        for at in (0..good.len()).step_by(step) {
            let mut forged = good.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(token_refused(call(&fixture.auth, &forged)), TokenDenied::Invalid, "letter {at}");
        }
    }
}

#[test]
fn malformed_token_is_denied_cheaply() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let good = granted.access_token.expose();
    let oversized = format!("{good}{}", "A".repeat(9000));
    let parts: Vec<&str> = good.split('.').collect();
    let cut = good[..good.len() - 1].to_owned();
    let (no_signature, four) = (format!("{}.{}.", parts[0], parts[1]), format!("{good}.{}", parts[2]));
    let huge = "A".repeat(1 << 20);
    for bad in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\u{0}",
        "ž.ž.ž",
        &oversized,
        &cut,
        &no_signature,
        &four,
        &huge,
        token(&granted),
    ] {
        assert_eq!(token_refused(call(&fixture.auth, bad)), TokenDenied::Invalid, "{bad:.20}");
        let refresh = fixture.auth.refresh(&refreshing(bad, &native()));
        if bad != token(&granted) {
            assert_eq!(token_refused(refresh), TokenDenied::Invalid, "{bad:.20}");
        }
    }
    assert_eq!(token_refused(fixture.auth.refresh(&refreshing(good, &native()))), TokenDenied::Invalid);
    let dialect = native();
    let nothing = AuthRequest { credentials: RequestCredentials::None, ..presented("", &dialect) };
    assert_eq!(token_refused(fixture.auth.authenticate(&nothing)), TokenDenied::Missing);
}

#[test]
fn token_with_other_algorithm_is_denied() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let good = granted.access_token.expose();
    let (kid, claims) = (part(good, 0)["kid"].clone(), good.split('.').nth(1).unwrap());
    let set: Value = serde_json::from_str(&fixture.auth.jwks()).unwrap();
    let public = BASE64_URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let hs256 = |message: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
        encode(ring::hmac::sign(&key, message.as_bytes()))
    };
    for algorithm in ["none", "None", "HS256", "HS384", "HS512", "RS256", "ES256", "PS256", ""] {
        let header = encode(json!({"alg": algorithm, "typ": "at+jwt", "kid": kid}).to_string());
        let message = format!("{header}.{claims}");
        let signature = good.split('.').nth(2).unwrap();
        for signature in ["", signature, &hs256(&message)] {
            let forged = format!("{message}.{signature}");
            assert_eq!(token_refused(call(&fixture.auth, &forged)), TokenDenied::Invalid, "{algorithm}");
        }
    }
}

#[test]
fn token_signed_by_foreign_key_is_denied_despite_header() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let claims = granted.access_token.expose().split('.').nth(1).unwrap();
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = encode(ring::signature::KeyPair::public_key(&pair));
    let kid = part(granted.access_token.expose(), 0)["kid"].clone();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": public, "kid": kid});
    for header in [
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid, "jwk": jwk}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "jwk": jwk}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "../../etc/passwd"}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": uuid::Uuid::nil()}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid, "jku": "https://example.com/keys"}),
    ] {
        let message = format!("{}.{claims}", encode(header.to_string()));
        let forged = format!("{message}.{}", encode(pair.sign(message.as_bytes())));
        assert_eq!(token_refused(call(&fixture.auth, &forged)), TokenDenied::Invalid, "{header}");
    }
}

#[test]
fn token_of_other_dialect_or_tenant_has_wrong_audience() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let refused = |dialect: &str, tenant| {
        let dialect = DialectName::new(dialect);
        let presented = AuthRequest { tenant, ..presented(granted.access_token.expose(), &dialect) };
        token_refused(fixture.auth.authenticate(&presented))
    };
    for dialect in ["portos", "", "nativ", "native2", "native:"] {
        assert_eq!(refused(dialect, None), TokenDenied::WrongAudience, "{dialect}");
    }
    assert_eq!(refused("native", Some(fixture.market.tenant.id)), TokenDenied::WrongAudience);
    let dialect = native();
    let here =
        AuthRequest { tenant: Some(fixture.records.tenant.id), ..presented(granted.access_token.expose(), &dialect) };
    assert!(fixture.auth.authenticate(&here).is_ok());
}

#[test]
fn dialect_with_colon_is_distinct_from_its_prefix() {
    let fixture = EngineFixture::open();
    let login =
        |label: &str| tillgate_auth_core::LoginRequest { dialect: DialectName::new(label), ..by_user("cashier", None) };
    let granted = fixture.auth.login(&login("native:odd")).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::WrongAudience);
    let odd = DialectName::new("native:odd");
    assert!(fixture.auth.authenticate(&presented(granted.access_token.expose(), &odd)).is_ok());
}

#[test]
fn refresh_token_with_changed_letter_is_denied() {
    let fixture = EngineFixture::open();
    let granted = fixture.user("cashier", Some("P01"));
    let good = token(&granted);
    for at in 0..good.len() {
        let mut forged = good.to_owned().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(token_refused(fixture.auth.refresh(&refreshing(&forged, &native()))), TokenDenied::Invalid);
    }
    assert_eq!(fixture.session(granted.session.id).generation, 1, "nothing moved");
    assert!(fixture.auth.refresh(&RefreshRequest { address: address(2), ..refreshing(good, &native()) }).is_ok());
}

#[test]
fn token_of_other_server_is_denied() {
    let (fixture, other) = (EngineFixture::open(), EngineFixture::open());
    let granted = other.user("cashier", Some("P01"));
    assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::Invalid);
    assert_eq!(token_refused(crate::fixture::refresh(&fixture.auth, &granted)), TokenDenied::Invalid);
}

#[test]
fn profile_is_never_shared_between_tenants() {
    let fixture = EngineFixture::open();
    let near = fixture.user("cashier", Some("P01"));
    let login = with_password(by_user("cashier@market.example", Some("P01")), "the market's password");
    let far = fixture.auth.login(&login).unwrap();
    let (near, far) = (authenticate(&fixture.auth, &near).unwrap(), authenticate(&fixture.auth, &far).unwrap());
    assert_eq!((near.profile.tenant.id, far.profile.tenant.id), (fixture.records.tenant.id, fixture.market.tenant.id));
    assert!(near.profile.rights.allows(KnownRight::TicketClose) && far.profile.rights.is_empty());
}
