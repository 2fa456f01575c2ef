//! Where passwords wait to be hashed: threads of their own, one hash per core at a time, of lower priority than what serves
//! requests.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use tillgate_domain::Secret;

use super::lanes::{Lane, LaneLimits, Lanes};
use super::opaque::{StoredVerifier, opaque_string, opaque_verifier};
use super::{HashError, PasswordHasher};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ports::Verifier;

/// After how long without a job a thread lets go of memory that one hash does not need.
const MEMORY_TRIM_DELAY: Duration = Duration::from_millis(50);

/// The bounds of a hash queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many hashes are made at once; `None` for one per core.
    pub workers: Option<NonZeroUsize>,
    /// How many wait at most, each of them a blocked thread. Logins from unknown networks take at most half, and passwords that are set by
    /// callers who are not logged in a quarter.
    pub waiting: usize,
    /// How many of one network (/24 of IPv4, /48 of IPv6) wait at most, of strangers and of those who set a password.
    pub per_network: usize,
    /// How long one waits at most before it is told to come again: no longer than whoever asked is still there.
    pub max_wait: Duration,
    /// How long memory is kept without work.
    pub memory_retention: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            workers: None,
            waiting: 128,
            per_network: 16,
            max_wait: Duration::from_secs(4),
            memory_retention: Duration::from_secs(5),
        }
    }
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordCheck {
    /// Whether the password is the one.
    pub matches: bool,
    /// Where it is, a new verifier was asked for, and the stored one was made at another cost or of another form of the password: a
    /// verifier of the same password as it is made today.
    pub rehash: Option<Verifier>,
}

/// How a queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// How many wait in [`Lane::Authenticated`].
    pub known: usize,
    /// How many wait in [`Lane::Stranger`].
    pub strangers: usize,
    /// How many wait in [`Lane::Setting`].
    pub new_passwords: usize,
    /// How many are being hashed.
    pub running: usize,
    /// How many have been hashed since the start.
    pub hashed: u64,
    /// How many found no room or waited too long since the start.
    pub busy: u64,
}

/// The queue. Dropping it waits for the hashes that are being made.
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
    /// What a password is compared with where there is nothing to compare it with: the work is the same.
    decoy: Verifier,
    state: Mutex<QueueState>,
    /// Told when there is work, and at the end.
    work: Condvar,
}

struct QueueState {
    lanes: Lanes<Job>,
    running: usize,
    started: u64,
    hashed: u64,
    busy: u64,
    /// How long a hash takes, smoothed.
    mean_duration: Duration,
    stopping: bool,
}

struct Job {
    password: Secret<String>,
    task: Task,
    reply: SyncSender<Reply>,
    /// Whether somebody still waits for it.
    cancellation: Cancellation,
}

enum Task {
    Hash,
    Verify { verifier: Option<Verifier>, renew: bool },
}

/// The outcome of a job, as its waiting caller receives it.
enum Reply {
    Answer(Result<JobResult, HashError>),
    /// Nobody waits for it any longer.
    Canceled,
}

enum JobResult {
    Hashed(Verifier),
    Verified(PasswordCheck),
}

/// The priority of the threads, as `nice(2)` counts it: behind those that serve requests, which a server may have lowered too.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WORKER_NICE: i32 = 12;

/// When somebody who found no room comes again, at the earliest and at the latest.
const RETRY_AFTER_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl HashQueue {
    /// Starts the threads. It makes one hash before it returns: what unknown names are compared with.
    pub fn start(
        hasher: Arc<dyn PasswordHasher>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        limits: QueueLimits,
    ) -> io::Result<Self> {
        let cores = limits.workers.map_or_else(thread::available_parallelism, Ok).map_or(1, NonZeroUsize::get);
        let (salt, nonsense) = entropy
            .random_bytes()
            .and_then(|salt| Ok((salt, entropy.random_bytes::<16>()?)))
            .map_err(io::Error::other)?;
        let nonsense = u128::from_be_bytes(nonsense).to_string();
        let decoy = opaque_verifier(&*hasher, &nonsense, &salt).map_err(io::Error::other)?;
        // the first login may be long in coming
        hasher.release_memory();
        let bounds =
            LaneLimits { capacity: limits.waiting, per_network: limits.per_network, max_wait: limits.max_wait };
        let state = QueueState {
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

    /// Whether a password is the one that the verifier was made of. Without a verifier (a name that nobody has) it costs the
    /// same and never matches, and neither does an empty password. So does a verifier of a lower cost than today's.
    ///
    /// `renew` asks for a new verifier where the stored one is stale and the password is right. Ask for it only if the caller is let
    /// in by the password alone: making it takes time, and tells a right password from a wrong one.
    ///
    /// It blocks until there is an answer. `address` is where a stranger comes from.
    pub fn verify(
        &self,
        password: Secret<String>,
        verifier: Option<Verifier>,
        lane: Lane,
        address: Option<IpAddr>,
        renew: bool,
    ) -> Result<PasswordCheck, HashError> {
        match self.submit(password, Task::Verify { verifier, renew }, lane, address)? {
            JobResult::Verified(found) => Ok(found),
            JobResult::Hashed(_) => Err(HashError::Broken),
        }
    }

    /// A verifier of a password that is to be set. It blocks until it is made. `address` is where a caller comes from who is not
    /// logged in.
    pub fn hash(&self, password: &Secret<String>, lane: Lane, address: Option<IpAddr>) -> Result<Verifier, HashError> {
        match self.submit(password.clone(), Task::Hash, lane, address)? {
            JobResult::Hashed(verifier) => Ok(verifier),
            JobResult::Verified(_) => Err(HashError::Broken),
        }
    }

    /// How the queue stands.
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
        // room for the queue's word and that of a cancellation: neither waits for the other to be heard
        let (reply, answer) = sync_channel(2);
        let canceled = reply.clone();
        let _waiting = cancellation.on_cancel(move || {
            let _ = canceled.try_send(Reply::Canceled);
        });
        let number = {
            let mut state = shared.lock();
            shared.reject_overdue(&mut state);
            let job = Job { password, task, reply, cancellation: cancellation.clone() };
            let offered = state.lanes.offer(lane, address, shared.clock.monotonic(), job);
            let Some(offered) = offered else { return Err(shared.busy_error(&mut state)) };
            if let Some(job) = offered.displaced {
                shared.reject_job(&mut state, &job);
            }
            offered.number
        };
        shared.work.notify_one();
        let given_up = match answer.recv_timeout(shared.limits.max_wait) {
            Ok(Reply::Answer(answer)) => return answer,
            Err(RecvTimeoutError::Disconnected) => return Err(HashError::Broken),
            Ok(Reply::Canceled) => Some(HashError::Canceled),
            Err(RecvTimeoutError::Timeout) => None,
        };
        let mut state = shared.lock();
        if state.lanes.withdraw(number).is_some() {
            return Err(given_up.unwrap_or_else(|| shared.busy_error(&mut state)));
        }
        drop(state);
        // The hash has begun or is done: its result counts even if the caller has disconnected.
        loop {
            match answer.recv() {
                Ok(Reply::Answer(answer)) => return answer,
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
            // A thread that panicked has nothing left to say.
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
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // Nothing panics while it holds the state: a hasher that does is called without it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does until the end.
    fn run_worker(&self) {
        lower_priority();
        while let Some(job) = self.next_job() {
            let begun = self.clock.monotonic();
            let answer = catch_unwind(AssertUnwindSafe(|| self.run_job(&job))).unwrap_or(Err(HashError::Broken));
            let span = self.clock.monotonic().saturating_sub(begun);
            let mut state = self.lock();
            state.running -= 1;
            state.hashed += 1;
            state.mean_duration = if state.hashed == 1 { span } else { (state.mean_duration * 7 + span) / 8 };
            drop(state);
            // Whoever asked may be gone.
            let _ = job.reply.send(Reply::Answer(answer));
        }
    }

    /// The next job; `None` at the end. While there is none it lets go of the hasher's memory: soon of what one hash does not
    /// need, and of all of it after a while.
    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        let mut rested = state.started == 0;
        let mut spared = rested;
        loop {
            if state.stopping {
                return None;
            }
            self.reject_overdue(&mut state);
            if let Some(job) = state.lanes.take_next() {
                if job.cancellation.is_canceled() {
                    let _ = job.reply.send(Reply::Answer(Err(HashError::Canceled)));
                    continue;
                }
                state.running += 1;
                state.started += 1;
                return Some(job);
            }
            if rested {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let started = state.started;
            let span =
                if spared { self.limits.memory_retention } else { MEMORY_TRIM_DELAY.min(self.limits.memory_retention) };
            let (after, timeout) = self.work.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if !timeout.timed_out() || state.started != started {
                continue;
            }
            if !spared {
                drop(state);
                self.hasher.trim_memory();
                spared = true;
                state = self.lock();
            } else if state.running == 0 {
                drop(state);
                self.hasher.release_memory();
                rested = true;
                state = self.lock();
            }
        }
    }

    fn run_job(&self, job: &Job) -> Result<JobResult, HashError> {
        let typed = job.password.expose();
        let (verifier, renew) = match &job.task {
            Task::Hash => return self.hash_opaque(typed).map(JobResult::Hashed),
            Task::Verify { verifier, renew } => (verifier.as_ref().filter(|_| !typed.is_empty()), *renew),
        };
        // made for every verifier, so that it takes the same time
        let opaque = opaque_string(typed);
        let known = verifier.is_some();
        let stored = StoredVerifier::read(verifier.unwrap_or(&self.decoy));
        let password = if stored.opaque { opaque.expose() } else { typed };
        let matches = self.hasher.verify(password, &stored.verifier)? && known;
        let stale = !stored.opaque || self.hasher.needs_rehash(&stored.verifier);
        if !(matches && renew) {
            self.hasher.equalize_cost(password, &stored.verifier)?;
            return Ok(JobResult::Verified(PasswordCheck { matches, rehash: None }));
        }
        // The login is right whether its verifier can be renewed now or at another time.
        let rehash = stale.then(|| self.hash_opaque(typed));
        let rehash = rehash
            .and_then(|made| made.inspect_err(|error| tracing::warn!(%error, "a password was not hashed anew")).ok());
        Ok(JobResult::Verified(PasswordCheck { matches, rehash }))
    }

    fn hash_opaque(&self, password: &str) -> Result<Verifier, HashError> {
        opaque_verifier(&*self.hasher, password, &self.entropy.random_bytes().map_err(HashError::NoEntropy)?)
    }

    fn reject_overdue(&self, state: &mut QueueState) {
        for job in state.lanes.take_overdue(self.clock.monotonic()) {
            self.reject_job(state, &job);
        }
    }

    fn reject_job(&self, state: &mut QueueState, job: &Job) {
        let busy = self.busy_error(state);
        // Whoever asked may have given up at the same moment.
        let _ = job.reply.send(Reply::Answer(Err(busy)));
    }

    /// Counts one that is turned away, and tells when to come again: when those who wait now will have been hashed.
    fn busy_error(&self, state: &mut QueueState) -> HashError {
        state.busy += 1;
        let ahead = state.lanes.len() + state.running;
        let rounds = u32::try_from(ahead / self.workers).unwrap_or(u32::MAX);
        let (least, most) = RETRY_AFTER_RANGE;
        HashError::Busy { retry_after: state.mean_duration.saturating_mul(rounds).clamp(least, most) }
    }
}

/// Only Linux knows a priority of one thread by the call for processes; elsewhere it would be the whole server's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lower_priority() {
    // A host that forbids it hashes at the priority of everything else.
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), WORKER_NICE) {
        tracing::debug!(%error, "the priority of a hashing thread stays as it is");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn lower_priority() {}

#[cfg(test)]
mod tests;
