//! The threads of the hash queue: each takes the next job, hashes it without a lock, and sends the
//! response.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Duration;

use super::{Job, JobResult, PasswordCheck, QueueShared, Reply, Task};
use crate::passwords::HashError;
use crate::passwords::opaque::{StoredVerifier, opaque_string, opaque_verifier};
use crate::ports::Verifier;

/// The priority of the threads, as in `nice(2)`: lower than that of the threads that serve
/// requests, even if a server has lowered those.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const WORKER_NICE: i32 = 12;

/// How long a thread waits for a job before it frees the memory that one hash does not need.
const MEMORY_TRIM_DELAY: Duration = Duration::from_millis(50);

impl QueueShared {
    /// Runs jobs until the queue is dropped.
    pub(super) fn run_worker(&self) {
        lower_priority();
        while let Some(job) = self.next_job() {
            let begun = self.clock.monotonic();
            let result = catch_unwind(AssertUnwindSafe(|| self.run_job(&job))).unwrap_or(Err(HashError::Broken));
            let span = self.clock.monotonic().saturating_sub(begun);
            let mut state = self.lock();
            state.running -= 1;
            state.hashed += 1;
            state.mean_duration = if state.hashed == 1 { span } else { (state.mean_duration * 7 + span) / 8 };
            drop(state);
            // The caller may no longer wait.
            let _ = job.reply.send(Reply::Result(result));
        }
    }

    /// Waits for the next job; `None` when the queue is dropped. While there is none, it frees
    /// memory of the hasher: soon what one hash does not need, and everything after
    /// [`QueueLimits::memory_retention`](super::QueueLimits).
    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        let mut released = state.started == 0;
        let mut trimmed = released;
        loop {
            if state.stopping {
                return None;
            }
            self.reject_overdue(&mut state);
            if let Some(job) = state.lanes.take_next() {
                if job.cancellation.is_canceled() {
                    let _ = job.reply.send(Reply::Result(Err(HashError::Canceled)));
                    continue;
                }
                state.running += 1;
                state.started += 1;
                return Some(job);
            }
            if released {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let started = state.started;
            let span = if trimmed {
                self.limits.memory_retention
            } else {
                MEMORY_TRIM_DELAY.min(self.limits.memory_retention)
            };
            let (after, timeout) = self.work.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if !timeout.timed_out() || state.started != started {
                continue;
            }
            if !trimmed {
                drop(state);
                self.hasher.trim_memory();
                trimmed = true;
                state = self.lock();
            } else if state.running == 0 {
                drop(state);
                self.hasher.release_memory();
                released = true;
                state = self.lock();
            }
        }
    }

    fn run_job(&self, job: &Job) -> Result<JobResult, HashError> {
        let typed = job.password.expose();
        let (verifier, rehash) = match &job.task {
            Task::Hash => return self.hash_opaque(typed).map(JobResult::Hashed),
            Task::Verify { verifier, rehash } => (verifier.as_ref().filter(|_| !typed.is_empty()), *rehash),
        };
        // Computed for every verifier, so that the time does not depend on it.
        let opaque = opaque_string(typed);
        let known = verifier.is_some();
        let stored = StoredVerifier::read(verifier.unwrap_or(&self.decoy));
        let password = if stored.opaque { opaque.expose() } else { typed };
        let matches = self.hasher.verify(password, &stored.verifier)? && known;
        let stale = !stored.opaque || self.hasher.needs_rehash(&stored.verifier);
        if !(matches && rehash) {
            self.hasher.equalize_cost(password, &stored.verifier)?;
            return Ok(JobResult::Verified(PasswordCheck { matches, rehash: None }));
        }
        // The password matches even if it cannot be hashed again now.
        let rehash = stale.then(|| self.hash_opaque(typed));
        let rehash = rehash.and_then(|made| {
            made.inspect_err(
                |error| tracing::warn!(%error, "could not hash a password again with the current parameters"),
            )
            .ok()
        });
        Ok(JobResult::Verified(PasswordCheck { matches, rehash }))
    }

    fn hash_opaque(&self, password: &str) -> Result<Verifier, HashError> {
        opaque_verifier(&*self.hasher, password, &self.entropy.random_bytes().map_err(HashError::NoEntropy)?)
    }
}

/// Lowers the priority of the current thread. Only on Linux does the call for processes take a
/// thread; elsewhere it would change the whole server.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lower_priority() {
    // If the host forbids it, hashes run at normal priority.
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), WORKER_NICE) {
        tracing::debug!(%error, "could not lower the priority of a hashing thread");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn lower_priority() {}
