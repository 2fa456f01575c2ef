//! The hash queue: passwords wait here for their hash. Its threads compute one hash per core at a
//! time, with a lower priority than the threads that serve requests.

mod worker;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use tillgate_domain::Secret;

use super::lanes::{Lane, LaneLimits, Lanes};
use super::opaque::opaque_decoy;
use super::{HashError, PasswordHasher};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ports::Verifier;

/// The limits of a hash queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// The number of hashes that run at the same time; `None` for one per core.
    pub workers: Option<NonZeroUsize>,
    /// The number of jobs that may wait, each of them a blocked thread; fewer if not as many can be
    /// hashed within `max_wait`. Logins from unknown networks take at most half of it, new
    /// passwords of callers that are not logged in a quarter.
    pub waiting: usize,
    /// The number of jobs of one network (IPv4 /24, IPv6 /48) that may wait in each of those two
    /// groups.
    pub per_network: usize,
    /// How long a job may wait before it is rejected; at most as long as clients wait for their
    /// response.
    pub max_wait: Duration,
    /// How long memory is kept while no job waits.
    pub memory_retention: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            workers: None,
            waiting: 128,
            per_network: 16,
            max_wait: Duration::from_secs(2),
            memory_retention: Duration::from_secs(5),
        }
    }
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordCheck {
    /// Whether the password matches the verifier.
    pub matches: bool,
    /// A new verifier of the same password, if it matches, a new one was requested, and the stored
    /// one was computed with other parameters or from another form of the password.
    pub rehash: Option<Verifier>,
}

/// The metrics of a hash queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// The number of jobs that wait in [`Lane::Known`].
    pub known: usize,
    /// The number of jobs that wait in [`Lane::Stranger`].
    pub strangers: usize,
    /// The number of jobs that wait in [`Lane::NewPassword`].
    pub new_passwords: usize,
    /// The number of jobs that are being hashed.
    pub running: usize,
    /// The number of jobs that were hashed since the start.
    pub hashed: u64,
    /// The number of jobs that were rejected since the start, because the queue was full or they
    /// waited too long.
    pub busy: u64,
}

/// The queue of password hashes. Dropping it waits for the running hashes.
pub struct HashQueue {
    shared: Arc<QueueShared>,
    threads: Vec<JoinHandle<()>>,
}

struct QueueShared {
    hasher: Arc<dyn PasswordHasher>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: QueueLimits,
    workers: usize,
    /// The verifier for unknown names, so that they cost the same work.
    decoy: Verifier,
    state: Mutex<HashQueueState>,
    /// Notified when there is a job, and when the queue is dropped.
    work: Condvar,
}

struct HashQueueState {
    lanes: Lanes<Job>,
    running: usize,
    started: u64,
    hashed: u64,
    busy: u64,
    /// The moving average of the duration of a hash.
    mean_duration: Duration,
    stopping: bool,
}

struct Job {
    password: Secret<String>,
    task: Task,
    reply: SyncSender<Reply>,
    /// Canceled when the caller no longer waits.
    cancellation: Cancellation,
}

enum Task {
    Hash,
    Verify { verifier: Option<Verifier>, rehash: bool },
}

/// The outcome of a job, as its waiting caller receives it.
enum Reply {
    Result(Result<JobResult, HashError>),
    /// The caller no longer waits.
    Canceled,
}

enum JobResult {
    Hashed(Verifier),
    Verified(PasswordCheck),
}

/// The shortest and the longest delay before a rejected caller may retry.
const RETRY_AFTER_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl HashQueue {
    /// Creates the decoy for unknown names and starts the threads.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it provides no thread or no random bytes, or that of
    /// the hasher.
    pub fn start(
        hasher: Arc<dyn PasswordHasher>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        limits: QueueLimits,
    ) -> io::Result<Self> {
        let cores = limits.workers.map_or_else(thread::available_parallelism, Ok).map_or(1, NonZeroUsize::get);
        let (salt, decoy_password) = entropy
            .random_bytes()
            .and_then(|salt| Ok((salt, entropy.random_bytes::<16>()?)))
            .map_err(io::Error::other)?;
        let decoy_password = u128::from_be_bytes(decoy_password).to_string();
        let decoy = opaque_decoy(&*hasher, &decoy_password, &salt).map_err(io::Error::other)?;
        // Some hashers compute a hash for it, and the first login may come much later.
        hasher.release_memory();
        let bounds =
            LaneLimits { capacity: limits.waiting, per_network: limits.per_network, max_wait: limits.max_wait };
        let state = HashQueueState {
            lanes: Lanes::new(bounds),
            running: 0,
            started: 0,
            hashed: 0,
            busy: 0,
            mean_duration: Duration::ZERO,
            stopping: false,
        };
        let (state, work) = (Mutex::new(state), Condvar::new());
        let shared = Arc::new(QueueShared { hasher, clock, entropy, limits, workers: cores, decoy, state, work });
        let mut queue = Self { shared, threads: Vec::with_capacity(cores) };
        for number in 1..=cores {
            let shared = Arc::clone(&queue.shared);
            let name = format!("hash-{number}");
            queue.threads.push(thread::Builder::new().name(name).spawn(move || shared.run_worker())?);
        }
        Ok(queue)
    }

    /// Verifies a password; blocks until the result is known. Without a verifier (for an unknown
    /// name), and for an empty password, the result is `false` after the same work. A verifier with
    /// cheaper parameters than today's costs the same work, too.
    ///
    /// With `rehash`, also computes a new verifier if the stored one is stale and the password
    /// matches. Request it only if the password alone decides about the login: the additional time
    /// reveals that the password was right.
    ///
    /// `address` is the network address of the client.
    ///
    /// # Errors
    ///
    /// [`HashError`]; none says anything about the password.
    pub fn verify(
        &self,
        password: Secret<String>,
        verifier: Option<Verifier>,
        lane: Lane,
        address: Option<IpAddr>,
        rehash: bool,
    ) -> Result<PasswordCheck, HashError> {
        match self.submit(password, Task::Verify { verifier, rehash }, lane, address)? {
            JobResult::Verified(check) => Ok(check),
            JobResult::Hashed(_) => Err(HashError::Broken),
        }
    }

    /// Computes the verifier of a new password; blocks until it is known. `address` is the network
    /// address of the client.
    ///
    /// # Errors
    ///
    /// [`HashError`]; none says anything about the password.
    pub fn hash(&self, password: &Secret<String>, lane: Lane, address: Option<IpAddr>) -> Result<Verifier, HashError> {
        match self.submit(password.clone(), Task::Hash, lane, address)? {
            JobResult::Hashed(verifier) => Ok(verifier),
            JobResult::Verified(_) => Err(HashError::Broken),
        }
    }

    /// The current metrics of the queue.
    pub fn stats(&self) -> QueueStats {
        let state = self.shared.lock();
        QueueStats {
            known: state.lanes.depth(Lane::Known),
            strangers: state.lanes.depth(Lane::Stranger),
            new_passwords: state.lanes.depth(Lane::NewPassword),
            running: state.running,
            hashed: state.hashed,
            busy: state.busy,
        }
    }

    fn submit(
        &self,
        password: Secret<String>,
        task: Task,
        lane: Lane,
        address: Option<IpAddr>,
    ) -> Result<JobResult, HashError> {
        let shared = &self.shared;
        let cancellation = Cancellation::current();
        if cancellation.is_canceled() {
            return Err(HashError::Canceled);
        }
        // Capacity for the response and for a cancellation, so that neither sender waits.
        let (reply, result) = sync_channel(2);
        let on_cancel = reply.clone();
        let _waiting = cancellation.on_cancel(move || {
            let _ = on_cancel.try_send(Reply::Canceled);
        });
        let number = {
            let mut state = shared.lock();
            shared.reject_overdue(&mut state);
            let capacity = shared.hashes_within_max_wait(&state);
            state.lanes.set_capacity(capacity);
            let job = Job { password, task, reply, cancellation: cancellation.clone() };
            let offered = state.lanes.offer(lane, address, shared.clock.monotonic(), job);
            let Some(offered) = offered else { return Err(shared.busy_error(&mut state)) };
            if let Some(job) = offered.displaced {
                shared.reject_job(&mut state, &job);
            }
            offered.number
        };
        shared.work.notify_one();
        let canceled = match result.recv_timeout(shared.limits.max_wait) {
            Ok(Reply::Result(result)) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err(HashError::Broken),
            Ok(Reply::Canceled) => Some(HashError::Canceled),
            Err(RecvTimeoutError::Timeout) => None,
        };
        let mut state = shared.lock();
        if state.lanes.withdraw(number).is_some() {
            return Err(canceled.unwrap_or_else(|| shared.busy_error(&mut state)));
        }
        drop(state);
        // The hash has started: its result counts even if the client has disconnected.
        loop {
            match result.recv() {
                Ok(Reply::Result(result)) => return result,
                Ok(Reply::Canceled) => {}
                Err(_) => return Err(HashError::Broken),
            }
        }
    }
}

impl Drop for HashQueue {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was logged already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for HashQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashQueue").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl QueueShared {
    fn lock(&self) -> MutexGuard<'_, HashQueueState> {
        // Nothing panics while it holds the lock; the hasher is called without it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of jobs that can probably be hashed before the last of them is overdue, at least
    /// one per thread. More need not wait in vain: they are rejected at once.
    fn hashes_within_max_wait(&self, state: &HashQueueState) -> usize {
        let per_thread = self.limits.max_wait.as_nanos().checked_div(state.mean_duration.as_nanos());
        let per_thread = per_thread.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
        per_thread.max(1).saturating_mul(self.workers)
    }

    fn reject_overdue(&self, state: &mut HashQueueState) {
        for job in state.lanes.take_overdue(self.clock.monotonic()) {
            self.reject_job(state, &job);
        }
    }

    fn reject_job(&self, state: &mut HashQueueState, job: &Job) {
        let busy = self.busy_error(state);
        // The caller may have given up at the same moment.
        let _ = job.reply.send(Reply::Result(Err(busy)));
    }

    /// Counts a rejected job. Its caller may retry when the jobs that wait now will have been
    /// hashed.
    fn busy_error(&self, state: &mut HashQueueState) -> HashError {
        state.busy += 1;
        let ahead = state.lanes.len() + state.running;
        let rounds = u32::try_from(ahead / self.workers).unwrap_or(u32::MAX);
        let (least, most) = RETRY_AFTER_RANGE;
        HashError::Busy { retry_after: state.mean_duration.saturating_mul(rounds).clamp(least, most) }
    }
}

#[cfg(test)]
mod tests;
