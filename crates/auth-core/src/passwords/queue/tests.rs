//! The queue over a hasher that hashes when it is told to, and a clock that is set by hand.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use tillgate_domain::Instant;

use super::*;
use crate::entropy::EntropyError;
use crate::passwords::{Argon2id, Cost, SALT_BYTES};

/// How long a test waits for what is to come before it fails.
const LONG: Duration = Duration::from_secs(20);

/// Clocks that stand still unless told.
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

/// Chance that can run dry.
#[derive(Default)]
struct ScriptedEntropy {
    dry: AtomicBool,
    drawn: AtomicUsize,
}

impl Entropy for ScriptedEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        if self.dry.load(Ordering::SeqCst) {
            return Err(EntropyError);
        }
        out.fill(u8::try_from(self.drawn.fetch_add(1, Ordering::SeqCst) % 256).unwrap());
        Ok(())
    }
}

/// A hasher whose verifier of a password is `new:` and the password, and that verifies one password for each permit.
struct BlockingHasher {
    state: Mutex<BlockingHasherState>,
    turned: Condvar,
    rests: mpsc::SyncSender<()>,
    spares: AtomicUsize,
}

#[derive(Default)]
struct BlockingHasherState {
    permits: usize,
    /// The passwords, in the order in which their verification began.
    begun: Vec<String>,
    against: Vec<String>,
    /// What failures were levelled against.
    levelled: Vec<String>,
    running: usize,
    most: usize,
    #[cfg(target_os = "linux")]
    niceness: Option<i32>,
}

impl BlockingHasher {
    fn permit(&self, count: usize) {
        self.state.lock().unwrap().permits += count;
        self.turned.notify_all();
    }

    /// Waits until so many verifications have begun.
    fn begun(&self, count: usize) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let (state, timeout) = self.turned.wait_timeout_while(state, LONG, |state| state.begun.len() < count).unwrap();
        assert!(!timeout.timed_out(), "{count} were to begin, but {:?}", state.begun);
        state.begun.clone()
    }
}

impl PasswordHasher for BlockingHasher {
    fn hash(&self, password: &str, _salt: &[u8; SALT_BYTES]) -> Result<Verifier, HashError> {
        Ok(Secret::new(format!("new:{password}")))
    }

    fn verify(&self, password: &str, verifier: &Verifier) -> Result<bool, HashError> {
        assert_ne!(password, "panic", "as the test wants it");
        let mut state = self.state.lock().unwrap();
        #[cfg(target_os = "linux")]
        {
            state.niceness = rustix::process::getpriority_process(Some(rustix::thread::gettid())).ok();
        }
        state.running += 1;
        state.most = state.most.max(state.running);
        state.begun.push(password.to_owned());
        state.against.push(verifier.expose().clone());
        self.turned.notify_all();
        let mut state = self.turned.wait_while(state, |state| state.permits == 0).unwrap();
        state.permits -= 1;
        state.running -= 1;
        Ok(verifier.expose().split_once(':').is_some_and(|(_, of)| of == password) || password == "any")
    }

    fn needs_rehash(&self, verifier: &Verifier) -> bool {
        verifier.expose().starts_with("old:")
    }

    fn equalize_cost(&self, _password: &str, verifier: &Verifier) -> Result<(), HashError> {
        self.state.lock().unwrap().levelled.push(verifier.expose().clone());
        Ok(())
    }

    fn trim_memory(&self) {
        self.spares.fetch_add(1, Ordering::Relaxed);
    }

    fn release_memory(&self) {
        let _ = self.rests.try_send(());
    }
}

struct QueueFixture {
    queue: Arc<HashQueue>,
    gate: Arc<BlockingHasher>,
    hands: Arc<ManualClock>,
    dice: Arc<ScriptedEntropy>,
    rests: mpsc::Receiver<()>,
}

fn set(workers: usize, limits: QueueLimits) -> QueueFixture {
    let (told, rests) = mpsc::sync_channel(100);
    let gate = Arc::new(BlockingHasher {
        state: Mutex::default(),
        turned: Condvar::new(),
        rests: told,
        spares: AtomicUsize::new(0),
    });
    let (hands, dice) = (Arc::new(ManualClock::default()), Arc::new(ScriptedEntropy::default()));
    let limits = QueueLimits { workers: NonZeroUsize::new(workers), ..limits };
    let queue = HashQueue::start(gate.clone(), dice.clone(), hands.clone(), limits).unwrap();
    QueueFixture { queue: Arc::new(queue), gate, hands, dice, rests }
}

/// Nothing in these tests waits for real time to pass, so nobody may lose patience by it.
fn patient() -> QueueLimits {
    QueueLimits { max_wait: LONG, ..QueueLimits::default() }
}

fn new(password: &str) -> Verifier {
    Secret::new(format!("opaque:new:{password}"))
}

type PendingJob = JoinHandle<Result<PasswordCheck, HashError>>;

impl QueueFixture {
    /// Asks on a thread of its own, and waits until it stands in the queue or is being hashed.
    fn ask(&self, password: &str, lane: Lane) -> PendingJob {
        let before = self.taken();
        let queue = Arc::clone(&self.queue);
        let (secret, verifier) = (Secret::new(password.to_owned()), Some(new(password)));
        let asked = thread::spawn(move || queue.verify(secret, verifier, lane, None, true));
        self.until(|set| set.taken() > before || asked.is_finished());
        asked
    }

    fn taken(&self) -> u64 {
        let QueueStats { known, strangers, new_passwords: setting, running, hashed, .. } = self.queue.stats();
        hashed + u64::try_from(known + strangers + setting + running).unwrap()
    }

    fn until(&self, so: impl Fn(&Self) -> bool) {
        for _ in 0..50_000_000 {
            if so(self) {
                return;
            }
            thread::yield_now();
        }
        panic!("it never came so: {:?}", self.queue.stats());
    }

    fn verify(&self, password: &str, verifier: Option<Verifier>) -> Result<PasswordCheck, HashError> {
        self.gate.permit(1);
        self.queue.verify(Secret::new(password.to_owned()), verifier, Lane::Known, None, true)
    }
}

fn matched(asked: PendingJob) -> bool {
    asked.join().unwrap().unwrap().matches
}

#[test]
fn password_matches_its_own_verifier() {
    let set = set(1, patient());
    assert_eq!(set.verify("right", Some(new("right"))), Ok(PasswordCheck { matches: true, rehash: None }));
    assert_eq!(set.verify("wrong", Some(new("right"))), Ok(PasswordCheck { matches: false, rehash: None }));
    assert_eq!(set.queue.hash(&Secret::new("fresh".to_owned()), Lane::Known, None).unwrap(), new("fresh"));
    assert_eq!(set.queue.stats(), QueueStats { hashed: 3, ..QueueStats::default() });
}

#[test]
fn unknown_name_and_empty_password_cost_the_same_and_never_match() {
    let set = set(1, patient());
    let none = Ok(PasswordCheck { matches: false, rehash: None });
    assert_eq!(set.verify("any", None), none, "though the hasher says yes");
    assert_eq!(set.verify("", Some(new(""))), none, "though the hasher says yes");
    let state = set.gate.state.lock().unwrap();
    assert_eq!(state.begun, ["any", ""], "one verification each");
    let decoy = set.queue.shared.decoy.expose().strip_prefix("opaque:").unwrap();
    assert!(state.against.iter().chain(&state.levelled).all(|verifier| verifier == decoy));
    assert_eq!(state.levelled.len(), 2, "and each is levelled");
}

#[test]
fn stale_verifier_is_rehashed_if_password_matches() {
    let set = set(1, patient());
    let old = || Some(Secret::new("opaque:old:right".to_owned()));
    let renewed = set.verify("right", old()).unwrap();
    assert_eq!(renewed, PasswordCheck { matches: true, rehash: Some(new("right")) });
    assert!(set.gate.state.lock().unwrap().levelled.is_empty(), "who is let in pays for the new one alone");
    assert_eq!(set.verify("wrong", old()), Ok(PasswordCheck { matches: false, rehash: None }));
    assert_eq!(set.gate.state.lock().unwrap().levelled, ["old:right"]);
    set.dice.dry.store(true, Ordering::SeqCst);
    assert_eq!(set.verify("right", old()), Ok(PasswordCheck { matches: true, rehash: None }), "in without a salt too");
    assert_eq!(
        set.queue.hash(&Secret::new("fresh".to_owned()), Lane::Known, None),
        Err(HashError::NoEntropy(EntropyError))
    );
}

#[test]
fn correct_password_of_denied_login_costs_as_much_as_wrong_one() {
    let set = set(1, patient());
    for password in ["right", "wrong"] {
        set.gate.permit(1);
        let (sent, old) = (Secret::new(password.to_owned()), Some(Secret::new("opaque:old:right".to_owned())));
        let verified = set.queue.verify(sent, old, Lane::Known, None, false).unwrap();
        assert_eq!(verified, PasswordCheck { matches: password == "right", rehash: None });
    }
    assert_eq!(set.gate.state.lock().unwrap().levelled, ["old:right", "old:right"]);
}

#[test]
fn unmarked_verifier_is_compared_with_typed_text_and_rehashed() {
    let set = set(1, patient());
    for typed in ["z\u{30c}aba", "sea\u{a0}salt", "bell\u{7}", "nul\0"] {
        let stored = || Some(Secret::new(format!("new:{typed}")));
        let renewed = PasswordCheck { matches: true, rehash: Some(new(opaque_string(typed).expose())) };
        assert_eq!(set.verify(typed, stored()), Ok(renewed.clone()), "{typed:?}");
        assert_eq!(set.verify(typed, renewed.rehash), Ok(PasswordCheck { matches: true, rehash: None }), "{typed:?}");
    }
    let composed = Some(Secret::new("new:z\u{30c}aba".to_owned()));
    assert_eq!(
        set.verify("žaba", composed),
        Ok(PasswordCheck { matches: false, rehash: None }),
        "as typed, and no other way"
    );
}

#[test]
fn password_matches_in_any_unicode_composition() {
    let set = set(1, patient());
    let right = Ok(PasswordCheck { matches: true, rehash: None });
    for (stored, typed) in [("žaba a kôň", "z\u{30c}aba a ko\u{302}n\u{30c}"), ("sea salt", "sea\u{a0}salt")] {
        let made = set.queue.hash(&Secret::new(stored.to_owned()), Lane::Known, None).unwrap();
        assert_eq!(set.verify(typed, Some(made)), right, "{stored} {typed}");
        let made = set.queue.hash(&Secret::new(typed.to_owned()), Lane::Known, None).unwrap();
        assert_eq!(set.verify(stored, Some(made)), right, "{typed} {stored}");
    }
}

#[test]
fn known_networks_are_hashed_first() {
    let set = set(1, patient());
    let first = set.ask("first", Lane::Stranger);
    set.gate.begun(1);
    let rest = [("s1", Lane::Stranger), ("k1", Lane::Known), ("s2", Lane::Stranger), ("k2", Lane::Known)];
    let rest = rest.map(|(password, lane)| set.ask(password, lane));
    assert_eq!((set.queue.stats().known, set.queue.stats().strangers, set.queue.stats().running), (2, 2, 1));
    set.gate.permit(5);
    assert!(matched(first) && rest.into_iter().all(matched));
    assert_eq!(set.gate.begun(5), ["first", "k1", "k2", "s1", "s2"]);
}

#[test]
fn concurrent_hashes_are_limited_to_cores() {
    let set = set(3, patient());
    let asked: Vec<PendingJob> = (0..20).map(|number| set.ask(&number.to_string(), Lane::Known)).collect();
    set.gate.begun(3);
    assert_eq!(set.queue.stats().running, 3);
    set.gate.permit(20);
    assert!(asked.into_iter().all(matched));
    assert_eq!(set.gate.state.lock().unwrap().most, 3);
}

#[test]
fn rejected_job_gets_retry_after() {
    let set = set(1, QueueLimits { waiting: 4, ..patient() });
    let running = set.ask("running", Lane::Known);
    set.gate.begun(1);
    let waiting: Vec<PendingJob> = [Lane::Stranger; 2].map(|lane| set.ask("waiting", lane)).into();
    let busy = Err(HashError::Busy { retry_after: Duration::from_secs(1) });
    assert_eq!(set.ask("stranger", Lane::Stranger).join().unwrap(), busy, "half is not theirs");
    set.gate.permit(3);
    assert!(matched(running) && waiting.into_iter().all(matched));
    let running = set.ask("running", Lane::Known);
    set.gate.begun(4);
    let waiting: Vec<PendingJob> = [Lane::Known; 4].map(|lane| set.ask("waiting", lane)).into();
    for lane in [Lane::Known, Lane::Stranger, Lane::NewPassword] {
        assert_eq!(set.ask("next", lane).join().unwrap(), busy);
    }
    assert_eq!(set.queue.stats().busy, 4);
    set.gate.permit(5);
    assert!(matched(running) && waiting.into_iter().all(matched));
}

/// A flood of registrations takes neither the room nor the turn of those who log in.
#[test]
fn new_passwords_of_strangers_wait_last_and_are_displaced() {
    let set = set(1, QueueLimits { waiting: 4, ..patient() });
    let running = set.ask("running", Lane::Known);
    set.gate.begun(1);
    let setting = set.ask("setting", Lane::NewPassword);
    let rest = [Lane::Stranger, Lane::Known, Lane::Known].map(|lane| set.ask("login", lane));
    assert_eq!(set.queue.stats().new_passwords, 1);
    let queue = Arc::clone(&set.queue);
    let last = thread::spawn(move || {
        queue.verify(Secret::new("known".to_owned()), Some(new("known")), Lane::Known, None, true)
    });
    set.until(|set| set.queue.stats().busy == 1);
    assert!(matches!(setting.join().unwrap(), Err(HashError::Busy { .. })), "it is told at once");
    assert_eq!((set.queue.stats().new_passwords, set.queue.stats().busy), (0, 1));
    set.gate.permit(5);
    assert!(matched(running) && matched(last) && rest.into_iter().all(matched));
}

#[test]
fn overdue_job_is_not_hashed() {
    let set = set(1, patient());
    let running = set.ask("running", Lane::Known);
    set.gate.begun(1);
    let (known, stranger) = (set.ask("late", Lane::Known), set.ask("late", Lane::Stranger));
    set.hands.pass(LONG);
    set.gate.permit(1);
    assert!(matched(running), "what is being hashed is finished");
    for late in [known, stranger] {
        assert!(matches!(late.join().unwrap(), Err(HashError::Busy { .. })));
    }
    assert_eq!(set.gate.begun(1), ["running"]);
    assert!(set.verify("next", Some(new("next"))).unwrap().matches);
}

#[test]
fn caller_waits_no_longer_than_max_wait_for_hanging_hasher() {
    let set = set(1, QueueLimits { max_wait: Duration::from_millis(1), ..patient() });
    let begun = |set: &QueueFixture| !set.gate.state.lock().unwrap().begun.is_empty();
    // On a busy machine the first may lose patience before its hash begins.
    let running = loop {
        let asked = set.ask("running", Lane::Known);
        set.until(|set| begun(set) || asked.is_finished());
        if begun(&set) {
            break asked;
        }
    };
    let late = set.ask("late", Lane::Known).join().unwrap();
    assert!(matches!(late, Err(HashError::Busy { .. })), "{late:?}");
    assert_eq!(set.queue.stats().known, 0, "its place is free again");
    set.gate.permit(1);
    assert!(matched(running), "what had begun is waited for");
}

#[test]
fn nothing_is_hashed_for_a_caller_who_has_gone() {
    let set = set(1, patient());
    let running = set.ask("running", Lane::Known);
    set.gate.begun(1);
    let cancellation = Cancellation::default();
    let (queue, canceled) = (Arc::clone(&set.queue), cancellation.clone());
    let gone = thread::spawn(move || {
        canceled.run(|| queue.verify(Secret::new("gone".to_owned()), Some(new("gone")), Lane::Stranger, None, true))
    });
    set.until(|set| set.queue.stats().strangers == 1);
    cancellation.cancel();
    assert_eq!(gone.join().unwrap(), Err(HashError::Canceled));
    assert_eq!(set.queue.stats().strangers, 0, "its place is free again");
    let nobody = || set.queue.hash(&Secret::new("new".to_owned()), Lane::Known, None);
    assert_eq!(cancellation.run(nobody), Err(HashError::Canceled), "it does not even wait");
    set.gate.permit(2);
    assert!(matched(running));
    assert!(matched(set.ask("next", Lane::Known)));
    assert_eq!(set.gate.begun(2), ["running", "next"]);
}

#[test]
fn what_waits_past_its_deadline_is_not_hashed() {
    let set = set(1, patient());
    let running = set.ask("running", Lane::Known);
    set.gate.begun(1);
    let over = Arc::new(AtomicBool::new(false));
    let (queue, is_over) = (Arc::clone(&set.queue), Arc::clone(&over));
    let late = thread::spawn(move || {
        let cancellation = Cancellation::when(move || is_over.load(Ordering::SeqCst));
        cancellation.run(|| queue.verify(Secret::new("late".to_owned()), Some(new("late")), Lane::Known, None, true))
    });
    set.until(|set| set.queue.stats().known == 1);
    over.store(true, Ordering::SeqCst);
    set.gate.permit(1);
    assert!(matched(running));
    assert_eq!(late.join().unwrap(), Err(HashError::Canceled));
    assert_eq!(set.gate.begun(1), ["running"]);
}

#[test]
fn hash_that_has_begun_counts_whoever_has_gone() {
    let set = set(1, patient());
    let cancellation = Cancellation::default();
    let (queue, canceled) = (Arc::clone(&set.queue), cancellation.clone());
    let gone = thread::spawn(move || {
        canceled.run(|| queue.verify(Secret::new("guess".to_owned()), Some(new("right")), Lane::Stranger, None, true))
    });
    set.gate.begun(1);
    cancellation.cancel();
    set.gate.permit(1);
    assert!(!gone.join().unwrap().unwrap().matches, "nobody guesses for nothing by hanging up");
}

#[test]
fn retry_after_depends_on_queue_length() {
    let set = set(1, QueueLimits { waiting: 2, ..patient() });
    let slow = set.ask("slow", Lane::Known);
    set.gate.begun(1);
    set.hands.pass(Duration::from_secs(3));
    set.gate.permit(1);
    assert!(matched(slow));
    let first = set.ask("one", Lane::Known);
    set.gate.begun(2);
    let waiting = ["two", "three"].map(|password| set.ask(password, Lane::Known));
    let busy = set.ask("four", Lane::Known).join().unwrap();
    assert_eq!(busy, Err(HashError::Busy { retry_after: Duration::from_secs(9) }), "three of three seconds each");
    set.gate.permit(3);
    assert!(matched(first) && waiting.into_iter().all(matched));
}

#[test]
fn panicking_hasher_fails_one_login() {
    let set = set(1, patient());
    assert_eq!(set.verify("panic", Some(new("panic"))), Err(HashError::Broken));
    assert!(set.verify("right", Some(new("right"))).unwrap().matches);
    assert_eq!(set.queue.stats().running, 0);
}

#[test]
fn idle_memory_is_released_once() {
    let set = set(1, QueueLimits { memory_retention: Duration::from_millis(1), ..patient() });
    set.rests.try_recv().expect("the decoy's memory goes back at once");
    assert!(set.rests.recv_timeout(Duration::from_millis(30)).is_err(), "nothing was hashed since");
    assert!(set.verify("right", Some(new("right"))).unwrap().matches);
    set.rests.recv_timeout(LONG).expect("the hasher is told to rest");
    assert_eq!(set.gate.spares.load(Ordering::Relaxed), 1, "it was told before of what one hash does not need");
    assert!(set.rests.recv_timeout(Duration::from_millis(30)).is_err(), "and not disturbed again");
    assert!(set.verify("right", Some(new("right"))).unwrap().matches);
    set.rests.recv_timeout(LONG).expect("and after the next one again");
}

#[test]
fn threads_end_with_the_queue() {
    let QueueFixture { queue, gate, .. } = set(4, patient());
    let shared = Arc::downgrade(&queue.shared);
    drop(Arc::into_inner(queue).unwrap());
    assert_eq!((shared.strong_count(), Arc::strong_count(&gate)), (0, 1));
}

#[test]
#[cfg(target_os = "linux")]
fn hashing_threads_have_lower_priority() {
    let set = set(1, patient());
    let own = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
    let before = own();
    assert!(set.verify("right", Some(new("right"))).unwrap().matches);
    assert_eq!(set.gate.state.lock().unwrap().niceness, Some(WORKER_NICE.max(before)));
    assert_eq!(own(), before, "nobody else is slowed down");
}

#[test]
fn many_logins_are_served_by_argon2id() {
    let hasher = Arc::new(Argon2id::new(Cost { memory_kib: 64, passes: 1, lanes: 1 }).unwrap());
    let queue =
        HashQueue::start(hasher, Arc::new(ScriptedEntropy::default()), Arc::new(ManualClock::default()), patient())
            .unwrap();
    let made = queue.hash(&Secret::new("right".to_owned()), Lane::Known, None).unwrap();
    thread::scope(|scope| {
        for number in 0..40 {
            let (queue, made) = (&queue, made.clone());
            scope.spawn(move || {
                let password = if number % 2 == 0 { "right" } else { "wrong" };
                let answer = queue.verify(Secret::new(password.to_owned()), Some(made), Lane::Known, None, true);
                assert_eq!(answer.unwrap().matches, number % 2 == 0);
            });
        }
    });
    assert_eq!(queue.stats().hashed, 41);
}
