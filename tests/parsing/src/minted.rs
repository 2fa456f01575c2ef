//! An engine over a store in memory, with one session and the tokens that it has minted. Its clock stands still.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_auth_core::passwords::{HashError, SALT};
use tillgate_auth_core::ports::Verifier;
use tillgate_auth_core::{
    Auth, Dialect, Error, Evidence, Granted, Login, MasterKey, Memory, PasswordHasher, Presented, Proof, Refresh,
    Refreshing, Tenancy, Terms, Who,
};
use tillgate_domain::{Secret, SessionId};
use tillgate_testkit::clock::MORNING;
use tillgate_testkit::world::Verifiers;
use tillgate_testkit::{CountedEntropy, ManualClock, World};

/// The engine and what it has minted.
pub(crate) struct Minted {
    auth: Arc<Auth>,
    dialect: Dialect,
    pub(crate) session: SessionId,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// Compares passwords as they are.
struct Plain;

impl PasswordHasher for Plain {
    fn hash(&self, password: &str, _salt: &[u8; SALT]) -> Result<Verifier, HashError> {
        Ok(Secret::new(password.to_owned()))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        Ok(verifier.expose() == password)
    }

    fn stale(&self, _verifier: &Verifier) -> bool {
        false
    }
}

impl Minted {
    /// The one of this process.
    pub(crate) fn here() -> &'static Self {
        static HERE: LazyLock<Minted> = LazyLock::new(Minted::make);
        &HERE
    }

    fn make() -> Self {
        let memory = Arc::new(Memory::new());
        let password = |name: &str| Some(Secret::new(name.to_owned()));
        World::populate(&*memory, MORNING, &Verifiers { user: &password, device: &password }).unwrap();
        let entropy = Arc::new(CountedEntropy::default());
        let auth = Auth::builder(memory)
            .master(MasterKey::draw(&*entropy).unwrap())
            .clock(Arc::new(ManualClock::default()))
            .entropy(entropy)
            .hasher(Arc::new(Plain))
            .without_chores()
            .build()
            .unwrap();
        let dialect = Dialect::new("native");
        let terms = Terms {
            access: Duration::from_mins(15),
            refresh: Some(Refresh {
                idle: Some(Duration::from_hours(1)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: false,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        };
        let login = Login {
            dialect: dialect.clone(),
            terms,
            tenancy: Tenancy::default(),
            who: Who::User { login: "cashier".to_owned(), device: Some("P01".to_owned()) },
            proof: Proof::Password(Secret::new("cashier".to_owned())),
            address: None,
            least: None,
            previous: Vec::new(),
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
        let second = minted.renewed(&minted.refresh, None).unwrap();
        minted.access.clone_from(second.access_token.expose());
        minted.refresh.clone_from(second.refresh_token.unwrap().expose());
        minted
    }

    /// What the engine says to an access token, from memory or from the store: the same.
    pub(crate) fn authenticated(&self, token: &str) -> Result<SessionId, Error> {
        let presented = |dialect| Presented {
            evidence: Evidence::Bearer(token),
            dialect,
            tenant: None,
            method: "GET",
            target: "/",
            body: None,
            address: None,
        };
        let recognized = self.auth.recognize(&presented(&self.dialect));
        let told = self.auth.authenticate(&presented(&self.dialect)).map(|caller| caller.session());
        if let Some(recognized) = recognized {
            assert_eq!(recognized.map(|caller| caller.session()), told, "memory and store differ");
        }
        let elsewhere = Dialect::new("portos");
        assert!(self.auth.authenticate(&presented(&elsewhere)).is_err(), "taken by a contract that it is not for");
        told.map(|session| session.expect("a bearer stands on a session"))
    }

    /// What the engine says to a refresh token, and to the access token that is sent with it.
    pub(crate) fn renewed(&self, token: &str, beside: Option<&str>) -> Result<Granted, Error> {
        self.auth.refresh(&Refreshing {
            dialect: &self.dialect,
            tenant: None,
            token,
            beside,
            device: None,
            thumbprint: None,
            keeps_token: false,
            address: None,
        })
    }

    /// The minted access token's parts: header, payload, signature.
    fn part(&self, name: &str) -> Option<&str> {
        let at = ["header", "payload", "signature"].iter().position(|part| *part == name)?;
        self.access.split('.').nth(at)
    }

    /// A token as an input describes it: a line for each part, which is a part of the minted one by its name, JSON in which `KID` is the
    /// id of the key and `SID` that of the session, or itself. `~`, a place and a mask change one byte of `whole`.
    pub(crate) fn described(&self, input: &[u8], whole: &str) -> String {
        if let [b'~', high, low, mask] = input {
            let mut bytes = whole.as_bytes().to_vec();
            let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
            bytes[at] ^= mask;
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let text = String::from_utf8_lossy(input);
        let header = BASE64_URL_SAFE_NO_PAD.decode(self.part("header").unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        let part = |line: &str| {
            if let Some(part) = self.part(line) {
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
