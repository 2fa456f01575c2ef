//! Authentication for points of sale: login, refresh, authenticate, end.
//!
//! A server of your own embeds this crate through [`Auth`] and a [`Store`](tillgate_domain::Store) that shows
//! [`AuthPorts`]; nothing here knows a database, a web framework, an async runtime or a wire format. Every call blocks: an async
//! server calls it on a thread that may wait.
//!
//! A program of your own, whole (`examples/embed.rs`; `examples/axum.rs` puts it behind a web framework):
//!
//! ```
#![doc = include_str!("../examples/embed.rs")]
//! ```

mod activity;
pub mod auth;
mod bounded_map;
mod cache;
pub mod caller;
pub mod cancellation;
pub mod clock;
mod denials;
pub mod entropy;
pub mod error;
pub mod fair_queue;
pub mod judge;
pub mod keys;
pub mod memory;
pub mod passwords;
pub mod ports;
pub mod prelude;
mod profile;
pub mod requests;
mod revocations;
pub mod session;
pub mod signature;
pub mod system;
pub mod terms;
pub mod throttle;
pub mod token;

pub use auth::{
    Auth, AuthBuilder, AuthSettings, AuthStore, BuildError, DeniedCall, Introspection, MissingRequirement, Readiness,
    TokenUse, subscriber_prefix,
};
pub use cache::{CacheLimits, CacheUsage};
pub use caller::{AuthenticatedBy, Caller, Profile, SessionContext};
pub use cancellation::Cancellation;
pub use clock::{Clock, Time, Timekeeper};
pub use entropy::{Entropy, EntropyError};
pub use error::{AuthDenied, Error, LoginDenied, TokenDenied};
pub use fair_queue::FairQueue;
pub use keys::MasterKey;
pub use memory::MemoryStore;
pub use passwords::{Argon2id, HashQueue, PasswordHasher, QueueLimits};
pub use ports::{AuthPorts, AuthTx};
pub use requests::{
    AuthRequest, Client, GrantKind, IssuedTokens, LoginIdentity, LoginRequest, NewPassword, Proof, RefreshRequest,
    ReplayCheck, RequestCredentials, Tenancy,
};
pub use session::{AuthenticationInfo, DialectName, Epochs, Session, SessionKind};
pub use signature::Signature;
pub use system::{SystemClock, SystemEntropy};
pub use terms::{RefreshTerms, Terms};
pub use throttle::{Throttle, ThrottleLimits};
