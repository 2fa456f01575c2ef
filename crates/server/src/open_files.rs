//! The limit of open files. Every connection is one, and the soft limit of the system is often
//! 1,024.

/// The open files of the process other than connections: databases, logs and those of threads.
const RESERVED_FILES: u64 = 256;

/// Raises the soft limit of open files to the hard limit, and logs a warning if the configured
/// connections exceed it.
#[cfg(unix)]
pub(crate) fn raise_limit(connections: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let raised = rustix::process::Rlimit { current: before.maximum, ..before };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => before.maximum,
        Err(error) => {
            tracing::warn!(%error, "the soft limit of open files cannot be raised to the hard one");
            before.current
        }
    };
    if let Some(limit) = exceeded_limit(now, connections) {
        tracing::warn!(
            limit,
            needed = connections.saturating_add(RESERVED_FILES),
            "limits.connections times server.workers exceeds the limit of open files: raise the hard limit \
             (LimitNOFILE= in systemd, --ulimit nofile for containers) or lower limits.connections"
        );
    }
}

/// Does nothing: this system has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_limit(_connections: u64) {}

/// The limit, if the connections do not fit into it.
fn exceeded_limit(limit: Option<u64>, connections: u64) -> Option<u64> {
    limit.filter(|limit| connections.saturating_add(RESERVED_FILES) > *limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_reserved_files_fit_or_do_not() {
        assert_eq!(exceeded_limit(Some(20_256), 20_000), None);
        assert_eq!(exceeded_limit(Some(20_255), 20_000), Some(20_255));
        assert_eq!(exceeded_limit(None, u64::MAX), None);
    }
}
