//! The way of a request: the layer around all routes, the mounts, their routes, the call of a
//! handler and its response.

pub(crate) mod access_table;
pub(crate) mod audit_denials;
pub(crate) mod chunked_body;
pub(crate) mod cors;
pub(crate) mod dialect;
pub(crate) mod endpoint;
pub(crate) mod event_stream;
pub(crate) mod mount;
pub(crate) mod mount_service;
pub(crate) mod rate_limiter;
pub(crate) mod registration;
pub(crate) mod request_layer;
pub(crate) mod requirement;
pub(crate) mod response;
pub(crate) mod route;
pub(crate) mod serve;
pub(crate) mod streaming;
