//! Which job runs when, which is rejected, and what happens to the threads and their memory.

use super::*;
use crate::passwords::queue::worker::WORKER_NICE;

#[test]
fn known_networks_are_hashed_first() {
    let fixture = start(1, long_wait());
    let first = fixture.submit("first", Lane::Stranger);
    fixture.hasher.started(1);
    let rest = [("s1", Lane::Stranger), ("k1", Lane::Known), ("s2", Lane::Stranger), ("k2", Lane::Known)];
    let rest = rest.map(|(password, lane)| fixture.submit(password, lane));
    assert_eq!(
        (fixture.queue.stats().known, fixture.queue.stats().strangers, fixture.queue.stats().running),
        (2, 2, 1)
    );
    fixture.hasher.permit(5);
    assert!(matches(first) && rest.into_iter().all(matches));
    assert_eq!(fixture.hasher.started(5), ["first", "k1", "k2", "s1", "s2"]);
}

#[test]
fn concurrent_hashes_are_limited_to_cores() {
    let fixture = start(3, long_wait());
    let job: Vec<PendingJob> = (0..20).map(|number| fixture.submit(&number.to_string(), Lane::Known)).collect();
    fixture.hasher.started(3);
    assert_eq!(fixture.queue.stats().running, 3);
    fixture.hasher.permit(20);
    assert!(job.into_iter().all(matches));
    assert_eq!(fixture.hasher.state.lock().unwrap().max_running, 3);
}

#[test]
fn rejected_job_gets_retry_after() {
    let fixture = start(1, QueueLimits { waiting: 4, ..long_wait() });
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(1);
    let waiting: Vec<PendingJob> = [Lane::Stranger; 2].map(|lane| fixture.submit("waiting", lane)).into();
    let busy = Err(HashError::Busy { retry_after: Duration::from_secs(1) });
    assert_eq!(
        fixture.submit("stranger", Lane::Stranger).join().unwrap(),
        busy,
        "unknown networks get half of the queue"
    );
    fixture.hasher.permit(3);
    assert!(matches(running) && waiting.into_iter().all(matches));
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(4);
    let waiting: Vec<PendingJob> = [Lane::Known; 4].map(|lane| fixture.submit("waiting", lane)).into();
    for lane in [Lane::Known, Lane::Stranger, Lane::NewPassword] {
        assert_eq!(fixture.submit("next", lane).join().unwrap(), busy);
    }
    assert_eq!(fixture.queue.stats().busy, 4);
    fixture.hasher.permit(5);
    assert!(matches(running) && waiting.into_iter().all(matches));
}

/// Many registrations take neither the capacity nor the turns of logins.
#[test]
fn new_passwords_of_strangers_wait_last_and_are_displaced() {
    let fixture = start(1, QueueLimits { waiting: 4, ..long_wait() });
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(1);
    let setting = fixture.submit("setting", Lane::NewPassword);
    let rest = [Lane::Stranger, Lane::Known, Lane::Known].map(|lane| fixture.submit("login", lane));
    assert_eq!(fixture.queue.stats().new_passwords, 1);
    let queue = Arc::clone(&fixture.queue);
    let last = thread::spawn(move || {
        queue.verify(Secret::new("known".to_owned()), Some(verifier_of("known")), Lane::Known, None, true)
    });
    fixture.wait_until(|fixture| fixture.queue.stats().busy == 1);
    assert!(matches!(setting.join().unwrap(), Err(HashError::Busy { .. })), "rejected immediately");
    assert_eq!((fixture.queue.stats().new_passwords, fixture.queue.stats().busy), (0, 1));
    fixture.hasher.permit(5);
    assert!(matches(running) && matches(last) && rest.into_iter().all(matches));
}

#[test]
fn overdue_job_is_not_hashed() {
    let fixture = start(1, long_wait());
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(1);
    let (known, stranger) = (fixture.submit("late", Lane::Known), fixture.submit("late", Lane::Stranger));
    fixture.clock.pass(TEST_TIMEOUT);
    fixture.hasher.permit(1);
    assert!(matches(running), "the running hash is finished");
    for late in [known, stranger] {
        assert!(matches!(late.join().unwrap(), Err(HashError::Busy { .. })));
    }
    assert_eq!(fixture.hasher.started(1), ["running"]);
    assert!(fixture.verify("next", Some(verifier_of("next"))).unwrap().matches);
}

#[test]
fn caller_waits_no_longer_than_max_wait_for_hanging_hasher() {
    let fixture = start(1, QueueLimits { max_wait: Duration::from_millis(1), ..long_wait() });
    let started = |fixture: &QueueFixture| !fixture.hasher.state.lock().unwrap().started.is_empty();
    // On a busy machine, the first job may be rejected before its hash starts.
    let running = loop {
        let job = fixture.submit("running", Lane::Known);
        fixture.wait_until(|fixture| started(fixture) || job.is_finished());
        if started(&fixture) {
            break job;
        }
    };
    let late = fixture.submit("late", Lane::Known).join().unwrap();
    assert!(matches!(late, Err(HashError::Busy { .. })), "{late:?}");
    assert_eq!(fixture.queue.stats().known, 0, "its place is free again");
    fixture.hasher.permit(1);
    assert!(matches(running), "the caller waits for a hash that has started");
}

#[test]
fn canceled_job_is_not_hashed() {
    let fixture = start(1, long_wait());
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(1);
    let cancellation = Cancellation::default();
    let (queue, canceled) = (Arc::clone(&fixture.queue), cancellation.clone());
    let caller = thread::spawn(move || {
        let _entered = canceled.enter();
        queue.verify(Secret::new("canceled".to_owned()), Some(verifier_of("canceled")), Lane::Stranger, None, true)
    });
    fixture.wait_until(|fixture| fixture.queue.stats().strangers == 1);
    cancellation.cancel();
    assert_eq!(caller.join().unwrap(), Err(HashError::Canceled));
    assert_eq!(fixture.queue.stats().strangers, 0, "its place is free again");
    let entered = cancellation.enter();
    let after_cancel = fixture.queue.hash(&Secret::new("new".to_owned()), Lane::Known, None);
    assert_eq!(after_cancel, Err(HashError::Canceled), "the job is not even queued");
    drop(entered);
    fixture.hasher.permit(2);
    assert!(matches(running));
    assert!(matches(fixture.submit("next", Lane::Known)));
    assert_eq!(fixture.hasher.started(2), ["running", "next"]);
}

#[test]
fn job_canceled_by_condition_is_not_hashed() {
    let fixture = start(1, long_wait());
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(1);
    let over = Arc::new(AtomicBool::new(false));
    let (queue, is_over) = (Arc::clone(&fixture.queue), Arc::clone(&over));
    let late = thread::spawn(move || {
        let cancellation = Cancellation::when(move || is_over.load(Ordering::SeqCst));
        let _entered = cancellation.enter();
        queue.verify(Secret::new("late".to_owned()), Some(verifier_of("late")), Lane::Known, None, true)
    });
    fixture.wait_until(|fixture| fixture.queue.stats().known == 1);
    over.store(true, Ordering::SeqCst);
    fixture.hasher.permit(1);
    assert!(matches(running));
    assert_eq!(late.join().unwrap(), Err(HashError::Canceled));
    assert_eq!(fixture.hasher.started(1), ["running"]);
}

#[test]
fn started_hash_counts_after_cancellation() {
    let fixture = start(1, long_wait());
    let cancellation = Cancellation::default();
    let (queue, canceled) = (Arc::clone(&fixture.queue), cancellation.clone());
    let caller = thread::spawn(move || {
        let _entered = canceled.enter();
        queue.verify(Secret::new("guess".to_owned()), Some(verifier_of("right")), Lane::Stranger, None, true)
    });
    fixture.hasher.started(1);
    cancellation.cancel();
    fixture.hasher.permit(1);
    assert!(!caller.join().unwrap().unwrap().matches, "a guess counts although the client disconnected");
}

#[test]
fn retry_after_depends_on_queue_length() {
    let fixture = start(1, QueueLimits { waiting: 2, ..long_wait() });
    let slow = fixture.submit("slow", Lane::Known);
    fixture.hasher.started(1);
    fixture.clock.pass(Duration::from_secs(3));
    fixture.hasher.permit(1);
    assert!(matches(slow));
    let first = fixture.submit("one", Lane::Known);
    fixture.hasher.started(2);
    let waiting = ["two", "three"].map(|password| fixture.submit(password, Lane::Known));
    let busy = fixture.submit("four", Lane::Known).join().unwrap();
    assert_eq!(
        busy,
        Err(HashError::Busy { retry_after: Duration::from_secs(9) }),
        "three hashes of three seconds each"
    );
    fixture.hasher.permit(3);
    assert!(matches(first) && waiting.into_iter().all(matches));
}

#[test]
fn job_that_cannot_be_hashed_in_time_is_rejected_at_once() {
    let fixture = start(2, QueueLimits { max_wait: Duration::from_secs(10), ..long_wait() });
    let slow = fixture.submit("slow", Lane::Known);
    fixture.hasher.started(1);
    fixture.clock.pass(Duration::from_secs(3));
    fixture.hasher.permit(1);
    assert!(matches(slow));
    let running = ["one", "two"].map(|password| fixture.submit(password, Lane::Known));
    fixture.hasher.started(3);
    // Within ten seconds, each of the two threads computes three hashes of three seconds.
    let strangers = [Lane::Stranger; 3].map(|lane| fixture.submit("stranger", lane));
    let unknown = fixture.submit("unknown", Lane::Stranger).join().unwrap();
    assert!(matches!(unknown, Err(HashError::Busy { .. })), "strangers have half of the queue: {unknown:?}");
    let known = [Lane::Known; 3].map(|lane| fixture.submit("known", lane));
    assert_eq!((fixture.queue.stats().known, fixture.queue.stats().strangers), (3, 3));
    fixture.hasher.permit(8);
    assert!(running.into_iter().chain(known).chain(strangers).all(matches), "the others are hashed");
}

#[test]
fn very_slow_hash_leaves_one_place_per_thread() {
    let fixture = start(1, QueueLimits { max_wait: Duration::from_secs(10), ..long_wait() });
    let slow = fixture.submit("slow", Lane::Known);
    fixture.hasher.started(1);
    fixture.clock.pass(Duration::from_hours(1));
    fixture.hasher.permit(1);
    assert!(matches(slow));
    let running = fixture.submit("running", Lane::Known);
    fixture.hasher.started(2);
    let waiting = fixture.submit("waiting", Lane::Known);
    let rejected = fixture.submit("rejected", Lane::Known).join().unwrap();
    assert_eq!(rejected, Err(HashError::Busy { retry_after: RETRY_AFTER_RANGE.1 }));
    fixture.hasher.permit(2);
    assert!(matches(running) && matches(waiting), "a server after a long pause serves logins again");
}

#[test]
fn panicking_hasher_fails_one_login() {
    let fixture = start(1, long_wait());
    assert_eq!(fixture.verify("panic", Some(verifier_of("panic"))), Err(HashError::Broken));
    assert!(fixture.verify("right", Some(verifier_of("right"))).unwrap().matches);
    assert_eq!(fixture.queue.stats().running, 0);
}

#[test]
fn idle_memory_is_released_once() {
    let fixture = start(1, QueueLimits { memory_retention: Duration::from_millis(1), ..long_wait() });
    fixture.releases.try_recv().expect("the memory of the decoy is released immediately");
    assert!(fixture.releases.recv_timeout(Duration::from_millis(30)).is_err(), "nothing was hashed since");
    assert!(fixture.verify("right", Some(verifier_of("right"))).unwrap().matches);
    fixture.releases.recv_timeout(TEST_TIMEOUT).expect("the memory is released when idle");
    assert_eq!(fixture.hasher.trims.load(Ordering::Relaxed), 1, "the memory was trimmed before");
    assert!(fixture.releases.recv_timeout(Duration::from_millis(30)).is_err(), "and it is released once");
    assert!(fixture.verify("right", Some(verifier_of("right"))).unwrap().matches);
    fixture.releases.recv_timeout(TEST_TIMEOUT).expect("and again after the next hash");
}

#[test]
fn threads_end_with_the_queue() {
    let QueueFixture { queue, hasher, .. } = start(4, long_wait());
    let shared = Arc::downgrade(&queue.shared);
    drop(Arc::into_inner(queue).unwrap());
    assert_eq!((shared.strong_count(), Arc::strong_count(&hasher)), (0, 1));
}

#[test]
#[cfg(target_os = "linux")]
fn hashing_threads_have_lower_priority() {
    let fixture = start(1, long_wait());
    let own = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
    let before = own();
    assert!(fixture.verify("right", Some(verifier_of("right"))).unwrap().matches);
    assert_eq!(fixture.hasher.state.lock().unwrap().niceness, Some(WORKER_NICE.max(before)));
    assert_eq!(own(), before, "the priority of other threads stays");
}

#[test]
fn many_logins_are_served_by_argon2id() {
    let hasher = Arc::new(Argon2id::new(Cost { memory_kib: 64, passes: 1, lanes: 1 }).unwrap());
    let queue =
        HashQueue::start(hasher, Arc::new(ScriptedEntropy::default()), Arc::new(ManualClock::default()), long_wait())
            .unwrap();
    let made = queue.hash(&Secret::new("right".to_owned()), Lane::Known, None).unwrap();
    thread::scope(|scope| {
        for number in 0..40 {
            let (queue, made) = (&queue, made.clone());
            scope.spawn(move || {
                let password = if number % 2 == 0 { "right" } else { "wrong" };
                let result = queue.verify(Secret::new(password.to_owned()), Some(made), Lane::Known, None, true);
                assert_eq!(result.unwrap().matches, number % 2 == 0);
            });
        }
    });
    assert_eq!(queue.stats().hashed, 41);
}
