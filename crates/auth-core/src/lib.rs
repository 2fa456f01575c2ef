//! Authentication for points of sale: login, refresh, authenticate, end.
//!
//! A server of your own embeds this crate through [`Auth`] and a [`Store`](tillgate_domain::Store) that shows
//! [`AuthView`]; nothing here knows a database, a web framework, an async runtime or a wire format. Every call blocks: an async
//! server calls it on a thread that may wait.
//!
//! A program of your own, whole (`examples/embed.rs`; `examples/axum.rs` puts it behind a web framework):
//!
//! ```
#![doc = include_str!("../examples/embed.rs")]
//! ```

pub mod auth;
mod bounded;
pub mod caller;
pub mod cancellation;
mod changes;
pub mod clock;
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
mod refusals;
mod remembered;
pub mod requests;
pub mod session;
pub mod signature;
pub mod system;
pub mod terms;
pub mod throttle;
pub mod token;
mod uses;

pub use auth::{
    Attempt, Auth, AuthStore, BuildError, Builder, Introspected, Lacking, Readiness, Settings, TokenUse, network,
};
pub use caller::{By, Caller, InSession, Profile};
pub use cancellation::Cancellation;
pub use clock::{Clock, Time, Timekeeper};
pub use entropy::{Entropy, NoEntropy};
pub use error::{Error, LoginRefusal, Refusal, TokenRefusal};
pub use fair_queue::FairQueue;
pub use keys::MasterKey;
pub use memory::Memory;
pub use passwords::{Argon2id, HashQueue, PasswordHasher, QueueLimits};
pub use ports::{AuthTx, AuthView};
pub use remembered::{CacheLimits, CacheUsage};
pub use requests::{
    Client, Counting, Evidence, Granted, How, Login, NewPassword, Presented, Proof, Refreshing, Tenancy, Who,
};
pub use session::{Dialect, Epochs, Proved, Session, SessionKind};
pub use signature::Signature;
pub use system::{SystemClock, SystemEntropy};
pub use terms::{Refresh, Terms};
pub use throttle::{Throttle, ThrottleLimits};
