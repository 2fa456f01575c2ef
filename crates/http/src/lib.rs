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

mod access_rule;
mod api;
mod application;
mod context;
mod error;
mod json;
mod metrics;
mod openapi;
mod percent;
pub mod proxies;
mod request;
mod reserved_paths;
mod serving;
mod settings;
mod timestamps;

pub use access_rule::{AccessRequirement, AccessRule, InvalidPathPattern, PathPattern};
pub use api::dialects::fiuu::Fiuu;
pub use api::dialects::kasir::{BrowserSettings, Kasir, SameSite, SecurePolicy};
pub use api::dialects::krmpesan::Krmpesan;
pub use api::dialects::portos::Portos;
pub use api::dialects::posstar::PosStar;
pub use api::dialects::{DIALECTS, DialectEntry, DialectSettings, NestedDialect};
pub use api::native::{Native, TillTerms, bodies as native_bodies, office_links};
pub use api::oauth::OAuth;
pub use api::office::{OfficeApi, OfficePages};
pub use application::Http;
pub use context::audit_verifier::{AuditVerifier, VerifiedAudit};
pub use context::load_shedding::record_wait;
pub use context::office::OfficeContext;
pub use context::readiness_gate::ReadinessGate;
pub use error::office::into_api_result;
pub use error::{ApiError, FieldErrorCode, FieldViolation, MissingMailSetup, ProtocolError, StreamLimit};
pub use metrics::{Gauge, Metrics};
pub use proxies::ProxyHeaders;
pub use request::Request;
pub use request::bearer::read_bearer;
pub use request::connection::{Connection, DrainState};
pub use request::cursor::{Cursor, CursorScope, InvalidCursor, SortKey};
pub use request::head::RequestHead;
pub use serving::chunked_body::ChunkedBody;
pub use serving::cors::{InvalidWebOrigin, WebOrigin};
pub use serving::dialect::Dialect;
pub use serving::mount::{InvalidMountPrefix, Mount, MountClash, Mounts};
pub use serving::request_layer::RequestLayer;
pub use serving::requirement::Requirement;
pub use serving::route::{PathMatching, Route, RouteInfo};
pub use settings::HttpSettings;
