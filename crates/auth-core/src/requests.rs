//! What callers hand to the engine and what it grants: the words of login, refresh and authenticate. They say nothing of how a
//! wire contract spells them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{DeviceId, Instant, Rank, Secret, Slug, StoreResult, TenantId, UserId};

use crate::ports::Verifier;
use crate::{DialectName, Profile, Session, Signature, Terms};

/// Which tenant a request is for.
#[derive(Clone, Debug, Default)]
pub struct Tenancy {
    /// The one that the way it came by serves; nothing else may be asked there.
    pub fixed: Option<Slug>,
    /// The one that the request names.
    pub requested: Option<String>,
}

/// Who wants to log in.
#[derive(Clone, Debug)]
pub enum LoginIdentity {
    /// A person by user name or e-mail address; on the device of this name, or in the office.
    User {
        /// A user name, or an e-mail address where it contains an `@`.
        login: String,
        /// The name of the device.
        device: Option<String>,
    },
    /// The device of this name as itself.
    Device {
        /// The name of the device.
        device: String,
    },
}

/// What proves who it is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password.
    Password(Secret<String>),
    /// The verifier of the password that this program has just set for the user: the same request chose the password, so
    /// nothing is hashed and nothing is counted. It proves nothing once another password has been set.
    Verifier(Verifier),
}

/// A login.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// The contract that it comes through.
    pub dialect: DialectName,
    /// The terms of the session to be.
    pub terms: Terms,
    /// For which tenant.
    pub tenancy: Tenancy,
    /// Who.
    pub identity: LoginIdentity,
    /// What proves it.
    pub proof: Proof,
    /// The least rank that the session must have there; `None` asks for none.
    pub min_rank: Option<Rank>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// Refresh tokens of earlier sessions. Whoever holds one of the same user or of the same device, the session's newest or the
    /// one before, is not held back by what others guess. Those that prove nothing are passed over.
    pub previous_refresh_tokens: Vec<Secret<String>>,
    /// Whether the contract has an answer of its own for a password that must be changed
    /// ([`LoginDenied::PasswordChangeRequired`](crate::LoginDenied::PasswordChangeRequired)). Where it has none, that reads as a
    /// wrong password, and costs as much.
    pub reports_password_change: bool,
}

/// A password that a login sets in the place of the one that proves it.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    /// The password.
    pub password: &'a Secret<String>,
    /// Reads the names that it may not be made of, such as `office::list_context_words` does. Asked once the old password has proved
    /// right.
    pub context_words: &'a dyn Fn(TenantId, UserId) -> StoreResult<Vec<String>>,
}

impl fmt::Debug for NewPassword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").field("password", self.password).finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// A user's login by password, by user name or e-mail address, on the device of this name or in the office; in tenant
    /// `default` and under the [default terms](Terms::default).
    pub fn user(dialect: &DialectName, login: &str, device: Option<&str>, password: &str) -> Self {
        Self::new(dialect, LoginIdentity::User { login: login.to_owned(), device: device.map(str::to_owned) }, password)
    }

    /// The login of a device as itself, by password; in tenant `default` and under the [default terms](Terms::default).
    pub fn device(dialect: &DialectName, device: &str, password: &str) -> Self {
        Self::new(dialect, LoginIdentity::Device { device: device.to_owned() }, password)
    }

    fn new(dialect: &DialectName, who: LoginIdentity, password: &str) -> Self {
        Self {
            dialect: dialect.clone(),
            terms: Terms::default(),
            tenancy: Tenancy::default(),
            identity: who,
            proof: Proof::Password(Secret::new(password.to_owned())),
            min_rank: None,
            address: None,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        }
    }
}

/// A refresh.
#[derive(Clone, Debug)]
pub struct RefreshRequest<'a> {
    /// The contract that it comes through.
    pub dialect: &'a DialectName,
    /// The tenant that the way it came by serves.
    pub tenant: Option<TenantId>,
    /// The refresh token.
    pub token: &'a str,
    /// The access token that was sent with it and must be of the same session; it may have expired.
    pub access_token: Option<&'a str>,
    /// The device that the client says it is.
    pub device: Option<DeviceId>,
    /// The thumbprint of the key that the client proved to hold.
    pub thumbprint: Option<&'a [u8]>,
    /// Whether the client will present the same refresh token again, since the answers of its contract have no place for
    /// another. It counts for the first token of a session whose terms allow that
    /// ([`RefreshTerms::first_reusable`](crate::RefreshTerms::is_first_reusable)).
    pub keeps_token: bool,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

impl<'a> RefreshRequest<'a> {
    /// A refresh token and nothing beside it, from nowhere in particular.
    pub const fn new(dialect: &'a DialectName, token: &'a str) -> Self {
        Self {
            dialect,
            tenant: None,
            token,
            access_token: None,
            device: None,
            thumbprint: None,
            keeps_token: false,
            address: None,
        }
    }
}

/// What proves a request.
#[derive(Clone, Debug)]
pub enum RequestCredentials<'a> {
    /// Nothing was sent.
    None,
    /// An access token.
    Bearer(&'a str),
    /// Access tokens of which any may be the one that counts: the first that stands does.
    AnyBearer(Vec<&'a str>),
    /// A signature that was made with the key of a program.
    Signature(Box<Signature>, ReplayCheck),
    /// The key of a program itself.
    Client(Client),
}

/// A program by its client id and secret (RFC 6749, 2.3.1): an API key as it was shown when it was made.
#[derive(Clone, Debug)]
pub struct Client {
    /// What the program calls its key by.
    pub id: String,
    /// The secret.
    pub secret: Secret<String>,
}

/// Whether a signature is used up by being told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayCheck {
    /// It counts once: it is remembered, and refused where it is remembered already.
    Consume,
    /// Neither: for who only asks on the way whether it would hold, and passes it on to who counts it; and where a contract lets what
    /// only reads repeat while its time is near.
    Peek,
}

/// A request that is to be authenticated.
#[derive(Clone, Debug)]
pub struct AuthRequest<'a> {
    /// What proves it.
    pub credentials: RequestCredentials<'a>,
    /// The contract that it comes through.
    pub dialect: &'a DialectName,
    /// The tenant that the way it came by serves.
    pub tenant: Option<TenantId>,
    /// The method.
    pub method: &'a str,
    /// The target as it was sent.
    pub target: &'a str,
    /// The SHA-256 of the body as it was received, where it was read.
    pub body: Option<[u8; 32]>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

impl<'a> AuthRequest<'a> {
    /// A request of which nothing is known but its access token.
    pub const fn bearer(dialect: &'a DialectName, token: &'a str) -> Self {
        let evidence = RequestCredentials::Bearer(token);
        Self { credentials: evidence, dialect, tenant: None, method: "", target: "", body: None, address: None }
    }
}

/// How tokens came to be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// By a login.
    Login,
    /// By a refresh that moved the session on.
    Rotated,
    /// By a refresh that gave the newest refresh token again.
    Repeated,
    /// By an access token that was exchanged for another.
    Exchanged,
}

impl GrantKind {
    /// A stable word for it in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Rotated => "rotated",
            Self::Repeated => "repeated",
            Self::Exchanged => "exchanged",
        }
    }
}

/// What a login or a refresh returns.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    /// The access token.
    pub access_token: Secret<String>,
    /// The same with the claims of who the user is (`OpenID` Connect Core 1.0, 5.1), for a permanent session; a bearer too.
    pub id_token: Option<Secret<String>>,
    /// How long it is good.
    pub access_expires_in: Duration,
    /// When it expires.
    pub access_expires_at: Instant,
    /// The refresh token, where the terms say so.
    pub refresh_token: Option<Secret<String>>,
    /// When the session is over if nothing happens; `None` for never.
    pub session_expires_at: Option<Instant>,
    /// The session.
    pub session: Session,
    /// Names, settings and rights.
    pub profile: Arc<Profile>,
    /// How it came about.
    pub kind: GrantKind,
}
