//! The queue with a hasher that hashes when the test permits it, and a clock that the test sets.

mod scheduling;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use tillgate_domain::Instant;

use super::*;
use crate::entropy::EntropyError;
use crate::passwords::{Argon2id, Cost, SALT_BYTES, opaque_string};

/// How long a test waits for an event before it fails.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A clock that moves only when the test moves it.
#[derive(Default)]
struct ManualClock(Mutex<Duration>);

impl ManualClock {
    fn pass(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        Instant::default()
    }
    fn since_boot(&self) -> Duration {
        self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// Predictable random bytes, which can fail.
#[derive(Default)]
struct ScriptedEntropy {
    fails: AtomicBool,
    calls: AtomicUsize,
}

impl Entropy for ScriptedEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(EntropyError);
        }
        out.fill(u8::try_from(self.calls.fetch_add(1, Ordering::SeqCst) % 256).unwrap());
        Ok(())
    }
}

/// A hasher whose verifier of a password is `new:` and the password, and that verifies one password
/// for each permit.
struct BlockingHasher {
    state: Mutex<BlockingHasherState>,
    changed: Condvar,
    releases: mpsc::SyncSender<()>,
    trims: AtomicUsize,
}

#[derive(Default)]
struct BlockingHasherState {
    permits: usize,
    /// The passwords, in the order in which their verification began.
    started: Vec<String>,
    against: Vec<String>,
    /// The verifiers of the failures whose cost was equalized.
    equalized: Vec<String>,
    running: usize,
    max_running: usize,
    #[cfg(target_os = "linux")]
    niceness: Option<i32>,
}

impl BlockingHasher {
    fn permit(&self, count: usize) {
        self.state.lock().unwrap().permits += count;
        self.changed.notify_all();
    }

    /// Waits until this many verifications have started; returns their passwords.
    fn started(&self, count: usize) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let (state, timeout) =
            self.changed.wait_timeout_while(state, TEST_TIMEOUT, |state| state.started.len() < count).unwrap();
        assert!(!timeout.timed_out(), "{count} verifications expected to start, but only {:?} did", state.started);
        state.started.clone()
    }
}

impl PasswordHasher for BlockingHasher {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        Ok(Secret::new(format!("new:{password}")))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        assert_ne!(password, "panic", "the panic that the test requests");
        let mut state = self.state.lock().unwrap();
        #[cfg(target_os = "linux")]
        {
            state.niceness = rustix::process::getpriority_process(Some(rustix::thread::gettid())).ok();
        }
        state.running += 1;
        state.max_running = state.max_running.max(state.running);
        state.started.push(password.to_owned());
        state.against.push(verifier.expose().clone());
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| state.permits == 0).unwrap();
        state.permits -= 1;
        state.running -= 1;
        Ok(verifier.expose().split_once(':').is_some_and(|(_, of)| of == password) || password == "any")
    }

    fn needs_rehash(&self, verifier: &Verifier) -> bool {
        verifier.expose().starts_with("old:")
    }

    fn equalize_cost(&self, _password: &str, verifier: &Verifier) -> Result<(), HashError> {
        self.state.lock().unwrap().equalized.push(verifier.expose().clone());
        Ok(())
    }

    fn trim_memory(&self) {
        self.trims.fetch_add(1, Ordering::Relaxed);
    }

    fn release_memory(&self) {
        let _ = self.releases.try_send(());
    }
}

struct QueueFixture {
    queue: Arc<HashQueue>,
    hasher: Arc<BlockingHasher>,
    clock: Arc<ManualClock>,
    entropy: Arc<ScriptedEntropy>,
    releases: mpsc::Receiver<()>,
}

fn start(workers: usize, limits: QueueLimits) -> QueueFixture {
    let (released, releases) = mpsc::sync_channel(100);
    let hasher = Arc::new(BlockingHasher {
        state: Mutex::default(),
        changed: Condvar::new(),
        releases: released,
        trims: AtomicUsize::new(0),
    });
    let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(ScriptedEntropy::default()));
    let limits = QueueLimits { workers: NonZeroUsize::new(workers), ..limits };
    let queue = HashQueue::start(hasher.clone(), entropy.clone(), clock.clone(), limits).unwrap();
    QueueFixture { queue: Arc::new(queue), hasher, clock, entropy, releases }
}

/// Limits with a long wait: no job of these tests may be rejected because the machine is slow.
fn long_wait() -> QueueLimits {
    QueueLimits { max_wait: TEST_TIMEOUT, ..QueueLimits::default() }
}

fn verifier_of(password: &str) -> Verifier {
    Secret::new(format!("opaque:new:{password}"))
}

type PendingJob = JoinHandle<Result<PasswordCheck, HashError>>;

impl QueueFixture {
    /// Submits a job on a thread of its own, and waits until it is queued or running.
    fn submit(&self, password: &str, lane: Lane) -> PendingJob {
        let before = self.taken();
        let queue = Arc::clone(&self.queue);
        let (secret, verifier) = (Secret::new(password.to_owned()), Some(verifier_of(password)));
        let job = thread::spawn(move || queue.verify(secret, verifier, lane, None, true));
        self.wait_until(|fixture| fixture.taken() > before || job.is_finished());
        job
    }

    fn taken(&self) -> u64 {
        let QueueStats { known, strangers, new_passwords: setting, running, hashed, .. } = self.queue.stats();
        hashed + u64::try_from(known + strangers + setting + running).unwrap()
    }

    fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..50_000_000 {
            if condition(self) {
                return;
            }
            thread::yield_now();
        }
        panic!("the condition did not become true: {:?}", self.queue.stats());
    }

    fn verify(&self, password: &str, verifier: Option<Verifier>) -> Result<PasswordCheck, HashError> {
        self.hasher.permit(1);
        self.queue.verify(Secret::new(password.to_owned()), verifier, Lane::Known, None, true)
    }
}

fn matches(job: PendingJob) -> bool {
    job.join().unwrap().unwrap().matches
}

#[test]
fn password_matches_its_own_verifier() {
    let fixture = start(1, long_wait());
    assert_eq!(fixture.verify("right", Some(verifier_of("right"))), Ok(PasswordCheck { matches: true, rehash: None }));
    assert_eq!(fixture.verify("wrong", Some(verifier_of("right"))), Ok(PasswordCheck { matches: false, rehash: None }));
    assert_eq!(fixture.queue.hash(&Secret::new("fresh".to_owned()), Lane::Known, None).unwrap(), verifier_of("fresh"));
    assert_eq!(fixture.queue.stats(), QueueStats { hashed: 3, ..QueueStats::default() });
}

#[test]
fn unknown_name_and_empty_password_cost_the_same_and_never_match() {
    let fixture = start(1, long_wait());
    let none = Ok(PasswordCheck { matches: false, rehash: None });
    assert_eq!(fixture.verify("any", None), none, "although the hasher returns true");
    assert_eq!(fixture.verify("", Some(verifier_of(""))), none, "although the hasher returns true");
    let state = fixture.hasher.state.lock().unwrap();
    assert_eq!(state.started, ["any", ""], "one verification each");
    let decoy = fixture.queue.shared.decoy.expose().strip_prefix("opaque:").unwrap();
    assert!(state.against.iter().chain(&state.equalized).all(|verifier| verifier == decoy));
    assert_eq!(state.equalized.len(), 2, "the cost of each is equalized");
}

#[test]
fn stale_verifier_is_rehashed_if_password_matches() {
    let fixture = start(1, long_wait());
    let old = || Some(Secret::new("opaque:old:right".to_owned()));
    let rehashed = fixture.verify("right", old()).unwrap();
    assert_eq!(rehashed, PasswordCheck { matches: true, rehash: Some(verifier_of("right")) });
    assert!(fixture.hasher.state.lock().unwrap().equalized.is_empty(), "a successful login costs only the new hash");
    assert_eq!(fixture.verify("wrong", old()), Ok(PasswordCheck { matches: false, rehash: None }));
    assert_eq!(fixture.hasher.state.lock().unwrap().equalized, ["old:right"]);
    fixture.entropy.fails.store(true, Ordering::SeqCst);
    assert_eq!(
        fixture.verify("right", old()),
        Ok(PasswordCheck { matches: true, rehash: None }),
        "succeeds without random bytes, too"
    );
    assert_eq!(
        fixture.queue.hash(&Secret::new("fresh".to_owned()), Lane::Known, None),
        Err(HashError::NoEntropy(EntropyError))
    );
}

#[test]
fn correct_password_of_denied_login_costs_as_much_as_wrong_one() {
    let fixture = start(1, long_wait());
    for password in ["right", "wrong"] {
        fixture.hasher.permit(1);
        let (sent, old) = (Secret::new(password.to_owned()), Some(Secret::new("opaque:old:right".to_owned())));
        let verified = fixture.queue.verify(sent, old, Lane::Known, None, false).unwrap();
        assert_eq!(verified, PasswordCheck { matches: password == "right", rehash: None });
    }
    assert_eq!(fixture.hasher.state.lock().unwrap().equalized, ["old:right", "old:right"]);
}

#[test]
fn unmarked_verifier_is_compared_with_typed_text_and_rehashed() {
    let fixture = start(1, long_wait());
    for typed in ["z\u{30c}aba", "sea\u{a0}salt", "bell\u{7}", "nul\0"] {
        let stored = || Some(Secret::new(format!("new:{typed}")));
        let rehashed = PasswordCheck { matches: true, rehash: Some(verifier_of(opaque_string(typed).expose())) };
        assert_eq!(fixture.verify(typed, stored()), Ok(rehashed.clone()), "{typed:?}");
        assert_eq!(
            fixture.verify(typed, rehashed.rehash),
            Ok(PasswordCheck { matches: true, rehash: None }),
            "{typed:?}"
        );
    }
    let composed = Some(Secret::new("new:z\u{30c}aba".to_owned()));
    assert_eq!(
        fixture.verify("žaba", composed),
        Ok(PasswordCheck { matches: false, rehash: None }),
        "only the text as typed matches"
    );
}

#[test]
fn password_matches_in_any_unicode_composition() {
    let fixture = start(1, long_wait());
    let right = Ok(PasswordCheck { matches: true, rehash: None });
    for (stored, typed) in [("žaba a kôň", "z\u{30c}aba a ko\u{302}n\u{30c}"), ("sea salt", "sea\u{a0}salt")] {
        let made = fixture.queue.hash(&Secret::new(stored.to_owned()), Lane::Known, None).unwrap();
        assert_eq!(fixture.verify(typed, Some(made)), right, "{stored} {typed}");
        let made = fixture.queue.hash(&Secret::new(typed.to_owned()), Lane::Known, None).unwrap();
        assert_eq!(fixture.verify(stored, Some(made)), right, "{typed} {stored}");
    }
}
