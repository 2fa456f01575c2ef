//! Which threads go first where there is not enough of the processor (`nice(2)`): the fewer they are, the sooner. Under load hundreds
//! work for the database; at the same priority the few that read requests, write answers and refuse what is too much would hardly
//! run. Threads that hash passwords come last (`tillgate_auth_core::passwords`).

/// What answers probes and is scraped: the listener of operations.
pub(crate) const OPERATIONS_NICENESS: i32 = 0;

/// What reads requests and writes answers.
pub(crate) const SERVING_NICENESS: i32 = 2;

/// What works for the database or waits for a hash.
pub(crate) const BLOCKING_NICENESS: i32 = 5;

/// Gives the calling thread this priority.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn lower_priority(to: i32) {
    // where the system forbids it the thread works at the priority of everything else
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), to) {
        tracing::debug!(%error, "the priority of a thread stays as it is");
    }
}

/// Elsewhere a thread has no priority of its own.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn lower_priority(_to: i32) {}
