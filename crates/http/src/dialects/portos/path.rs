//! PORTOS' paths: each resource stands below `/api` and below `/api/v1`, and names of things stand in paths percent-encoded.

use super::nws4::encoding::percent_decode;
use crate::request::Request;

/// Both paths of a resource.
macro_rules! both {
    ($path:literal) => {
        [concat!("/api", $path), concat!("/api/v1", $path)]
    };
}

pub(super) use both;

/// The name that a part of the path stands for. The router has decoded some of it and left the rest; what cannot be decoded names
/// nothing that there is.
pub(super) fn read_path_name(call: &Request, segment: &str) -> String {
    let sent = call.head().path_parameter(segment);
    percent_decode(sent).unwrap_or_else(|| sent.to_owned())
}
