//! Authentication for points of sale: login, sessions, refresh tokens and rights.
//!
//! tillgate answers two questions for a POS server: *who is calling*, and *what may they do*. This
//! crate is its engine. Embed it in a server of your own if you want tillgate's sessions without
//! tillgate's HTTP server. It does not depend on a database, a web framework or an async runtime.
//!
//! # What it does
//!
//! | call | what it is | standard |
//! | --- | --- | --- |
//! | [`Auth::login`] | creates a session of a user or a device, with a password | Argon2id, RFC 9106 |
//! | [`Auth::authenticate`] | verifies an access token and returns the [`Caller`] with its current rights | RFC 9068 |
//! | [`Auth::enroll_device`] | registers the key of a device, and creates a session | RFC 9449 |
//! | [`Auth::refresh`] | exchanges a refresh token for new tokens, with rotation and replay detection | RFC 6749, 6; RFC 9700, 4.14 |
//! | [`Auth::logout`], [`Auth::end_session`] and others | end sessions; all of their tokens become invalid at once | RFC 7009 |
//! | [`Auth::change_password`] | replaces a password and ends the user's other sessions | |
//! | [`Auth::introspect`] | checks a token for another system | RFC 7662 |
//! | [`Auth::jwks`] | the public keys, as a JWK set | RFC 7517 |
//!
//! A *session* is what a login creates: one user or device, in one tenant, on at most one device,
//! with [`Terms`] (lifetimes and rotation) that are fixed at the login. A [`DialectName`] labels
//! the wire contract through which the session was created; a token of one dialect is not accepted
//! in another.
//!
//! Each call blocks the thread until it has its response, which may take a database transaction or
//! a password hash. An async server runs the calls on a pool of blocking threads;
//! [`Auth::authenticate_cached`] alone never waits.
//!
//! # Use it in a server
//!
//! 1. Build one engine at the start of the process and share it among all threads.
//! 2. A login calls [`Auth::login`] and sends the access token and the refresh token to the client.
//! 3. Every other request calls [`Auth::authenticate_cached`], and if that returns `None`,
//!    [`Auth::authenticate`]. The [`Caller`] has the current user, device and rights
//!    ([`Profile`]).
//! 4. Before the access token expires ([`IssuedTokens::access_expires_in`]), or after a 401, the
//!    client sends its refresh token. [`Auth::refresh`] returns a new access token and the refresh
//!    token to use from then on. The client stores both before it uses them.
//! 5. Before the process exits, [`Auth::leave`] writes the uses that are not stored yet.
//!
//! Set the `address` of a request to the network address of the client. The rate limits of
//! failed logins use it: without it, all clients of a user share one limit, so a stranger who
//! guesses passwords delays the user's own logins.
//!
//! # Example
//!
//! The program `examples/embed.rs`, with the in-memory store; `examples/axum.rs` uses the engine in
//! an axum server.
//!
//! ```
#![doc = include_str!("../examples/embed.rs")]
//! ```
//!
//! # Build an engine
//!
//! [`Auth::builder`] needs two things: a store, and the [`MasterKey`] that encrypts all other keys
//! in it. Every process over one store has the same master key; keep it outside the database:
//! [generate](MasterKey::generate) it once, write its [text](MasterKey::encode) to a file that only
//! the server can read, and [parse](MasterKey::parse) the file at each start. With another key,
//! [`AuthBuilder::build`] fails.
//!
//! Everything else has a default: [`AuthSettings`] (issuer, password policy, rate limits, cache
//! sizes), the [`Clock`], the [`Entropy`] source and the [`PasswordHasher`]. `build` creates the
//! first keys in an empty store, reads the change feed, and starts a maintenance thread. Share the
//! [`Auth`] among all threads in its `Arc`.
//!
//! # Implement a store
//!
//! `MemoryStore` of the crate `tillgate-memory` is the reference implementation, for tests and for
//! a first try. Your own store implements four traits:
//!
//! 1. [`Store<AuthPorts>`](tillgate_domain::Store) on the type that opens transactions; it runs a
//!    closure as one unit of work. The module [`tillgate_domain::work`] lists its promises.
//! 2. [`Tx`](tillgate_domain::Tx) on the transaction, for the audit log and revocations.
//! 3. [`AuthTx`] on the transaction. Each method returns one port, such as
//!    [`Sessions`](ports::Sessions); usually the transaction implements all of them and returns
//!    itself. The module [`ports`] describes them.
//! 4. [`AuthStore`] on the store: it notifies the engine of committed changes.
//!
//! The crate `tillgate-testkit` contains the contract tests that a store must pass.
//! `docs/own-store.md` is the step-by-step guide.
//!
//! # Errors
//!
//! Every call returns [`Error`], which has three variants. Treat them differently:
//!
//! - [`Error::Denied`] is a decision: the caller may not do this. It says why ([`AuthDenied`]), and
//!   only this variant may become a 4xx. A client whose refresh gets a 401 discards its tokens.
//! - [`Error::Unavailable`] means that nothing was decided, for example because the database is not
//!   reachable. Answer 503 with `Retry-After`; the client keeps its tokens and retries.
//! - [`Error::Fault`] is a defect or a damaged database. Answer 500; a retry does not help.
//!
//! [`AuthDenied::kind`] gives each denial one of few kinds, which decide the status:
//!
//! | [`DenialKind`](tillgate_domain::DenialKind) | status | denials |
//! | --- | --- | --- |
//! | `Unauthenticated` | 401 | a login or a token is not accepted |
//! | `Forbidden` | 403 | a right or a rank is missing, the code of an enrollment is not valid, or a user may not sign in on a till |
//! | `Conflict` | 409 | the key to enroll was enrolled before, or the caller is no till in till mode |
//! | `NotFound` | 404 | the session does not exist for the caller |
//! | `InvalidFields` | 422 | the new password violates the policy |
//! | `ProofRequired` | 400 | a login or a refresh lacks a valid proof of the client's key ([`dpop`]) |
//! | `PollDenied` | 400 | a key that waits to be accepted gets no tokens yet, or none at all ([`PollDenied`]) |
//! | `TooManyAttempts` | 429 with `Retry-After` | too many failed logins, wrong PINs, or exchanges of a session |
//!
//! The other kinds are those of the back office. [`Error::retry_after`] is the delay for a 429 or a
//! 503. Before the password has proved right, a denied login reports nothing but
//! [`LoginDenied::Mismatch`], so you may send the [code](AuthDenied::code) to the client.

mod activity;
pub mod auth;
mod bounded_map;
mod cache;
pub mod caller;
pub mod cancellation;
pub mod clock;
mod denials;
pub mod digest;
pub mod dpop;
pub mod enrollment_code;
pub mod entropy;
pub mod error;
pub mod fair_queue;
pub mod judge;
pub mod keys;
pub mod one_time_token;
pub mod passwords;
pub mod ports;
pub mod prelude;
mod principal_profile;
pub mod request_signature;
pub mod requests;
mod revocations;
pub mod session;
pub mod session_terms;
pub mod system;
pub mod throttle;
pub mod token;

pub use auth::{
    Auth, AuthBuilder, AuthSettings, AuthStore, BuildError, DeniedCall, Introspection, LoginDevice, MissingRequirement,
    OperatorRequest, Readiness, SignedInOperator, TokenUse,
};
pub use cache::{CacheLimits, CacheUsage};
pub use caller::{AuthenticatedBy, Caller, Profile, SessionContext};
pub use cancellation::Cancellation;
pub use clock::{Clock, Time, Timekeeper};
pub use dpop::{PresentedProof, ProofDenied, ProofFault, ProofKey, ProvenKey};
pub use enrollment_code::EnrollmentCode;
pub use entropy::{Entropy, EntropyError};
pub use error::{AuthDenied, Error, LoginDenied, PollDenied, TokenDenied};
pub use fair_queue::FairQueue;
pub use keys::MasterKey;
pub use one_time_token::{OneTimeToken, OneTimeTokenKind};
pub use passwords::{Argon2id, HashQueue, PasswordHasher, QueueLimits};
pub use ports::{AuthPorts, AuthTx};
pub use request_signature::{ReplayCheck, Signature};
pub use requests::{
    AuthRequest, Client, DpopCredentials, EnrolledDevice, EnrollmentRequest, EnrollmentResponse, GrantKind,
    IssuedDeviceCode, IssuedTokens, LoginIdentity, LoginRequest, LoginSecret, NewPassword, PendingKeyRequest,
    PollRequest, ProofRetention, RefreshRequest, RequestCredentials, Tenancy,
};
pub use session::{AuthenticationInfo, DialectName, Epochs, Session, SessionKind, UnknownSessionKind};
pub use session_terms::{OfficeTerms, RefreshTerms, Terms};
pub use system::{SystemClock, SystemEntropy};
pub use throttle::{Throttle, ThrottleLimits};
