//! Authentication for points of sale: login, refresh, authenticate, end.
//!
//! A server of your own embeds this crate through [`Auth`] and a [`Store`](tillgate_domain::Store) that shows
//! [`AuthView`]; nothing here knows a database, a web framework, an async runtime or a wire format. Every call blocks: an async
//! server calls it on a thread that may wait.

pub mod ports;
pub mod session;
pub mod terms;

pub use ports::{AuthTx, AuthView};
pub use session::{Dialect, Epochs, Proved, Session, SessionKind};
pub use terms::{Refresh, Terms};
