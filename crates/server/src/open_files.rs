//! Open files: every connection is one, and the system's soft limit is often 1,024.

/// What the process has open beside connections: databases, logs, threads' own.
const RESERVED_FILES: u64 = 256;

/// Raises the soft limit of open files to the hard one and warns if the connections of the configuration do not fit into it.
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
            connections,
            "limits.connections times server.workers is more than this process may have open files: raise the hard limit \
             (LimitNOFILE= of systemd, --ulimit nofile of containers) or lower limits.connections"
        );
    }
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_limit(_connections: u64) {}

/// The limit, if so many connections do not fit into it.
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
