//! Authentication for points of sale: login, refresh, authenticate, end.
//!
//! A server of your own embeds this crate through [`Auth`] and a [`Store`](tillgate_domain::Store) that shows
//! [`AuthView`]; nothing here knows a database, a web framework, an async runtime or a wire format. Every call blocks: an async
//! server calls it on a thread that may wait.

pub mod auth;
pub mod caller;
pub mod error;
pub mod judge;
pub mod memory;
pub mod ports;
pub mod requests;
pub mod session;
pub mod terms;

pub use auth::{Auth, Builder, Settings};
pub use caller::{Caller, Profile};
pub use error::{Error, LoginRefusal, Refusal, TokenRefusal};
pub use memory::Memory;
pub use ports::{AuthTx, AuthView};
pub use requests::{Evidence, Granted, Login, Presented, Proof, Refreshing, Tenancy, Who};
pub use session::{Dialect, Epochs, Proved, Session, SessionKind};
pub use terms::{Refresh, Terms};
