//! PORTOS' paths: each resource is below `/api` and `/api/v1`, and names in paths are
//! percent-encoded.

use crate::percent;
use crate::request::Request;

/// Expands to both paths of a resource.
macro_rules! api_paths {
    ($path:literal) => {
        [concat!("/api", $path), concat!("/api/v1", $path)]
    };
}

pub(super) use api_paths;

/// Reads a name in the path. The router decodes a part of it only; a name that cannot be decoded
/// matches nothing.
pub(super) fn read_path_name(call: &Request, segment: &str) -> String {
    let sent = call.head().path_parameter(segment);
    percent::decode(sent).unwrap_or_else(|| sent.to_owned())
}
