//! What the server serves: the native API, the dialects, OAuth, the server's own routes and the documentation of the native API.

pub(crate) mod dialects;
pub(crate) mod docs;
pub(crate) mod native;
pub(crate) mod oauth;
pub(crate) mod operations;
