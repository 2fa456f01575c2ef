//! The server's HTTP: the native API, the dialects, health, keys and metrics.
//!
//! A [`Dialect`] is a published wire contract as a value; a [`Mount`] says where it is served and for whom; [`Http`] puts the
//! mounts together for the actix workers. Every request takes one way: body, evidence, handler, and where one of
//! them fails the words of the mount's own dialect for it. The rules of sessions and rights stand in the engine; nothing here
//! knows a database.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tillgate_auth_core::Auth;
//! use tillgate_domain::Store;
//! use tillgate_domain::office::OfficeView;
//! use tillgate_http::{Http, Metrics, Mount, Mounts, Native, Portos, Settings};
//!
//! fn served(engine: Arc<Auth>, office: Arc<dyn Store<OfficeView>>) -> Result<Http, Box<dyn std::error::Error>> {
//!     let mounts = Mounts::check(vec![
//!         Mount::at("/api/v1", Arc::new(Native::new(Native::terms())))?,
//!         Mount::at("/portos", Arc::new(Portos::new(Portos::terms())))?.tenant(tillgate_domain::Slug::parse("default")?),
//!     ])?;
//!     Ok(Http::new(engine, office, mounts, Settings::default(), Metrics::new(Vec::new)))
//! }
//!
//! // a worker's application, for `HttpServer::new(move || application(&http))`
//! fn application(http: &Http) {
//!     let _app = http.app();
//! }
//! ```

mod access;
mod answer;
mod bearer;
mod blocking;
mod body;
mod call;
mod connection;
mod cors;
mod cursor;
mod dialect;
mod dialects;
mod edge;
mod endpoint;
mod exact;
mod failure;
mod field;
mod form;
mod gate;
mod head;
mod http;
mod instants;
mod lacking;
mod large_bodies;
mod lateness;
mod limiter;
mod list_slots;
mod metrics;
mod mount;
mod native;
mod oauth;
mod office;
mod openapi;
mod operations;
mod origin;
mod pieces;
pub mod proxies;
mod query;
mod route;
mod serve;
mod settings;
mod streamed;
mod strict;
mod threads;
mod trace;

pub use access::{AccessRule, InvalidPattern, Need, PathPattern};
pub use bearer::bearer;
pub use call::Call;
pub use connection::{Connection, Draining};
pub use cors::{InvalidOrigin, WebOrigin};
pub use cursor::{Cursor, CursorScope, InvalidCursor, SortKey};
pub use dialect::Dialect;
pub use dialects::fiuu::Fiuu;
pub use dialects::kasir::{Kasir, SameSite, Secure, Web};
pub use dialects::krmpesan::Krmpesan;
pub use dialects::portos::Portos;
pub use dialects::posstar::PosStar;
pub use edge::Edge;
pub use failure::{Failure, FieldFault, Protocol};
pub use gate::Gate;
pub use head::Head;
pub use http::Http;
pub use lateness::note_wait;
pub use metrics::{Gauge, Metrics};
pub use mount::{InvalidPrefix, Mount, MountClash, Mounts};
pub use native::Native;
pub use oauth::OAuth;
pub use office::{Office, decided};
pub use pieces::Pieces;
pub use proxies::ProxyHeaders;
pub use route::{Listing, PathMatching, Route};
pub use settings::Settings;
