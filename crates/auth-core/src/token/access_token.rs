//! Access tokens: JWTs in the profile of RFC 9068, signed with `EdDSA` or ES256. A resource server
//! with the public keys can verify them; tillgate also checks for changes since they were issued.

use std::time::Duration;

use jsonwebtoken::{Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use tillgate_domain::{DeviceId, Epoch, Instant, KeyId, PrincipalId, SessionId, TenantId, UserId};
use uuid::Uuid;

use crate::dpop::{decode_base64url_32, encode_base64url};
use crate::keys::SigningKey;
use crate::{Epochs, SessionKind};

/// The longest token that is examined, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 8192;

/// Up to this many bytes, a token contains its rights; otherwise the names of the roles.
const MAX_SCOPE_BYTES: usize = 1024;

/// The header parameter `typ` of an access token (RFC 9068, section 2.1).
const TOKEN_TYPE: &str = "at+jwt";

/// The beginning of an audience.
const AUDIENCE_PREFIX: &str = "urn:tillgate:";

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer: the URI of this instance.
    pub iss: String,
    /// The user, or the device that logged in as itself.
    pub sub: Uuid,
    /// The device, or the dialect if there is none; RFC 9068 requires a client.
    pub client_id: String,
    /// The audience: the dialect and the tenant.
    pub aud: String,
    /// The expiry, in seconds (RFC 7519, section 4.1.4).
    pub exp: i64,
    /// The instant of issue, in seconds.
    pub iat: i64,
    /// The identifier of the token.
    pub jti: Uuid,
    /// The instant of the newest proof of identity, in seconds.
    pub auth_time: i64,
    /// The methods of authentication (RFC 8176).
    pub amr: Vec<String>,
    /// The session of the token.
    pub sid: SessionId,
    /// The kind of the session: `p` for a person, `d` for a device, `f` for a permanent one.
    pub knd: char,
    /// The generation in which the token was issued.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// The tenant of the session.
    pub tid: TenantId,
    /// The device of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<DeviceId>,
    /// The epochs of user, device and tenant under which the session was created.
    pub epo: [i64; 3],
    /// The instant at which the session was created, in milliseconds.
    pub sat: i64,
    /// The expiry of the session unless it is refreshed, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sxp: Option<i64>,
    /// Whether no refresh extends that expiry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fin: bool,
    /// How long the token stays valid after the first use of its successor, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exo: Option<i64>,
    /// How old `auth_time` may be for acts that require a recent proof, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pma: Option<u64>,
    /// The key to which the token is bound (RFC 7800).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The rights, separated by spaces, if they are short enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The role names, if the rights are too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
}

/// The key to which an access token is bound: the token is accepted only with a proof of this key
/// (RFC 9449, section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The SHA-256 thumbprint of the key (RFC 7638), in base64url.
    pub jkt: String,
}

impl Confirmation {
    /// The confirmation of a key with this thumbprint.
    pub(crate) fn of(thumbprint: &[u8]) -> Self {
        Self { jkt: encode_base64url(thumbprint) }
    }

    /// The thumbprint; `None` if the text is none.
    pub(crate) fn thumbprint(&self) -> Option<[u8; 32]> {
        decode_base64url_32(&self.jkt)
    }
}

/// The audience of tokens of a dialect and a tenant. It contains neither prefix nor host, so that a
/// moved mount keeps its sessions.
pub(crate) fn build_audience(dialect: &str, tenant: TenantId) -> String {
    format!("{AUDIENCE_PREFIX}{dialect}:{tenant}")
}

/// The dialect of an audience.
pub(crate) fn parse_audience(audience: &str) -> Option<&str> {
    audience.strip_prefix(AUDIENCE_PREFIX)?.rsplit_once(':').map(|(dialect, _)| dialect)
}

/// The letter of a kind of session, unique among the kinds.
pub(crate) const fn kind_letter(kind: SessionKind) -> char {
    match kind {
        SessionKind::Person => 'p',
        SessionKind::Device => 'd',
        SessionKind::Permanent => 'f',
    }
}

impl Claims {
    /// The user or device of the token.
    pub fn principal(&self) -> PrincipalId {
        match self.kind() {
            SessionKind::Device => PrincipalId::Device(DeviceId(self.sub)),
            SessionKind::Person | SessionKind::Permanent => PrincipalId::User(UserId(self.sub)),
        }
    }

    /// The kind of the session.
    pub fn kind(&self) -> SessionKind {
        SessionKind::ALL.into_iter().find(|kind| kind_letter(*kind) == self.knd).unwrap_or(SessionKind::Person)
    }

    /// The epochs under which the session was created.
    pub fn epochs(&self) -> Epochs {
        let [user, device, tenant] = self.epo.map(Epoch);
        Epochs { user, device, tenant }
    }

    /// The expiry of the token.
    pub fn expires_at(&self) -> Instant {
        Instant::from_millis(self.exp.saturating_mul(1000))
    }

    /// How long the token stays valid after the first use of its successor; `None` for its own
    /// expiry.
    pub fn exchange_overlap(&self) -> Option<Duration> {
        self.exo.map(|overlap| Duration::from_millis(overlap.unsigned_abs()))
    }

    /// How old the last proof may be for acts that require a recent one; `None` if no act does.
    pub fn max_proof_age(&self) -> Option<Duration> {
        self.pma.map(Duration::from_secs)
    }

    /// Adds the rights, or the role names if the rights are too long.
    pub(crate) fn set_rights(&mut self, scope: String, roles: &[String]) {
        if scope.len() <= MAX_SCOPE_BYTES {
            self.scope = Some(scope);
        } else {
            self.roles = Some(roles.to_vec());
        }
    }

    /// Signs the claims as an access token.
    pub(crate) fn sign(&self, key: &SigningKey) -> Result<String, jsonwebtoken::errors::Error> {
        sign_claims(self, key)
    }

    /// The claims of a token that this key has signed. The caller checks expiry and audience.
    pub(crate) fn verify(token: &str, key: &SigningKey) -> Option<Self> {
        let mut validation = Validation::new(key.algorithm());
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let data = decode::<Self>(token, key.decoding(), &validation).ok()?;
        data.header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE)).then_some(data.claims)
    }

    /// The claims of a token whose key was removed. They are not verified.
    pub(crate) fn decode_unverified(token: &str) -> Option<Self> {
        // jsonwebtoken takes the last three parts of any number; a token has exactly three (RFC
        // 7515, section 3.1).
        if token.len() > MAX_TOKEN_BYTES || token.split('.').count() != 3 {
            return None;
        }
        jsonwebtoken::dangerous::insecure_decode_claims::<Self>(token).ok()
    }
}

/// Signs claims as an access token.
pub(crate) fn sign_claims(claims: &impl Serialize, key: &SigningKey) -> Result<String, jsonwebtoken::errors::Error> {
    let mut header = Header::new(key.algorithm());
    header.typ = Some(TOKEN_TYPE.to_owned());
    header.kid = Some(key.id().to_string());
    encode(&header, claims, key.encoding())
}

/// The key that a token names; `None` if its header is not that of an access token.
pub(crate) fn read_key_id(token: &str) -> Option<KeyId> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    decode_header(token).ok()?.kid?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entropy::Entropy;
    use crate::keys::{Keyring, MasterKey, SigningAlgorithm, generate_key};
    use crate::ports::{KeyKind, KeyState};
    use crate::system::SystemEntropy;
    use crate::token::crypto;

    const NOW: Instant = Instant::from_millis(1_800_000_000_000);

    fn keyring() -> Keyring {
        crypto::install_provider().unwrap();
        let entropy: &dyn Entropy = &SystemEntropy::new();
        let master = MasterKey::generate(entropy).unwrap();
        let algorithm = SigningAlgorithm::default();
        let keys =
            KeyKind::ALL.map(|kind| generate_key(kind, algorithm, KeyState::Current, &master, entropy, NOW).unwrap());
        Keyring::open(&keys, master).unwrap()
    }

    fn claims(kind: SessionKind) -> Claims {
        let id = Uuid::from_u128(7);
        Claims {
            iss: "urn:uuid:7".to_owned(),
            sub: id,
            client_id: "native".to_owned(),
            aud: build_audience("native", TenantId(id)),
            exp: 2,
            iat: 1,
            jti: id,
            auth_time: 1,
            amr: vec!["pwd".to_owned()],
            sid: SessionId(id),
            knd: kind_letter(kind),
            generation: 1,
            tid: TenantId(id),
            did: None,
            epo: [0; 3],
            sat: 0,
            sxp: None,
            fin: false,
            exo: None,
            pma: None,
            cnf: None,
            scope: None,
            roles: None,
        }
    }

    #[test]
    fn token_states_session_kind() {
        let keyring = keyring();
        let key = keyring.current().current_signing_key().clone();
        for kind in SessionKind::ALL {
            let token = claims(kind).sign(&key).unwrap();
            assert_eq!(Claims::verify(&token, &key).map(|claims| claims.kind()), Some(kind));
        }
    }

    #[test]
    fn signed_token_of_other_type_is_rejected() {
        let keyring = keyring();
        let key = keyring.current().current_signing_key().clone();
        for (typ, good) in [
            (Some("at+jwt"), true),
            (Some("AT+JWT"), true),
            (Some("JWT"), false),
            (Some("application/at+jwt"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut header = Header::new(key.algorithm());
            header.typ = typ.map(str::to_owned);
            let token = encode(&header, &claims(SessionKind::Person), key.encoding()).unwrap();
            assert_eq!(Claims::verify(&token, &key).is_some(), good, "{typ:?}");
        }
    }

    #[test]
    fn token_must_have_three_parts() {
        let keyring = keyring();
        let key = keyring.current().current_signing_key().clone();
        let whole = claims(SessionKind::Person);
        let token = whole.sign(&key).unwrap();
        assert_eq!(Claims::decode_unverified(&token), Some(whole.clone()));
        for text in [format!("x.{token}"), format!("{token}.x"), token.replacen('.', "", 1)] {
            assert_eq!((Claims::decode_unverified(&text), Claims::verify(&text, &key)), (None, None), "{text}");
        }
    }

    #[test]
    fn signed_incomplete_claims_are_rejected() {
        let keyring = keyring();
        let key = keyring.current().current_signing_key().clone();
        let whole = serde_json::to_value(claims(SessionKind::Person)).unwrap();
        let mut header = Header::new(key.algorithm());
        header.typ = Some(TOKEN_TYPE.to_owned());
        for (claim, value) in [
            ("sub", json!("anna")),
            ("exp", json!("2")),
            ("epo", json!([0, 0])),
            ("sid", json!(null)),
            ("gen", json!(1.5)),
            ("cnf", json!({ "x5t#S256": "AAAA" })),
        ] {
            let mut broken = whole.clone();
            broken[claim] = value;
            let token = encode(&header, &broken, key.encoding()).unwrap();
            assert!(Claims::verify(&token, &key).is_none(), "{claim}");
        }
    }
}
