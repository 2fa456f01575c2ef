//! The paths that the server itself serves outside every mount. No mount may claim one of them.

/// Every path that no mount may claim.
pub(crate) const RESERVED_PATHS: &[&str] =
    &[JWKS_PATH, METADATA_PATH, HEALTH_PATH, READY_PATH, METRICS_PATH, DOCUMENT_PATH, DOCS_PATH];

/// The public keys as a JWK set (RFC 7517).
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";
/// The authorization server metadata (RFC 8414, section 3).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// Whether the process lives.
pub(crate) const HEALTH_PATH: &str = "/healthz";
/// Whether the server can serve requests.
pub(crate) const READY_PATH: &str = "/readyz";
/// The metrics in the text format of Prometheus.
pub(crate) const METRICS_PATH: &str = "/metrics";
/// The OpenAPI document.
pub(crate) const DOCUMENT_PATH: &str = "/openapi.json";
/// The page that shows the OpenAPI document.
pub(crate) const DOCS_PATH: &str = "/docs";

/// The root, where browsers are redirected to the back office.
pub(crate) const HOME_PATH: &str = "/";

/// Whether a path is one that health checks request.
pub(crate) fn is_probe(path: &str) -> bool {
    [HEALTH_PATH, READY_PATH].contains(&path)
}
