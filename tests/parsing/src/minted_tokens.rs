//! An engine on an in-memory store, with one session and the tokens that it has issued. Its clock
//! does not advance.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_auth_core::{
    Auth, AuthRequest, DialectName, Error, IssuedTokens, LoginIdentity, LoginRequest, LoginSecret, MasterKey,
    RefreshRequest, RefreshTerms, RequestCredentials, Tenancy, Terms,
};
use tillgate_domain::{Secret, SessionId};
use tillgate_memory::MemoryStore;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{Fixture, ManualClock, PlainHasher, SeededEntropy};

/// The engine and its issued tokens.
pub(crate) struct MintedTokens {
    auth: Arc<Auth>,
    dialect: DialectName,
    pub(crate) session: SessionId,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl MintedTokens {
    /// The single instance of this process.
    pub(crate) fn shared() -> &'static Self {
        static HERE: LazyLock<MintedTokens> = LazyLock::new(MintedTokens::mint);
        &HERE
    }

    fn mint() -> Self {
        let memory = Arc::new(MemoryStore::new());
        let verifier = |name: &str| Some(PlainHasher::verifier(name));
        let fixture = Fixture::demo(CLOCK_START).user_passwords(verifier).device_passwords(verifier).build();
        fixture.insert_into(&*memory).unwrap();
        let entropy = Arc::new(SeededEntropy::default());
        let auth = Auth::builder(memory)
            .master(MasterKey::generate(&*entropy).unwrap())
            .clock(Arc::new(ManualClock::default()))
            .entropy(entropy)
            .hasher(Arc::new(PlainHasher::default()))
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
            office: None,
        };
        let login = LoginRequest {
            dialect: dialect.clone(),
            terms,
            tenancy: Tenancy::default(),
            identity: LoginIdentity::User { login: "cashier".to_owned(), device: Some("P01".to_owned()) },
            secret: LoginSecret::Password(Secret::new("cashier".to_owned())),
            proven_key: None,
            address: None,
            min_rank: None,
            requires_office_right: false,
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
        // rotated once, and the clock does not advance: from now on a refresh repeats its response
        // and writes nothing
        let second = minted.refresh_with(&minted.refresh, None).unwrap();
        minted.access.clone_from(second.access_token.expose());
        minted.refresh.clone_from(second.refresh_token.unwrap().expose());
        minted
    }

    /// The result for an access token, which is the same from memory and from the store.
    pub(crate) fn authenticate(&self, token: &str) -> Result<SessionId, Error> {
        let presented = |dialect| AuthRequest {
            credentials: RequestCredentials::Bearer(token),
            dialect,
            tenant: None,
            address: None,
        };
        let recognized = self.auth.authenticate_cached(&presented(&self.dialect));
        let result = self.auth.authenticate(&presented(&self.dialect)).map(|caller| caller.session_id());
        if let Some(recognized) = recognized {
            assert_eq!(recognized.map(|caller| caller.session_id()), result, "memory and store differ");
        }
        let elsewhere = DialectName::new("portos");
        assert!(self.auth.authenticate(&presented(&elsewhere)).is_err(), "taken by a contract that it is not for");
        result.map(|session| session.expect("a bearer stands on a session"))
    }

    /// The result for a refresh token and the access token sent with it.
    pub(crate) fn refresh_with(&self, token: &str, beside: Option<&str>) -> Result<IssuedTokens, Error> {
        self.auth.refresh(&RefreshRequest {
            dialect: &self.dialect,
            tenant: None,
            token,
            access_token: beside,
            device: None,
            proof: None,
            keeps_token: false,
            address: None,
        })
    }

    /// A part of the issued access token: header, payload or signature.
    fn token_part(&self, name: &str) -> Option<&str> {
        let at = ["header", "payload", "signature"].iter().position(|part| *part == name)?;
        self.access.split('.').nth(at)
    }

    /// Builds the token that an input describes, one part per line: the name of a part of the
    /// issued token, JSON in which `KID` stands for the key's id and `SID` for the session's, or
    /// literal text. `~`, a position and a mask change one byte of `whole`.
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
