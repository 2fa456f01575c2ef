//! The keyring: the keys of the store as a process has opened them. Each is decrypted and parsed
//! once.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::hmac;
use serde_json::{Value, json};
use tillgate_domain::{Instant, KeyId, Secret};

use super::MasterKey;
use crate::entropy::Entropy;
use crate::ports::{KeyKind, KeyState, StoredKey};
use crate::token::crypto::{KeyHandle, SigningKeyPair};

/// The algorithm that signs access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SigningAlgorithm {
    /// Ed25519 (RFC 8037).
    #[default]
    EdDSA,
    /// ECDSA over P-256 with SHA-256 (RFC 7518, section 3.4).
    ES256,
}

impl SigningAlgorithm {
    /// The name of the algorithm in tokens and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
        }
    }

    /// The algorithm as jsonwebtoken names it.
    pub(crate) fn to_jwt(self) -> Algorithm {
        match self {
            Self::EdDSA => Algorithm::EdDSA,
            Self::ES256 => Algorithm::ES256,
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = KeyError;
    fn from_str(name: &str) -> Result<Self, KeyError> {
        [Self::EdDSA, Self::ES256].into_iter().find(|each| each.name() == name).ok_or(KeyError::UnknownAlgorithm)
    }
}

/// Why the keys of a store cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The keys are encrypted by another master key.
    #[error(
        "the master key does not open the keys in the store: key {0} was wrapped by another; give this process the master key that the store was made with"
    )]
    MasterKeyMismatch(KeyId),
    /// The key in the store is damaged.
    #[error("key \"{0}\" in the store is damaged; restore it from a backup or rotate the keys")]
    Damaged(KeyId),
    /// The store has no current key of this kind.
    #[error("the store has no current {0} key; make one with `keys rotate --now`")]
    NoCurrentKey(&'static str),
    /// The algorithm is not supported.
    #[error("unknown signing algorithm; use EdDSA or ES256")]
    UnknownAlgorithm,
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    Entropy,
}

/// A key that signs access tokens, or has signed some.
pub(crate) struct SigningKey {
    id: KeyId,
    algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: Value,
    _ticket: KeyHandle,
}

impl SigningKey {
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// The trusted keys, decrypted and parsed.
pub(crate) struct OpenKeys {
    signing_keys: HashMap<KeyId, Arc<SigningKey>>,
    refresh_keys: HashMap<KeyId, hmac::Key>,
    current_signing_key: Arc<SigningKey>,
    current_refresh_key: KeyId,
    pin_keys: HashMap<KeyId, hmac::Key>,
    /// `None` in a store that no process of this version has opened.
    current_pin_key: Option<KeyId>,
    jwks: Arc<str>,
    pending_keys: Vec<KeyId>,
}

impl OpenKeys {
    /// Opens the trusted ones of the stored keys; keys that `before` contains are not parsed again.
    fn open(stored: &[StoredKey], master: &MasterKey, before: Option<&Self>) -> Result<Self, KeyError> {
        let (mut signing, mut refresh, mut pin_keys) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (mut signs, mut seals, mut current_pin_key) = (None, None, None);
        let mut published = Vec::new();
        for key in stored.iter().filter(|key| key.state != KeyState::Revoked) {
            match key.kind {
                KeyKind::Signing => {
                    let known = before.and_then(|before| before.signing_keys.get(&key.id)).cloned();
                    let open = known.map_or_else(|| open_signing_key(key, master).map(Arc::new), Ok)?;
                    published.push(open.public.clone());
                    if key.state == KeyState::Current {
                        signs = Some(Arc::clone(&open));
                    }
                    signing.insert(key.id, open);
                }
                KeyKind::Refresh => {
                    let secret = unwrap_key(key, master)?;
                    refresh.insert(key.id, hmac::Key::new(hmac::HMAC_SHA256, secret.expose()));
                    if key.state == KeyState::Current {
                        seals = Some(key.id);
                    }
                }
                KeyKind::Pin => {
                    let secret = unwrap_key(key, master)?;
                    pin_keys.insert(key.id, hmac::Key::new(hmac::HMAC_SHA256, secret.expose()));
                    if key.state == KeyState::Current {
                        current_pin_key = Some(key.id);
                    }
                }
            }
        }
        Ok(Self {
            signing_keys: signing,
            refresh_keys: refresh,
            current_signing_key: signs.ok_or(KeyError::NoCurrentKey("signing"))?,
            current_refresh_key: seals.ok_or(KeyError::NoCurrentKey("refresh"))?,
            pin_keys,
            current_pin_key,
            jwks: json!({ "keys": published }).to_string().into(),
            pending_keys: stored.iter().filter(|key| key.state == KeyState::Next).map(|key| key.id).collect(),
        })
    }

    /// The key that signs new tokens.
    pub(crate) fn current_signing_key(&self) -> &Arc<SigningKey> {
        &self.current_signing_key
    }

    /// The trusted signing key with this id.
    pub(crate) fn signing_key(&self, id: KeyId) -> Option<&Arc<SigningKey>> {
        self.signing_keys.get(&id)
    }

    /// The id of the key of new refresh tokens.
    pub(crate) fn current_refresh_key(&self) -> KeyId {
        self.current_refresh_key
    }

    /// The trusted refresh key with this id.
    pub(crate) fn refresh_key(&self, id: KeyId) -> Option<&hmac::Key> {
        self.refresh_keys.get(&id)
    }

    /// The key of new PINs, with its id.
    pub(crate) fn current_pin_key(&self) -> Option<(KeyId, &hmac::Key)> {
        let id = self.current_pin_key?;
        self.pin_keys.get(&id).map(|key| (id, key))
    }

    /// The trusted key of PINs with this id.
    pub(crate) fn pin_key(&self, id: KeyId) -> Option<&hmac::Key> {
        self.pin_keys.get(&id)
    }

    /// The public keys of all trusted signing keys as a JWK set (RFC 7517, section 5).
    pub(crate) fn jwks(&self) -> Arc<str> {
        Arc::clone(&self.jwks)
    }

    /// The keys that are published but not used yet.
    pub(crate) fn pending_keys(&self) -> &[KeyId] {
        &self.pending_keys
    }
}

/// The keys of this process.
pub(crate) struct Keyring {
    master: MasterKey,
    current: RwLock<Arc<OpenKeys>>,
}

/// Checks that a master key opens the keys of a store.
///
/// # Errors
///
/// [`KeyError`] if the keys are encrypted by another master key, or if one is damaged or missing.
pub fn check_master_key(stored: &[StoredKey], master: &MasterKey) -> Result<(), KeyError> {
    OpenKeys::open(stored, master, None).map(drop)
}

/// Whether a master key opens at least one of these keys. Then it is the key of their store, even
/// if others of them are damaged.
pub fn opens_any_key(stored: &[StoredKey], master: &MasterKey) -> bool {
    stored.iter().any(|key| unwrap_key(key, master).is_ok())
}

impl Keyring {
    /// Opens the stored keys.
    pub(crate) fn open(stored: &[StoredKey], master: MasterKey) -> Result<Self, KeyError> {
        let opened = OpenKeys::open(stored, &master, None)?;
        Ok(Self { master, current: RwLock::new(Arc::new(opened)) })
    }

    /// The keys as they were last loaded.
    pub(crate) fn current(&self) -> Arc<OpenKeys> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the stored keys again. After an error, the previous ones stay in use.
    pub(crate) fn reload(&self, stored: &[StoredKey]) -> Result<(), KeyError> {
        let opened = OpenKeys::open(stored, &self.master, Some(&self.current()))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(opened);
        Ok(())
    }

    /// The master key.
    pub(crate) fn master(&self) -> &MasterKey {
        &self.master
    }
}

fn wrapping_context(id: KeyId, kind: KeyKind, algorithm: &str) -> Vec<u8> {
    format!("tillgate key {id} {} {algorithm}", kind.name()).into_bytes()
}

fn unwrap_key(key: &StoredKey, master: &MasterKey) -> Result<Secret<Vec<u8>>, KeyError> {
    master
        .unwrap(&key.wrapped_secret, &wrapping_context(key.id, key.kind, &key.algorithm))
        .ok_or(KeyError::MasterKeyMismatch(key.id))
}

fn open_signing_key(key: &StoredKey, master: &MasterKey) -> Result<SigningKey, KeyError> {
    let secret = unwrap_key(key, master)?;
    let algorithm = key.algorithm.parse::<SigningAlgorithm>()?.to_jwt();
    let pair = SigningKeyPair::parse(algorithm, secret.expose()).ok_or(KeyError::Damaged(key.id))?;
    let public = build_jwk(key.id, algorithm, pair.public()).ok_or(KeyError::Damaged(key.id))?;
    let ticket = KeyHandle::of(pair);
    Ok(SigningKey {
        id: key.id,
        algorithm,
        encoding: ticket.encoding(),
        decoding: ticket.decoding(),
        public,
        _ticket: ticket,
    })
}

/// A public key as a JWK (RFC 8037, section 2, for Ed25519; RFC 7518, section 6.2, for P-256).
fn build_jwk(id: KeyId, algorithm: Algorithm, public: &[u8]) -> Option<Value> {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    match algorithm {
        Algorithm::ES256 => {
            let (x, y) = public.strip_prefix(&[4])?.split_at_checked(32)?;
            Some(
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": id, "alg": "ES256", "use": "sig"}),
            )
        }
        _ => {
            Some(json!({"kty": "OKP", "crv": "Ed25519", "x": encode(public), "kid": id, "alg": "EdDSA", "use": "sig"}))
        }
    }
}

/// Generates a key and encrypts it for the store.
pub(crate) fn generate_key(
    kind: KeyKind,
    algorithm: SigningAlgorithm,
    state: KeyState,
    master: &MasterKey,
    entropy: &dyn Entropy,
    at: Instant,
) -> Result<StoredKey, KeyError> {
    let mut random = [0; 10];
    entropy.fill(&mut random).map_err(|_| KeyError::Entropy)?;
    let id = KeyId::new(at, random);
    let (name, secret) = match kind {
        KeyKind::Signing => {
            (algorithm.name(), Secret::new(SigningKeyPair::generate(algorithm.to_jwt()).ok_or(KeyError::Entropy)?))
        }
        KeyKind::Refresh | KeyKind::Pin => {
            let mut secret = vec![0; 32];
            entropy.fill(&mut secret).map_err(|_| KeyError::Entropy)?;
            ("HS256", Secret::new(secret))
        }
    };
    let public = match kind {
        KeyKind::Signing => {
            SigningKeyPair::parse(algorithm.to_jwt(), secret.expose()).map(|pair| pair.public().to_vec())
        }
        KeyKind::Refresh | KeyKind::Pin => None,
    };
    let wrapped = master.wrap(secret.expose(), &wrapping_context(id, kind, name), entropy).ok_or(KeyError::Entropy)?;
    Ok(StoredKey {
        id,
        kind,
        algorithm: name.to_owned(),
        state,
        wrapped_secret: wrapped,
        public,
        created_at: at,
        state_since: at,
    })
}
