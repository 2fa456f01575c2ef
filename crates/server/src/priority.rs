//! Thread priorities (`nice(2)`) for times when the processor is overloaded.
//!
//! Hundreds of threads may work for the database. At equal priority, they would starve the few
//! threads that read requests, write responses and reject excess load. Threads that hash passwords
//! have the lowest priority (`tillgate_auth_core::passwords`).

/// The niceness of the operations listener, which serves probes and metrics.
pub(crate) const OPERATIONS_NICENESS: i32 = 0;

/// The niceness of the threads that read requests and write responses.
pub(crate) const SERVING_NICENESS: i32 = 2;

/// The niceness of the threads that wait for the database or for a hash.
pub(crate) const BLOCKING_NICENESS: i32 = 5;

/// Sets the niceness of the calling thread.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn lower_priority(to: i32) {
    // if the system forbids it, the thread runs at the normal priority
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), to) {
        tracing::debug!(%error, "the priority of a thread cannot be changed");
    }
}

/// Does nothing: threads have no priority of their own on this system.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn lower_priority(_to: i32) {}
