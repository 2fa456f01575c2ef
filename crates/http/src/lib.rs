//! The HTTP server of tillgate: native API, dialects, OAuth endpoints, health, keys and metrics.
//!
//! A [`Dialect`] is a published wire contract as a value. A [`Mount`] serves a dialect at a prefix,
//! for one tenant or all. [`Http`] assembles the mounts to the application of actix-web's workers.
//! Every request takes the same path: body, credentials, handler; and the mount's dialect renders
//! every error. The rules of sessions and rights are in the engine (`tillgate-auth-core`), and
//! nothing here depends on a database.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tillgate_auth_core::Auth;
//! use tillgate_domain::Store;
//! use tillgate_domain::office::OfficePorts;
//! use tillgate_http::{Http, HttpSettings, Metrics, Mount, Mounts, Native, Portos};
//!
//! fn build(auth: Arc<Auth>, office: Arc<dyn Store<OfficePorts>>) -> Result<Http, Box<dyn std::error::Error>> {
//!     let native = Arc::new(Native::new(Native::default_terms()));
//!     let portos = Arc::new(Portos::new(Portos::default_terms()));
//!     let mounts = Mounts::check(vec![
//!         Mount::at_prefix("/api/v1", native)?,
//!         Mount::at_prefix("/portos", portos)?.with_tenant(tillgate_domain::Slug::parse("default")?),
//!     ])?;
//!     Ok(Http::new(auth, office, mounts, HttpSettings::default(), Metrics::new(Vec::new)))
//! }
//!
//! // the application of a worker, for `HttpServer::new(move || build_app(&http))`
//! fn build_app(http: &Http) {
//!     let _app = http.app();
//! }
//! ```

mod access;
mod application;
mod audit_denials;
mod bearer;
mod blocking_pool;
mod body;
mod chunked_body;
mod connection;
mod cors;
mod cursor;
mod dialect;
mod dialects;
mod duplicates;
mod endpoint;
mod error;
mod exact;
mod field;
mod form;
mod head;
mod large_body_slots;
mod list_slots;
mod load_shedding;
mod metrics;
mod mount;
mod native;
mod oauth;
mod office;
mod openapi;
mod operations;
pub mod proxies;
mod query;
mod rate_limiter;
mod readiness_gate;
mod request;
mod request_layer;
mod request_meta;
mod response;
mod route;
mod serve;
mod settings;
mod streaming;
mod threads;
mod timestamps;
mod trace_id;

pub use access::{AccessRequirement, AccessRule, InvalidPathPattern, PathPattern};
pub use application::Http;
pub use bearer::read_bearer;
pub use chunked_body::ChunkedBody;
pub use connection::{Connection, DrainState};
pub use cors::{InvalidWebOrigin, WebOrigin};
pub use cursor::{Cursor, CursorScope, InvalidCursor, SortKey};
pub use dialect::Dialect;
pub use dialects::fiuu::Fiuu;
pub use dialects::kasir::{BrowserSettings, Kasir, SameSite, SecurePolicy};
pub use dialects::krmpesan::Krmpesan;
pub use dialects::portos::Portos;
pub use dialects::posstar::PosStar;
pub use error::{ApiError, FieldViolation, ProtocolError};
pub use head::RequestHead;
pub use load_shedding::record_wait;
pub use metrics::{Gauge, Metrics};
pub use mount::{InvalidMountPrefix, Mount, MountClash, Mounts};
pub use native::Native;
pub use oauth::OAuth;
pub use office::{Office, into_api_result};
pub use proxies::ProxyHeaders;
pub use readiness_gate::ReadinessGate;
pub use request::Request;
pub use request_layer::RequestLayer;
pub use route::{PathMatching, Route, RouteInfo};
pub use settings::HttpSettings;
