//! The requests and results of the engine: login, refresh, authentication. They are independent of
//! the wire formats of the dialects.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::{DeviceId, Instant, KeyStorage, Rank, Secret, Slug, StoreResult, TenantId, UserId};

use crate::dpop::{PresentedProof, ProvenKey};
use crate::ports::Verifier;
use crate::{DialectName, Profile, ReplayCheck, Session, Signature, Terms};

/// The tenant of a request.
#[derive(Clone, Debug, Default)]
pub struct Tenancy {
    /// The tenant that the mount serves; the request cannot use another.
    pub fixed: Option<Slug>,
    /// The tenant that the request names.
    pub requested: Option<String>,
}

/// The identity that a login claims.
#[derive(Clone, Debug)]
pub enum LoginIdentity {
    /// A user with a user name or an e-mail address, on a device or without one.
    User {
        /// A user name, or an e-mail address if it contains an `@`.
        login: String,
        /// The name of the device on which the user logs in.
        device: Option<String>,
    },
    /// A device that logs in as itself.
    Device {
        /// The name of the device.
        device: String,
    },
}

/// What a client knows who logs in.
#[derive(Clone, Debug)]
pub enum LoginSecret {
    /// The password in plain text.
    Password(Secret<String>),
    /// The verifier of the password that this program has just set for the user in the same
    /// request. Nothing is hashed and nothing is counted. It no longer matches after another
    /// password change.
    Verifier(Verifier),
}

/// A request to create a session.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// The dialect through which the request comes.
    pub dialect: DialectName,
    /// The terms of the new session, before the limits of the tenant apply.
    pub terms: Terms,
    /// The tenant in which the identity is looked up.
    pub tenancy: Tenancy,
    /// The user or device that wants to log in.
    pub identity: LoginIdentity,
    /// The password, or what takes its place.
    pub secret: LoginSecret,
    /// The key that the client has proved, to which the session is bound (RFC 9449); `None` for a
    /// session without a key.
    pub proven_key: Option<ProvenKey>,
    /// The lowest rank with which the login is admitted; `None` admits every rank.
    pub min_rank: Option<Rank>,
    /// Whether the login is admitted only with a right of the back office
    /// ([`Rights::opens_office`](tillgate_domain::Rights::opens_office)).
    pub requires_office_right: bool,
    /// The network address of the client.
    pub address: Option<IpAddr>,
    /// Refresh tokens of earlier sessions. A client that presents the current or previous refresh
    /// token of the same user or device is not delayed by failed logins of others. Tokens that are
    /// not valid are ignored.
    pub previous_refresh_tokens: Vec<Secret<String>>,
    /// Whether the dialect can report
    /// [`LoginDenied::PasswordChangeRequired`](crate::LoginDenied::PasswordChangeRequired).
    /// Otherwise the client sees a wrong password, and the attempt counts as one.
    pub reports_password_change: bool,
}

/// A password that a login sets instead of the one that proves it.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    /// The new password in plain text.
    pub password: &'a Secret<String>,
    /// Reads the names that the password must not contain, as `office::list_context_words` does. It
    /// is called after the old password has proved right.
    pub context_words: &'a dyn Fn(TenantId, UserId) -> StoreResult<Vec<String>>,
}

impl fmt::Debug for NewPassword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword").field("password", self.password).finish_non_exhaustive()
    }
}

impl LoginRequest {
    /// The login of a user with a password, on the device of this name or without a device. The
    /// tenant is `default`, the terms are the [default terms](Terms::default).
    pub fn user(dialect: &DialectName, login: &str, device: Option<&str>, password: &str) -> Self {
        Self::new(dialect, LoginIdentity::User { login: login.to_owned(), device: device.map(str::to_owned) }, password)
    }

    /// The login of a device as itself, with a password. The tenant is `default`, the terms are the
    /// [default terms](Terms::default).
    pub fn device(dialect: &DialectName, device: &str, password: &str) -> Self {
        Self::new(dialect, LoginIdentity::Device { device: device.to_owned() }, password)
    }

    fn new(dialect: &DialectName, who: LoginIdentity, password: &str) -> Self {
        Self {
            dialect: dialect.clone(),
            terms: Terms::default(),
            tenancy: Tenancy::default(),
            identity: who,
            secret: LoginSecret::Password(Secret::new(password.to_owned())),
            proven_key: None,
            min_rank: None,
            requires_office_right: false,
            address: None,
            previous_refresh_tokens: Vec::new(),
            reports_password_change: false,
        }
    }
}

/// A request to enroll a device with the code of an enrollment.
#[derive(Clone, Copy, Debug)]
pub struct EnrollmentRequest<'a> {
    /// The dialect through which the request comes.
    pub dialect: &'a DialectName,
    /// The terms of the new session, before the limits of the tenant apply.
    pub terms: &'a Terms,
    /// The tenant that the mount serves; the device must belong to it.
    pub tenant: Option<TenantId>,
    /// The code as it was typed.
    pub code: &'a Secret<String>,
    /// The key that the request proves to have (RFC 9449).
    pub proven_key: &'a ProvenKey,
    /// Where the device says that it keeps the private key.
    pub storage: KeyStorage,
    /// Whether this statement is believed. Otherwise the session has the authentication method of a
    /// key in software, whatever the device says.
    pub trusts_storage: bool,
    /// A name for the machine.
    pub label: &'a str,
    /// The program on it and its version.
    pub app: &'a str,
    /// The network address of the client.
    pub address: Option<IpAddr>,
}

/// A request to refresh a session (RFC 6749, section 6).
#[derive(Clone, Debug)]
pub struct RefreshRequest<'a> {
    /// The dialect through which the request comes.
    pub dialect: &'a DialectName,
    /// The tenant that the mount serves; the session must belong to it.
    pub tenant: Option<TenantId>,
    /// The refresh token as it was sent.
    pub token: &'a str,
    /// An access token that was sent beside it. It must belong to the same session and may have
    /// expired.
    pub access_token: Option<&'a str>,
    /// The device that the client claims to be; the session must be on it.
    pub device: Option<DeviceId>,
    /// The proof of the client's key (RFC 9449), which a session that is bound to a key requires.
    pub proof: Option<&'a PresentedProof>,
    /// Whether the client will present the same refresh token again, because the responses of its
    /// dialect cannot contain another. This applies to the first token of a session whose terms
    /// allow it ([`RefreshTerms::first_reusable`](crate::RefreshTerms::first_reusable)).
    pub keeps_token: bool,
    /// The network address of the client.
    pub address: Option<IpAddr>,
}

impl<'a> RefreshRequest<'a> {
    /// A request with a refresh token alone, without an address.
    pub const fn new(dialect: &'a DialectName, token: &'a str) -> Self {
        Self {
            dialect,
            tenant: None,
            token,
            access_token: None,
            device: None,
            proof: None,
            keeps_token: false,
            address: None,
        }
    }
}

/// The credentials of a request.
#[derive(Clone, Debug)]
pub enum RequestCredentials<'a> {
    /// The request has no credentials.
    None,
    /// An access token (RFC 6750).
    Bearer(&'a str),
    /// Several access tokens, for example from cookies of one name. The first valid one is used.
    AnyBearer(Vec<&'a str>),
    /// An access token that is bound to a key, with a proof of the key (RFC 9449, section 7.1).
    Dpop(DpopCredentials<'a>),
    /// A signature with the secret of an API key.
    Signature(Box<Signature>, ReplayCheck),
    /// The client id and the secret of an API key.
    Client(Client),
}

/// An access token that is bound to a key, as a request presents it.
#[derive(Clone, Debug)]
pub struct DpopCredentials<'a> {
    /// The access token.
    pub token: &'a str,
    /// The proof of the key; `None` if the request has none.
    pub proof: Option<PresentedProof>,
    /// How the proof is remembered, so that it is accepted once.
    pub retention: ProofRetention,
}

/// How the proof beside an access token is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRetention {
    /// In the store, for a request that may change something: all processes together accept it
    /// once.
    Store,
    /// In memory, for any other request: each process accepts it once.
    Memory,
    /// Not yet: the request may still be denied, and then be sent again. If it is not,
    /// [`Auth::remember_proof`](crate::Auth::remember_proof) follows.
    Deferred,
}

/// The client id and client secret of an API key, as they were shown when the key was created (RFC
/// 6749, section 2.3.1).
#[derive(Clone, Debug)]
pub struct Client {
    /// The client id of the API key.
    pub id: String,
    /// The client secret in plain text.
    pub secret: Secret<String>,
}

/// A request to authenticate.
#[derive(Clone, Debug)]
pub struct AuthRequest<'a> {
    /// The credentials that the request contains.
    pub credentials: RequestCredentials<'a>,
    /// The dialect through which the request comes.
    pub dialect: &'a DialectName,
    /// The tenant that the mount serves; the caller must belong to it.
    pub tenant: Option<TenantId>,
    /// The network address of the client.
    pub address: Option<IpAddr>,
}

impl<'a> AuthRequest<'a> {
    /// A request with an access token alone.
    pub const fn bearer(dialect: &'a DialectName, token: &'a str) -> Self {
        Self { credentials: RequestCredentials::Bearer(token), dialect, tenant: None, address: None }
    }
}

/// How tokens were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// By a login.
    Login,
    /// By a refresh that rotated the session.
    Rotated,
    /// By a refresh that returned the current refresh token again.
    Repeated,
    /// By the exchange of an access token for another one.
    Exchanged,
}

impl GrantKind {
    /// The stable name of the kind, for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Rotated => "rotated",
            Self::Repeated => "repeated",
            Self::Exchanged => "exchanged",
        }
    }
}

/// A machine that shows a code itself, by which somebody accepts its key for a device (RFC 8628).
#[derive(Clone, Debug)]
pub struct PendingKeyRequest<'a> {
    /// The tenant to which the machine wants to belong.
    pub tenancy: &'a Tenancy,
    /// The key that the request proves to have (RFC 9449).
    pub proven_key: &'a ProvenKey,
    /// Where the machine says that it keeps the private key.
    pub storage: KeyStorage,
    /// A name for the machine.
    pub label: &'a str,
    /// The program on it and its version.
    pub app: &'a str,
    /// The network address of the client.
    pub address: Option<IpAddr>,
}

/// The codes of a machine whose key waits until somebody accepts it (RFC 8628, 3.2).
#[derive(Debug)]
pub struct IssuedDeviceCode {
    /// The secret code with which the machine polls.
    pub device_code: Secret<String>,
    /// The digits that the machine shows.
    pub fingerprint: String,
    /// How long the key waits.
    pub expires_in: Duration,
}

/// A poll for the acceptance of a key (RFC 8628, section 3.4).
#[derive(Clone, Debug)]
pub struct PollRequest<'a> {
    /// The dialect through which the request comes.
    pub dialect: &'a DialectName,
    /// The terms of the session of a key that is kept in hardware, and of any other.
    pub terms: [&'a Terms; 2],
    /// The tenant of the mount; `None` if it serves all.
    pub tenant: Option<TenantId>,
    /// The code with which the machine polls.
    pub device_code: &'a Secret<String>,
    /// The key that the request proves to have (RFC 9449).
    pub proven_key: &'a ProvenKey,
    /// Whether the machine is believed where it keeps the private key.
    pub trusts_storage: bool,
    /// The network address of the client.
    pub address: Option<IpAddr>,
}

/// The response to a code.
#[derive(Debug)]
pub enum EnrollmentResponse {
    /// The device is enrolled.
    Enrolled(Box<EnrolledDevice>),
    /// Somebody must confirm the machine first, which polls in the meantime.
    Waiting(IssuedDeviceCode),
}

/// An enrolled device.
#[derive(Clone, Debug)]
pub struct EnrolledDevice {
    /// The tokens of the device.
    pub tokens: IssuedTokens,
    /// Whether the enrollment has replaced a key, which ends the sessions on the device; for a
    /// repeated one, whether it may have.
    pub may_have_ended_sessions: bool,
}

/// The tokens that a login or a refresh returns.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    /// The access token to send with each request.
    pub access_token: Secret<String>,
    /// For a permanent session, the same token with claims about the user (`OpenID` Connect Core
    /// 1.0, section 5.1). It is accepted as an access token, too.
    pub id_token: Option<Secret<String>>,
    /// The lifetime of the access token from now on.
    pub access_expires_in: Duration,
    /// The instant at which the access token expires.
    pub access_expires_at: Instant,
    /// The refresh token; `None` if the terms of the session have none.
    pub refresh_token: Option<Secret<String>>,
    /// The instant at which the session expires unless it is refreshed; `None` if it never expires.
    pub session_expires_at: Option<Instant>,
    /// The session of the tokens.
    pub session: Session,
    /// The names, settings and current rights of the principal.
    pub profile: Arc<Profile>,
    /// How the tokens were issued.
    pub kind: GrantKind,
}
