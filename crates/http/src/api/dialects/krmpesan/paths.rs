//! The paths of krmpesan's calls that more than one module refers to, below the prefix of the
//! mount.

/// The paths of a refresh; clients use both.
pub(super) const TOKEN_PATHS: [&str; 2] = ["/token", "/tokens"];
