//! An engine over a store in memory, with one session and the tokens that it has minted. Its clock stands still.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_auth_core::passwords::{HashError, SALT_BYTES};
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Auth, AuthRequest, DialectName, Error, IssuedTokens, LoginIdentity, LoginRequest, MasterKey, MemoryStore,
    PasswordHasher, Proof, RefreshRequest, RefreshTerms, RequestCredentials, Tenancy, Terms,
};
use tillgate_domain::{Secret, SessionId};
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::fixture::FixtureVerifiers;
use tillgate_testkit::{Fixture, ManualClock, SeededEntropy};

/// The engine and what it has minted.
pub(crate) struct MintedTokens {
    auth: Arc<Auth>,
    dialect: DialectName,
    pub(crate) session: SessionId,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// Compares passwords as they are.
struct PlainHasher;

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        Ok(Secret::new(password.to_owned()))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        Ok(verifier.expose() == password)
    }

    fn needs_rehash(&self, _verifier: &Verifier) -> bool {
        false
    }
}

impl MintedTokens {
    /// The one of this process.
    pub(crate) fn shared() -> &'static Self {
        static HERE: LazyLock<MintedTokens> = LazyLock::new(MintedTokens::mint);
        &HERE
    }

    fn mint() -> Self {
        let memory = Arc::new(MemoryStore::new());
        let password = |name: &str| Some(Secret::new(name.to_owned()));
        Fixture::insert_into(&*memory, CLOCK_START, &FixtureVerifiers { user: &password, device: &password }).unwrap();
        let entropy = Arc::new(SeededEntropy::default());
        let auth = Auth::builder(memory)
            .master(MasterKey::generate(&*entropy).unwrap())
            .clock(Arc::new(ManualClock::default()))
            .entropy(entropy)
            .hasher(Arc::new(PlainHasher))
            .without_maintenance()
            .build()
            .unwrap();
        let dialect = DialectName::new("native");
        let terms = Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms {
                idle: Some(Duration::from_hours(1)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: false,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        };
        let login = LoginRequest {
            dialect: dialect.clone(),
            terms,
            tenancy: Tenancy::default(),
            identity: LoginIdentity::User { login: "cashier".to_owned(), device: Some("P01".to_owned()) },
            proof: Proof::Password(Secret::new("cashier".to_owned())),
            address: None,
            min_rank: None,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        };
        let first = auth.login(&login).unwrap();
        let mut minted = Self {
            auth,
            dialect,
            session: first.session.id,
            access: String::new(),
            refresh: first.refresh_token.unwrap().expose().clone(),
        };
        // rotated once, and the clock stands still: from here on a refresh repeats what it answered, and writes nothing
        let second = minted.refresh_with(&minted.refresh, None).unwrap();
        minted.access.clone_from(second.access_token.expose());
        minted.refresh.clone_from(second.refresh_token.unwrap().expose());
        minted
    }

    /// What the engine says to an access token, from memory or from the store: the same.
    pub(crate) fn authenticate(&self, token: &str) -> Result<SessionId, Error> {
        let presented = |dialect| AuthRequest {
            credentials: RequestCredentials::Bearer(token),
            dialect,
            tenant: None,
            method: "GET",
            target: "/",
            body: None,
            address: None,
        };
        let recognized = self.auth.authenticate_cached(&presented(&self.dialect));
        let told = self.auth.authenticate(&presented(&self.dialect)).map(|caller| caller.session_id());
        if let Some(recognized) = recognized {
            assert_eq!(recognized.map(|caller| caller.session_id()), told, "memory and store differ");
        }
        let elsewhere = DialectName::new("portos");
        assert!(self.auth.authenticate(&presented(&elsewhere)).is_err(), "taken by a contract that it is not for");
        told.map(|session| session.expect("a bearer stands on a session"))
    }

    /// What the engine says to a refresh token, and to the access token that is sent with it.
    pub(crate) fn refresh_with(&self, token: &str, beside: Option<&str>) -> Result<IssuedTokens, Error> {
        self.auth.refresh(&RefreshRequest {
            dialect: &self.dialect,
            tenant: None,
            token,
            access_token: beside,
            device: None,
            thumbprint: None,
            keeps_token: false,
            address: None,
        })
    }

    /// The minted access token's parts: header, payload, signature.
    fn token_part(&self, name: &str) -> Option<&str> {
        let at = ["header", "payload", "signature"].iter().position(|part| *part == name)?;
        self.access.split('.').nth(at)
    }

    /// A token as an input describes it: a line for each part, which is a part of the minted one by its name, JSON in which `KID` is the
    /// id of the key and `SID` that of the session, or itself. `~`, a place and a mask change one byte of `whole`.
    pub(crate) fn build_token(&self, input: &[u8], whole: &str) -> String {
        if let [b'~', high, low, mask] = input {
            let mut bytes = whole.as_bytes().to_vec();
            let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
            bytes[at] ^= mask;
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let text = String::from_utf8_lossy(input);
        let header = BASE64_URL_SAFE_NO_PAD.decode(self.token_part("header").unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        let part = |line: &str| {
            if let Some(part) = self.token_part(line) {
                return part.to_owned();
            }
            if !line.starts_with('{') {
                return line.to_owned();
            }
            let json = line.replace("KID", header["kid"].as_str().unwrap()).replace("SID", &self.session.to_string());
            BASE64_URL_SAFE_NO_PAD.encode(json)
        };
        text.split('\n').map(part).collect::<Vec<_>>().join(".")
    }
}
